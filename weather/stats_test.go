package weather

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
	"unsafe"
)

func TestStatsAdd(t *testing.T) {
	type add struct {
		date    string
		degrees float64
		counted bool
	}
	tests := []struct {
		rule string
		adds []add
		want []MonthStats
	}{
		{"nothing added", nil, nil},
		{
			"the first day of a month begins it",
			[]add{{"1990-01-05", 20.5, true}},
			[]MonthStats{{day("1990-01-05"), day("1990-01-05"), 1, 20.5}},
		},
		{
			"a later day moves the end, days between may be missing",
			[]add{{"1990-01-05", 20, true}, {"1990-01-31", 30, true}},
			[]MonthStats{{day("1990-01-05"), day("1990-01-31"), 2, 50}},
		},
		{
			"the same day is a duplicate, whatever its degrees",
			[]add{{"1990-01-05", 20, true}, {"1990-01-05", RepeatDegrees, false}},
			[]MonthStats{{day("1990-01-05"), day("1990-01-05"), 1, 20}},
		},
		{
			"an earlier day of the month is a duplicate",
			[]add{{"1990-01-05", 20, true}, {"1990-01-04", 30, false}},
			[]MonthStats{{day("1990-01-05"), day("1990-01-05"), 1, 20}},
		},
		{
			"a repeat of the month before is a duplicate, and the new month goes on",
			[]add{{"1990-01-31", 20, true}, {"1990-02-01", 30, true}, {"1990-01-31", 1, false}, {"1990-02-02", 10, true}},
			[]MonthStats{
				{day("1990-01-31"), day("1990-01-31"), 1, 20},
				{day("1990-02-01"), day("1990-02-02"), 2, 40},
			},
		},
		{
			"an earlier month or year counts: only its own end matters",
			[]add{{"1991-03-01", 40, true}, {"1990-03-01", 30, true}, {"1992-03-01", 50, true}, {"1990-01-01", 20, true}},
			[]MonthStats{
				{day("1990-01-01"), day("1990-01-01"), 1, 20},
				{day("1990-03-01"), day("1990-03-01"), 1, 30},
				{day("1991-03-01"), day("1991-03-01"), 1, 40},
				{day("1992-03-01"), day("1992-03-01"), 1, 50},
			},
		},
		{
			"months come by calendar, then years: 9999 before 0001",
			[]add{{"0001-12-31", 1, true}, {"9999-01-01", 2, true}},
			[]MonthStats{
				{day("9999-01-01"), day("9999-01-01"), 1, 2},
				{day("0001-12-31"), day("0001-12-31"), 1, 1},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var s Stats
			for _, a := range tt.adds {
				if got := s.Add(Observation{day(a.date), a.degrees}); got != a.counted {
					t.Errorf("Add of %s returns %v, want %v", a.date, got, a.counted)
				}
			}
			got := slices.Collect(s.All())
			if !slices.Equal(got, tt.want) || s.Len() != len(tt.want) {
				t.Errorf("got %d:\n%v\nwant\n%v", s.Len(), got, tt.want)
			}
		})
	}
}

// The order of adding decides the last bits of a sum, and so the bytes of a
// partition file.
func TestSumsAreAddedOneByOne(t *testing.T) {
	degrees := []float64{1e16, 1, 1, -1e16, 0.1, 0.2, 0.3}
	var s Stats
	want := 0.0
	for i, x := range degrees {
		s.Add(Observation{day("2000-01-01") + Date(i), x})
		want += x
	}
	if m, _ := s.Latest(time.January); math.Float64bits(m.Sum) != math.Float64bits(want) {
		t.Errorf("sum is %v, want %v", m.Sum, want)
	}
}

