package weather

import (
	"math/rand/v2"
	"testing"
)

func TestDateSet(t *testing.T) {
	tests := []struct {
		rule     string
		dates    []Date
		min, max Date
		len      int
	}{
		{"empty", nil, 0, 0, 0},
		{"one date", []Date{day("1990-01-01")}, day("1990-01-01"), day("1990-01-01"), 1},
		{"a date twice is in it once", []Date{day("1990-01-01"), day("1990-01-01")}, day("1990-01-01"), day("1990-01-01"), 1},
		{"descending", []Date{day("1990-01-02"), day("1990-01-01")}, day("1990-01-01"), day("1990-01-02"), 2},
		{"the whole calendar's ends", []Date{maxDate, minDate}, minDate, maxDate, 2},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var s DateSet
			for _, d := range tt.dates {
				s.Add(d)
			}
			if s.Min() != tt.min || s.Max() != tt.max || s.Len() != tt.len {
				t.Errorf("%v to %v, %d; want %v to %v, %d", s.Min(), s.Max(), s.Len(), tt.min, tt.max, tt.len)
			}
		})
	}
}

func TestNilDateSetIsEmpty(t *testing.T) {
	var s *DateSet
	if s.Has(minDate) || s.Len() != 0 || s.Min() != 0 || s.Max() != 0 {
		t.Error("something is in it")
	}
}

func TestDateSetAgainstAMap(t *testing.T) {
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, seed))
	var s DateSet
	want := map[Date]bool{}
	for range 2000 {
		d := pack(1980+rng.IntN(60), 1, 1) + Date(rng.IntN(1<<yearShift))
		if d.Valid() {
			s.Add(d)
			want[d] = true
		}
	}
	for _, d := range []Date{-1 << 31, 1<<31 - 1, maxDate} {
		if s.Has(d) {
			t.Errorf("has %v", d)
		}
	}
	for d := Date(-1000); d < pack(2050, 1, 1); d++ {
		if s.Has(d) != want[d] {
			t.Fatalf("seed %d: has %v: %v, want %v", seed, d, s.Has(d), want[d])
		}
	}
	if s.Len() != len(want) {
		t.Errorf("seed %d: %d dates, want %d", seed, s.Len(), len(want))
	}
	if bytes := 8 * cap(s.words); bytes > 2*64*2040 {
		t.Errorf("takes %d bytes", bytes)
	}
}

func BenchmarkDateSetAdd(b *testing.B) {
	b.ReportAllocs()
	var s DateSet
	d := minDate
	for b.Loop() {
		s.Add(d)
		if d = d.Next(); d == 0 {
			d = minDate
		}
	}
}
