package weather

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Names of the columns that ReadCSV reads.
const (
	dateColumn    = "date"
	celsiusColumn = "temp_max"
)

// maxCelsius is beyond every temperature measured on Earth, and below the
// numbers that stand for missing values in some files (999.9, -9999).
const maxCelsius = 100

// ReadCSV reads daily maximum temperatures in the layout of Seattle's weather
// in the npm package vega-datasets: CSV whose first line names the columns,
// among them "date" (YYYY-MM-DD) and "temp_max" (°C, -100 to 100), in any order
// and among any others, which are ignored. The days may be in any order. A byte
// order mark, Windows line ends and blank lines are accepted; a line break in a
// quoted field isn't.
//
// The temperatures are converted to °F and rounded to 4 decimals. A day whose
// temp_max is empty is left out and counted as missing.
//
// A file in another layout is a *ParseError, and so are a date that is there
// twice, a line of 64 KiB or more, and a file without any temperature. An error
// of r is returned as it is.
func ReadCSV(r io.Reader) (Series, error) {
	c := newCSVReader()
	lines, err := eachLine(r, c.line)
	switch {
	case err != nil:
		return Series{}, err
	case c.columns == 0:
		return Series{}, atLine(max(lines, 1), fmt.Errorf("%w, got an empty file", errHeader))
	case len(c.days) == 0:
		return Series{}, atLine(lines, errors.New("want at least one day with a temperature, got none"))
	}
	return c.build(), nil
}

var errHeader = fmt.Errorf("want a header with the columns %s and %s", dateColumn, celsiusColumn)

// csvReader reads the lines of a CSV file. The first one that isn't blank is
// the header.
type csvReader struct {
	seriesBuilder

	// fields splits what is in input, which is one line at a time: a quote that
	// is never closed can't make it read on and on.
	fields *csv.Reader
	input  *bytes.Reader

	columns       int // in the header; 0 before it
	date, celsius int // where they are among the columns
}

func newCSVReader() *csvReader {
	input := bytes.NewReader(nil)
	fields := csv.NewReader(input)
	fields.FieldsPerRecord = -1 // line checks them, and says how many it wants
	fields.ReuseRecord = true
	return &csvReader{fields: fields, input: input}
}

// line reads one line, given without its end.
func (c *csvReader) line(text []byte) error {
	c.input.Reset(text)
	fields, err := c.fields.Read()
	switch {
	case err == io.EOF: // a blank line
		return nil
	case err != nil:
		// The csv.ParseError around the cause has a line number of its own,
		// which does not fit.
		return cmp.Or(errors.Unwrap(err), err)
	case c.columns == 0:
		return c.header(fields)
	case len(fields) != c.columns:
		return fmt.Errorf("want %d columns as in the header, got %d", c.columns, len(fields))
	}
	return c.day(strings.TrimSpace(fields[c.date]), strings.TrimSpace(fields[c.celsius]))
}

// header finds the columns.
func (c *csvReader) header(names []string) (err error) {
	if c.date, err = find(dateColumn, names); err != nil {
		return err
	}
	if c.celsius, err = find(celsiusColumn, names); err != nil {
		return err
	}
	c.columns = len(names)
	return nil
}

// find returns where the column of that name is.
func find(column string, names []string) (int, error) {
	at := -1
	for i, name := range names {
		if strings.TrimSpace(name) != column {
			continue
		}
		if at >= 0 {
			return 0, &ParseError{Column: column, Err: errors.New("want one column of that name, got several")}
		}
		at = i
	}
	if at < 0 {
		return 0, fmt.Errorf("%w, got %q", errHeader, clip(strings.Join(names, ",")))
	}
	return at, nil
}

// day adds what a line says of a day.
func (c *csvReader) day(date, celsius string) error {
	d, err := ParseDate(date)
	if err == nil {
		err = c.list(d)
	}
	if err != nil {
		return &ParseError{Column: dateColumn, Err: err}
	}
	if celsius == "" {
		c.missing++
		return nil
	}
	degrees, err := parseCelsius(celsius)
	if err != nil {
		return &ParseError{Column: celsiusColumn, Err: err}
	}
	c.days = append(c.days, Observation{Date: d, Degrees: fahrenheit(degrees)})
	return nil
}

// parseCelsius reads a decimal number of °C that a thermometer may show.
func parseCelsius(text string) (float64, error) {
	celsius, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || strings.ContainsAny(text, "xX"): // hexadecimal is Go's alone
		return 0, fmt.Errorf("want a number in °C, got %q", clip(text))
	case !(math.Abs(celsius) <= maxCelsius): // NaN, too
		return 0, fmt.Errorf("want -%d to %d °C, got %q", maxCelsius, maxCelsius, clip(text))
	}
	return celsius, nil
}
