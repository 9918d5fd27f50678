package status

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

const (
	// behindFor is how long a partition that was live must lag to count as
	// catching up again: every record that arrives makes it lag for a moment.
	behindFor = 2 * time.Second
	// stalledAfter is how long a producer waits for an acknowledgement until that
	// is worth a word.
	stalledAfter = 3 * time.Second
)

// State is how a process is doing, as far as its events have told: for whoever
// shows it, on a terminal or on a page. The zero value knows nothing. Events
// carry running numbers, so a missed one is made good by the next.
type State struct {
	// Partitions are those that were heard of, by number.
	Partitions []*Partition
	// Producer is nil if nothing was published.
	Producer *Producer
	// Pictures is how often the picture was drawn.
	Pictures int64

	now      time.Time // of the latest event or tick
	ticked   time.Time
	troubles map[where]string // causes of those that last
}

// Producer is how far a producer has come.
type Producer struct {
	// Date is the latest that was acknowledged; 0 if none was.
	Date weather.Date
	// Acknowledged reports are in the log; Repeats of them repeat an earlier date.
	Acknowledged, Repeats int64
	// InFlight reports were handed over and are not acknowledged.
	InFlight int64
	// Retries is how often it had to wait to try something again.
	Retries int64

	rate  rate
	since time.Time // when it last heard from the broker, or began to wait for it
}

// Rate returns how many reports a second are acknowledged at the moment.
func (p *Producer) Rate() float64 { return p.rate.perSecond }

// Add adds what an event tells, at the time now. It returns the trouble that it
// changes, if any.
func (s *State) Add(e *messages.Event, now time.Time) (t Trouble, changed bool) {
	s.now = now
	if s.ticked.IsZero() {
		s.ticked = now // rates are measured from here on
	}
	switch msg := e.GetEvent().(type) {
	case *messages.Event_PartitionStarted:
		s.started(e.GetRun(), msg.PartitionStarted)
	case *messages.Event_BatchCounted:
		s.of(msg.BatchCounted.GetPartition()).counted(e.GetRun(), msg.BatchCounted, now)
	case *messages.Event_CheckpointSaved:
		p := s.of(msg.CheckpointSaved.GetPartition())
		p.saved(msg.CheckpointSaved, now)
		return s.set(p.Number, Saving, "")
	case *messages.Event_SaveFailed:
		s.of(msg.SaveFailed.GetPartition()).SaveFailures++
		return s.set(msg.SaveFailed.GetPartition(), Saving, cmp.Or(msg.SaveFailed.GetError(), "unknown"))
	case *messages.Event_SourceTrouble:
		return s.set(msg.SourceTrouble.GetPartition(), Reading, msg.SourceTrouble.GetError())
	case *messages.Event_PartitionFailed:
		return s.failed(msg.PartitionFailed)
	case *messages.Event_Drained:
		s.of(msg.Drained.GetPartition()).Drained = true
	case *messages.Event_PictureDrawn:
		if msg.PictureDrawn.GetError() == "" {
			s.Pictures++
		}
		return s.set(Nowhere, Drawing, msg.PictureDrawn.GetError())
	case *messages.Event_Published:
		return s.published(msg.Published)
	}
	return Trouble{}, false
}

// Expect makes partitions known of which nothing was heard yet.
func (s *State) Expect(partitions ...int32) {
	for _, number := range partitions {
		s.of(number)
	}
}

// Clone returns a copy that shares nothing with s that is written to.
func (s *State) Clone() *State {
	c := *s
	c.Partitions = make([]*Partition, len(s.Partitions))
	for i, p := range s.Partitions {
		own := *p
		own.Failures = slices.Clone(p.Failures)
		c.Partitions[i] = &own
	}
	if s.Producer != nil {
		own := *s.Producer
		c.Producer = &own
	}
	c.troubles = maps.Clone(s.troubles)
	return &c
}

// of returns a partition, new or known.
func (s *State) of(number int32) *Partition {
	i, found := slices.BinarySearchFunc(s.Partitions, number, func(p *Partition, number int32) int { return cmp.Compare(p.Number, number) })
	if !found {
		s.Partitions = slices.Insert(s.Partitions, i, &Partition{Number: number})
	}
	return s.Partitions[i]
}

func (s *State) started(run string, msg *messages.PartitionStarted) {
	p := s.of(msg.GetPartition())
	if bytes.Equal(p.topic, msg.GetTopic().GetId()) {
		p.Again += max(0, p.Offset-msg.GetOffset())
	}
	p.topic = msg.GetTopic().GetId()
	p.begin(life{run, msg.GetIncarnation()}, msg.GetOffset())
	p.Offset, p.Saved, p.End = msg.GetOffset(), msg.GetOffset(), msg.GetLastStableOffset()
	p.rate.from(p.Offset)
	p.Live, p.behind = p.Lag() == 0, time.Time{}
	p.Topic, p.Moved, p.Owing = msg.GetTopic().GetName(), s.now, time.Time{}
	for _, w := range []What{Respawning, Opening, Reading} {
		_, _ = s.set(p.Number, w, "") // that it counts is said anyway
	}
}

func (s *State) failed(msg *messages.PartitionFailed) (Trouble, bool) {
	p := s.of(msg.GetPartition())
	p.fail(msg.GetRole(), msg.GetError())
	switch {
	case msg.GetPermanent() || msg.GetRetryIn() == nil:
		p.Failed = msg.GetError()
		return Trouble{}, false // the run ends with it
	case msg.GetRole() == "opening":
		return s.set(msg.GetPartition(), Opening, msg.GetError())
	}
	return s.set(msg.GetPartition(), Respawning, msg.GetError())
}

func (s *State) published(msg *messages.Published) (Trouble, bool) {
	if s.Producer == nil {
		s.Producer = &Producer{}
	}
	p := s.Producer
	heard := msg.GetAcknowledged() > p.Acknowledged
	if heard || p.InFlight == 0 {
		p.since = s.now
	}
	p.Date = weather.Date(msg.GetLastDate())
	p.Acknowledged, p.Repeats = msg.GetAcknowledged(), msg.GetRepeats()
	p.InFlight, p.Retries = msg.GetHandedOver()-msg.GetAcknowledged(), msg.GetRetries()
	if heard {
		return s.set(Nowhere, Acknowledging, "")
	}
	return Trouble{}, false
}

// waits returns how long the producer has been waiting for the broker, 0 while
// that is nothing to speak of.
func (s *State) waits() time.Duration {
	if s.Producer == nil || s.Producer.InFlight == 0 || s.now.Sub(s.Producer.since) < stalledAfter {
		return 0
	}
	return s.now.Sub(s.Producer.since)
}

// Tick measures rates, and what does not happen; it is to be called every now
// and then, at most every minute. It returns the trouble that this changes, if
// any.
func (s *State) Tick(now time.Time) (t Trouble, changed bool) {
	elapsed := now.Sub(s.ticked)
	if s.ticked.IsZero() {
		elapsed = 0 // nothing has happened yet
	}
	s.now, s.ticked = now, now
	for _, p := range s.Partitions {
		p.rate.measure(p.Offset, elapsed)
		if p.Lag() == 0 {
			p.Moved = now
		}
		if !p.behind.IsZero() && now.Sub(p.behind) > behindFor {
			p.Live = false
		}
	}
	if s.Producer == nil {
		return Trouble{}, false
	}
	s.Producer.rate.measure(s.Producer.Acknowledged, elapsed)
	if s.waits() > 0 {
		return s.set(Nowhere, Acknowledging, "no answer")
	}
	return Trouble{}, false
}
