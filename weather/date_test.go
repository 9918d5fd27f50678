package weather

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
)

var _ encoding.TextAppender = Date(0)

func TestParseDate(t *testing.T) {
	tests := []struct {
		rule string
		in   string
		ok   bool
	}{
		{"first day", "0001-01-01", true},
		{"last day", "9999-12-31", true},
		{"leap day", "2012-02-29", true},
		{"leap day of a year divisible by 400", "2000-02-29", true},
		{"no leap day in other centuries", "1900-02-29", false},
		{"no leap day in common years", "2013-02-29", false},
		{"no year 0", "0000-01-01", false},
		{"no month 0", "2012-00-01", false},
		{"no month 13", "2012-13-01", false},
		{"no month above 15, which would not fit", "2012-99-01", false},
		{"no day 0", "2012-01-00", false},
		{"no 32nd", "2012-01-32", false},
		{"no 31st of April", "2012-04-31", false},
		{"empty", "", false},
		{"year of two digits", "12-01-01", false},
		{"year of five digits", "12012-01-01", false},
		{"month of one digit", "2012-1-01", false},
		{"slashes", "2012/01/01", false},
		{"letters", "2012-01-0x", false},
		{"sign", "2012-01-+1", false},
		{"byte below the digits", "2012-01-/1", false},
		{"byte above the digits", "2012-01-:1", false},
		{"space before", " 2012-01-0", false},
		{"time behind", "2012-01-01T00:00", false},
		{"no carrying over from a digit's place", "201:-01-01", false},
		{"digits of another script", "2012-01-٠", false},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			d, err := ParseDate(tt.in)
			fromBytes, errBytes := ParseDate([]byte(tt.in))
			if d != fromBytes || (err == nil) != (errBytes == nil) {
				t.Errorf("string gives %v, %v; bytes give %v, %v", d, err, fromBytes, errBytes)
			}
			if tt.ok {
				text, textErr := json.Marshal(d)
				if textErr != nil || string(text) != `"`+tt.in+`"` {
					t.Errorf("in JSON it is %s, %v", text, textErr)
				}
				if err != nil || d.String() != tt.in || !d.Valid() {
					t.Errorf("got %v, valid %v, error %v", d, d.Valid(), err)
				}
				return
			}
			if d != 0 || !errors.Is(err, ErrDate) {
				t.Errorf("got %v, %v; want no date, ErrDate", d, err)
			}
		})
	}
}

func TestParseDateQuotesLittleOfALongText(t *testing.T) {
	_, err := ParseDate(make([]byte, 1<<20))
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("error of %d bytes: %.300v", len(fmt.Sprint(err)), err)
	}
}

func TestNewDate(t *testing.T) {
	tests := []struct {
		rule             string
		year, month, day int
		want             string // empty: ErrDate
	}{
		{"a day", 1997, 1, 31, "1997-01-31"},
		{"leap day", 2000, 2, 29, "2000-02-29"},
		{"no carrying over", 1999, 2, 29, ""},
		{"no year 0", 0, 1, 1, ""},
		{"no year 10000", 10000, 1, 1, ""},
		{"no month 0", 2000, 0, 1, ""},
		{"no month 13", 2000, 13, 1, ""},
		{"no negative month", 2000, -1, 1, ""},
		{"no day 0", 2000, 1, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			d, err := NewDate(tt.year, time.Month(tt.month), tt.day)
			if tt.want == "" {
				if d != 0 || !errors.Is(err, ErrDate) {
					t.Errorf("got %v, %v; want no date, ErrDate", d, err)
				}
				return
			}
			if err != nil || d.String() != tt.want {
				t.Errorf("got %v, %v; want %s", d, err, tt.want)
			}
			if d.Year() != tt.year || int(d.Month()) != tt.month || d.Day() != tt.day {
				t.Errorf("parts are %d, %d, %d", d.Year(), d.Month(), d.Day())
			}
		})
	}
}

