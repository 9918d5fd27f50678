// Package status tells people how a run is doing, from its events alone: it
// touches nothing of what it reports on, and what it misses it leaves out.
//
// A [State] is what the events have told so far; [Progress] and [Demo] lay it out
// for a terminal, whose [Screen] shows it; a [Listener] keeps all of that going, and
// the log where there is no terminal.
package status

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

const (
	// interval is how often rates are measured, and a screen changes that shows
	// how something catches up.
	interval = 250 * time.Millisecond
	// calmInterval is how often a screen changes where all is live.
	calmInterval = time.Second
	// progressInterval is how often progress is logged, if there is any.
	progressInterval = 5 * time.Second
	// rejectInterval is how often rejects are logged at most.
	rejectInterval = time.Second
)

// Listener tells people what events say: in a log what goes wrong when it begins
// and when it is over, and on a terminal, or in the log, how things are going.
type Listener struct {
	// Log takes a line for each thing that happens.
	Log *slog.Logger
	// Screen shows how things are going. If it is nil, that is logged every few
	// seconds.
	Screen *Screen
	// View lays out what the screen shows. nil means [Progress].
	View func(s *State, width, height int) []Line
	// Tell is called every second instead of showing or logging how things are
	// going, unless it is nil.
	Tell func(s *State)
}

// Listen listens until the channel is closed, and returns what all of it comes
// to. What the screen showed last stays on it.
func (l Listener) Listen(events <-chan *messages.Event) *State {
	if l.View == nil {
		l.View = Progress
	}
	lis := &listener{Listener: l, state: &State{}, partitions: map[int32]*told{}}
	tick, tell := time.NewTicker(interval), time.NewTicker(lis.pace())
	defer tick.Stop()
	defer tell.Stop()
	for {
		select {
		case e, open := <-events:
			if !open {
				lis.show()
				return lis.state
			}
			lis.event(e)
		case now := <-tick.C:
			lis.tick(now)
		case <-tell.C:
			lis.tell()
		}
	}
}

type listener struct {
	Listener
	state *State

	partitions   map[int32]*told
	published    bool  // since progress was told last
	acknowledged int64 // then
	nextReject   time.Time
}

// told is what was heard of a partition since progress was told last.
type told struct {
	moved  bool
	offset int64 // then
}

// pace is how often it is told how things are going.
func (l *listener) pace() time.Duration {
	if l.Tell != nil || l.Screen != nil {
		return calmInterval
	}
	return progressInterval
}

// tick measures, and shows what changes fast.
func (l *listener) tick(now time.Time) {
	if t, changed := l.state.Tick(now); changed {
		l.changed(t)
	}
	if l.state.catchingUp() || l.state.Producer != nil {
		l.show()
	}
}

func (l *listener) tell() {
	switch {
	case l.Tell != nil:
		l.Tell(l.state)
	case l.Screen != nil:
		l.show()
	default:
		l.progress()
	}
}

func (l *listener) show() {
	if l.Screen != nil && l.Tell == nil {
		width, height := l.Screen.Size()
		l.Screen.Show(l.View(l.state, width, height))
	}
}

func (l *listener) event(e *messages.Event) {
	if t, changed := l.state.Add(e, time.Now()); changed {
		l.changed(t)
	}
	switch e := e.GetEvent().(type) {
	case *messages.Event_PartitionStarted:
		p := e.PartitionStarted
		l.of(p.GetPartition()).offset = p.GetOffset()
		l.Log.Info("counting", "partition", p.GetPartition(), "offset", p.GetOffset(), "lag", max(0, p.GetLastStableOffset()-p.GetOffset()))
	case *messages.Event_BatchCounted:
		l.of(e.BatchCounted.GetPartition()).moved = true
		l.rejected(e.BatchCounted)
	case *messages.Event_PartitionNote:
		l.Log.Warn(e.PartitionNote.GetText())
	case *messages.Event_Drained:
		l.Log.Info("everything read is counted and saved", "partition", e.Drained.GetPartition(), "offset", e.Drained.GetOffset())
	case *messages.Event_Published:
		l.published = true
	}
}

