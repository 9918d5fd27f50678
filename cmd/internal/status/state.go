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

// Partition is how one partition is doing.
type Partition struct {
	// Number is the partition's.
	Number int32
	// Date is that of the last record counted; 0 if none was yet.
	Date weather.Date
	// Offset is the next record to read, End the end of what is committed, as last
	// heard.
	Offset, End int64
	// Counted, Duplicates and Rejects say what became of the records that were read.
	// After a failure, records that were not saved count again.
	Counted, Duplicates, Rejects int64
	// Once is the same without what was read again: it agrees with the file as soon
	// as that is saved.
	Once Tally
	// Again is how many of them had been read before, in a former life: by their
	// offsets, of which transactions take some, too.
	Again int64
	// Saved is the offset of the last checkpoint, SavedAt when that was, Saves how
	// often there was one.
	Saved   int64
	SavedAt time.Time
	Saves   int64
	// Took is how long the last checkpoint took to become durable, FileBytes and
	// RejectBytes the sizes of what it is in.
	Took                   time.Duration
	FileBytes, RejectBytes int64
	// SaveTimes says how long all of them took, SaveFailures how often one could not
	// be saved.
	SaveTimes    Times
	SaveFailures int64
	// Live says that it has come to the end and keeps up with it.
	Live bool
	// Drained says that all of it is counted and saved, and nothing follows.
	Drained bool
	// Failed is why it has ended for good; empty if it has not.
	Failed string
	// Topic is the name of the one that is counted; empty until that is known.
	Topic string
	// Failures are those of its actors, one for each role that has failed, the
	// latest last.
	Failures []Failure
	// Moved is when it last read something, or had nothing to read.
	Moved time.Time
	// Owing is since when something is counted and not saved; zero if all is.
	Owing time.Time

	stamp  time.Time // of the latest record read; zero if it is not known
	rate   rate
	behind time.Time // since when it lags; zero if it does not
	life   life
	topic  []byte   // its id
	before [3]int64 // counted, duplicates, rejects in former lives
	ledger ledger
}

// Failure counts how often an actor of a partition has failed, so that it was
// started again, or the run ended.
type Failure struct {
	// Role is the actor's: reader, aggregator, checkpoint-writer; partition, which
	// holds them; or opening, before they are there.
	Role string
	// Times is how often, Error why the last time.
	Times int64
	Error string
}

// life is one incarnation of a partition, whose numbers begin at 0.
type life struct {
	run         string
	incarnation int64
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

// Lag returns how many records there are still to read.
func (p *Partition) Lag() int64 { return max(0, p.End-p.Offset) }

// Rate returns how many records a second are read at the moment.
func (p *Partition) Rate() float64 { return p.rate.perSecond }

// Rate returns how many reports a second are acknowledged at the moment.
func (p *Producer) Rate() float64 { return p.rate.perSecond }

// Incarnation returns which life of its actors it is, 0 before the first.
func (p *Partition) Incarnation() int64 { return p.life.incarnation }

// LagTime returns by how much it lags at the time now: how long ago the record
// was written that was read last. ok is false if that is not known.
func (p *Partition) LagTime(now time.Time) (lag time.Duration, ok bool) {
	switch {
	case p.life == (life{}):
		return 0, false
	case p.Lag() == 0:
		return 0, true
	case p.stamp.IsZero():
		return 0, false
	}
	return max(0, now.Sub(p.stamp)), true
}

// Left returns how long it takes to come to the end at this rate; ok is false if
// that can't be said.
func (p *Partition) Left() (left time.Duration, ok bool) {
	if p.rate.perSecond < 1 || p.Lag() == 0 {
		return 0, false
	}
	seconds := float64(p.Lag()) / p.rate.perSecond
	return time.Duration(seconds * float64(time.Second)), seconds < 1e6
}

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

func (p *Partition) fail(role, cause string) {
	f := Failure{Role: role}
	if i := slices.IndexFunc(p.Failures, func(f Failure) bool { return f.Role == role }); i >= 0 {
		f = p.Failures[i]
		p.Failures = slices.Delete(p.Failures, i, i+1)
	}
	f.Times++
	f.Error = cause
	p.Failures = append(p.Failures, f)
}

func (p *Partition) saved(msg *messages.CheckpointSaved, now time.Time) {
	p.Saved, p.SavedAt = msg.GetOffset(), now
	p.Took, p.FileBytes, p.RejectBytes = msg.GetTook().AsDuration(), msg.GetFileBytes(), msg.GetRejectBytes()
	p.Saves++
	p.ledger.saved(p.Saved)
	p.SaveTimes.add(p.Took)
	if p.Owing = now; p.Offset <= p.Saved {
		p.Owing = time.Time{}
	}
}

// begin starts a life at an offset, if it is another than before.
func (p *Partition) begin(l life, offset int64) {
	if p.life != l {
		p.Once = p.ledger.begin(offset, p.Once)
		p.life, p.before = l, [3]int64{p.Counted, p.Duplicates, p.Rejects}
		p.Drained, p.Failed = false, ""
	}
}

func (p *Partition) counted(run string, b *messages.BatchCounted, now time.Time) {
	if p.life == (life{}) {
		p.rate.from(b.GetOffset()) // its start was missed
	}
	p.begin(life{run, b.GetIncarnation()}, p.Offset)
	p.Offset, p.End, p.Moved = b.GetOffset(), b.GetLastStableOffset(), now
	if p.Owing.IsZero() && p.Offset > p.Saved {
		p.Owing = now
	}
	if ms := b.GetLastTimestamp(); ms > 0 {
		p.stamp = time.UnixMilli(ms)
	}
	p.Counted = p.before[0] + b.GetCounted()
	p.Duplicates = p.before[1] + b.GetDuplicates()
	p.Rejects = p.before[2] + b.GetRejects()
	p.Once = p.ledger.read(p.Offset, Tally{b.GetCounted(), b.GetDuplicates(), b.GetRejects()})
	if b.GetLastDate() != 0 {
		p.Date = weather.Date(b.GetLastDate())
	}
	switch {
	case p.Lag() == 0:
		p.Live, p.behind = true, time.Time{}
	case p.behind.IsZero():
		p.behind = now
	}
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
