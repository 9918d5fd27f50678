package checkpoint

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// sample is the file that the package comment and the README show.
const sample = `{"partition": 2, "offset": 4117,
"January": {
"1990": {"count": 31, "sum": 599, "avg": 19.322580645161292, "end": "1990-01-31", "start": "1990-01-01"},
"1991": {"count": 31, "sum": 178, "avg": 5.741935483870968, "end": "1991-01-31", "start": "1991-01-01"}},
"April": {
"1990": {"count": 30, "sum": 1113, "avg": 37.1, "end": "1990-04-30", "start": "1990-04-01"}}}
`

// row makes the statistics of days of a month, added up to sum.
func row(start, end string, count int, sum float64) weather.MonthStats {
	return weather.MonthStats{Start: date(start), End: date(end), Count: count, Sum: sum}
}

func date(text string) weather.Date {
	d, err := weather.ParseDate(text)
	if err != nil {
		panic(err)
	}
	return d
}

// table puts rows into columns as they are, in the order given.
func table(rows ...weather.MonthStats) *messages.StatsTable {
	t := &messages.StatsTable{}
	for _, r := range rows {
		t.Starts = append(t.Starts, int32(r.Start))
		t.Ends = append(t.Ends, int32(r.End))
		t.Counts = append(t.Counts, int32(r.Count))
		t.Sums = append(t.Sums, r.Sum)
	}
	return t
}

func sampleCheckpoint() *messages.Checkpoint {
	return &messages.Checkpoint{Partition: 2, Offset: 4117, Stats: table(
		row("1990-01-01", "1990-01-31", 31, 599),
		row("1991-01-01", "1991-01-31", 31, 178),
		row("1990-04-01", "1990-04-30", 30, 1113),
	)}
}

func TestEncodeLayout(t *testing.T) {
	tests := []struct {
		name string
		c    *messages.Checkpoint
		want string
	}{
		{"line per month and year", sampleCheckpoint(), sample},
		{"new file", &messages.Checkpoint{Partition: 3}, "{\"partition\": 3, \"offset\": 0}\n"},
		{"offset without statistics", &messages.Checkpoint{Partition: 0, Offset: 7, Stats: table()}, "{\"partition\": 0, \"offset\": 7}\n"},
		{"years have four digits", &messages.Checkpoint{Offset: 1, Stats: table(row("0001-12-31", "0001-12-31", 1, -0.5))},
			"{\"partition\": 0, \"offset\": 1,\n\"December\": {\n\"0001\": {\"count\": 1, \"sum\": -0.5, \"avg\": -0.5, \"end\": \"0001-12-31\", \"start\": \"0001-12-31\"}}}\n"},
		{"average of several", &messages.Checkpoint{Offset: math.MaxInt64, Stats: table(row("2000-02-27", "2000-02-29", 2, 1e-7))},
			"{\"partition\": 0, \"offset\": 9223372036854775807,\n\"February\": {\n\"2000\": {\"count\": 2, \"sum\": 1e-7, \"avg\": 5e-8, \"end\": \"2000-02-29\", \"start\": \"2000-02-27\"}}}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := new(encoder).encode(test.c)
			if err != nil || string(got) != test.want {
				t.Errorf("got %v and\n%swant\n%s", err, got, test.want)
			}
			if !json.Valid(got) {
				t.Error("not JSON")
			}
		})
	}
}