func TestMonthStatsCheck(t *testing.T) {
	whole := MonthStats{day("2000-02-01"), day("2000-02-29"), 29, 1000}
	with := func(change func(*MonthStats)) MonthStats {
		m := whole
		change(&m)
		return m
	}
	tests := []struct {
		rule string
		m    MonthStats
		want string // empty: passes
	}{
		{"a whole month", whole, ""},
		{"fewer days than from start to end", with(func(m *MonthStats) { m.Count = 1 }), ""},
		{"negative sum", with(func(m *MonthStats) { m.Sum = -1000 }), ""},
		{"no start", with(func(m *MonthStats) { m.Start = 0 }), "start: invalid date: packed as 0"},
		{"no end", with(func(m *MonthStats) { m.End = 0 }), "end: invalid date: packed as 0"},
		{"end that does not exist", with(func(m *MonthStats) { m.End++ }), "end: invalid date: packed as 1024094"},
		{
			"end in another month", with(func(m *MonthStats) { m.End = day("2000-03-01") }),
			"start 2000-02-01 and end 2000-03-01 are not in the same month",
		},
		{
			"end in another year", with(func(m *MonthStats) { m.End = day("2001-02-28") }),
			"start 2000-02-01 and end 2001-02-28 are not in the same month",
		},
		{
			"start after end", with(func(m *MonthStats) { m.Start, m.End, m.Count = m.End, m.Start, 1 }),
			"start 2000-02-29 is after end 2000-02-01",
		},
		{
			"count of zero", with(func(m *MonthStats) { m.Count = 0 }),
			"count is 0: want 1 to 29, the days from 2000-02-01 to 2000-02-29",
		},
		{
			"negative count", with(func(m *MonthStats) { m.Count = -3 }),
			"count is -3: want 1 to 29, the days from 2000-02-01 to 2000-02-29",
		},
		{
			"count above the days from start to end", with(func(m *MonthStats) { m.Start++ }),
			"count is 29: want 1 to 28, the days from 2000-02-02 to 2000-02-29",
		},
		{
			"infinite sum", with(func(m *MonthStats) { m.Count, m.Sum = 1, math.Inf(-1) }),
			"sum is -Inf: want at most ±5.799010112459083e+306 for a count of 1",
		},
		{
			"sum that is not a number", with(func(m *MonthStats) { m.Count, m.Sum = 1, math.NaN() }),
			"sum is NaN: want at most ±5.799010112459083e+306 for a count of 1",
		},
		{
			"sum above what so many days can have", with(func(m *MonthStats) { m.Count, m.Sum = 1, 1e307 }),
			"sum is 1e+307: want at most ±5.799010112459083e+306 for a count of 1",
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var s Stats
			for _, err := range []error{tt.m.Check(), s.Put(tt.m)} {
				if (err != nil || tt.want != "") && fmt.Sprint(err) != tt.want {
					t.Errorf("got  %v\nwant %s", err, tt.want)
				}
			}
			if (s.Len() == 1) != (tt.want == "") {
				t.Errorf("%d on record after Put", s.Len())
			}
		})
	}
	if err := (MonthStats{Start: 1}).Check(); !errors.Is(err, ErrDate) {
		t.Errorf("got %v, want ErrDate", err)
	}
}

func TestStatsPut(t *testing.T) {
	var s Stats
	january := func(year int) MonthStats {
		first, _ := NewDate(year, time.January, 1)
		return MonthStats{first, first + 9, 10, 200}
	}
	for _, year := range []int{1995, 1990, 9999, 1, 1992} {
		if err := s.Put(january(year)); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(january(year)); err == nil {
			t.Errorf("a second January %d is taken", year)
		}
	}
	want := []MonthStats{january(1), january(1990), january(1992), january(1995), january(9999)}
	if got := slices.Collect(s.All()); !slices.Equal(got, want) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}

	// What was put is gone on with, however much is put between two Adds.
	s.Add(Observation{day("1992-01-11"), 1})
	for year := 2000; year < 2100; year++ {
		if err := s.Put(january(year)); err != nil {
			t.Fatal(err)
		}
	}
	if !s.Add(Observation{day("1992-01-12"), 1}) || s.Add(Observation{day("2000-01-10"), 1}) {
		t.Error("a new day isn't counted, or a duplicate is")
	}
	for m := range s.All() {
		wantCount := 10
		if m.Start.Year() == 1992 {
			wantCount = 12
		}
		if m.Count != wantCount {
			t.Errorf("%v has a count of %d, want %d", m.Start, m.Count, wantCount)
		}
	}
}

