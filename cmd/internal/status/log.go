// Package status tells people how a run is doing, from its events alone: it
// touches nothing of what it reports on, and what it misses it leaves out.
package status

import (
	"log/slog"
	"slices"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

const (
	// progressInterval is how often progress is logged, if there is any.
	progressInterval = 5 * time.Second
	// rejectInterval is how often rejects are logged at most.
	rejectInterval = time.Second
)

// Log writes what the events tell to log until the channel is closed: what went
// wrong when it begins and when it is over, and progress: on the screen of a
// terminal in a line that changes, without one (nil) in the log every few
// seconds. It returns what all of it comes to.
func Log(events <-chan *messages.Event, log *slog.Logger, screen *Screen) Totals {
	l := &logger{log: log, partitions: map[int32]*partition{}, troubles: map[trouble]string{}}
	if screen == nil {
		return l.follow(events, progressInterval, l.event, l.progress)
	}
	defer screen.Show("")
	live := newLive()
	return l.follow(events, liveInterval, func(e *messages.Event) {
		live.event(e)
		l.event(e)
	}, func() { screen.Show(live.line(liveInterval)) })
}

// follow passes events on, and calls tick now and then.
func (*logger) follow(events <-chan *messages.Event, interval time.Duration, event func(*messages.Event), tick func()) (totals Totals) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case e, open := <-events:
			if !open {
				return totals
			}
			totals.Add(e)
			event(e)
		case <-ticker.C:
			tick()
		}
	}
}

type logger struct {
	log        *slog.Logger
	partitions map[int32]*partition
	published  *messages.Published // the latest; nil if there was none since the last progress
	lastRecord int64               // acknowledged at the last progress
	troubles   map[trouble]string  // what was said of those that last
	nextReject time.Time
}

// trouble is something that can go wrong for a while.
type trouble struct {
	partition int32
	what      string
}

// partition is what was heard of one since the last progress.
type partition struct {
	latest *messages.BatchCounted // nil if nothing
	offset int64                  // at the last progress
	date   weather.Date           // last counted
}

func (l *logger) event(e *messages.Event) {
	switch e := e.GetEvent().(type) {
	case *messages.Event_PartitionStarted:
		l.started(e.PartitionStarted)
	case *messages.Event_BatchCounted:
		l.counted(e.BatchCounted)
	case *messages.Event_CheckpointSaved:
		l.over(e.CheckpointSaved.GetPartition(), "save", "saving works again")
	case *messages.Event_SaveFailed:
		l.wrong(e.SaveFailed.GetPartition(), "save", "can't save; the file stays as it is, trying again", e.SaveFailed.GetError())
	case *messages.Event_SourceTrouble:
		if cause := e.SourceTrouble.GetError(); cause != "" {
			l.wrong(e.SourceTrouble.GetPartition(), "read", "can't read at the moment; trying again", cause)
		} else {
			l.over(e.SourceTrouble.GetPartition(), "read", "reading again")
		}
	case *messages.Event_PartitionFailed:
		if f := e.PartitionFailed; !f.GetPermanent() && f.GetRetryIn() != nil {
			text := "starting again from the last checkpoint"
			if f.GetRole() == "opening" {
				text = "can't begin at the moment; trying again"
			}
			l.wrong(f.GetPartition(), f.GetRole(), text, f.GetError())
		}
	case *messages.Event_PartitionNote:
		l.log.Warn(e.PartitionNote.GetText())
	case *messages.Event_Drained:
		l.log.Info("everything read is counted and saved", "partition", e.Drained.GetPartition(), "offset", e.Drained.GetOffset())
	case *messages.Event_PictureDrawn:
		if cause := e.PictureDrawn.GetError(); cause != "" {
			l.wrong(-1, "picture", "can't draw the picture; trying again after the next checkpoint", cause)
		} else {
			l.over(-1, "picture", "drawing works again")
		}
	case *messages.Event_Published:
		l.published = e.Published
	}
}

func (l *logger) started(s *messages.PartitionStarted) {
	l.of(s.GetPartition()).offset = s.GetOffset()
	for _, role := range []string{"opening", "reader", "aggregator", "checkpoint-writer", "partition", "read"} {
		delete(l.troubles, trouble{s.GetPartition(), role})
	}
	l.log.Info("counting", "partition", s.GetPartition(), "offset", s.GetOffset(), "lag", max(0, s.GetLastStableOffset()-s.GetOffset()))
}

func (l *logger) counted(b *messages.BatchCounted) {
	p := l.of(b.GetPartition())
	p.latest = b
	if b.GetLastDate() != 0 {
		p.date = weather.Date(b.GetLastDate())
	}
	if now := time.Now(); b.GetFirstReject() != nil && !now.Before(l.nextReject) {
		l.nextReject = now.Add(rejectInterval)
		l.log.Warn("record can't be counted; kept aside", "partition", b.GetPartition(), "offset", b.GetFirstReject().GetOffset(),
			"reason", b.GetFirstReject().GetReason(), "so_far", b.GetRejects())
	}
}

func (l *logger) of(number int32) *partition {
	p := l.partitions[number]
	if p == nil {
		p = &partition{}
		l.partitions[number] = p
	}
	return p
}

// wrong says what is wrong, once for as long as it lasts and has the same cause.
func (l *logger) wrong(partition int32, what, text, cause string) {
	t := trouble{partition, what}
	if l.troubles[t] == cause {
		return
	}
	l.troubles[t] = cause
	l.log.Warn(text, append(attrs(partition), "cause", cause)...)
}

func (l *logger) over(partition int32, what, text string) {
	t := trouble{partition, what}
	if _, lasting := l.troubles[t]; lasting {
		delete(l.troubles, t)
		l.log.Info(text, attrs(partition)...)
	}
}

func attrs(partition int32) []any {
	if partition < 0 {
		return nil
	}
	return []any{"partition", partition}
}

// progress logs what has moved since the last time.
func (l *logger) progress() {
	numbers := make([]int32, 0, len(l.partitions))
	for number := range l.partitions {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	for _, number := range numbers {
		p := l.partitions[number]
		if p.latest == nil {
			continue
		}
		l.log.Info("counted", append([]any{"partition", number, "offset", p.latest.GetOffset(),
			"lag", max(0, p.latest.GetLastStableOffset()-p.latest.GetOffset()),
			"records_per_s", perSecond(p.latest.GetOffset() - p.offset), "duplicates", p.latest.GetDuplicates()}, Dated(p.date)...)...)
		p.offset, p.latest = p.latest.GetOffset(), nil
	}
	if l.published != nil {
		l.log.Info("published", append([]any{"acknowledged", l.published.GetAcknowledged(), "repeats", l.published.GetRepeats(),
			"records_per_s", perSecond(l.published.GetAcknowledged() - l.lastRecord)}, Dated(weather.Date(l.published.GetLastDate()))...)...)
		l.lastRecord, l.published = l.published.GetAcknowledged(), nil
	}
}

// Dated is the attribute of a log line that says which date was reached, or none
// if there is none.
func Dated(d weather.Date) []any {
	if d == 0 {
		return nil
	}
	return []any{"date", d}
}

func perSecond(records int64) int64 { return max(0, records) / int64(progressInterval/time.Second) }
