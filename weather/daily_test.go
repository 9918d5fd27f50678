package weather

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadDailyCSVOfSeattle(t *testing.T) {
	file, err := os.Open("testdata/seattle-weather.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := ReadDaily(file, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Days) != 1461 || s.Missing != 0 {
		t.Fatalf("%d days, %d missing; want 1461 and 0", len(s.Days), s.Missing)
	}
	want := day("2012-01-01")
	for _, o := range s.Days {
		if o.Date != want {
			t.Fatalf("%v follows the day before %v", o.Date, want)
		}
		want = want.Next()
	}
	for i, want := range map[int]Observation{
		0:    {day("2012-01-01"), 55.04}, // 12.8 °C
		1:    {day("2012-01-02"), 51.08}, // 10.6 °C
		59:   {day("2012-02-29"), 41},    // 5.0 °C
		1460: {day("2015-12-31"), 42.08}, // 5.6 °C
	} {
		if s.Days[i] != want {
			t.Errorf("day %d is %v, want %v", i, s.Days[i], want)
		}
	}
}

func TestReadDailyCSV(t *testing.T) {
	tests := []struct {
		rule    string
		text    string
		want    []Observation
		missing int
	}{
		{"days of a header's columns", "date,temp_max\n2012-01-01,12.8\n2012-01-02,10.6\n",
			[]Observation{{day("2012-01-01"), 55.04}, {day("2012-01-02"), 51.08}}, 0},
		{"columns in any order, among others", "wind,temp_max,temp_min,date\n1,5,x,2012-01-01\n",
			[]Observation{{day("2012-01-01"), 41}}, 0},
		{"days in any order", "date,temp_max\n2012-01-02,5\n2011-12-31,10\n2012-01-01,0\n",
			[]Observation{{day("2011-12-31"), 50}, {day("2012-01-01"), 32}, {day("2012-01-02"), 41}}, 0},
		{"empty values are missing", "date,temp_max\n2012-01-01,\n2012-01-02,5\n2012-01-03,  \n",
			[]Observation{{day("2012-01-02"), 41}}, 2},
		{"byte order mark, Windows line ends, no end of the last line", "\ufeffdate,temp_max\r\n2012-01-01,5\r\n2012-01-02,10",
			[]Observation{{day("2012-01-01"), 41}, {day("2012-01-02"), 50}}, 0},
		{"blank lines", "\n\ndate,temp_max\n\n2012-01-01,5\n\n",
			[]Observation{{day("2012-01-01"), 41}}, 0},
		{"quotes, with commas and quotes in them", "\"date\",\"name\",\"temp_max\"\n\"2012-01-01\",\"Seattle, \"\"WA\"\"\",\"5\"\n",
			[]Observation{{day("2012-01-01"), 41}}, 0},
		{"spaces around", " date , temp_max \n 2012-01-01 , 5.0 \n",
			[]Observation{{day("2012-01-01"), 41}}, 0},
		{"the coldest and the hottest", "date,temp_max\n0001-01-01,-90\n9999-12-31,+6e1\n",
			[]Observation{{minDate, -130}, {maxDate, 140}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			// Byte by byte: what a reader gives at a time makes no difference.
			s, err := ReadDaily(iotest.OneByteReader(strings.NewReader(tt.text)), ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(s.Days, tt.want) || s.Missing != tt.missing {
				t.Errorf("got %v, %d missing; want %v, %d", s.Days, s.Missing, tt.want, tt.missing)
			}
		})
	}
}

func TestReadDailyCSVOfAnotherLayout(t *testing.T) {
	const header = "date,temp_max\n"
	tests := []struct {
		rule string
		text string
		want string
	}{
		{"empty file", "", "line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got an empty file"},
		{"only a byte order mark", "\ufeff", "line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got an empty file"},
		{"only blank lines", "\n\r\n", "line 2: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got an empty file"},
		{"no header", "2012-01-01,5\n", `line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got "2012-01-01,5"`},
		{"no column of temperatures", "date,tmax\n", `line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got "date,tmax"`},
		{"a column twice", "date,temp_max,temp_max\n", "line 1: temp_max: want one column of that name, got several"},
		{"no days", header, "line 1: want at least one day with a temperature, got none"},
		{"no temperatures", header + "2012-01-01,\n", "line 2: want at least one day with a temperature, got none"},
		{"not a number", header + "2012-01-01,5\n2012-01-02,x\n", `line 3: temp_max: want a number in °C, got "x"`},
		{"hexadecimal", header + "2012-01-01,0x1p4\n", `line 2: temp_max: want a number in °C, got "0x1p4"`},
		{"a code for a missing value", header + "2012-01-01,-9999\n", `line 2: temp_max: implausible temperature: want -90 to 60 °C, got "-9999"`},
		{"NaN", header + "2012-01-01,NaN\n", `line 2: temp_max: implausible temperature: want -90 to 60 °C, got "NaN"`},
		{"too large for a float64", header + "2012-01-01,1e999\n", `line 2: temp_max: want a number in °C, got "1e999"`},
		{"a date that does not exist", header + "2012-02-30,5\n", `line 2: date: invalid date: "2012-02-30": no such day`},
		{"a date in another form", header + "20120201,5\n", `line 2: date: invalid date: "20120201": want YYYY-MM-DD`},
		{"a date without a value is checked, too", header + "x,\n", `line 2: date: invalid date: "x": want YYYY-MM-DD`},
		{"a date twice", header + "2012-02-01,5\n2012-02-02,5\n2012-02-01,5\n", "line 4: date: 2012-02-01 is there twice: want each day of one station once"},
		{"a date twice, once without a value", header + "2012-02-01,\n2012-02-01,5\n", "line 3: date: 2012-02-01 is there twice: want each day of one station once"},
		{"too few columns", header + "2012-02-01\n", "line 2: want 2 columns as in the header, got 1"},
		{"too many columns", header + "2012-02-01,5,6\n", "line 2: want 2 columns as in the header, got 3"},
		{"lines count whether blank or not", "\n" + header + "\n\r\n2012-02-01\n", "line 5: want 2 columns as in the header, got 1"},
		{"a quote that is not closed", header + "2012-02-01,\"5\n2012-02-02,5\n", "line 2: extraneous or missing \" in quoted-field"},
		{"a quote within a field", header + "2012-02-01,5\"\n", "line 2: bare \" in non-quoted-field"},
		{"°F, most likely", header + "2012-07-01,75\n", `line 2: temp_max: implausible temperature: want -90 to 60 °C, got "75"`},
		{"no dates", "day,temp_max\n", `line 1: want a header with the columns date, temp_max, got "day,temp_max"`},
		{"binary", "\x89PNG\x1a", `line 1: want GHCN-Daily (.dly or CSV), NCEI's CSV (STATION, DATE, TMAX) or CSV with the columns date and temp_max, got "\x89PNG\x1a"`},
		{"a line that is too long", header + strings.Repeat("x", maxLine), "line 2: want less than 65536 bytes, got more"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			s, err := ReadDaily(strings.NewReader(tt.text), ReadOptions{})
			if s.Days != nil || s.Missing != 0 {
				t.Errorf("got %v with an error", s)
			}
			if fmt.Sprint(err) != tt.want {
				t.Errorf("got  %v\nwant %v", err, tt.want)
			}
			if parseErr, ok := errors.AsType[*ParseError](err); !ok || parseErr.Line == 0 {
				t.Errorf("got %T, want a *ParseError with a line", err)
			}
		})
	}
}

