package status

import (
	"slices"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

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

// Lag returns how many records there are still to read.
func (p *Partition) Lag() int64 { return max(0, p.End-p.Offset) }

// Rate returns how many records a second are read at the moment.
func (p *Partition) Rate() float64 { return p.rate.perSecond }

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
