package actors

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

var (
	// ErrInvalidRecord ends a run that was asked to end at a record that can't be
	// counted, or that has no room left to keep such records.
	ErrInvalidRecord = errors.New("record can't be counted")
	// ErrRejectLimit says that it is for lack of room.
	ErrRejectLimit = errors.New("as many as may be are kept aside already")
)

// aggregator owns the statistics of one partition.
//
// Invariant: stats counts exactly the records below offset. A batch that does
// not start at offset is refused, so a late or repeated batch can neither skip
// nor repeat records. On any error it panics; the root respawns its partition
// from the last checkpoint.
type aggregator struct {
	publisher
	partition   int32
	incarnation int64
	writer      *actor.PID // answers Checkpoint with CheckpointSaved
	rejectLimit int64      // bytes
	failInvalid bool
	lastError   string // why the incarnation before ended; "" if this is the first

	// Touched only by Receive.
	offset  int64
	stats   *weather.Stats
	topic   *messages.CountedTopic // replaced, never changed: checkpoints share it
	rejects []*messages.Reject     // below offset, not durable yet
	tally   tally
	end     int64 // last stable offset
	ended   bool  // no batch follows
	final   error // ends the partition once everything below offset is durable

	saved        int64 // offset of the last durable checkpoint
	rejectBytes  int64 // kept beside it
	pendingBytes int64 // about what rejects that are not durable will add
	saving       bool  // a checkpoint is with the writer
	asked        int64 // its offset
	resting      *time.Timer
	pace         pace
	owed         []owed // answers that wait until their rejects are durable
}

// tally is what became of the records since the incarnation began.
type tally struct {
	counted, duplicates, rejects int64
}

// owed is a BatchApplied that is sent once next is durable.
type owed struct {
	reader *actor.PID
	next   int64
}

// rested tells the aggregator that it may hand over the next checkpoint.
type rested struct{}

func (a *aggregator) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *messages.RecordBatch:
		a.receive(ctx, msg)
	case *messages.CheckpointSaved:
		a.checkpointSaved(ctx, msg)
	case rested:
		a.resting = nil
		a.checkpoint(ctx)
	case *messages.EndOfInput:
		a.endOfInput(ctx, msg)
	case *messages.GetStats:
		ctx.Respond(a.answer())
	case *actor.Stopping:
		a.stopResting()
	}
}

func (a *aggregator) receive(ctx actor.Context, b *messages.RecordBatch) {
	if a.final != nil {
		return // and no answer: the reader shall not go on
	}
	lastDate := a.apply(b)
	a.publish(&messages.Event{Event: &messages.Event_BatchCounted{BatchCounted: a.counted(b, lastDate)}})
	switch {
	case a.final != nil:
		a.ended = true
		a.stopResting()
	case len(b.GetRejects()) > 0:
		a.owed = append(a.owed, owed{ctx.Sender(), a.offset})
	default:
		ctx.Respond(&messages.BatchApplied{Next: a.offset})
	}
	a.checkpoint(ctx)
}

// apply counts a batch, or the part of it before the record that ends the run,
// and returns the date of the last record that was counted. It does no I/O.
func (a *aggregator) apply(b *messages.RecordBatch) (lastDate weather.Date) {
	if b.GetBase() != a.offset {
		panic(fmt.Errorf("partition %d: a batch starts at offset %d, want %d", a.partition, b.GetBase(), a.offset))
	}
	if b.GetNext() <= b.GetBase() || len(b.GetDates()) != len(b.GetDegrees()) {
		panic(fmt.Errorf("partition %d: malformed batch [%d, %d) with %d dates and %d degrees",
			a.partition, b.GetBase(), b.GetNext(), len(b.GetDates()), len(b.GetDegrees())))
	}
	records, next, rejects := len(b.GetDates()), b.GetNext(), b.GetRejects()
	if i := a.firstFatal(rejects); i >= 0 {
		r := rejects[i]
		records, next, rejects = int(r.GetPreceding()), r.GetOffset(), rejects[:i]
		a.final = a.invalid(r)
	}
	degrees := b.GetDegrees()[:records]
	for i, date := range b.GetDates()[:records] {
		if a.stats.Add(weather.Observation{Date: weather.Date(date), Degrees: degrees[i]}) {
			a.tally.counted++
			lastDate = weather.Date(date)
		} else {
			a.tally.duplicates++
		}
	}
	a.rejects = append(a.rejects, rejects...)
	a.tally.rejects += int64(len(rejects))
	a.pendingBytes += sizeOf(rejects)
	a.beginEpochs(b.GetEpochs(), next)
	a.offset = next
	a.end = b.GetLastStableOffset()
	return lastDate
}

// firstFatal returns the position of the first reject that ends the run, or -1.
func (a *aggregator) firstFatal(rejects []*messages.Reject) int {
	kept := a.rejectBytes + a.pendingBytes
	for i, r := range rejects {
		if a.failInvalid || kept >= a.rejectLimit {
			return i
		}
		kept += rejectSize(r)
	}
	return -1
}

// rejectSize is about what keeping a reject takes, in bytes.
func rejectSize(r *messages.Reject) int64 {
	const frame = 64 // names of its fields, and the offset
	return int64(frame + len(r.GetReason()) + len(r.GetKey()) + base64.StdEncoding.EncodedLen(len(r.GetValue())))
}