func TestReadDailyTellsTheCause(t *testing.T) {
	_, err := ReadDaily(strings.NewReader("date,temp_max\n2012-02-30,5\n"), ReadOptions{})
	if !errors.Is(err, ErrDate) {
		t.Errorf("got %v, want ErrDate", err)
	}
	broken := errors.New("disk on fire")
	_, err = ReadDaily(io.MultiReader(strings.NewReader("date,temp_max\n2012-02-01,5\n"), iotest.ErrReader(broken)), ReadOptions{})
	if err != broken {
		t.Errorf("got %v, want the reader's own error", err)
	}
}

// endless repeats a text for ever, and counts what was read of it.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.read%len(e.text):])
	e.read += n
	return n, nil
}

func TestReadDailyStopsReadingHostileFiles(t *testing.T) {
	for rule, text := range map[string]string{
		"a line without end":         "x",
		"a header without end":       "date,temp_max,",
		"a quote that never closes":  "\"\n",
		"the same line for ever":     "date,temp_max\n",
		"zeros":                      "\x00",
		"fields without end, quoted": "\"\",",
	} {
		t.Run(rule, func(t *testing.T) {
			file := &endless{text: strings.Repeat(text, 100)}
			if _, err := ReadDaily(file, ReadOptions{}); err == nil {
				t.Error("no error")
			}
			if file.read > 2*maxLine {
				t.Errorf("read %d bytes", file.read)
			}
		})
	}
}