func (l *listener) rejected(b *messages.BatchCounted) {
	if now := time.Now(); b.GetFirstReject() != nil && !now.Before(l.nextReject) {
		l.nextReject = now.Add(rejectInterval)
		l.Log.Warn("record can't be counted; kept aside", "partition", b.GetPartition(), "offset", b.GetFirstReject().GetOffset(),
			"reason", b.GetFirstReject().GetReason(), "so_far", b.GetRejects())
	}
}

func (l *listener) of(number int32) *told {
	p := l.partitions[number]
	if p == nil {
		p = &told{}
		l.partitions[number] = p
	}
	return p
}

// saying is what is said of a trouble when it begins, and when it is over; ""
// if that shows in what is said anyway.
var saying = map[What]struct{ wrong, over string }{
	Respawning:    {"starting again from the last checkpoint", ""},
	Opening:       {"can't begin at the moment; trying again", ""},
	Saving:        {"can't save; the file stays as it is, trying again", "saving works again"},
	Reading:       {"can't read at the moment; trying again", "reading again"},
	Drawing:       {"can't draw the picture; trying again after the next checkpoint", "drawing works again"},
	Acknowledging: {"nothing is acknowledged at the moment; waiting for the broker", "reports are acknowledged again"},
}

// changed says what is wrong, once for as long as it lasts and has the same
// cause; and that it is over.
func (l *listener) changed(t Trouble) {
	var attrs []any
	if t.Partition != Nowhere {
		attrs = append(attrs, "partition", t.Partition)
	}
	switch says := saying[t.What]; {
	case t.Cause == "" && says.over != "":
		l.Log.Info(says.over, attrs...)
	case t.Cause == "":
	case t.What == Acknowledging:
		l.Log.Warn(says.wrong, "in_flight", l.state.Producer.InFlight)
	default:
		l.Log.Warn(says.wrong, append(attrs, "cause", t.Cause)...)
	}
}

// progress logs what has moved since the last time, and which partitions can't
// save or read: of those it warns, as what is counted then may look well.
func (l *listener) progress() {
	for _, p := range l.state.Partitions {
		last, cause := l.of(p.Number), l.cause(p.Number)
		if !last.moved && cause == "" {
			continue
		}
		attrs := append([]any{"partition", p.Number, "offset", p.Offset, "lag", p.Lag(),
			"records_per_s", sinceTold(p.Offset - last.offset), "duplicates", p.Duplicates}, Dated(p.Date)...)
		if l.state.Troubled(p.Number, Saving) || !p.Owing.IsZero() && l.state.now.Sub(p.Owing) > progressInterval {
			attrs = append(attrs, "saved", p.Saved)
		}
		if cause == "" {
			l.Log.Info("counted", attrs...)
		} else {
			l.Log.Warn("counted", append(attrs, "cause", cause)...)
		}
		*last = told{offset: p.Offset}
	}
	if p := l.state.Producer; p != nil && l.published {
		l.Log.Info("published", append([]any{"acknowledged", p.Acknowledged, "repeats", p.Repeats, "in_flight", p.InFlight,
			"records_per_s", sinceTold(p.Acknowledged - l.acknowledged)}, Dated(p.Date)...)...)
		l.published, l.acknowledged = false, p.Acknowledged
	}
}

// cause is why a partition can't save or read at the moment; "" if it can.
func (l *listener) cause(number int32) string {
	return cmp.Or(l.state.troubles[where{number, Saving}], l.state.troubles[where{number, Reading}])
}

// Dated is the attribute of a log line that says which date was reached, or none
// if there is none.
func Dated(d weather.Date) []any {
	if d == 0 {
		return nil
	}
	return []any{"date", d}
}

func sinceTold(records int64) int64 { return max(0, records) / int64(progressInterval/time.Second) }
