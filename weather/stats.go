package weather

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"
)

// MonthStats are the statistics of one month of one year.
type MonthStats struct {
	Start Date    // first date counted
	End   Date    // last date counted, in the month and year of Start
	Count int     // days counted: 1 to the number of days from Start to End
	Sum   float64 // °F, added one by one in the order of the records
}

// Avg returns the average of the days counted, in °F.
func (m MonthStats) Avg() float64 { return m.Sum / float64(m.Count) }

// maxSum holds the greatest possible sum of so many days. It is added up as
// sums are, so that it holds their rounding too: no Stats that were put within
// these limits can overflow, whatever is added to them.
var maxSum = func() (sums [32]float64) {
	for n := 1; n < len(sums); n++ {
		sums[n] = sums[n-1] + MaxDegrees
	}
	return sums
}()

// Check returns an error that says why m can't be the statistics of a month,
// nil if it can.
func (m MonthStats) Check() error {
	switch {
	case !m.Start.Valid():
		return fmt.Errorf("start: %w: packed as %d", ErrDate, int32(m.Start))
	case !m.End.Valid():
		return fmt.Errorf("end: %w: packed as %d", ErrDate, int32(m.End))
	case m.Start.yearMonth() != m.End.yearMonth():
		return fmt.Errorf("start %v and end %v are not in the same month", m.Start, m.End)
	case m.Start > m.End:
		return fmt.Errorf("start %v is after end %v", m.Start, m.End)
	}
	if days := int(m.End-m.Start) + 1; m.Count < 1 || m.Count > days {
		return fmt.Errorf("count is %d: want 1 to %d, the days from %v to %v", m.Count, days, m.Start, m.End)
	}
	if !(math.Abs(m.Sum) <= maxSum[m.Count]) {
		return fmt.Errorf("sum is %v: want at most ±%v for a count of %d", m.Sum, maxSum[m.Count], m.Count)
	}
	return nil
}

// Stats are the statistics of every month and year on record. The zero value
// is empty. Stats are not safe for concurrent use, and must not be copied.
//
// A month and year takes 24 bytes, so all there can be take less than 4 MB.
type Stats struct {
	// months[m-1] holds the years of month m, ascending.
	months [12][]MonthStats
	// last is where the last Add went: the next one mostly goes there too. It
	// points into months, so that whatever moves those must reset it.
	last *MonthStats
}

// Add counts o and returns true, or returns false if o is a duplicate: dated
// at or before the End of its month and year. o must have passed Check.
func (s *Stats) Add(o Observation) bool {
	m := s.last
	if m == nil || m.Start.yearMonth() != o.Date.yearMonth() {
		m = s.open(o.Date)
	}
	if o.Date <= m.End {
		return false
	}
	m.End = o.Date
	m.Count++
	m.Sum += o.Degrees
	return true
}

// open makes d's month and year the last one. If there is none yet, it begins
// one that has d as its Start, and no End so that d is counted.
func (s *Stats) open(d Date) *MonthStats {
	years := &s.months[d.Month()-1]
	i, found := search(*years, d)
	if !found {
		*years = slices.Insert(*years, i, MonthStats{Start: d})
	}
	s.last = &(*years)[i]
	return s.last
}

// search returns where d's year is in the years of its month, or would be.
func search(years []MonthStats, d Date) (i int, found bool) {
	// Records come by date: it is the last year, or a newer one.
	if n := len(years); n == 0 || years[n-1].Start.Year() < d.Year() {
		return n, false
	}
	return slices.BinarySearchFunc(years, d.Year(), func(m MonthStats, year int) int {
		return cmp.Compare(m.Start.Year(), year)
	})
}

// Put adds the statistics of a month and year that were kept elsewhere, in any
// order of months and years. It returns an error, and leaves s as it was, if m
// does not pass Check or if s has that month and year already.
func (s *Stats) Put(m MonthStats) error {
	if err := m.Check(); err != nil {
		return err
	}
	years := &s.months[m.Start.Month()-1]
	i, found := search(*years, m.Start)
	if found {
		return fmt.Errorf("%v %d is on record already", m.Start.Month(), m.Start.Year())
	}
	*years = slices.Insert(*years, i, m)
	s.last = nil
	return nil
}

// All yields the statistics of each month and year: months by calendar, the
// years of a month ascending. s must not change meanwhile.
func (s *Stats) All() iter.Seq[MonthStats] {
	return func(yield func(MonthStats) bool) {
		for _, years := range s.months {
			for _, m := range years {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// Len returns the number of months and years on record.
func (s *Stats) Len() int {
	n := 0
	for _, years := range s.months {
		n += len(years)
	}
	return n
}

// Latest returns the statistics of the most recent year of a month, and
// whether there is one.
func (s *Stats) Latest(month time.Month) (MonthStats, bool) {
	if month < time.January || month > time.December {
		return MonthStats{}, false
	}
	years := s.months[month-1]
	if len(years) == 0 {
		return MonthStats{}, false
	}
	return years[len(years)-1], true
}
