package render

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden pictures in testdata")

func months(values ...float64) []Bar {
	bars := make([]Bar, len(values))
	for i, v := range values {
		bars[i] = Bar{Month: time.Month(i + 1), Year: 1997, Avg: v}
	}
	return bars
}

// year is a whole one in Wisconsin.
var year = []float64{25.35, 30.1, 42.7, 56.9, 69.2, 78.4, 82.3, 79.9, 72.1, 59.6, 43.8, 30.4}

var pictures = []struct {
	name string
	bars []Bar
}{
	{"no-data", nil},
	{"winter", []Bar{{time.January, 1997, 25.348}, {time.February, 1997, 30.12}, {time.March, 1996, 42.7}}},
	{"whole-year", months(year...)},
	{"below-zero", months(-12.5, -3, 8.25)},
	{"all-below-zero", months(-40, -459.67)},
	{"huge", months(1e300, -1e300, 31.5)},
	{"month-missing", []Bar{{time.January, 1997, 25.348}, {Month: time.February}, {time.March, 1996, 42.7}}},
}

// missing leaves only the last bar its year.
func missing(bars []Bar) []Bar {
	for i := range bars[1:] {
		bars[i] = Bar{Month: bars[i].Month}
	}
	return bars
}

func TestGoldenPictures(t *testing.T) {
	for _, p := range pictures {
		t.Run(p.name, func(t *testing.T) {
			got := draws(t, p.bars)
			path := filepath.Join("testdata", p.name+".svg")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("picture differs from %s. To look at the difference:\n"+
					"  go test ./render -run TestGoldenPictures -update && git diff render/testdata\n"+
					"  open render/testdata/%s.svg in a browser (or: rsvg-convert -o x.png render/testdata/%[2]s.svg)\n"+
					"Commit the new picture if it is better; otherwise: git checkout render/testdata", path, p.name)
			}
		})
	}
}

// Whatever the values, the picture is well-formed and nothing leaves it.
func TestHostileValues(t *testing.T) {
	cases := []struct {
		name string
		bars []Bar
	}{
		{"no bar", nil},
		{"one zero", months(0)},
		{"zeros only, one of them negative", months(0, math.Copysign(0, -1), 0)},
		{"equal values", months(31.5, 31.5, 31.5)},
		{"equal values below zero", months(-31.5, -31.5)},
		{"the smallest number", months(math.SmallestNonzeroFloat64)},
		{"the largest numbers of both signs", months(math.MaxFloat64, -math.MaxFloat64)},
		{"the largest number alone", months(math.MaxFloat64)},
		{"huge beside tiny", months(1e300, 1e-300, -1e-300)},
		{"tiny values", months(1e-7, 2e-7, -3e-7)},
		{"values on ticks", months(10, 20, 30, 40, 50, 60)},
		{"the first and the last year", []Bar{{time.May, 1, 50}, {time.May, 9999, 51}}},
		{"a year that begins with the longest label", append(months(year...)[8:], months(year[:8]...)...)},
		{"a month without a year", []Bar{{time.May, 1997, -50}, {Month: time.June}, {time.July, 1997, -1}}},
		{"no month with a year", []Bar{{Month: time.May}, {Month: time.June}}},
		{"eleven months without a year", missing(months(year...))},
		{"everything at its widest", months(-1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300,
			-1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300, -1.23e-300)},
		{"twelve wide values", months(-99999.9, -99999.9, -99999.9, -99999.9, -99999.9, -99999.9,
			-1.5e300, -1.5e-300, 99999.9, 99999.9, 99999.9, -0.04)},
	}
	for n := 1; n <= MaxBars; n++ {
		cases = append(cases, struct {
			name string
			bars []Bar
		}{fmt.Sprint(n, " bars"), months(year[:n]...)})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			picture := draws(t, c.bars)
			checkPicture(t, picture, c.bars)
			if again := draws(t, c.bars); !bytes.Equal(picture, again) {
				t.Error("the same bars gave other bytes")
			}
		})
	}
}

func FuzzMonths(f *testing.F) {
	f.Add(25.3, 30.1, 42.7)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 5e-324)
	f.Add(-0.3, 0.1, 0.6)
	f.Fuzz(func(t *testing.T, a, b, c float64) {
		bars := months(a, b, c)
		for _, v := range []float64{a, b, c} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				if err := Months(io.Discard, bars); err == nil {
					t.Errorf("%v was drawn", v)
				}
				return
			}
		}
		checkPicture(t, draws(t, bars), bars)
	})
}

func TestBarsThatCannotBeDrawn(t *testing.T) {
	cases := []struct {
		name string
		bars []Bar
		want string
	}{
		{"more than twelve bars", make([]Bar, 13), "draw months: 13 bars, want at most 12"},
		{"month zero", []Bar{{0, 1997, 1}}, "draw months: bar %!Month(0)-1997: month is 0, want 1 to 12"},
		{"month thirteen", []Bar{{13, 1997, 1}}, "draw months: bar %!Month(13)-1997: month is 13, want 1 to 12"},
		{"negative year", []Bar{{1, -1, 1}}, "draw months: bar January--001: year is -1, want 1 to 9999, or 0 for none"},
		{"five-digit year", []Bar{{1, 10000, 1}}, "draw months: bar January-10000: year is 10000, want 1 to 9999, or 0 for none"},
		{"average without a year", []Bar{{1, 0, 1}}, "draw months: bar January: average is 1, want none without a year"},
		{"not a number", months(1, math.NaN()), "draw months: bar February-1997: average is NaN, want a finite number of °F"},
		{"infinite", months(math.Inf(-1)), "draw months: bar January-1997: average is -Inf, want a finite number of °F"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := Months(&out, c.bars)
			if err == nil || err.Error() != c.want {
				t.Errorf("got error %v, want %s", err, c.want)
			}
			if out.Len() > 0 {
				t.Errorf("wrote %d bytes", out.Len())
			}
		})
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrorIsReturned(t *testing.T) {
	if err := Months(brokenWriter{}, nil); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func draws(t *testing.T, bars []Bar) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Months(&buf, bars); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
