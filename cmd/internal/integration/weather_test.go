package integration

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// day is one day of weather.
type day struct {
	date    time.Time
	degrees float64 // °F
}

// monthStats is an entry of a partition file.
type monthStats struct {
	Count int
	Sum   float64
	Avg   float64
	End   string
	Start string
}

// tally is the statistics of all partitions, by month and year.
type tally map[string]map[string]monthStats

// partitionOf has the months of each of 4 partitions, as Kafka's default
// partitioner spreads them.
var partitionOf = map[string]int{
	"March": 0, "August": 0, "September": 0,
	"February": 1, "July": 1,
	"January": 2, "April": 2, "June": 2, "December": 2,
	"May": 3, "October": 3, "November": 3,
}

// counted counts days, which ascend, from scratch.
func counted(days []day) tally {
	t := make(tally)
	for _, d := range days {
		month, year, date := d.date.Month().String(), fmt.Sprintf("%04d", d.date.Year()), d.date.Format(time.DateOnly)
		if t[month] == nil {
			t[month] = make(map[string]monthStats)
		}
		s, ok := t[month][year]
		if !ok {
			s.Start = date
		}
		s.Count++
		s.Sum += d.degrees
		s.End = date
		s.Avg = s.Sum / float64(s.Count)
		t[month][year] = s
	}
	return t
}

// tally reads all partition files of a folder of a topic with 4 partitions. It
// accepts no top-level key but partition, offset and months, and no month in
// another partition's file than its own.
func (p place) tally() tally {
	p.t.Helper()
	all := make(tally)
	for partition := range 4 {
		var file map[string]json.RawMessage
		unmarshal(p.t, p.read(fmt.Sprintf("partition-%d.json", partition)), &file)
		for key, value := range file {
			switch own, isMonth := partitionOf[key]; {
			case key == "partition":
				if string(value) != fmt.Sprint(partition) {
					p.t.Errorf("partition-%d.json says that it is partition %s", partition, value)
				}
			case key == "offset":
			case !isMonth:
				p.t.Errorf("partition-%d.json has the key %q", partition, key)
			case own != partition:
				p.t.Errorf("partition-%d.json has %s, which belongs to partition %d", partition, key, own)
			default:
				var years map[string]monthStats
				unmarshal(p.t, string(value), &years)
				all[key] = years
			}
		}
	}
	return all
}

// equals compares every number to the last bit.
func (t tally) equals(tb testing.TB, want tally) {
	tb.Helper()
	if len(want) == 0 {
		tb.Fatal("there is nothing to compare with")
	}
	for month := range partitionOf {
		if len(t[month]) != len(want[month]) {
			tb.Errorf("%s: %d years, want %d", month, len(t[month]), len(want[month]))
		}
		for year, w := range want[month] {
			if got := t[month][year]; got != w {
				tb.Errorf("%s %s: %+v, want %+v", month, year, got, w)
			}
		}
	}
}

// count is the number of days.
func (t tally) count() (n int) {
	for _, years := range t {
		for _, s := range years {
			n += s.Count
		}
	}
	return n
}

// withoutHoles checks that each month begins with its first day, and counts every
// day from there to its end.
func (t tally) withoutHoles(tb testing.TB) {
	tb.Helper()
	if len(t) == 0 {
		tb.Fatal("there is nothing to check")
	}
	for month, years := range t {
		for year, s := range years {
			days := parse(tb, s.End).Day()
			if s.Start != s.End[:8]+"01" || s.Count != days || s.Avg != s.Sum/float64(days) {
				tb.Errorf("%s %s: %+v", month, year, s)
			}
		}
	}
}

// span is the first and the last day of all.
func (t tally) span(tb testing.TB) (first, last time.Time) {
	tb.Helper()
	for _, years := range t {
		for _, s := range years {
			if start := parse(tb, s.Start); first.IsZero() || start.Before(first) {
				first = start
			}
			if end := parse(tb, s.End); end.After(last) {
				last = end
			}
		}
	}
	return first, last
}

// seattle is the file with real weather, in °C.
const seattle = root + "/weather/testdata/seattle-weather.csv"

// seattleDays reads it. A tenth of a °C is 18 hundredths of a °F, so integers do.
func seattleDays(t testing.TB) []day {
	t.Helper()
	file, err := os.Open(seattle)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	date, celsius := slices.Index(rows[0], "date"), slices.Index(rows[0], "temp_max")
	var days []day
	for _, row := range rows[1:] {
		var whole, tenth int
		if _, err := fmt.Sscanf(strings.TrimPrefix(row[celsius], "-"), "%d.%d", &whole, &tenth); err != nil {
			t.Fatalf("%q: %v", row, err)
		}
		tenths := 10*whole + tenth
		if strings.HasPrefix(row[celsius], "-") {
			tenths = -tenths
		}
		days = append(days, day{parse(t, row[date]), float64(18*tenths+3200) / 100})
	}
	return days
}

// someWeather makes up n days from 1990-01-01 on, in °F with one decimal.
func someWeather(n int) []day {
	days := make([]day, n)
	for i := range days {
		tenthsCelsius := math.Round(100 * math.Sin(float64(i)))
		days[i] = day{time.Date(1990, 1, 1+i, 0, 0, 0, 0, time.UTC), (18*tenthsCelsius + 3200) / 100}
	}
	return days
}

// asCSV is the content of a data file.
func asCSV(days []day) string {
	var b strings.Builder
	b.WriteString("date,temp_max\n")
	for _, d := range days {
		fmt.Fprintf(&b, "%s,%.1f\n", d.date.Format(time.DateOnly), (d.degrees-32)*5/9)
	}
	return b.String()
}

func parse(t testing.TB, date string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.DateOnly, date)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func unmarshal(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
}