func TestStatsLatest(t *testing.T) {
	var s Stats
	for _, date := range []string{"1990-01-01", "1997-01-02", "1995-01-03", "1990-02-01"} {
		s.Add(Observation{day(date), 20})
	}
	tests := []struct {
		rule  string
		month time.Month
		want  Date
	}{
		{"the most recent year, not the last added", time.January, day("1997-01-02")},
		{"one year", time.February, day("1990-02-01")},
		{"month not on record", time.March, 0},
		{"no month 0", 0, 0},
		{"no month 13", 13, 0},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if m, ok := s.Latest(tt.month); m.Start != tt.want || ok != (tt.want != 0) {
				t.Errorf("got %v, %v; want %v", m, ok, tt.want)
			}
		})
	}
}

func TestAllCanBeEndedEarly(t *testing.T) {
	var s Stats
	s.Add(Observation{day("1990-01-01"), 20})
	s.Add(Observation{day("1990-02-01"), 20})
	for m := range s.All() {
		if m.Start.Month() != time.January {
			t.Errorf("goes on to %v", m.Start)
		}
		break
	}
}

// Days in any order, against the rule written down as plainly as can be.
func TestStatsAgainstAMap(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, seed))
	var s Stats
	want := map[Date]MonthStats{} // by year and month
	for range 20000 {
		d := pack(1990+rng.IntN(8), time.Month(1+rng.IntN(12)), 1+rng.IntN(28))
		x := 100 * rng.Float64()
		m, found := want[d.yearMonth()]
		if !found {
			m.Start = d
		}
		counted := d > m.End
		if counted {
			m.End, m.Count, m.Sum = d, m.Count+1, m.Sum+x
			want[d.yearMonth()] = m
		}
		if got := s.Add(Observation{d, x}); got != counted {
			t.Fatalf("seed %d: Add of %v returns %v, want %v", seed, d, got, counted)
		}
	}
	for m := range s.All() {
		if m != want[m.Start.yearMonth()] {
			t.Errorf("seed %d: got %v, want %v", seed, m, want[m.Start.yearMonth()])
		}
	}
	if s.Len() != len(want) {
		t.Errorf("seed %d: %d on record, want %d", seed, s.Len(), len(want))
	}
}

func TestStatsTakeFewMegabytes(t *testing.T) {
	tests := []struct {
		rule  string
		years []int
		most  int // bytes
	}{
		{"the first year and the last", []int{maxYear, minYear}, 4 << 10},
		{"all there can be", everyYear(), 4 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var s Stats
			for _, year := range tt.years {
				for month := time.January; month <= time.December; month++ {
					s.Add(Observation{pack(year, month, 1), 1})
				}
			}
			bytes := 0
			for _, years := range s.months {
				bytes += cap(years) * int(unsafe.Sizeof(MonthStats{}))
			}
			if s.Len() != 12*len(tt.years) || bytes > tt.most {
				t.Errorf("%d on record in %d bytes, want %d in at most %d", s.Len(), bytes, 12*len(tt.years), tt.most)
			}
		})
	}
}

func everyYear() (years []int) {
	for year := minYear; year <= maxYear; year++ {
		years = append(years, year)
	}
	return years
}

func BenchmarkStatsAdd(b *testing.B) {
	b.Run("days in order", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		d := day("1990-01-01")
		for b.Loop() {
			s.Add(Observation{d, 50})
			if d = d.Next(); d == 0 {
				s, d = Stats{}, day("1990-01-01")
			}
		}
	})
	b.Run("same month", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		o := Observation{day("1990-01-31"), 50}
		for b.Loop() {
			s.Add(o)
		}
	})
	b.Run("another month each time, 8000 years", func(b *testing.B) {
		b.ReportAllocs()
		var s Stats
		var firsts []Observation
		for year := 1990; year <= maxYear; year++ {
			for month := time.January; month <= time.December; month++ {
				firsts = append(firsts, Observation{pack(year, month, 1), 50})
				s.Add(firsts[len(firsts)-1])
			}
		}
		i := 0
		for b.Loop() {
			s.Add(firsts[i%len(firsts)])
			i += 10007 // a prime: far away, and comes to all
		}
	})
}
