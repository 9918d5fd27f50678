package messages

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/weather"
)

func encode(t testing.TB, date string, degrees float64) []byte {
	t.Helper()
	value, err := proto.Marshal(&Report{Date: date, Degrees: degrees})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestDecodeReport(t *testing.T) {
	plain := encode(t, "2000-12-26", 31.5235)
	swapped := protowire.AppendFixed64(protowire.AppendTag(nil, degreesField, protowire.Fixed64Type), math.Float64bits(31.5235))
	swapped = protowire.AppendString(protowire.AppendTag(swapped, dateField, protowire.BytesType), "2000-12-26")
	unknown := protowire.AppendVarint(protowire.AppendTag(plain[:len(plain):len(plain)], 99, protowire.VarintType), 7)
	for _, c := range []struct {
		name, key string
		value     []byte
		degrees   float64
		reason    string // part of it; "" if the record counts
	}{
		{"a plain report", "December", plain, 31.5235, ""},
		{"fields in another order", "December", swapped, 31.5235, ""},
		{"unknown fields are skipped", "December", unknown, 31.5235, ""},
		{"the last of repeated fields holds", "December", append(encode(t, "1999-01-01", 1), plain...), 31.5235, ""},
		{"absent degrees are 0", "December", encode(t, "2000-12-26", 0), 0, ""},
		{"an empty value", "December", nil, 0, "empty value"},
		{"no protobuf", "December", []byte("hello"), 0, "not a protobuf Report"},
		{"a truncated report", "December", plain[:15], 0, "not a protobuf Report"},
		{"no date", "December", encode(t, "", 12), 0, "date"},
		{"a day that does not exist", "February", encode(t, "2001-02-29", 12), 0, "2001-02-29"},
		{"not a number", "December", encode(t, "2000-12-26", math.NaN()), 0, "NaN"},
		{"infinite", "December", encode(t, "2000-12-26", math.Inf(-1)), 0, "Inf"},
		{"absurd", "December", encode(t, "2000-12-26", math.MaxFloat64), 0, "1.79"},
		{"a key that is another month", "January", plain, 0, `key "January" is not the month of 2000-12-26, December`},
		{"a key in lower case", "december", plain, 0, "december"},
		{"no key", "", plain, 0, `key ""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := DecodeReport([]byte(c.key), c.value)
			if c.reason == "" {
				want := weather.Observation{Date: mustDate(t, "2000-12-26"), Degrees: c.degrees}
				if err != nil || got != want {
					t.Fatalf("DecodeReport = %v, %v, want %v", got, err, want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Fatalf("DecodeReport = %v, %v, want a reason with %q", got, err, c.reason)
			}
		})
	}
}

func mustDate(t testing.TB, s string) weather.Date {
	t.Helper()
	d, err := weather.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDecodeReportDoesNotAllocate(t *testing.T) {
	key, value := []byte("December"), encode(t, "2000-12-26", 31.5235)
	if got := testing.AllocsPerRun(100, func() {
		if _, err := DecodeReport(key, value); err != nil {
			t.Error(err)
		}
	}); got != 0 {
		t.Errorf("%v allocations per record, want 0", got)
	}
}

// FuzzDecodeReport holds the decoder against the library's: what one of them
// takes for a Report the other must, with the same content.
func FuzzDecodeReport(f *testing.F) {
	f.Add("December", encode(f, "2000-12-26", 31.5235))
	f.Add("January", encode(f, "1990-01-01", -4))
	f.Add("", []byte("\x0a\xff\xff\xff\xff\x0f"))
	f.Add("May", []byte("\x0a\x01\xff\x0a\x0a2000-05-01"))
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		date, degrees, err := splitReport(value)
		var report Report
		unmarshaled := proto.Unmarshal(value, &report)
		if len(value) == 0 {
			if err == nil {
				t.Fatal("an empty value was accepted")
			}
			return
		}
		if err == nil && !utf8.Valid(date) {
			err = errors.New("date is not UTF-8") // DecodeReport refuses it as no date
		}
		if (err == nil) != (unmarshaled == nil) {
			t.Fatalf("splitReport: %v, proto.Unmarshal: %v", err, unmarshaled)
		}
		if err == nil && (string(date) != report.GetDate() || math.Float64bits(degrees) != math.Float64bits(report.GetDegrees())) {
			t.Fatalf("splitReport = %q, %v, proto.Unmarshal has %q, %v", date, degrees, report.GetDate(), report.GetDegrees())
		}
		o, err := DecodeReport([]byte(key), value)
		if err == nil && (o.Check() != nil || o.Date.String() != report.GetDate() || key != o.Date.Month().String()) {
			t.Fatalf("DecodeReport accepted %q with key %q as %v", value, key, o)
		}
	})
}

func BenchmarkDecodeReport(b *testing.B) {
	key, value := []byte("December"), encode(b, "2000-12-26", 31.5235)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeReport(key, value); err != nil {
			b.Fatal(err)
		}
	}
}

func TestStatsTable(t *testing.T) {
	var s weather.Stats
	for _, day := range []string{"1990-03-01", "1990-03-02", "1990-01-31", "1989-03-07"} {
		s.Add(weather.Observation{Date: mustDate(t, day), Degrees: 12.5})
	}
	table := NewStatsTable(&s)
	var months []string
	for i := range table.Len() {
		months = append(months, table.Row(i).Start.String())
	}
	if got, want := strings.Join(months, " "), "1990-01-31 1989-03-07 1990-03-01"; got != want {
		t.Errorf("rows start at %s, want months by calendar, years ascending: %s", got, want)
	}
	back, err := table.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(NewStatsTable(back), table) {
		t.Errorf("table came back as %v, want %v", NewStatsTable(back), table)
	}
	if _, ok := back.Latest(time.March); !ok {
		t.Error("March is missing")
	}
}

func TestImpossibleTablesAreRefused(t *testing.T) {
	row := func() *StatsTable {
		d := int32(mustDate(t, "1990-03-01"))
		return &StatsTable{Starts: []int32{d}, Ends: []int32{d}, Counts: []int32{1}, Sums: []float64{3}}
	}
	for name, spoil := range map[string]func(*StatsTable){
		"columns of different length": func(t *StatsTable) { t.Sums = nil },
		"a count of nothing":          func(t *StatsTable) { t.Counts[0] = 0 },
		"an end before its start":     func(t *StatsTable) { t.Ends[0]-- },
		"a month twice": func(t *StatsTable) {
			*t = StatsTable{Starts: append(t.Starts, t.Starts[0]), Ends: append(t.Ends, t.Ends[0]), Counts: append(t.Counts, 1), Sums: append(t.Sums, 3)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			table := row()
			if _, err := table.Stats(); err != nil {
				t.Fatal(err)
			}
			spoil(table)
			if _, err := table.Stats(); err == nil {
				t.Error("accepted")
			}
		})
	}
}
