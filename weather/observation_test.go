package weather

import (
	"errors"
	"math"
	"testing"
)

func TestObservationCheck(t *testing.T) {
	tests := []struct {
		rule    string
		date    Date
		degrees float64
		want    error
	}{
		{"a cold day", day("1996-02-03"), -28.5, nil},
		{"a repeat's absurd value counts as any other", day("1996-02-03"), RepeatDegrees, nil},
		{"the greatest", minDate, MaxDegrees, nil},
		{"the least", maxDate, -MaxDegrees, nil},
		{"above the greatest", minDate, math.Nextafter(MaxDegrees, math.Inf(1)), ErrDegrees},
		{"below the least", minDate, -math.Nextafter(MaxDegrees, math.Inf(1)), ErrDegrees},
		{"infinite", minDate, math.Inf(1), ErrDegrees},
		{"not a number", minDate, math.NaN(), ErrDegrees},
		{"no date", 0, 20, ErrDate},
		{"date that does not exist", day("1996-06-30") + 1, 20, ErrDate},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			if err := (Observation{tt.date, tt.degrees}).Check(); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestNoMonthOverflows(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		var s Stats
		for d := day("2000-01-01"); d.Month() == 1; d = d.Next() {
			if !s.Add(Observation{d, sign * MaxDegrees}) {
				t.Fatalf("%v is not counted", d)
			}
		}
		m, _ := s.Latest(1)
		if math.IsInf(m.Sum, 0) || m.Count != 31 || m.Check() != nil {
			t.Errorf("sum is %v for a count of %d: %v", m.Sum, m.Count, m.Check())
		}
	}
}
