package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// years are averages of a month from 1990 on; NaN is a year that is not there.
func years(values ...float64) map[int]float64 {
	averages := map[int]float64{}
	for i, v := range values {
		if !math.IsNaN(v) {
			averages[1990+i] = v
		}
	}
	return averages
}

// long is many years that go up slowly, and every year a little up or down.
func long(first, n int) map[int]float64 {
	random := rand.New(rand.NewPCG(1, 2))
	averages := map[int]float64{}
	for i := range n {
		averages[first+i] = math.Round((20+float64(i)*0.01+random.Float64()*10)*8) / 8
	}
	return averages
}

var gap = math.NaN()

var trends = []struct {
	name     string
	month    time.Month
	averages map[int]float64
}{
	{"trend-no-data", time.January, nil},
	{"trend-one-year", time.July, years(82.3)},
	{"trend-decade", time.January, years(25.3, 24.1, 29.5, 26.2, 23.8, 30.9, 27.7, 26.4, 31.2, 28.8)},
	{"trend-gaps", time.September, years(72.1, 71.3, gap, gap, 74.5, gap, 73.2, 75.9, 74.4)},
	{"trend-falls-below-zero", time.February, years(3.5, 1.25, -2, 0.5, -4.75, -3)},
	{"trend-centuries", time.December, long(1, 8000)},
}

func TestGoldenTrends(t *testing.T) {
	for _, p := range trends {
		t.Run(p.name, func(t *testing.T) {
			got := drawsTrend(t, p.month, p.averages)
			checkTrend(t, got, p.averages)
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
					"  go test ./render -run TestGoldenTrends -update && git diff render/testdata\n"+
					"Commit the new picture if it is better; otherwise: git checkout render/testdata", path)
			}
		})
	}
}

// Whatever the values, the picture is well-formed and nothing leaves it.
func TestTrendOfHostileValues(t *testing.T) {
	const most, least = math.MaxFloat64, math.SmallestNonzeroFloat64
	cases := []struct {
		name     string
		averages map[int]float64
	}{
		{"zeros only, one of them negative", years(0, math.Copysign(0, -1), 0)},
		{"equal values", years(31.5, 31.5, 31.5)},
		{"values that differ by less than their digits", years(31.5, math.Nextafter(31.5, 32), 31.5)},
		{"the smallest numbers", years(least, -least, least)},
		{"the largest numbers of both signs", years(most, -most, most)},
		{"the largest number alone", years(most, most, most)},
		{"the largest negative number alone", years(-most)},
		{"a line that leaves the largest number", years(most, most, most, -most, -most, -most)},
		{"huge beside tiny", years(1e300, 1e-300, -1e-300)},
		{"large ones that are close", years(1e300, 1.0000001e300, 1.0000002e300)},
		{"the lowest on the lowest tick, and last", years(32, 31, 30, 22)},
		{"the first and the last year there are", map[int]float64{1: 50, 9999: 51}},
		{"all years there are", long(1, 9999)},
		{"every other year", everyOther(long(1, 9999))},
	}
	for _, n := range []int{1, 2, 3, 4, 8, 9, 10, 18, 19, 30, mostDots, mostDots + 1, 100, 130} {
		cases = append(cases, struct {
			name     string
			averages map[int]float64
		}{fmt.Sprint(n, " years"), long(1990-n/2, n)})
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			picture := drawsTrend(t, time.September, c.averages)
			checkTrend(t, picture, c.averages)
			if again := drawsTrend(t, time.September, c.averages); !bytes.Equal(picture, again) {
				t.Error("the same years gave other bytes")
			}
		})
	}
}

func everyOther(averages map[int]float64) map[int]float64 {
	for year := range averages {
		if year%2 == 0 {
			delete(averages, year)
		}
	}
	return averages
}

func FuzzTrend(f *testing.F) {
	f.Add(25.3, 30.1, 42.7, 1990, 1)
	f.Add(math.MaxFloat64, -math.MaxFloat64, 5e-324, 1, 4999)
	f.Add(-0.3, 0.1, 0.6, 9990, 5)
	f.Fuzz(func(t *testing.T, a, b, c float64, year, step int) {
		averages := map[int]float64{year: a, year + step: b, year + 2*step: c}
		for y, v := range averages {
			if math.IsNaN(v) || math.IsInf(v, 0) || y < 1 || y > 9999 {
				if err := Trend(io.Discard, time.May, averages); err == nil {
					t.Errorf("%v in %d was drawn", v, y)
				}
				return
			}
		}
		checkTrend(t, drawsTrend(t, time.May, averages), averages)
	})
}

// checkTrend reads the picture as XML: well-formed, with texts within its bounds
// and apart at its full width and on a phone, and with each run of years as one
// line within the frame.
func checkTrend(t *testing.T, picture []byte, averages map[int]float64) {
	t.Helper()
	for _, narrow := range []bool{false, true} {
		texts := trendTexts(t, picture, narrow)
		for i, s := range texts {
			if s.x0 < 0 || s.y0 < 0 || s.x1 > width || s.y1 > height {
				t.Errorf("narrow %t: %+v leaves the picture of %dx%d", narrow, s, width, height)
			}
			for _, other := range texts[:i] {
				if overlap(s, other) {
					t.Errorf("narrow %t: %+v overlaps %+v", narrow, s, other)
				}
			}
		}
	}
	runs := 0
	for year := range averages {
		if _, found := averages[year-1]; !found {
			runs++
		}
	}
	course := regexp.MustCompile(`<path d="([^"]*)" class="course"`).FindSubmatch(picture)
	if len(averages) == 0 {
		if course != nil || !bytes.Contains(picture, []byte("no data yet")) {
			t.Error("it shows a line without a year, or does not say that there is no data")
		}
		return
	}
	if course == nil {
		t.Fatal("there is no line")
	}
	if n := strings.Count(string(course[1]), "M"); n != runs {
		t.Errorf("%d lines, want %d: a missing year is a gap", n, runs)
	}
	steps := regexp.MustCompile(`([ML])([0-9-]+),([0-9-]+)`).FindAllStringSubmatch(string(course[1]), -1)
	for _, s := range steps {
		if x, y := parse(t, s[2]), parse(t, s[3]); x < 0 || x > right || y < top || y > height-58 {
			t.Fatalf("the line goes to %s, outside of its frame", s[0])
		}
	}
	if most := max(4*width, 2*runs); len(steps) > most {
		t.Errorf("the line has %d steps, want at most %d", len(steps), most)
	}
}

