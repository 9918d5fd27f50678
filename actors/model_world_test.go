package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

// story is what a model tells.
type story struct {
	mu    sync.Mutex // guards the whole model: the fakes are called by many goroutines
	began time.Time
	steps []string // what happened, for people
	wrong []string // what must not happen, and did
}

func (s *story) note(format string, args ...any) {
	s.steps = append(s.steps, fmt.Sprintf("%10.3fs  ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

func (s *story) fail(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
	s.note("WRONG: "+format, args...)
}

// world is the model: what the logs hold, what is durable, what the fakes were
// told to do and did, and what the actors said. The fakes check in it whatever
// they are asked for, at the moment when they are asked.
type world struct {
	story
	system  *actor.ActorSystem
	numbers []int32 // of the partitions
	parts   map[int32]*modelPartition
	topics  int           // how many topics there were
	changed chan struct{} // closed and made anew when a log changes
	release chan struct{} // closed when what hangs may go on
	runs    int
	run     *modelRun // the last one
	sealed  []sealed
	shaken  time.Time // when a fault was at work last
	asked   []*question
	late    []lateMessage
	healing bool // nothing hangs any more
	draw    []fault
	drawing bool
	picture map[int32]int64 // what the last picture was of
}

// modelPartition is one partition: its log, its files, and its reader.
type modelPartition struct {
	number int32
	rng    *rand.Rand // for the shape of fetches
	log    *modelLog  // as it is now
	disk   modelDisk
	store  *modelStore // who has the lock

	// Faults for the next calls, in order.
	fetches, describes, opens, loads, saves, resets []fault

	// What the run that is alive has come to.
	described  *messages.PartitionRange
	reading    *reading
	readings   []*reading // by incarnation - 1
	started    int64      // incarnations that began
	until      int64
	truncated  bool   // a reader found that the log lost its tail
	blame      string // why the next failure of the partition is none of a bug
	broken     bool   // its last word is that it failed
	maxDurable int64
	struggling int  // calls that hang or are slow
	deaf       int  // those that do not hear that they shall end
	failing    bool // the last save failed, and will be tried again

	// As of the last look.
	lastOffset int64
	lastResets int
}

// modelRun is one call of Run.
type modelRun struct {
	name     string
	config   Consume
	cancel   context.CancelFunc
	saving   time.Duration // what each part of a save takes, and a picture
	ended    bool
	looked   bool // at how it ended
	err      error
	endedAt  time.Time
	signaled time.Time // when its context ended
	heldUp   bool      // something was struggling then
	stopped  time.Time // when its host stopped it, or it was killed
	killed   bool
	expected []error   // permanent errors it was given
	must     time.Time // since when it must end with one of them
}

// fault is what a fake does instead of what it should.
type fault struct {
	what  string
	stage int           // of a save
	takes time.Duration // before it
	hangs bool
	deaf  bool // also after it was told to end
	err   error
	panic bool
}

func (f fault) String() string {
	s := f.what
	if f.takes > 0 {
		s += fmt.Sprintf(" after %v", f.takes)
	}
	if f.hangs {
		s += " after a hang"
	}
	return s
}

// sealed is a message that was sent, and must not change any more.
type sealed struct {
	sent, copied proto.Message
}

// lateMessage is a message that was delivered once.
type lateMessage struct {
	partition   int32
	run         string
	incarnation int64
	log         *modelLog
	message     proto.Message
}

func (w *world) seal(m proto.Message) {
	w.sealed = append(w.sealed, sealed{m, proto.Clone(m)})
	if len(w.sealed) >= 200 {
		w.unseal(100)
	}
}

// unseal checks that the messages that were sent are as they were, and forgets
// all but the newest.
func (w *world) unseal(keep int) {
	for len(w.sealed) > keep {
		if s := w.sealed[0]; !proto.Equal(s.sent, s.copied) {
			w.fail("a message was changed after it was sent: %v, it was %v", s.sent, s.copied)
		}
		w.sealed = w.sealed[1:]
	}
}

func (w *world) keep(m lateMessage) {
	if len(w.late) >= 100 {
		w.late = w.late[50:]
	}
	w.late = append(w.late, m)
}

// expect notes a permanent error that the run was given, so that it may end
// with it; and if must, that nothing but an end before can keep it from that.
// Where a failure is under way that a respawn mends, that one may be heard first.
func (w *world) expect(err error, at string, must bool) {
	if !slices.Contains(w.run.expected, err) {
		w.run.expected = append(w.run.expected, err)
		w.note("%s: the run is to end: %v", at, err)
	}
	if must && w.run.signaled.IsZero() && w.run.stopped.IsZero() && w.run.must.IsZero() {
		w.run.must = time.Now()
	}
}

// take returns the next fault of a queue, if there is one.
func (w *world) take(queue *[]fault) (f fault, ok bool) {
	if len(*queue) == 0 {
		return fault{}, false
	}
	f = (*queue)[0]
	*queue = (*queue)[1:]
	w.shaken = time.Now()
	return f, true
}

// suffer waits as long as a fault says, or until done.
func (w *world) suffer(done <-chan struct{}, p *modelPartition, f fault) {
	if f.deaf {
		done = nil
	}
	if f.takes == 0 && !f.hangs {
		return
	}
	w.mu.Lock()
	release := w.release
	f.hangs = f.hangs && !w.healing
	p.struggling++
	if f.deaf {
		p.deaf++
	}
	w.mu.Unlock()
	if f.hangs {
		select {
		case <-release:
		case <-done:
		}
	}
	select {
	case <-time.After(f.takes):
	case <-done:
	}
	w.mu.Lock()
	p.struggling--
	if f.deaf {
		p.deaf--
	}
	w.shaken = time.Now()
	w.mu.Unlock()
}

func (w *world) touch() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// heard checks what the actors publish, on the goroutine of whoever does.
func (w *world) heard(event any) {
	e, ok := event.(*messages.Event)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.run == nil || e.GetRun() != w.run.name {
		return
	}
	w.seal(e)
	switch e := e.GetEvent().(type) {
	case *messages.Event_PartitionStarted:
		w.partitionStarted(w.parts[e.PartitionStarted.GetPartition()], e.PartitionStarted)
	case *messages.Event_BatchCounted:
		w.batchCounted(w.parts[e.BatchCounted.GetPartition()], e.BatchCounted)
	case *messages.Event_CheckpointSaved:
		w.checkpointSaved(w.parts[e.CheckpointSaved.GetPartition()], e.CheckpointSaved)
	case *messages.Event_PartitionFailed:
		w.partitionFailed(w.parts[e.PartitionFailed.GetPartition()], e.PartitionFailed)
	case *messages.Event_Drained:
		w.drained(w.parts[e.Drained.GetPartition()], e.Drained)
	}
}

func (w *world) partitionStarted(p *modelPartition, e *messages.PartitionStarted) {
	w.note("p%d: incarnation %d starts at %d", p.number, e.GetIncarnation(), e.GetOffset())
	p.started++
	p.broken = false
	if e.GetIncarnation() != p.started {
		w.fail("p%d: incarnation %d follows incarnation %d", p.number, e.GetIncarnation(), p.started-1)
	}
}

func (w *world) batchCounted(p *modelPartition, e *messages.BatchCounted) {
	r := p.incarnation(e.GetIncarnation())
	if r == nil || r != p.reading {
		w.fail("p%d: a batch was counted by incarnation %d, which is not the one that reads", p.number, e.GetIncarnation())
		return
	}
	r.counted++
	if e.GetOffset() <= r.position && e.GetOffset() != r.fatal {
		w.fail("p%d: offset went from %d to %d by a batch", p.number, r.position, e.GetOffset())
	}
	before := r.at(r.position)
	r.position = e.GetOffset()
	if r.position == r.fatal && p.store != nil && p.store.acked == r.fatal {
		w.expect(ErrInvalidRecord, fmt.Sprintf("p%d: all before it is saved", p.number), p.blame == "")
	}
	log := r.logAt(e.GetOffset())
	if log == nil {
		w.fail("p%d: counted up to offset %d, which was not delivered", p.number, e.GetOffset())
		return
	}
	begun, now := r.at(r.request.GetOffset()), r.at(e.GetOffset())
	if e.GetCounted() != now.counted-begun.counted || e.GetDuplicates() != now.duplicates-begun.duplicates || e.GetRejects() != int64(len(now.rejects)-len(begun.rejects)) {
		w.fail("p%d: totals at offset %d are %d counted, %d duplicates, %d rejects, want %d, %d, %d", p.number, e.GetOffset(),
			e.GetCounted(), e.GetDuplicates(), e.GetRejects(), now.counted-begun.counted, now.duplicates-begun.duplicates, len(now.rejects)-len(begun.rejects))
	}
	if rejected := len(now.rejects) > len(before.rejects); rejected != (e.GetFirstReject() != nil) ||
		rejected && e.GetFirstReject().GetOffset() != now.rejects[len(before.rejects)].GetOffset() {
		w.fail("p%d: the first reject up to offset %d is said to be %v", p.number, e.GetOffset(), e.GetFirstReject())
	}
}

func (w *world) checkpointSaved(p *modelPartition, e *messages.CheckpointSaved) {
	if e.GetOffset() != p.disk.offset {
		w.fail("p%d: said to be saved up to %d, and %d is durable", p.number, e.GetOffset(), p.disk.offset)
	}
	if r := p.reading; r != nil {
		w.keep(lateMessage{p.number, w.run.name, int64(len(p.readings)), p.disk.log, e})
	}
}

func (w *world) partitionFailed(p *modelPartition, e *messages.PartitionFailed) {
	p.broken = true
	w.shaken = time.Now()
	text, _, _ := strings.Cut(e.GetError(), "\n")
	w.note("p%d: incarnation %d failed: %s: %s (permanent: %v, again in %v)", p.number, e.GetIncarnation(), e.GetRole(), text, e.GetPermanent(), e.GetRetryIn().AsDuration())
	if p.blame == "" && len(w.run.expected) == 0 && w.run.stopped.IsZero() {
		w.fail("p%d: it failed without a reason", p.number)
	}
	p.blame = ""
	if e.GetPermanent() && len(w.run.expected) == 0 {
		w.fail("p%d: it failed for good without a reason", p.number)
	}
	if wait := e.GetRetryIn().AsDuration(); e.GetRetryIn() != nil && (wait < firstRespawn || wait > lastRespawn) {
		w.fail("p%d: it is tried again in %v", p.number, wait)
	}
}

func (w *world) drained(p *modelPartition, e *messages.Drained) {
	r := p.reading
	w.note("p%d: drained at %d", p.number, e.GetOffset())
	if r == nil {
		w.fail("p%d: drained without a reader", p.number)
		return
	}
	if e.GetOffset() != p.disk.offset && (e.GetOffset() != r.request.GetOffset() || len(r.batches) > 0) {
		w.fail("p%d: drained at %d, and %d is durable", p.number, e.GetOffset(), p.disk.offset)
	}
	if e.GetOffset() < r.surely {
		w.fail("p%d: drained at %d, and it was delivered up to %d", p.number, e.GetOffset(), r.surely)
	}
}

func (p *modelPartition) incarnation(number int64) *reading {
	if number < 1 || number > int64(len(p.readings)) {
		return nil
	}
	return p.readings[number-1]
}

// errKilled is what a store of a process that was killed says: nobody hears it.
var errKilled = errors.New("killed")
