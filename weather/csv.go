package weather

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// csvSplitter splits lines into fields. A line break in a quoted field is an
// error: it is given one line at a time, so that a quote that is never closed
// can't make it read on and on.
type csvSplitter struct {
	fields *csv.Reader
	input  *bytes.Reader
}

func newCSVSplitter() *csvSplitter {
	input := bytes.NewReader(nil)
	fields := csv.NewReader(input)
	fields.FieldsPerRecord = -1 // csvTable.line checks them, and says how many it wants
	fields.ReuseRecord = true
	return &csvSplitter{fields: fields, input: input}
}

// split returns the fields of a line that isn't blank, without the spaces around
// them. They are overwritten by those of the next one.
func (s *csvSplitter) split(line []byte) ([]string, error) {
	s.input.Reset(line)
	fields, err := s.fields.Read()
	if err != nil {
		// The csv.ParseError around the cause has a line number of its own,
		// which does not fit.
		return nil, cmp.Or(errors.Unwrap(err), err)
	}
	for i, field := range fields {
		fields[i] = strings.TrimSpace(field)
	}
	return fields, nil
}

// columns has something for each column that is read: its name, or its place.
type columns[T any] struct{ station, element, date, value, quality T }

// csvLayout is a kind of CSV file with a header.
type csvLayout struct {
	names columns[string] // empty where the layout has no such column
	mark  string          // the name that no other layout has
	needs []string        // names that must be there

	readDate func(string) (Date, error)
	missing  string                    // stands for a missing value, as nothing does
	flagged  func(quality string) bool // nil if values are never flagged
	units    Units                     // empty if nothing tells
}

var csvLayouts = []*csvLayout{&byStationCSV, &nceiCSV, &seattleCSV}

// csvTable reads the lines of a CSV file into the series of a dailyReader.
type csvTable struct {
	*csvLayout

	reader   *dailyReader
	headless bool         // its first line is a row already
	width    int          // columns that each line must have
	at       columns[int] // -1 where the file has no such column
	units    Units
}

// csvTable makes the table of a file whose first line has these fields.
func (d *dailyReader) csvTable(first []string) (*csvTable, error) {
	t := &csvTable{reader: d, width: len(first)}
	if isByStation(first) {
		t.csvLayout, t.at, t.headless, t.width = &byStationCSV, byStationColumns, true, byStationWidth
	} else if err := t.header(first); err != nil {
		return nil, err
	}
	if d.chosen != "" && t.at.station < 0 {
		return nil, fmt.Errorf("%w: %q: the file names none", ErrNoStation, clip(d.chosen))
	}
	if t.units = t.csvLayout.units; t.units != "" {
		return t, d.ownUnits(t.units)
	}
	if t.units = d.options.Units; t.units == "" {
		return nil, &ParseError{Column: t.names.value, Err: fmt.Errorf("%w: %s, %s and %s are all published in this format",
			ErrUnitsNeeded, Celsius, Fahrenheit, TenthsCelsius)}
	}
	return t, nil
}

// header finds out the layout, and where its columns are.
func (t *csvTable) header(names []string) (err error) {
	for _, l := range csvLayouts {
		if slices.Contains(names, l.mark) {
			t.csvLayout = l
			break
		}
	}
	got := clip(strings.Join(names, ","))
	if t.csvLayout == nil {
		return fmt.Errorf("%w, got %q", errFormat, got)
	}
	for _, name := range t.needs {
		if !slices.Contains(names, name) {
			return fmt.Errorf("want a header with the columns %s, got %q", strings.Join(t.needs, ", "), got)
		}
	}
	for _, c := range []struct {
		name string
		at   *int
	}{
		{t.names.station, &t.at.station},
		{t.names.element, &t.at.element},
		{t.names.date, &t.at.date},
		{t.names.value, &t.at.value},
		{t.names.quality, &t.at.quality},
	} {
		if *c.at = slices.Index(names, c.name); c.name == "" {
			*c.at = -1 // a column without a name is none of ours
		} else if *c.at >= 0 && slices.Contains(names[*c.at+1:], c.name) {
			return &ParseError{Column: c.name, Err: errors.New("want one column of that name, got several")}
		}
	}
	return nil
}

// line reads a line that is not the header.
func (t *csvTable) line(text []byte) error {
	fields, err := t.reader.csv.split(text)
	switch {
	case err != nil:
		return err
	case len(fields) != t.width && t.headless:
		return fmt.Errorf("want %d columns, got %d", t.width, len(fields))
	case len(fields) != t.width:
		return fmt.Errorf("want %d columns as in the header, got %d", t.width, len(fields))
	}
	return t.row(fields)
}

// row adds what a line says of a day.
func (t *csvTable) row(fields []string) error {
	if t.at.element >= 0 && fields[t.at.element] != maximumElement {
		return nil
	}
	if t.at.station >= 0 {
		if ok, err := t.reader.isOf(fields[t.at.station]); !ok {
			return column(t.names.station, err)
		}
	}
	date, err := t.readDate(fields[t.at.date])
	if err == nil {
		err = t.reader.list(date)
	}
	if err != nil {
		return column(t.names.date, err)
	}
	value := fields[t.at.value]
	if value == t.missing {
		value = ""
	}
	flagged := t.at.quality >= 0 && t.flagged(fields[t.at.quality])
	return column(t.names.value, t.reader.add(date, value, t.units, flagged))
}

// column adds the name of the column to an error about it.
func column(name string, err error) error {
	if err == nil {
		return nil
	}
	return &ParseError{Column: name, Err: err}
}
