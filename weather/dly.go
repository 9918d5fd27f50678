package weather

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
)

// GHCN-Daily's fixed width format has a line for each month and element of a
// station: its id in 11 characters, year in 4, month in 2, element in 4, and for
// each of 31 days a value in 5 characters and three flags in one each, of which
// the second is that of quality: blank, or which check the value failed.
//
// Source: section III of GHCN-Daily's readme.txt, NOAA NCEI.
const (
	dlyYear    = 11 // where it begins, from 0
	dlyMonth   = 15
	dlyElement = 17
	dlyDays    = 21

	dlyDay     = 8 // characters
	dlyValue   = 5
	dlyQuality = 6 // where it is in a day

	dlyLength = dlyDays + 31*dlyDay
)

const (
	maximumElement = "TMAX"  // of all elements of GHCN-Daily
	ghcnMissing    = "-9999" // in place of a value
)

// isDLY tells whether a line is one of a .dly file, as far as its first columns
// tell.
func isDLY(line []byte) bool {
	return len(line) > dlyDays && allDigits(line[dlyYear:dlyElement]) && !bytes.ContainsRune(line[:dlyDays], ',')
}

// dlyLine reads a line of a .dly file: a month of a station.
func (d *dailyReader) dlyLine(line []byte) error {
	if !isDLY(line) {
		return fmt.Errorf("want a station, year, month and element in columns 1 to %d, got %q", dlyDays, clip(line))
	}
	if len(bytes.TrimRight(line, " ")) > dlyLength || len(line) < dlyLength-(dlyDay-dlyValue) { // blank flags may be cut off
		return fmt.Errorf("want %d characters, got %d", dlyLength, len(line))
	}
	if string(line[dlyElement:dlyDays]) != maximumElement {
		return nil
	}
	if ok, err := d.isOf(string(bytes.TrimSpace(line[:dlyYear]))); !ok {
		return err
	}
	year, _ := strconv.Atoi(string(line[dlyYear:dlyMonth])) // isDLY saw that these are digits
	number, _ := strconv.Atoi(string(line[dlyMonth:dlyElement]))
	month := time.Month(number)
	if _, err := NewDate(year, month, 1); err != nil {
		return err
	}
	for i := range 31 {
		at := line[dlyDays+i*dlyDay:]
		value := string(bytes.TrimSpace(at[:dlyValue]))
		flagged := len(at) > dlyQuality && at[dlyQuality] != ' '
		if err := d.dlyDay(year, month, i+1, value, flagged); err != nil {
			return &ParseError{Column: fmt.Sprintf("%s of day %d", maximumElement, i+1), Err: err}
		}
	}
	return nil
}

func (d *dailyReader) dlyDay(year int, month time.Month, day int, value string, flagged bool) error {
	if day > DaysIn(year, month) { // every line has 31
		if value != ghcnMissing && value != "" {
			return fmt.Errorf("want %s for a day that does not exist, got %q", ghcnMissing, value)
		}
		return nil
	}
	date := pack(year, month, day)
	if err := d.list(date); err != nil {
		return err
	}
	if value == ghcnMissing {
		value = ""
	}
	return d.add(date, value, TenthsCelsius, flagged)
}

func allDigits[T ~string | ~[]byte](s T) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