func trendTexts(t *testing.T, picture []byte, narrow bool) (texts []shape) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return texts
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "text" {
			var text string
			if err := decoder.DecodeElement(&text, &start); err != nil {
				t.Fatalf("not well-formed: %v", err)
			}
			texts = append(texts, textShape(t, start, text, textSize(t, picture, start, narrow)))
		}
	}
}

// A column of pixels that holds several years shows the lowest and the highest.
func TestManyYearsKeepTheirExtremes(t *testing.T) {
	averages := map[int]float64{}
	for year := 1; year <= 9000; year++ {
		averages[year] = 50
	}
	averages[4321], averages[7777] = 10, 90
	f := newTrend(sorted(averages))
	path := f.course()
	for _, v := range []float64{10, 90} {
		if want := fmt.Sprintf(",%d", f.y(f.axis.fraction(v))); !strings.Contains(path, want+"L") {
			t.Errorf("nothing goes to y %s, where %v °F is", want, v)
		}
	}
}

func TestLine(t *testing.T) {
	cases := []struct {
		name        string
		averages    map[int]float64
		first, last float64
		told        string
	}{
		{"two years are no trend", years(1, 2), 0, 0, ""},
		{"years on a line", years(10, 11, 12, 13), 10, 13, "+10.00 °F per decade"},
		{"a gap does not bend it", years(10, gap, gap, 13, 14), 10, 14, "+10.00 °F per decade"},
		{"years about a line", years(1, 3, 2), 1.5, 2.5, "+5.00 °F per decade"},
		{"it falls", years(30, 29.75, 29.5), 30, 29.5, "−2.50 °F per decade"},
		{"level", years(5, 5, 5), 5, 5, "0.00 °F per decade"},
		{"hardly falls", years(5, 5, 4.999999), 5, 5, "0.00 °F per decade"},
		{"steep", years(0, 1e200, 2e200), 0, 2e200, "+1e201 °F per decade"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := fitLine(sorted(c.averages))
			near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-6*max(1, math.Abs(want), c.last/1e6) }
			if l.known != (c.told != "") || !near(l.first, c.first) || !near(l.last, c.last) || l.told("") != c.told {
				t.Errorf("got %+v %q, want %v to %v, %q", l, l.told(""), c.first, c.last, c.told)
			}
		})
	}
}

func TestTrendIsDescribed(t *testing.T) {
	picture := string(drawsTrend(t, time.January, years(10, 9, gap, 12, 12, 9)))
	const want = "Avg. Max Temperature: January of 5 years, 1990 to 1995; lowest 9.0 °F in 1991, highest 12.0 °F in 1993, latest 9.0 °F; trend +1.63 °F per decade"
	if !strings.Contains(picture, ">"+want+"</desc>") {
		t.Errorf("the description is %s, want %s", regexp.MustCompile(`<desc.*`).FindString(picture), want)
	}
}

func TestTrendsThatCannotBeDrawn(t *testing.T) {
	cases := []struct {
		name     string
		month    time.Month
		averages map[int]float64
		want     string
	}{
		{"month zero", 0, nil, "draw trend: month is 0, want 1 to 12"},
		{"month thirteen", 13, years(1), "draw trend: month is 13, want 1 to 12"},
		{"year zero", 1, map[int]float64{0: 0}, "draw trend: January: year is 0, want 1 to 9999"},
		{"five-digit year", 1, map[int]float64{10000: 1}, "draw trend: January-10000: year is 10000, want 1 to 9999, or 0 for none"},
		{"not a number", 2, map[int]float64{1997: math.NaN()}, "draw trend: February-1997: average is NaN, want a finite number of °F"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Trend(&out, c.month, c.averages); err == nil || err.Error() != c.want || out.Len() > 0 {
				t.Errorf("got error %v and %d bytes, want %s", err, out.Len(), c.want)
			}
		})
	}
	if err := Trend(brokenWriter{}, time.May, nil); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

// As TestPictureWithoutItsStyleSheet has it of the bars: what style sheets
// recolor in the dark is a light attribute first.
func TestTrendHasBothColors(t *testing.T) {
	picture := string(drawsTrend(t, time.May, years(1, 2, 3)))
	_, inTheDark, _ := strings.Cut(picture, trendSheet[:30])
	for class, of := range map[string][2]string{"trend": {light.ink, dark.ink}, "dot": {light.background, dark.background}} {
		if !regexp.MustCompile(`class="`+class+`"[^>]* stroke="`+of[0]+`"`).MatchString(picture) || !strings.Contains(inTheDark, "."+class+" { stroke: "+of[1]+"; }") {
			t.Errorf("%s is not %s in the light and %s in the dark", class, of[0], of[1])
		}
	}
}

func sorted(averages map[int]float64) (points []Bar) {
	for year := 1; year <= 9999; year++ {
		if avg, found := averages[year]; found {
			points = append(points, Bar{time.January, year, avg})
		}
	}
	return points
}

func drawsTrend(t *testing.T, month time.Month, averages map[int]float64) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Trend(&buf, month, averages); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