func TestEncodeRefusesWhatWouldNotLoad(t *testing.T) {
	good := row("1990-01-01", "1990-01-31", 31, 599)
	tests := []struct {
		name string
		c    *messages.Checkpoint
		want string
	}{
		{"negative offset", &messages.Checkpoint{Offset: -1}, "offset is -1"},
		{"negative partition", &messages.Checkpoint{Partition: -1}, "partition is -1"},
		{"columns that differ in length", &messages.Checkpoint{Stats: &messages.StatsTable{Starts: []int32{1}}}, "columns of 1, 0, 0 and 0 rows"},
		{"month and year twice", &messages.Checkpoint{Stats: table(good, good)}, "row 1: January 1990 follows January 1990"},
		{"years that descend", &messages.Checkpoint{Stats: table(row("1991-01-01", "1991-01-01", 1, 0), good)}, "row 1: January 1990 follows January 1991"},
		{"months that descend", &messages.Checkpoint{Stats: table(row("1990-02-01", "1990-02-01", 1, 0), good)}, "row 1: January 1990 follows February 1990"},
		{"no date", &messages.Checkpoint{Stats: table(weather.MonthStats{Count: 1})}, "row 0: start: invalid date"},
		{"count above the days", &messages.Checkpoint{Stats: table(row("1990-01-02", "1990-01-31", 31, 0))}, "row 0: count is 31"},
		{"sum that is not a number", &messages.Checkpoint{Stats: table(row("1990-01-02", "1990-01-31", 1, math.NaN()))}, "row 0: sum is NaN"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := new(encoder).encode(test.c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// checkFloat compares with encoding/json.
func checkFloat(t *testing.T, f float64) {
	t.Helper()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return
	}
	want, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := appendFloat(nil, f); string(got) != string(want) {
		t.Errorf("%x: got %s, want %s", math.Float64bits(f), got, want)
	}
}

var floats = []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 1e-6, 9.99999999e-7, 1e-7, -1e-9, 1e-10, 1e-100, 1e20, 1e21, -1e21,
	9.999999999999999e20, 1e22, 1e100, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 5e-324, 2.2250738585072014e-308, 1e6, 1 << 53}

func TestFloatsPrintAsEncodingJSONPrintsThem(t *testing.T) {
	for _, f := range floats {
		checkFloat(t, f)
		checkFloat(t, math.Nextafter(f, math.Inf(1)))
		checkFloat(t, math.Nextafter(f, math.Inf(-1)))
	}
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 10_000 {
		checkFloat(t, math.Float64frombits(random.Uint64()))
		checkFloat(t, math.Round(random.NormFloat64()*1e6)/1e4)
		checkFloat(t, math.Pow(10, random.Float64()*60-30))
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

func FuzzAppendFloat(f *testing.F) {
	for _, float := range floats {
		f.Add(math.Float64bits(float))
	}
	f.Fuzz(func(t *testing.T, bits uint64) { checkFloat(t, math.Float64frombits(bits)) })
}

// manyYears is a checkpoint of three months of so many years, with sums of
// random digits.
func manyYears(years int) *messages.Checkpoint {
	random := rand.New(rand.NewPCG(1, 2))
	c := &messages.Checkpoint{Partition: 1, Offset: 1 << 40, Stats: &messages.StatsTable{}}
	for month := time.January; month <= time.March; month++ {
		for year := 1990; year < 1990+years; year++ {
			start, _ := weather.NewDate(year, month, 1)
			end, _ := weather.NewDate(year, month, 28)
			c.Stats.Starts = append(c.Stats.Starts, int32(start))
			c.Stats.Ends = append(c.Stats.Ends, int32(end))
			c.Stats.Counts = append(c.Stats.Counts, 28)
			sum := 0.0
			for range 28 {
				sum += math.Round(random.NormFloat64()*1e6) / 1e4
			}
			c.Stats.Sums = append(c.Stats.Sums, sum)
		}
	}
	return c
}

func TestEncodeDoesNotDependOnWhatCameBefore(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	sums := []float64{0, math.Copysign(0, -1), 0.1, -17.25, 0.1 + 0.2}
	var e encoder
	for offset := range int64(2000) {
		c := &messages.Checkpoint{Offset: offset, Stats: &messages.StatsTable{}}
		for month := time.January; month <= time.April; month++ {
			for year := 1998; year < 2002; year++ {
				if random.IntN(3) == 0 {
					continue
				}
				start, _ := weather.NewDate(year, month, 1+random.IntN(2))
				c.Stats.Starts = append(c.Stats.Starts, int32(start))
				c.Stats.Ends = append(c.Stats.Ends, int32(start)+random.Int32N(2))
				c.Stats.Counts = append(c.Stats.Counts, 1)
				c.Stats.Sums = append(c.Stats.Sums, sums[random.IntN(len(sums))])
			}
		}
		if random.IntN(10) == 0 && c.Stats.Len() > 0 {
			c.Stats.Counts[random.IntN(c.Stats.Len())] = 0 // refused
		}
		want, wantErr := new(encoder).encode(c)
		got, err := e.encode(c)
		if string(got) != string(want) || (err == nil) != (wantErr == nil) {
			t.Fatalf("seed %d, offset %d: got %v and\n%swant %v and\n%s", seed, offset, err, got, wantErr, want)
		}
	}
}

func TestEncodeDoesNotAllocateOnceItHasRoom(t *testing.T) {
	one, other := manyYears(500), manyYears(500)
	for i := range other.Stats.Sums {
		other.Stats.Sums[i]++ // so that no text can be copied
	}
	var e encoder
	n := testing.AllocsPerRun(3, func() {
		for _, c := range []*messages.Checkpoint{one, other, other} {
			if _, err := e.encode(c); err != nil {
				t.Fatal(err)
			}
		}
	})
	if n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkEncode24000Rows(b *testing.B) {
	c := manyYears(8000)
	b.Run("all new", func(b *testing.B) {
		for b.Loop() {
			text, err := new(encoder).encode(c)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
		}
	})
	b.Run("one changed", func(b *testing.B) {
		var e encoder
		for b.Loop() {
			c.Stats.Sums[12_000]++
			text, err := e.encode(c)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			if c.Stats.Sums[12_000] > 1000 { // stay in range
				c.Stats.Sums[12_000] = 0
			}
		}
	})
}

func BenchmarkParse24000Rows(b *testing.B) {
	data, _ := new(encoder).encode(manyYears(8000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := parseFile(data); err != nil {
			b.Fatal(err)
		}
	}
}
