package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// errNotOnce says that a demo has found what must never be.
var errNotOnce = errors.New("NOT COUNTED EXACTLY ONCE")

// ledger notes what is published, before anybody counts it: the truth that a
// demo holds its files against. It belongs to the producer while that runs.
type ledger struct {
	actors.Sink

	months      map[month]tally
	days        int64 // published
	repeats     int64 // of them
	first, last weather.Date
}

type month struct {
	year  int
	month time.Month
}

func (m month) String() string { return fmt.Sprintf("%v %d", m.month, m.year) }

func (m month) compare(other month) int {
	return cmp.Or(cmp.Compare(m.year, other.year), cmp.Compare(m.month, other.month))
}

// tally is what there is of a month: degrees are added day by day, as they were
// published, so that even the last bit must be the same.
type tally struct {
	days int
	sum  float64 // °F
}

func newLedger(sink actors.Sink) *ledger { return &ledger{Sink: sink, months: map[month]tally{}} }

// Publish notes what the sink took. All of it is in the topic once the producer
// has come to a good end.
func (l *ledger) Publish(batch *messages.ReportBatch) error {
	if err := l.Sink.Publish(batch); err != nil {
		return err
	}
	for i, date := range batch.GetDates() {
		if batch.GetDegrees()[i] == weather.RepeatDegrees {
			l.repeats++
			continue
		}
		d := weather.Date(date)
		of := month{d.Year(), d.Month()}
		t := l.months[of]
		l.months[of] = tally{t.days + 1, t.sum + batch.GetDegrees()[i]}
		l.days++
		if l.first == 0 {
			l.first = d
		}
		l.last = d
	}
	return nil
}

// recounted is what the files of a demo hold.
type recounted struct {
	months map[month]tally
	days   int64
	read   int64 // records: the offsets of all files
}

// recount adds up what is in the files of a folder.
func recount(dir string) (recounted, error) {
	r := recounted{months: map[month]tally{}}
	for p := range int32(demoPartitions) {
		path := checkpoint.Path(dir, p)
		c, err := checkpoint.ReadFile(path)
		if err != nil {
			return r, err
		}
		r.read += c.GetOffset()
		for i := range c.GetStats().Len() {
			row := c.GetStats().Row(i)
			of := month{row.Start.Year(), row.Start.Month()}
			if _, twice := r.months[of]; twice {
				return r, fmt.Errorf("%w: %v is in %s, and in another file", errNotOnce, of, path)
			}
			r.months[of] = tally{row.Count, row.Sum}
			r.days += int64(row.Count)
		}
	}
	return r, nil
}

// prove compares what the files hold with what was published, to the last day
// and bit.
func (l *ledger) prove(r recounted) error {
	for _, of := range slices.SortedFunc(maps.Keys(l.months), month.compare) {
		if want, got := l.months[of], r.months[of]; got != want {
			return fmt.Errorf("%w: of %v, %d days were published (their degrees add up to %v), and the files hold %d (%v)",
				errNotOnce, of, want.days, want.sum, got.days, got.sum)
		}
	}
	if r.days != l.days {
		return fmt.Errorf("%w: %d days were published, and the files hold %d", errNotOnce, l.days, r.days)
	}
	if r.read != l.days+l.repeats {
		return fmt.Errorf("%w: %d reports were published, and %d were read", errNotOnce, l.days+l.repeats, r.read)
	}
	return nil
}
