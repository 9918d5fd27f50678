package messages

import (
	"fmt"

	"github.com/weatheractors/weatheractors/weather"
)

// NewStatsTable copies statistics into the columns of a message.
func NewStatsTable(s *weather.Stats) *StatsTable {
	n := s.Len()
	t := &StatsTable{
		Starts: make([]int32, 0, n),
		Ends:   make([]int32, 0, n),
		Counts: make([]int32, 0, n),
		Sums:   make([]float64, 0, n),
	}
	for m := range s.All() {
		t.Starts = append(t.Starts, int32(m.Start))
		t.Ends = append(t.Ends, int32(m.End))
		t.Counts = append(t.Counts, int32(m.Count))
		t.Sums = append(t.Sums, m.Sum)
	}
	return t
}

// Len returns the number of rows.
func (t *StatsTable) Len() int { return len(t.GetStarts()) }

// Row returns row i, 0 <= i < Len(). The table's columns must be of equal length.
func (t *StatsTable) Row(i int) weather.MonthStats {
	return weather.MonthStats{
		Start: weather.Date(t.Starts[i]),
		End:   weather.Date(t.Ends[i]),
		Count: int(t.Counts[i]),
		Sum:   t.Sums[i],
	}
}

// Stats copies the table into statistics that can be added to. It fails if the
// columns differ in length, a row is impossible, or a month and year comes
// twice.
func (t *StatsTable) Stats() (*weather.Stats, error) {
	n := t.Len()
	if len(t.GetEnds()) != n || len(t.GetCounts()) != n || len(t.GetSums()) != n {
		return nil, fmt.Errorf("statistics: columns of %d, %d, %d and %d rows",
			n, len(t.GetEnds()), len(t.GetCounts()), len(t.GetSums()))
	}
	s := new(weather.Stats)
	for i := range n {
		if err := s.Put(t.Row(i)); err != nil {
			return nil, fmt.Errorf("statistics: row %d: %w", i, err)
		}
	}
	return s, nil
}
