package weather

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
)

// ReadOptions says what a data file does not tell by itself. The zero value
// will do for a file of one station whose format has units of its own.
type ReadOptions struct {
	// Station is the one to read where a file has several: its id, or what the
	// column location says. Empty means the only one that there is.
	Station string

	// Units are those of the file's temperatures. NCEI's CSV needs them; for any
	// other format they are empty or the format's own.
	Units Units
}

var (
	// ErrUnitsNeeded says that a file does not tell the units of its temperatures.
	ErrUnitsNeeded = errors.New("unknown units of the temperatures")

	// ErrOtherUnits says that a file's temperatures can't be in the units asked for.
	ErrOtherUnits = errors.New("other units")

	// ErrSeveralStations says that a file has temperatures of several stations.
	ErrSeveralStations = errors.New("several stations")

	// ErrNoStation says that a file has no temperatures of the station asked for.
	ErrNoStation = errors.New("no such station")

	// ErrTooLong says that a file has more than 2 GiB of text.
	ErrTooLong = errors.New("file too long")

	errFormat = errors.New("want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max")
	errNoDays = errors.New("want at least one day with a temperature, got none")
)

// maxText bounds a data file, in bytes, so that one that is compressed a
// thousandfold ends, too. The longest of NOAA's, a year of all stations, have
// 1.3 GB.
const maxText = 2 << 30

// ReadDaily reads the daily maximum temperatures of one station. It knows these
// formats, by their content, each also compressed by gzip, with a byte order
// mark, Windows line ends or blank lines:
//
//   - GHCN-Daily, fixed width (.dly): elements TMAX in tenths of °C.
//   - GHCN-Daily, CSV (by station or by year), with or without the header
//     ID,DATE,ELEMENT,DATA_VALUE,…: likewise.
//   - NCEI's CSV: a header with STATION, DATE (YYYY-MM-DD) and TMAX, in any order
//     and among any others. It does not tell its units.
//   - CSV with a header with date (YYYY-MM-DD) and temp_max (°C), in any order and
//     among any others, as Seattle's weather in the npm package vega-datasets has
//     it. A column location, if there is one, names the station.
//
// The temperatures are converted to °F and rounded to 4 decimals, and the days
// sorted. A day without a value (nothing, or -9999 where GHCN's conventions hold)
// is left out and counted as missing; one whose value failed NOAA's quality
// checks is left out and counted as flagged.
//
// An error about a line is a *ParseError: a file in another format or in UTF-16, a
// value that is none, is implausible (ErrImplausible) or is in other units
// (ErrUnitsNeeded, ErrOtherUnits), a date that is there twice, a line of 64 KiB
// or more or with a carriage return within it, and a file without any
// temperature. Where a gzip file is damaged, that is the error, not what its lines
// seem to say. Errors about the file are
// ErrSeveralStations, naming them, ErrNoStation, ErrGzip and ErrTooLong; options
// that are none are ErrUnits. Any other error of r is returned as it is.
func ReadDaily(r io.Reader, o ReadOptions) (Series, error) {
	return readDaily(r, o, maxText)
}

func readDaily(r io.Reader, o ReadOptions, maxText int64) (Series, error) {
	if err := o.Units.Check(); err != nil {
		return Series{}, err
	}
	text, err := decompressed(r)
	if err != nil {
		return Series{}, err
	}
	d := dailyReader{options: o, csv: newCSVSplitter(), seriesBuilder: seriesBuilder{chosen: o.Station}}
	limited := &limitedReader{text, maxText}
	lines, err := eachLine(limited, d.line)
	switch {
	case errors.Is(err, ErrSeveralStations):
		return Series{}, d.severalStations()
	case err != nil:
		return Series{}, cmp.Or(damage(text, limited), err)
	case d.read == nil:
		return Series{}, atLine(max(lines, 1), fmt.Errorf("%w, got an empty file", errFormat))
	case d.chosen == "" && len(d.stations) > 1:
		return Series{}, d.severalStations()
	case d.chosen != "" && !d.found && len(d.stations) > 0:
		return Series{}, fmt.Errorf("%w: %q: the file has %s", ErrNoStation, clip(d.chosen), d.names())
	case len(d.days) == 0:
		return Series{}, atLine(lines, errNoDays)
	}
	return d.build(), nil
}

// dailyReader reads the lines of a file. The first one that isn't blank tells
// its format.
type dailyReader struct {
	seriesBuilder

	options ReadOptions
	csv     *csvSplitter
	read    func(line []byte) error // a line of the format; nil before it is known
}

// line reads one line, given without its end.
func (d *dailyReader) line(text []byte) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil
	case d.read != nil:
		return d.read(text)
	case isDLY(text):
		if err := d.ownUnits(TenthsCelsius); err != nil {
			return err
		}
		d.read = d.dlyLine
		return d.dlyLine(text)
	}
	fields, err := d.csv.split(text)
	if err != nil {
		return err
	}
	table, err := d.csvTable(fields)
	if err != nil {
		return err
	}
	d.read = table.line
	if table.headless {
		return table.line(text)
	}
	return nil
}

// ownUnits returns ErrOtherUnits if other units are asked for than those that
// the format has, which can't be.
func (d *dailyReader) ownUnits(u Units) error {
	if d.options.Units != "" && d.options.Units != u {
		return fmt.Errorf("%w: the temperatures of this format are in %s, not in %s", ErrOtherUnits, u, d.options.Units)
	}
	return nil
}

// limitedReader fails once r has more than that many bytes.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, fmt.Errorf("%w: want at most %d GiB of text", ErrTooLong, maxText>>30)
	}
	return n, err
}
