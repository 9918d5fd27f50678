package weather

import (
	"math"
	"testing"
	"time"
)

// What topics were filled with must stay what they are filled with: a change
// here is a change that users notice. The values come from a second
// implementation of the same rules, in another language.
func TestGeneratorGolden(t *testing.T) {
	tests := []struct {
		seed    uint64
		date    string
		degrees float64
		repeats bool // at 0.05
	}{
		{0, "0001-01-01", 31.8586, false},
		{1, "1990-01-01", 29.4252, false},
		{1, "1990-01-02", 21.919, false},
		{1, "1990-07-16", 81.3684, false},
		{1, "1990-02-23", 33.7886, true},
		{1, "1997-01-31", 26.8557, false},
		{1, "2000-02-29", 37.9964, false},
		{1, "2024-10-15", 60.6683, false},
		{2, "1990-01-01", 31.857, false},
		{math.MaxUint64, "9999-12-31", 39.0317, false},
	}
	for _, tt := range tests {
		g := NewGenerator(tt.seed)
		if got := g.Degrees(day(tt.date)); got != tt.degrees {
			t.Errorf("seed %d, %s: %v °F, want %v", tt.seed, tt.date, got, tt.degrees)
		}
		if got := g.Repeats(day(tt.date), 0.05); got != tt.repeats {
			t.Errorf("seed %d, %s: repeats: %v, want %v", tt.seed, tt.date, got, tt.repeats)
		}
	}
}

// averages returns the average of each month over years from first to last, by
// month, and of the whole at 0.
func averages(g *Generator, first, last int) (avg [13]float64) {
	var counts [13]float64
	for d := pack(first, time.January, 1); d.Year() >= first && d.Year() <= last; d = d.Next() {
		for _, i := range []time.Month{0, d.Month()} {
			avg[i] += g.Degrees(d)
			counts[i]++
		}
	}
	for i := range avg {
		avg[i] /= counts[i]
	}
	return avg
}

func TestGeneratedWeatherIsThatOfDaneCounty(t *testing.T) {
	for seed := range uint64(20) {
		avg := averages(NewGenerator(seed), 1990, 1999)
		for month, want := range map[time.Month]float64{time.January: 25, time.April: 55, time.July: 82, time.October: 59} {
			if math.Abs(avg[month]-want) > 1.5 {
				t.Errorf("seed %d: the average %v has %.1f °F, want about %v", seed, month, avg[month], want)
			}
		}
	}
}

func TestGeneratedWeatherWarmsSlowly(t *testing.T) {
	tests := []struct {
		rule            string
		from, to        int     // decades that begin with these years
		atLeast, atMost float64 // °F between them
	}{
		{"not before 1990", 1, 1980, -0.5, 0.5},
		{"within thirty years by a degree or so", 1990, 2020, 0.7, 2},
		{"within a century by a few degrees", 1990, 2090, 2.5, 4.5},
		{"in eight thousand years by ten degrees", 1990, 9990, 9, 10.5},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			for seed := range uint64(5) {
				g := NewGenerator(seed)
				before, after := averages(g, tt.from, tt.from+9), averages(g, tt.to, tt.to+9)
				if rise := after[0] - before[0]; rise < tt.atLeast || rise > tt.atMost {
					t.Errorf("seed %d: by %.2f °F, want %v to %v", seed, rise, tt.atLeast, tt.atMost)
				}
			}
		})
	}
}

func TestGeneratedDays(t *testing.T) {
	tests := []struct {
		rule        string
		first, last Date
		least, most float64 // °F, to be come near to
	}{
		{"before the warming", day("1700-01-01"), day("1989-12-31"), 19, 88},
		{"in our time", day("1990-01-01"), day("2039-12-31"), 19, 90},
		{"at the end of the calendar", day("9800-01-01"), day("9999-12-30"), 29, 97.8},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			g := NewGenerator(3)
			least, most := math.Inf(1), math.Inf(-1)
			for d := tt.first; d <= tt.last; d = d.Next() {
				x := g.Degrees(d)
				least, most = min(least, x), max(most, x)
				if x != math.Round(x*10000)/10000 {
					t.Fatalf("%v has %v °F: more than 4 decimals", d, x)
				}
				// It is 14 °F from a month's middle to the next at most.
				if leap := seasonal(d.Next()) - seasonal(d); leap > 14*tenThousand/27 || leap < -15*tenThousand/27 {
					t.Fatalf("the season leaps by %d ten-thousandths after %v", leap, d)
				}
			}
			if math.Abs(least-tt.least) > 1 || math.Abs(most-tt.most) > 1 {
				t.Errorf("%v to %v °F, want about %v to %v", least, most, tt.least, tt.most)
			}
		})
	}
}

func TestRepeatsComeAsOftenAsWanted(t *testing.T) {
	const days = 100 * 365
	for _, probability := range []float64{0, 0.001, 0.05, 0.5, 1} {
		for seed := range uint64(5) {
			g, repeats := NewGenerator(seed), 0
			for d := range daysFrom(day("1990-01-01"), days) {
				if g.Repeats(d, probability) {
					repeats++
				}
			}
			// Five standard deviations; none at all for 0 and 1.
			want := days * probability
			if slack := 5 * math.Sqrt(want*(1-probability)); math.Abs(float64(repeats)-want) > slack {
				t.Errorf("seed %d, probability %v: %d of %d days, want %v", seed, probability, repeats, days, want)
			}
		}
	}
}

func TestNoise(t *testing.T) {
	// Neighboring seeds, neighboring days, and the two streams of a day have
	// nothing to do with each other: the correlation of many pairs is small.
	residual := func(g *Generator, d Date) float64 {
		return g.Degrees(d) - float64(seasonal(d)+warming(d))/tenThousand
	}
	a, b := NewGenerator(1), NewGenerator(2)
	tests := []struct {
		rule string
		y    func(Date) float64
	}{
		{"the next seed", func(d Date) float64 { return residual(b, d) }},
		{"the next day", func(d Date) float64 { return residual(a, d.Next()) }},
		{"four years later", func(d Date) float64 { return residual(a, d+4<<yearShift) }},
		{"repeats", func(d Date) float64 {
			if a.Repeats(d, 0.5) {
				return 5
			}
			return -5
		}},
	}
	const days = 20000
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			sum := 0.0
			for d := range daysFrom(day("1990-03-01"), days) {
				sum += residual(a, d) / 5 * tt.y(d) / 5
			}
			if correlation := sum / days; math.Abs(correlation) > 0.02 {
				t.Errorf("correlation is %.3f", correlation)
			}
		})
	}
}

func BenchmarkGenerator(b *testing.B) {
	g := NewGenerator(1)
	b.Run("degrees", func(b *testing.B) {
		b.ReportAllocs()
		d := day("1990-01-01")
		for b.Loop() {
			g.Degrees(d)
		}
	})
	b.Run("repeats", func(b *testing.B) {
		b.ReportAllocs()
		d := day("1990-01-01")
		for b.Loop() {
			g.Repeats(d, 0.05)
		}
	})
}