func sizeOf(rejects []*messages.Reject) (bytes int64) {
	for _, r := range rejects {
		bytes += rejectSize(r)
	}
	return bytes
}

func (a *aggregator) invalid(r *messages.Reject) error {
	err := fmt.Errorf("partition %d: %w: offset %d: %s", a.partition, ErrInvalidRecord, r.GetOffset(), r.GetReason())
	if !a.failInvalid {
		err = fmt.Errorf("%w; %w: %d bytes", err, ErrRejectLimit, a.rejectLimit)
	}
	return messages.Permanent(err)
}

// beginEpochs adds the leader epochs that begin below next.
func (a *aggregator) beginEpochs(epochs []*messages.LeaderEpoch, next int64) {
	begun := slices.DeleteFunc(slices.Clone(epochs), func(e *messages.LeaderEpoch) bool { return e.GetFirstOffset() >= next })
	if len(begun) == 0 {
		return
	}
	a.topic = &messages.CountedTopic{
		Name:   a.topic.GetName(),
		Id:     a.topic.GetId(),
		Epochs: slices.Concat(a.topic.GetEpochs(), begun),
		Gaps:   a.topic.GetGaps(),
	}
}

// checkpoint hands the newest state to the writer, unless one is there already,
// it is too early, or nothing has changed. At the end of input it reports that
// all is done.
func (a *aggregator) checkpoint(ctx actor.Context) {
	if a.saving || a.resting != nil {
		return
	}
	if a.offset != a.saved {
		a.saving, a.asked = true, a.offset
		ctx.Request(a.writer, &messages.Checkpoint{
			Partition: a.partition,
			Offset:    a.offset,
			Stats:     messages.NewStatsTable(a.stats),
			Topic:     a.topic,
			Rejects:   a.rejects,
		})
		a.rejects = nil
		return
	}
	if a.final != nil {
		panic(a.final)
	}
	if a.ended {
		ctx.Send(ctx.Parent(), &messages.Drained{Partition: a.partition, Offset: a.offset})
	}
}

func (a *aggregator) checkpointSaved(ctx actor.Context, msg *messages.CheckpointSaved) {
	if !a.saving || msg.GetOffset() != a.asked {
		return // an answer that came twice: the writer may have the next one
	}
	a.saving = false
	a.saved = msg.GetOffset()
	a.rejectBytes, a.pendingBytes = msg.GetRejectBytes(), sizeOf(a.rejects)
	for len(a.owed) > 0 && a.owed[0].next <= a.saved {
		ctx.Send(a.owed[0].reader, &messages.BatchApplied{Next: a.owed[0].next})
		a.owed = a.owed[1:]
	}
	rest := a.pace.rest(msg.GetTook().AsDuration())
	if !a.ended {
		a.resting = sendAfter(ctx, rest, rested{})
	}
	a.checkpoint(ctx)
}

func (a *aggregator) endOfInput(ctx actor.Context, msg *messages.EndOfInput) {
	if a.final != nil {
		return
	}
	if msg.GetNext() != a.offset {
		panic(fmt.Errorf("partition %d: input ends at offset %d, want %d", a.partition, msg.GetNext(), a.offset))
	}
	a.ended = true
	a.stopResting()
	a.checkpoint(ctx)
}

func (a *aggregator) stopResting() {
	if a.resting != nil {
		a.resting.Stop()
		a.resting = nil
	}
}

func (a *aggregator) answer() *messages.Stats {
	state := messages.State_STATE_RUNNING
	if a.ended && a.saved == a.offset {
		state = messages.State_STATE_DRAINED
	}
	return &messages.Stats{
		Partition:        a.partition,
		State:            state,
		Incarnation:      a.incarnation,
		Offset:           a.offset,
		SavedOffset:      a.saved,
		LastStableOffset: a.end,
		Table:            messages.NewStatsTable(a.stats),
		Counted:          a.tally.counted,
		Duplicates:       a.tally.duplicates,
		Rejects:          a.tally.rejects,
		LastError:        a.lastError,
	}
}

func (a *aggregator) counted(b *messages.RecordBatch, lastDate weather.Date) *messages.BatchCounted {
	event := &messages.BatchCounted{
		Partition:        a.partition,
		Incarnation:      a.incarnation,
		Offset:           a.offset,
		LastStableOffset: a.end,
		Counted:          a.tally.counted,
		Duplicates:       a.tally.duplicates,
		Rejects:          a.tally.rejects,
		LastDate:         int32(lastDate),
		LastTimestamp:    b.GetLastTimestamp(),
	}
	if rejects := b.GetRejects(); len(rejects) > 0 && rejects[0].GetOffset() < a.offset {
		event.FirstReject = rejects[0]
	}
	return event
}

// sendAfter sends the actor a message of its own, once, after a while. The actor
// stops the timer when it stops.
func sendAfter(ctx actor.Context, wait time.Duration, message any) *time.Timer {
	root, self := ctx.ActorSystem().Root, ctx.Self()
	return time.AfterFunc(wait, func() { root.Send(self, message) })
}
