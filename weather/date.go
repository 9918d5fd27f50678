package weather

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// ErrDate says that something is not a day of the calendar from 0001-01-01 to
// 9999-12-31, or is not written as YYYY-MM-DD.
var ErrDate = errors.New("invalid date")

// Date is a day of the proleptic Gregorian calendar, from 0001-01-01 to
// 9999-12-31, in no time zone.
//
// It is packed as year<<9 | month<<5 | day, so that dates compare as numbers.
// Zero means no date.
type Date int32

const (
	minYear = 1
	maxYear = 9999

	yearShift  = 9 // bits below the year
	monthShift = 5 // bits below the month

	minDate = Date(minYear<<yearShift | 1<<monthShift | 1)
	maxDate = Date(maxYear<<yearShift | 12<<monthShift | 31)
)

func pack(year int, month time.Month, day int) Date {
	return Date(year<<yearShift | int(month)<<monthShift | day)
}

// NewDate returns the date of that year (1 to 9999), month and day. It returns
// ErrDate if there is no such day: nothing is carried over, as time.Date would.
func NewDate(year int, month time.Month, day int) (Date, error) {
	// DaysIn is 0 for what isn't a month.
	if year < minYear || year > maxYear || day < 1 || day > DaysIn(year, month) {
		return 0, fmt.Errorf("%w: year %d, month %d, day %d: no such day from 0001-01-01 to 9999-12-31",
			ErrDate, year, int(month), day)
	}
	return pack(year, month, day), nil
}

// ParseDate reads a date that is written exactly as YYYY-MM-DD. It returns
// ErrDate if s isn't, or if there is no such day. It allocates only for errors.
func ParseDate[T ~string | ~[]byte](s T) (Date, error) {
	if len(s) != len("YYYY-MM-DD") || s[4] != '-' || s[7] != '-' {
		return 0, parseError(string(clip(s)), "want YYYY-MM-DD")
	}
	century, ok1 := twoDigits(s[0], s[1])
	rest, ok2 := twoDigits(s[2], s[3])
	month, ok3 := twoDigits(s[5], s[6])
	day, ok4 := twoDigits(s[8], s[9])
	if !(ok1 && ok2 && ok3 && ok4) {
		return 0, parseError(string(s), "want YYYY-MM-DD")
	}
	year := 100*century + rest
	if year < minYear || day < 1 || day > DaysIn(year, time.Month(month)) {
		return 0, parseError(string(s), "no such day")
	}
	return pack(year, time.Month(month), day), nil
}

// parseError keeps the making of errors out of ParseDate's hot path.
func parseError(s, reason string) error {
	return fmt.Errorf("%w: %q: %s", ErrDate, s, reason)
}

// clip shortens what a stranger wrote, so that it can be quoted in an error.
func clip[T ~string | ~[]byte](s T) T {
	const enough = 40 // bytes
	return s[:min(len(s), enough)]
}

func twoDigits(tens, ones byte) (n int, ok bool) {
	tens -= '0' // what is below '0' wraps round to a large number
	ones -= '0'
	return 10*int(tens) + int(ones), tens <= 9 && ones <= 9
}

// Year returns the year of d, 1 to 9999.
func (d Date) Year() int { return int(d >> yearShift) }

// Month returns the month of d.
func (d Date) Month() time.Month { return time.Month(d >> monthShift & 0xf) }

// Day returns the day of d's month, 1 to 31.
func (d Date) Day() int { return int(d & 0x1f) }

// yearMonth is the same number for all days of one month of one year.
func (d Date) yearMonth() Date { return d >> monthShift }

// Valid tells whether d is a day of the calendar. A Date that was not made by
// this package, such as one from a message, may not be.
func (d Date) Valid() bool {
	return d >= minDate && d <= maxDate && d.Day() >= 1 && d.Day() <= DaysIn(d.Year(), d.Month())
}

// Next returns the day after d: 0 after 9999-12-31, and 0 if d is not valid.
func (d Date) Next() Date {
	switch {
	case !d.Valid() || d == maxDate:
		return 0
	case d.Day() < DaysIn(d.Year(), d.Month()):
		return d + 1
	case d.Month() < time.December:
		return pack(d.Year(), d.Month()+1, 1)
	default:
		return pack(d.Year()+1, time.January, 1)
	}
}

// Prev returns the day before d: 0 before 0001-01-01, and 0 if d is not valid.
func (d Date) Prev() Date {
	switch {
	case !d.Valid() || d == minDate:
		return 0
	case d.Day() > 1:
		return d - 1
	case d.Month() > time.January:
		return pack(d.Year(), d.Month()-1, DaysIn(d.Year(), d.Month()-1))
	default:
		return pack(d.Year()-1, time.December, 31)
	}
}

// String returns d as YYYY-MM-DD. For zero it returns "no date", and for any
// other number that is not a date it returns "Date(" and that number.
func (d Date) String() string {
	if d == 0 {
		return "no date"
	}
	var buf [len("YYYY-MM-DD")]byte
	text, err := d.AppendText(buf[:0])
	if err != nil {
		return "Date(" + strconv.Itoa(int(d)) + ")"
	}
	return string(text)
}

// AppendText appends d as YYYY-MM-DD to b. It returns b and ErrDate if d is not
// valid. It implements encoding.TextAppender.
func (d Date) AppendText(b []byte) ([]byte, error) {
	if !d.Valid() {
		return b, fmt.Errorf("%w: packed as %d", ErrDate, int32(d))
	}
	year, month, day := d.Year(), int(d.Month()), d.Day()
	b = appendTwoDigits(b, year/100)
	b = appendTwoDigits(b, year%100)
	b = appendTwoDigits(append(b, '-'), month)
	return appendTwoDigits(append(b, '-'), day), nil
}

// MarshalText returns d as YYYY-MM-DD, or ErrDate if d is not valid. It implements
// encoding.TextMarshaler: in JSON a date is a string.
func (d Date) MarshalText() ([]byte, error) {
	return d.AppendText(make([]byte, 0, len("YYYY-MM-DD")))
}

func appendTwoDigits(b []byte, n int) []byte {
	return append(b, byte('0'+n/10), byte('0'+n%10))
}
