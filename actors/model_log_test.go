package actors

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// What is in a partition's log, and what must be counted of it. It shares no
// code with what counts: neither weather.Stats nor messages.NewStatsTable.

// modelLog is one life of a partition's log: until its tail is lost, or its
// topic is deleted. entries[i] has offset i, deleted or not.
type modelLog struct {
	id      []byte    // of the topic
	parent  *modelLog // the life before, of the same topic, if the tail was lost
	branch  int64     // entries below it are the parent's
	entries []entry
	start   int64 // what is below was deleted
	epoch   int32 // of the leader
}

// entry is what one offset holds. Neither a date nor a reject: a control record,
// or one that was aborted.
type entry struct {
	date    weather.Date
	degrees float64
	reject  bool
	epoch   int32
}

func (l *modelLog) end() int64 { return int64(len(l.entries)) }

// grow appends n entries: days in order mostly, repeated ones, some of a year
// before, records that can't be counted, control records.
func (l *modelLog) grow(rng *rand.Rand, n int) {
	for range n {
		e := entry{epoch: l.epoch}
		switch {
		case rng.IntN(12) == 0: // a control record
		case rng.IntN(15) == 0:
			e.reject = true
		default:
			e.date, e.degrees = l.nextDate(rng), 50*rng.NormFloat64()
		}
		l.entries = append(l.entries, e)
	}
}

func (l *modelLog) nextDate(rng *rand.Rand) weather.Date {
	last := weather.Date(0)
	for _, e := range l.entries[max(0, len(l.entries)-20):] {
		last = max(last, e.date)
	}
	if last == 0 {
		last, _ = weather.NewDate(1990, 1, 1)
	}
	switch rng.IntN(20) {
	case 0, 1:
		return last
	case 2:
		if len(l.entries) > 0 {
			return cmp.Or(l.entries[rng.IntN(len(l.entries))].date, last)
		}
	case 3:
		if d, err := weather.NewDate(last.Year()-1-rng.IntN(3), last.Month(), 1+rng.IntN(28)); err == nil {
			return d
		}
	case 4:
		for range rng.IntN(50) {
			last = last.Next()
		}
	}
	return last.Next()
}

// cut is the log after its records from offset on were lost.
func (l *modelLog) cut(offset int64) *modelLog {
	return &modelLog{id: l.id, parent: l, branch: offset, entries: slices.Clone(l.entries[:offset]), start: l.start, epoch: l.epoch + 1}
}

// common returns up to which offset two lives of a log are the same; -1 if they
// are of different topics.
func common(old, now *modelLog) int64 {
	limit := int64(1 << 60)
	for l := now; l != nil; l = l.parent {
		if l == old {
			return limit
		}
		limit = min(limit, l.branch)
	}
	return -1
}

func newTopicID(n int) []byte { return fmt.Appendf(nil, "topic-%010d", n) }

// counts is what the records below an offset add up to.
type counts struct {
	table               *messages.StatsTable
	counted, duplicates int64
	rejects             []*messages.Reject
}

// count adds up the records of a log below an offset, one by one, but for those
// that were skipped.
func (l *modelLog) count(below int64, skipped []*messages.Gap) counts {
	type row struct {
		start, end weather.Date
		count      int32
		sum        float64
	}
	rows := map[[2]int]*row{} // by month and year
	c := counts{table: &messages.StatsTable{}}
	for offset, e := range l.entries[:min(below, l.end())] {
		if inGap(skipped, int64(offset)) {
			continue
		}
		if e.reject {
			c.rejects = append(c.rejects, rejectAt(int64(offset)))
			continue
		}
		if e.date == 0 {
			continue
		}
		key := [2]int{int(e.date.Month()), e.date.Year()}
		switch r := rows[key]; {
		case r == nil:
			rows[key] = &row{e.date, e.date, 1, 0 + e.degrees}
			c.counted++
		case e.date > r.end:
			r.end = e.date
			r.count++
			r.sum += e.degrees
			c.counted++
		default:
			c.duplicates++
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(rows), func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) }) {
		r := rows[key]
		c.table.Starts = append(c.table.Starts, int32(r.start))
		c.table.Ends = append(c.table.Ends, int32(r.end))
		c.table.Counts = append(c.table.Counts, r.count)
		c.table.Sums = append(c.table.Sums, r.sum)
	}
	return c
}

func inGap(gaps []*messages.Gap, offset int64) bool {
	return slices.ContainsFunc(gaps, func(g *messages.Gap) bool { return g.GetBase() <= offset && offset < g.GetNext() })
}

func rejectAt(offset int64) *messages.Reject {
	return &messages.Reject{Offset: offset, Reason: "not a date", Key: []byte("June"), Value: bytes.Repeat([]byte{'x'}, int(offset%50))}
}

func sameTable(a, b *messages.StatsTable) bool {
	return slices.Equal(a.GetStarts(), b.GetStarts()) && slices.Equal(a.GetEnds(), b.GetEnds()) &&
		slices.Equal(a.GetCounts(), b.GetCounts()) && slices.Equal(a.GetSums(), b.GetSums())
}

func sameRejects(a, b []*messages.Reject) bool {
	return slices.EqualFunc(a, b, func(a, b *messages.Reject) bool {
		return a.GetOffset() == b.GetOffset() && a.GetReason() == b.GetReason() && bytes.Equal(a.GetValue(), b.GetValue())
	})
}

func offsetsOf(rejects []*messages.Reject) []int64 {
	all := make([]int64, 0, len(rejects))
	for _, r := range rejects {
		all = append(all, r.GetOffset())
	}
	return all
}
