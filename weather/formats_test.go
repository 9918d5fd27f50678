package weather

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// published says what is in the files of testdata that are made up.
var published = []struct {
	file    string
	options ReadOptions
	station string
	first   Observation
	last    Observation
	days    int
	missing int
	flagged int
}{
	{"made-up.dly", ReadOptions{}, "XX000000001",
		Observation{day("2012-01-01"), 24.8}, Observation{day("2012-03-31"), 55.58}, 58, 2, 2},
	{"two-stations.dly", ReadOptions{Station: "XX000000002"}, "XX000000002",
		Observation{day("2012-01-01"), 68.18}, Observation{day("2012-01-31"), 73.58}, 31, 0, 0},
	{"by-station.csv", ReadOptions{Units: TenthsCelsius}, "XX000000001",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-06"), 32}, 4, 1, 1},
	{"two-stations.csv", ReadOptions{Station: "XX000000001"}, "XX000000001",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-02"), 51.08}, 2, 0, 0},
	{"two-stations.csv", ReadOptions{Station: "XX000000002"}, "XX000000002",
		Observation{day("2012-01-01"), 42.08}, Observation{day("2012-01-03"), 44.96}, 2, 0, 1},
	{"ncei.csv", ReadOptions{Units: TenthsCelsius}, "XX000000001",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-06"), 30.02}, 3, 1, 1},
	{"ncei.csv.gz", ReadOptions{Units: TenthsCelsius}, "XX000000001",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-06"), 30.02}, 3, 1, 1},
	{"ncei-order.csv", ReadOptions{Units: Fahrenheit, Station: "XX000000001"}, "XX000000001",
		Observation{day("2012-01-01"), 55}, Observation{day("2012-01-02"), 51}, 2, 0, 0},
	{"ncei-order.csv", ReadOptions{Units: Celsius, Station: "XX000000002"}, "XX000000002",
		Observation{day("2012-01-01"), 107.6}, Observation{day("2012-01-01"), 107.6}, 1, 1, 0},
	{"two-locations.csv", ReadOptions{Station: "New York"}, "New York",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-02"), 48.02}, 2, 0, 0},
	{"two-locations.csv", ReadOptions{Station: "Seattle", Units: Celsius}, "Seattle",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2012-01-02"), 51.08}, 2, 1, 0},
	{"seattle-weather.csv", ReadOptions{}, "",
		Observation{day("2012-01-01"), 55.04}, Observation{day("2015-12-31"), 42.08}, 1461, 0, 0},
}

func testdata(t testing.TB, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestReadDailyKnowsWhatIsPublished(t *testing.T) {
	for _, tt := range published {
		t.Run(fmt.Sprintf("%s %v", tt.file, tt.options), func(t *testing.T) {
			s, err := ReadDaily(bytes.NewReader(testdata(t, tt.file)), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if s.Station != tt.station || len(s.Days) != tt.days || s.Missing != tt.missing || s.Flagged != tt.flagged {
				t.Errorf("station %q, %d days, %d missing, %d flagged; want %q, %d, %d, %d",
					s.Station, len(s.Days), s.Missing, s.Flagged, tt.station, tt.days, tt.missing, tt.flagged)
			}
			if first, last := s.Days[0], s.Days[len(s.Days)-1]; first != tt.first || last != tt.last {
				t.Errorf("from %v to %v, want from %v to %v", first, last, tt.first, tt.last)
			}
			if !slices.IsSortedFunc(s.Days, func(x, y Observation) int { return int(x.Date - y.Date) }) {
				t.Error("not sorted by date")
			}
		})
	}
}

func compressed(text []byte) []byte {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Close()
	return file.Bytes()
}

// The way in which a file is stored makes no difference.
func TestReadDailyStored(t *testing.T) {
	bom := []byte("\ufeff")
	dos := func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")) }
	ways := map[string]func([]byte) []byte{
		"Windows line ends":         dos,
		"byte order mark":           func(text []byte) []byte { return slices.Concat(bom, text) },
		"no end of the last line":   func(text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) },
		"blank lines":               func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\n"), []byte("\n \n\r\n")) },
		"gzip":                      compressed,
		"all that Windows adds":     func(text []byte) []byte { return compressed(slices.Concat(bom, dos(text))) },
		"two gzip files in a row":   func(text []byte) []byte { return slices.Concat(compressed(text[:100]), compressed(text[100:])) },
		"blanks cut off at the end": func(text []byte) []byte { return bytes.ReplaceAll(text, []byte("   \n"), []byte("\n")) },
	}
	for _, tt := range published {
		text := testdata(t, tt.file)
		if strings.HasSuffix(tt.file, ".gz") {
			continue
		}
		want, err := ReadDaily(bytes.NewReader(text), tt.options)
		if err != nil {
			t.Fatal(err)
		}
		for way, store := range ways {
			t.Run(tt.file+" "+way, func(t *testing.T) {
				got, err := ReadDaily(iotest.HalfReader(bytes.NewReader(store(text))), tt.options)
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("got %d days, %v; want %d", len(got.Days), err, len(want.Days))
				}
			})
		}
	}
}

func TestReadDailyWantsToKnow(t *testing.T) {
	tests := []struct {
		rule    string
		file    string
		options ReadOptions
		want    error
		text    string
	}{
		{"NCEI's units can't be told", "ncei.csv", ReadOptions{}, ErrUnitsNeeded,
			"line 1: TMAX: unknown units of the temperatures: c, f and tenths-c are all published in this format"},
		{".dly has units of its own", "made-up.dly", ReadOptions{Units: Fahrenheit}, ErrOtherUnits,
			"line 1: other units: the temperatures of this format are in tenths-c, not in f"},
		{"GHCN's CSV has units of its own", "by-station.csv", ReadOptions{Units: Celsius}, ErrOtherUnits,
			"line 1: other units: the temperatures of this format are in tenths-c, not in c"},
		{"Seattle's CSV has units of its own", "seattle-weather.csv", ReadOptions{Units: Fahrenheit}, ErrOtherUnits,
			"line 1: other units: the temperatures of this format are in c, not in f"},
		{"there are three units", "ncei.csv", ReadOptions{Units: "k"}, ErrUnits,
			`unknown units: "k": want c, f or tenths-c`},
		{"tenths are not °C", "ncei.csv", ReadOptions{Units: Celsius}, ErrImplausible,
			`line 2: TMAX: implausible temperature: want -90 to 60 °C, got "128"`},
		{"two stations of .dly; one without temperatures does not count", "two-stations.dly", ReadOptions{}, ErrSeveralStations,
			`several stations: "XX000000001", "XX000000002"`},
		{"two stations of GHCN's CSV", "two-stations.csv", ReadOptions{}, ErrSeveralStations,
			`several stations: "XX000000001", "XX000000002"`},
		{"two stations of NCEI's CSV", "ncei-order.csv", ReadOptions{Units: Fahrenheit}, ErrSeveralStations,
			`several stations: "XX000000001", "XX000000002"`},
		{"two locations", "two-locations.csv", ReadOptions{}, ErrSeveralStations,
			`several stations: "Seattle", "New York"`},
		{"none of that name", "two-locations.csv", ReadOptions{Station: "Boston"}, ErrNoStation,
			`no such station: "Boston": the file has "Seattle", "New York"`},
		{"a name is the whole name", "by-station.csv", ReadOptions{Station: "XX00000000"}, ErrNoStation,
			`no such station: "XX00000000": the file has "XX000000001"`},
		{"a station without temperatures", "two-stations.dly", ReadOptions{Station: "XX000000003"}, ErrNoStation,
			`no such station: "XX000000003": the file has "XX000000001", "XX000000002"`},
		{"no names at all", "seattle-weather.csv", ReadOptions{Station: "Seattle"}, ErrNoStation,
			`line 1: no such station: "Seattle": the file names none`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			s, err := ReadDaily(bytes.NewReader(testdata(t, tt.file)), tt.options)
			if !errors.Is(err, tt.want) || err.Error() != tt.text || s.Days != nil {
				t.Errorf("got  %v\nwant %s", err, tt.text)
			}
		})
	}
}

// dlyMonthOf is a line of a .dly file with the same value, of 5 characters and
// three flags, for the first days of a month, and none for the others.
func dlyMonthOf(yearMonth, element, value string, days int) string {
	return "XX000000001" + yearMonth + element + strings.Repeat(value, days) + strings.Repeat("-9999   ", 31-days) + "\n"
}

func TestReadDailyLines(t *testing.T) {
	const (
		byStation = "ID,DATE,ELEMENT,DATA_VALUE,M_FLAG,Q_FLAG,S_FLAG,OBS_TIME\n"
		ncei      = "\"STATION\",\"DATE\",\"TMAX\",\"TMAX_ATTRIBUTES\"\n"
	)
	tests := []struct {
		rule, text, want string
	}{
		{".dly: a line cut short", dlyMonthOf("201202", "TMAX", "  128   ", 29)[:200], "line 1: want 269 characters, got 200"},
		{".dly: a line too long", dlyMonthOf("201202", "TMAX", "  128   ", 29)[:269] + "-9999", "line 1: want 269 characters, got 274"},
		{".dly: another line", dlyMonthOf("201202", "TMAX", "  128   ", 29) + "XX0000000012012O3TMAX", `line 2: want a station, year, month and element in columns 1 to 21, got "XX0000000012012O3TMAX"`},
		{".dly: no such month", dlyMonthOf("201213", "TMAX", "  128   ", 29), "line 1: invalid date: year 2012, month 13, day 1: no such day from 0001-01-01 to 9999-12-31"},
		{".dly: no such day", dlyMonthOf("201102", "TMAX", "  128   ", 29), `line 1: TMAX of day 29: want -9999 for a day that does not exist, got "128"`},
		{".dly: no number", dlyMonthOf("201202", "TMAX", " 12.8   ", 29), `line 1: TMAX of day 1: want a whole number of tenths of °C, got "12.8"`},
		{".dly: implausible", dlyMonthOf("201202", "TMAX", " 1280   ", 29), `line 1: TMAX of day 1: implausible temperature: want -900 to 600 tenths of °C, got "1280"`},
		{".dly: flagged, but no number", dlyMonthOf("201202", "TMAX", "  x   G ", 29), `line 1: TMAX of day 1: want a whole number of tenths of °C, got "x"`},
		{".dly: a month twice", strings.Repeat(dlyMonthOf("201202", "TMAX", "  128   ", 29), 2), "line 2: TMAX of day 1: 2012-02-01 is there twice: want each day of one station once"},
		{".dly: no temperatures", dlyMonthOf("201202", "PRCP", "  128   ", 29), "line 1: want at least one day with a temperature, got none"},
		{".dly: all flagged", dlyMonthOf("201202", "TMAX", "  128 I ", 29), "line 1: want at least one day with a temperature, got none"},
		{"GHCN: a date in another form", byStation + "XX000000001,2012-01-01,TMAX,128,,,X,\n", `line 2: DATE: invalid date: "2012-01-01": want YYYYMMDD`},
		{"GHCN: no such day", byStation + "XX000000001,20110229,TMAX,128,,,X,\n", `line 2: DATE: invalid date: "20110229": no such day`},
		{"GHCN: no number", byStation + "XX000000001,20120229,TMAX,12.8,,,X,\n", `line 2: DATA_VALUE: want a whole number of tenths of °C, got "12.8"`},
		{"GHCN: no station", byStation + ",20120229,TMAX,12.8,,,X,\n", "line 2: ID: want the name of a station, got none"},
		{"GHCN: a day twice", byStation + strings.Repeat("XX000000001,20120229,TMAX,128,,,X,\n", 2), "line 3: DATE: 2012-02-29 is there twice: want each day of one station once"},
		{"GHCN: too few columns", byStation + "XX000000001,20110229,TMAX,128,,,X\n", "line 2: want 8 columns as in the header, got 7"},
		{"GHCN without header: too many columns", "XX000000001,20120229,TMAX,128,,,X,\nXX000000001,20120301,TMAX,128,,,X,0700,x\n", "line 2: want 8 columns, got 9"},
		{"GHCN without header: two lines joined", strings.Repeat("XX000000001,20120229,TMAX,128,,,X,", 2) + "\n", "line 1: want 8 columns, got 15"},
		{"GHCN without header: too few columns", "XX000000001,20120229,TMAX,128,,,X\n", "line 1: want 8 columns, got 7"},
		{"GHCN: no quality flags", "ID,DATE,ELEMENT,DATA_VALUE\n", `line 1: want a header with the columns ID, DATE, ELEMENT, DATA_VALUE, Q_FLAG, got "ID,DATE,ELEMENT,DATA_VALUE"`},
		{"NCEI: no temperatures", "\"STATION\",\"DATE\",\"PRCP\"\n", `line 1: want a header with the columns STATION, DATE, TMAX, got "STATION,DATE,PRCP"`},
		{"NCEI: a date in another form", ncei + "\"XX000000001\",\"20120101\",\"  128\",\",,X\"\n", `line 2: DATE: invalid date: "20120101": want YYYY-MM-DD`},
		{"NCEI: tenths are whole", ncei + "\"XX000000001\",\"2012-01-01\",\" 12.8\",\",,X\"\n", `line 2: TMAX: want a whole number of tenths of °C, got "12.8"`},
		{"NCEI: a day twice", ncei + strings.Repeat("\"XX000000001\",\"2012-01-01\",\"  128\",\",,X\"\n", 2), "line 3: DATE: 2012-01-01 is there twice: want each day of one station once"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			options := ReadOptions{}
			if strings.HasPrefix(tt.rule, "NCEI") {
				options.Units = TenthsCelsius
			}
			_, err := ReadDaily(strings.NewReader(tt.text), options)
			if fmt.Sprint(err) != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestReadDailyUnits(t *testing.T) {
	tests := []struct {
		units Units
		value string
		want  float64
		err   error
	}{
		{Celsius, "12.8", 55.04, nil}, {Celsius, "-90", -130, nil}, {Celsius, "60.1", 0, ErrImplausible}, {Celsius, "-9999.0", 0, ErrImplausible},
		{Fahrenheit, "55.04", 55.04, nil}, {Fahrenheit, "140", 140, nil}, {Fahrenheit, "356", 0, ErrImplausible}, {Fahrenheit, "NaN", 0, ErrImplausible},
		{TenthsCelsius, "128", 55.04, nil}, {TenthsCelsius, "-900", -130, nil}, {TenthsCelsius, "601", 0, ErrImplausible},
	}
	for _, tt := range tests {
		text := "STATION,DATE,TMAX\nX,2012-01-01," + tt.value + "\nX,2012-01-02,-9999\n"
		s, err := ReadDaily(strings.NewReader(text), ReadOptions{Units: tt.units})
		if !errors.Is(err, tt.err) || err == nil && (s.Days[0].Degrees != tt.want || s.Missing != 1) {
			t.Errorf("%s in %s: %v, %v; want %v, %v", tt.value, tt.units, s, err, tt.want, tt.err)
		}
	}
}

func TestReadDailyDamagedGzip(t *testing.T) {
	whole := compressed(testdata(t, "seattle-weather.csv"))
	for _, size := range []int{3, 10, 100, len(whole) / 2, len(whole) - 8, len(whole) - 1} {
		_, err := ReadDaily(bytes.NewReader(whole[:size]), ReadOptions{})
		if !errors.Is(err, ErrGzip) || !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "damaged gzip: it is cut short: unexpected EOF" {
			t.Errorf("the first %d of %d bytes: %v", size, len(whole), err)
		}
	}
	places := []int{2, len(whole) - 8} // header and checksum
	for at := 10; at < len(whole); at += 101 {
		places = append(places, at)
	}
	for _, at := range places {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0xff
		if _, err := ReadDaily(bytes.NewReader(damaged), ReadOptions{}); !errors.Is(err, ErrGzip) {
			t.Errorf("byte %d of %d is another: %v", at, len(whole), err)
		}
	}
	_, err := ReadDaily(bytes.NewReader(compressed([]byte("date,temp_max\nx,5\n"))), ReadOptions{})
	if _, ok := errors.AsType[*ParseError](err); !ok || errors.Is(err, ErrGzip) {
		t.Errorf("got %v, want the error of a line whose file is not damaged", err)
	}
	for _, more := range []string{"\x1f", "more", "more than a header"} {
		_, err := ReadDaily(io.MultiReader(bytes.NewReader(whole), strings.NewReader(more)), ReadOptions{})
		if !errors.Is(err, ErrGzip) || err.Error() != "damaged gzip: what follows its end is not gzip" {
			t.Errorf("%q behind it: %v", more, err)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := ReadDaily(io.MultiReader(bytes.NewReader(whole[:100]), iotest.ErrReader(broken)), ReadOptions{}); !errors.Is(err, broken) || errors.Is(err, ErrGzip) {
		t.Errorf("got %v, want the reader's own error", err)
	}
}

// Lines that are read but of no use are no way to keep us busy for ever.
func TestReadDailyEndsBombs(t *testing.T) {
	for rule, line := range map[string]string{
		"another element of .dly":       dlyMonthOf("201202", "PRCP", "  128   ", 29),
		"another element of GHCN's CSV": "XX000000001,20120101,PRCP,0,,,X,0700\n",
		"another station":               "XX000000001,20120101,TMAX,0,,,X,0700\n",
		"blank lines":                   "\n",
	} {
		t.Run(rule, func(t *testing.T) {
			const limit = 1 << 20
			file := &endless{text: strings.Repeat(line, 100)}
			_, err := readDaily(file, ReadOptions{Station: "XX000000002"}, limit)
			if !errors.Is(err, ErrTooLong) || file.read > 2*limit {
				t.Errorf("%v after %d bytes", err, file.read)
			}
			bomb := compressed(bytes.Repeat([]byte(file.text), 2*limit/len(file.text)))
			if _, err := readDaily(bytes.NewReader(bomb), ReadOptions{Station: "XX000000002"}, limit); !errors.Is(err, ErrTooLong) {
				t.Errorf("compressed to %d bytes: %v", len(bomb), err)
			}
		})
	}
}

// However many stations there are, an error names a few.
func TestReadDailyOfAllStations(t *testing.T) {
	var text strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&text, "XX%09d,20120101,TMAX,%d,,,X,0700\n", i, i%300)
	}
	const names = `"XX000000000", "XX000000001", "XX000000002", "XX000000003", "XX000000004", "XX000000005", "XX000000006", "XX000000007", and others`
	if _, err := ReadDaily(strings.NewReader(text.String()), ReadOptions{}); fmt.Sprint(err) != "several stations: "+names {
		t.Error(err)
	}
	if _, err := ReadDaily(strings.NewReader(text.String()), ReadOptions{Station: "X"}); fmt.Sprint(err) != `no such station: "X": the file has `+names {
		t.Error(err)
	}
	s, err := ReadDaily(strings.NewReader(text.String()), ReadOptions{Station: "XX000009100"})
	if err != nil || len(s.Days) != 1 || s.Days[0].Degrees != 50 {
		t.Error(s, err)
	}
}

// What a carriage return within a line parts is two lines for many programs: in
// no format may the second be lost.
func TestReadDailyRefusesBareCarriageReturns(t *testing.T) {
	for _, tt := range published {
		text := testdata(t, tt.file)
		if strings.HasSuffix(tt.file, ".gz") {
			continue
		}
		lines, bare := bytes.Count(text, []byte("\n")), bytes.ReplaceAll(text, []byte("\n"), []byte("\r"))
		for rule, stored := range map[string]struct {
			text []byte
			line int
		}{
			"all":           {bare, 1},
			"a long file":   {bytes.Repeat(bare, maxLine/len(text)+1), 1},
			"the first":     {bytes.Replace(text, []byte("\n"), []byte("\r"), 1), 1},
			"two at an end": {append(bytes.TrimSuffix(slices.Clone(text), []byte("\n")), "\r\r\n"...), lines},
		} {
			_, err := ReadDaily(iotest.HalfReader(bytes.NewReader(stored.text)), tt.options)
			if want := fmt.Sprintf("line %d: want lines that end in LF or CR LF, got a CR within one", stored.line); fmt.Sprint(err) != want {
				t.Errorf("%s, %s: got %v, want %s", tt.file, rule, err, want)
			}
		}
	}
}

func TestReadDailyNamesUTF16(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var text []byte
		for _, unit := range utf16.Encode([]rune("\ufeffdate,temp_max\r\n2012-01-01,12.8\r\n")) {
			text = order.AppendUint16(text, unit)
		}
		for _, stored := range [][]byte{text, compressed(text)} {
			_, err := ReadDaily(bytes.NewReader(stored), ReadOptions{})
			if fmt.Sprint(err) != "line 1: want UTF-8, got UTF-16: save the file as UTF-8" {
				t.Errorf("%v: %v", order, err)
			}
		}
	}
}