func TestFahrenheit(t *testing.T) {
	tests := []struct{ celsius, want float64 }{
		{0, 32}, {100, 212}, {-40, -40}, {12.8, 55.04}, {-0.6, 30.92}, {35.6, 96.08}, {0.00003, 32.0001},
	}
	for _, tt := range tests {
		if got := fahrenheit(tt.celsius); got != tt.want {
			t.Errorf("%v °C: %v °F, want %v", tt.celsius, got, tt.want)
		}
	}
	if got := fahrenheit(-17.7777778); got != 0 || math.Signbit(got) {
		t.Errorf("a zero prints as %v", got)
	}
}

func FuzzReadDaily(f *testing.F) {
	for _, text := range []string{
		"date,temp_max\n2012-01-01,12.8\n2012-01-02,\n",
		"\ufeffwind,date,temp_max\r\n\r\n1,2012-01-02,-5e0\r\n,2012-01-01,5",
		"\"date\",\"temp_max\"\n\"2012-01-01\",\"5\n",
		"date,temp_max\n2012-01-01,5\n2012-01-01,5\n",
	} {
		f.Add([]byte(text), "", "")
	}
	for _, p := range published {
		if text := testdata(f, p.file); len(text) < 4096 {
			f.Add(text, p.options.Station, string(p.options.Units))
			f.Add(text, "", "")
			f.Add(compressed(text), p.options.Station, string(p.options.Units))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, station, units string) {
		const limit = 1 << 20 // so that a bomb does not take long
		s, err := readDaily(bytes.NewReader(file), ReadOptions{Station: station, Units: Units(units)}, limit)
		if err != nil {
			parseErr, ok := errors.AsType[*ParseError](err)
			if ok && parseErr.Line < 1 || s.Days != nil {
				t.Fatalf("%#v", err)
			}
			if !ok && !slices.ContainsFunc([]error{ErrUnits, ErrSeveralStations, ErrNoStation, ErrGzip, ErrTooLong},
				func(known error) bool { return errors.Is(err, known) }) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(s.Days) == 0 || station != "" && s.Station != station {
			t.Fatalf("%d days, station %q", len(s.Days), s.Station)
		}
		var before Date
		for _, o := range s.Days {
			if o.Check() != nil || o.Date <= before || o.Degrees < -130 || o.Degrees > 140 {
				t.Fatalf("%v after %v: %v", o, before, o.Check())
			}
			before = o.Date
		}
	})
}

func BenchmarkReadDaily(b *testing.B) {
	text, err := os.ReadFile("testdata/seattle-weather.csv")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadDaily(bytes.NewReader(text), ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
