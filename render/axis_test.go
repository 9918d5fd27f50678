package render

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestAxisTicks(t *testing.T) {
	cases := []struct {
		name   string
		values []float64
		want   []string
	}{
		{"nothing", nil, []string{"0", "2", "4", "6", "8", "10"}},
		{"zero only", []float64{0}, []string{"0", "2", "4", "6", "8", "10"}},
		{"positive values start at zero", []float64{25.3, 30.1, 42.7}, []string{"0", "10", "20", "30", "40", "50"}},
		{"equal values still start at zero", []float64{82, 82}, []string{"0", "20", "40", "60", "80", "100"}},
		{"negative values end at zero", []float64{-7, -12}, []string{"−12", "−10", "−8", "−6", "−4", "−2", "0"}},
		{"both signs", []float64{-12, 41}, []string{"−20", "−10", "0", "10", "20", "30", "40", "50"}},
		{"a value on the topmost tick", []float64{60}, []string{"0", "10", "20", "30", "40", "50", "60"}},
		{"fractions", []float64{0.6}, []string{"0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6"}},
		{"a month of repeats", []float64{1e6}, []string{"0", "2e5", "4e5", "6e5", "8e5", "1e6"}},
		{"huge", []float64{1e300}, []string{"0", "2e299", "4e299", "6e299", "8e299", "1e300"}},
		{"tiny", []float64{-3e-7}, []string{"−3e−7", "−2.5e−7", "−2e−7", "−1.5e−7", "−1e−7", "−5e−8", "0"}},
		{"above the largest number", []float64{math.MaxFloat64}, []string{"0", "5e307", "1e308", "1.5e308", "2e308"}},
		{"smaller than any step", []float64{5e-324}, []string{"0", "2", "4", "6", "8", "10"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := newAxis(c.values)
			var got []string
			for k := a.low; k <= a.high; k++ {
				got = append(got, a.label(k))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAxisHoldsEveryValue(t *testing.T) {
	values := []float64{0, 1, -1, 0.1, 0.3, 0.7, 82.3, -459.67, 1e6, 1e300, -1e300, 3e-300,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Nextafter(1, 2), math.Nextafter(10, 0)}
	for _, v := range values {
		for _, w := range values {
			a := newAxis([]float64{v, w})
			if n := a.high - a.low; n < 2 || n > ticksWanted+2 {
				t.Errorf("%v, %v: %d steps", v, w, n)
			}
			for _, x := range []float64{v, w, 0} {
				if f := a.fraction(x); !(f >= 0 && f <= 1) {
					t.Errorf("%v, %v: %v lies at %v", v, w, x, f)
				}
			}
		}
	}
}

func TestFraction(t *testing.T) {
	a := newAxis([]float64{-10, 30})
	for _, c := range []struct{ value, want float64 }{{-10, 0}, {0, 0.25}, {10, 0.5}, {30, 1}} {
		if got := a.fraction(c.value); got != c.want {
			t.Errorf("%v lies at %v, want %v", c.value, got, c.want)
		}
	}
}

func TestDegrees(t *testing.T) {
	cases := []struct {
		value float64
		want  string
	}{
		{0, "0.0"}, {math.Copysign(0, -1), "0.0"}, {25.348, "25.3"}, {-25.36, "−25.4"}, {100, "100.0"},
		{0.05, "0.1"}, {-0.04, "−0.04"}, {1e-7, "1e−7"}, {99999.94, "99999.9"}, {100000, "1e5"},
		{123456.7, "1.23e5"}, {-1.234e300, "−1.23e300"}, {5e-324, "4.94e−324"},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.value), func(t *testing.T) {
			if got := degrees(c.value); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
