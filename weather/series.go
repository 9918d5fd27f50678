package weather

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Series is the daily maximum temperatures of one station, as a file has them.
type Series struct {
	Station string        // its id or location; empty if the file names none
	Days    []Observation // ascending by date, no date twice
	Missing int           // days that the file lists without a temperature
	Flagged int           // days whose temperature failed a quality check
}

// ParseError says where a data file can't be read, and what was expected there.
// It does not know the name of the file.
type ParseError struct {
	Line   int    // from 1
	Column string // empty if the error is about the line as a whole
	Err    error
}

// Error returns such as `line 12: temp_max: want a number in °C, got "x"`.
func (e *ParseError) Error() string {
	if e.Column == "" {
		return fmt.Sprintf("line %d: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("line %d: %s: %v", e.Line, e.Column, e.Err)
}

// Unwrap returns e.Err.
func (e *ParseError) Unwrap() error { return e.Err }

// maxLine bounds the lines of data files, and so what a hostile one makes us
// hold, in bytes. A line must be shorter.
const maxLine = 64 << 10

// eachLine calls fn with each line of r, without its end, and without the byte
// order mark before the first; fn must not keep the line. It stops at the first
// error: of fn or for a line that is none or too long, all as *ParseError with
// the number of the line, or of r, as it is. It returns the number of lines read.
func eachLine(r io.Reader, fn func(line []byte) error) (lines int, err error) {
	text := bufio.NewReader(r)
	mark, _ := text.Peek(2) // an error comes again when the lines are read
	if string(mark) == "\xff\xfe" || string(mark) == "\xfe\xff" {
		return 0, atLine(1, errUTF16)
	}
	scanner := bufio.NewScanner(text)
	scanner.Buffer(nil, maxLine)
	scanner.Split(splitLine)
	for scanner.Scan() {
		if err := scanner.Err(); err != nil {
			return lines, err // the last line may be a part of one: not its fault
		}
		line := scanner.Bytes()
		if lines++; lines == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if err := fn(line); err != nil {
			return lines, atLine(lines, err)
		}
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return lines, atLine(lines+1, fmt.Errorf("want less than %d bytes, got more", maxLine))
	case errors.Is(err, errCarriageReturn):
		return lines, atLine(lines+1, err)
	default:
		return lines, err
	}
}

var (
	errUTF16          = errors.New("want UTF-8, got UTF-16: save the file as UTF-8")
	errCarriageReturn = errors.New("want lines that end in LF or CR LF, got a CR within one")
)

// splitLine is bufio.ScanLines, but for an error where a carriage return does not
// belong to the end of a line: two lines that look like one lose the second.
func splitLine(text []byte, atEOF bool) (advance int, line []byte, err error) {
	advance, line, err = bufio.ScanLines(text, atEOF)
	seen := line
	if advance == 0 && len(text) > 0 {
		seen = text[:len(text)-1] // what follows the last byte is not known yet
	}
	if bytes.IndexByte(seen, '\r') >= 0 {
		return 0, nil, errCarriageReturn
	}
	return advance, line, err
}

// atLine adds the number of the line to an error about it.
func atLine(line int, err error) *ParseError {
	parseErr, ok := errors.AsType[*ParseError](err)
	if !ok {
		parseErr = &ParseError{Err: err}
	}
	parseErr.Line = line
	return parseErr
}

// maxStations is how many stations of a file an error names at most.
const maxStations = 8

// seriesBuilder makes a Series of days in any order. However long the file, it
// keeps one value for each date of the calendar at most.
type seriesBuilder struct {
	chosen   string   // the station to read; empty for the only one
	found    bool     // chosen is in the file
	stations []string // the first that the file has
	more     bool     // than these

	days    []Observation
	listed  DateSet // with a temperature or without
	missing int
	flagged int
}

// isOf tells whether what a file has of that station belongs to the series. Where
// no station was chosen it may return ErrSeveralStations, once there are more
// than can be named.
func (b *seriesBuilder) isOf(station string) (bool, error) {
	if !slices.Contains(b.stations, station) {
		switch {
		case station == "":
			return false, errors.New("want the name of a station, got none")
		case len(b.stations) < maxStations:
			b.stations = append(b.stations, strings.Clone(station)) // not the whole line
		case b.chosen == "":
			b.more = true
			return false, ErrSeveralStations
		default:
			b.more = true
		}
	}
	if b.chosen == "" {
		return len(b.stations) == 1, nil
	}
	b.found = b.found || station == b.chosen
	return station == b.chosen, nil
}

// severalStations names the stations of a file that has several.
func (b *seriesBuilder) severalStations() error {
	return fmt.Errorf("%w: %s", ErrSeveralStations, b.names())
}

// names lists the stations of the file, for an error.
func (b *seriesBuilder) names() string {
	var names []string
	for _, s := range b.stations {
		names = append(names, strconv.Quote(clip(s)))
	}
	if b.more {
		names = append(names, "and others")
	}
	return strings.Join(names, ", ")
}

// list notes that the file lists d. It returns an error if it did before.
func (b *seriesBuilder) list(d Date) error {
	if b.listed.Has(d) {
		return fmt.Errorf("%v is there twice: want each day of one station once", d)
	}
	b.listed.Add(d)
	return nil
}

// add adds the value of a day that was listed: in these units, or empty if it is
// missing.
func (b *seriesBuilder) add(d Date, value string, units Units, flagged bool) error {
	if value == "" {
		b.missing++
		return nil
	}
	degrees, err := units.degrees(value)
	switch {
	case flagged && (err == nil || errors.Is(err, ErrImplausible)): // that is what flags are for
		b.flagged++
	case err != nil:
		return err
	default:
		b.days = append(b.days, Observation{Date: d, Degrees: degrees})
	}
	return nil
}

// build returns the Series, which takes over the builder's days.
func (b *seriesBuilder) build() Series {
	slices.SortFunc(b.days, func(x, y Observation) int { return int(x.Date - y.Date) })
	station := b.chosen
	if station == "" && len(b.stations) > 0 {
		station = b.stations[0]
	}
	return Series{Station: station, Days: b.days, Missing: b.missing, Flagged: b.flagged}
}