// Day after day, against package time: a whole cycle of the calendar, which is
// 400 years, from its beginning, and its end.
func TestCalendar(t *testing.T) {
	tests := []struct {
		first, last, next Date
	}{
		{day("0001-01-01"), day("0401-03-01"), day("0401-03-02")},
		{day("1899-12-31"), day("2000-03-01"), day("2000-03-02")},
		{day("9998-01-01"), day("9999-12-31"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.first.String(), func(t *testing.T) {
			want := time.Date(tt.first.Year(), tt.first.Month(), tt.first.Day(), 0, 0, 0, 0, time.UTC)
			before := tt.first.Prev()
			d := tt.first
			for ; d != 0 && d <= tt.last; d = d.Next() {
				year, month, dayOfMonth := want.Date()
				if d.Year() != year || d.Month() != month || d.Day() != dayOfMonth {
					t.Fatalf("got %v, want %v", d, want)
				}
				if !d.Valid() || d <= before || d.Prev() != before {
					t.Fatalf("%v: valid %v, day before is %v, want %v", d, d.Valid(), d.Prev(), before)
				}
				before, want = d, want.AddDate(0, 0, 1)
			}
			if before != tt.last || d != tt.next {
				t.Errorf("ends at %v and then %v, want %v and %v", before, d, tt.last, tt.next)
			}
		})
	}
}

func TestInvalidDates(t *testing.T) {
	tests := []struct {
		rule string
		d    Date
		text string
	}{
		{"zero", 0, "no date"},
		{"negative", -1, "Date(-1)"},
		{"year 0", pack(0, time.December, 31), "Date(415)"},
		{"year 10000", pack(10000, time.January, 1), "Date(5120033)"},
		{"month 0", pack(1, 0, 1), "Date(513)"},
		{"month 13", pack(1, 13, 1), "Date(929)"},
		{"day 0", pack(1, time.January, 0), "Date(544)"},
		{"31st of June", pack(1, time.June, 31), "Date(735)"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if tt.d.Valid() || tt.d.Next() != 0 || tt.d.Prev() != 0 {
				t.Errorf("valid %v, next %v, prev %v", tt.d.Valid(), tt.d.Next(), tt.d.Prev())
			}
			if got := tt.d.String(); got != tt.text {
				t.Errorf("String() is %q, want %q", got, tt.text)
			}
			if _, err := tt.d.MarshalText(); !errors.Is(err, ErrDate) {
				t.Errorf("MarshalText: %v; want ErrDate", err)
			}
			if b, err := tt.d.AppendText([]byte("x")); string(b) != "x" || !errors.Is(err, ErrDate) {
				t.Errorf("AppendText: %q, %v; want nothing appended, ErrDate", b, err)
			}
		})
	}
}

func TestParseMonth(t *testing.T) {
	for m := time.January; m <= time.December; m++ {
		if got, ok := ParseMonth(m.String()); got != m || !ok {
			t.Errorf("%v: got %v, %v", m, got, ok)
		}
		if got, ok := ParseMonth([]byte(m.String())); got != m || !ok {
			t.Errorf("%v as bytes: got %v, %v", m, got, ok)
		}
	}
	for _, s := range []string{"", "january", "JANUARY", "Jan", "January ", "Januar\x00", "Januar", "Mai"} {
		if got, ok := ParseMonth(s); got != 0 || ok {
			t.Errorf("%q: got %v, %v; want none", s, got, ok)
		}
	}
}

func TestDatesDoNotAllocate(t *testing.T) {
	text, month, buf := []byte("2012-02-29"), []byte("September"), make([]byte, 0, 16)
	allocs := testing.AllocsPerRun(100, func() {
		d, err := ParseDate(text)
		m, ok := ParseMonth(month)
		if _, errText := d.AppendText(buf); err != nil || errText != nil || !ok || m != time.September {
			t.Fatal(d, err, m, ok, errText)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2012-02-29", "1900-02-29", "0000-01-01", "9999-12-31", "2012-1-1", "2012-01-01 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, errWant := time.Parse("2006-01-02", s)
		ok := errWant == nil && want.Year() >= 1 && want.Year() <= 9999
		d, err := ParseDate(s)
		if (err == nil) != ok {
			t.Fatalf("%q: got %v, %v; package time says %v, %v", s, d, err, want, errWant)
		}
		if ok && d.String() != s {
			t.Fatalf("%q reads as %v", s, d)
		}
	})
}

func BenchmarkParseDate(b *testing.B) {
	b.ReportAllocs()
	text := []byte("2012-02-29")
	for b.Loop() {
		if _, err := ParseDate(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDateNext(b *testing.B) {
	b.ReportAllocs()
	d := minDate
	for b.Loop() {
		if d = d.Next(); d == 0 {
			d = minDate
		}
	}
}
