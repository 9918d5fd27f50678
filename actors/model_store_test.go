package actors

import (
	"errors"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
)

var errDisk = errors.New("disk: no space left")

// modelDisk is what is durable of one partition. It changes step by step during
// a save, as files do: rejects, then the topic, then offset and statistics.
type modelDisk struct {
	offset  int64
	table   *messages.StatsTable
	log     *modelLog // whose records below offset are counted
	gaps    []*messages.Gap
	topic   *messages.CountedTopic
	rejects []*messages.Reject
	halfway bool // a reset took the rejects, and not yet the rest
	resets  int
}

// loaded is the topic as Load returns it.
func (d *modelDisk) loaded() *messages.CountedTopic {
	if d.offset == 0 || d.topic == nil {
		return nil
	}
	t := proto.CloneOf(d.topic)
	t.Epochs = slices.DeleteFunc(t.Epochs, func(e *messages.LeaderEpoch) bool { return e.GetFirstOffset() >= d.offset })
	t.Gaps = slices.DeleteFunc(t.Gaps, func(g *messages.Gap) bool { return g.GetNext() > d.offset })
	return t
}

// modelStore is the lock of one partition in one run, and with it its disk.
type modelStore struct {
	*world
	p      *modelPartition
	busy   string // what it is doing
	closed bool
	killed bool
	opens  bool  // no incarnation has begun since the load
	fresh  bool  // what stands beside the file is not the file's
	acked  int64 // offset of the last save that was answered, or of the load
}

func (w *world) lock(partition int32) (Store, error) {
	p := w.parts[partition]
	w.mu.Lock()
	f, faulty := w.take(&p.opens)
	run := w.run
	w.mu.Unlock()
	w.suffer(nil, p, f)
	w.mu.Lock()
	defer w.mu.Unlock()
	if faulty {
		w.note("p%d: open: %v", partition, f)
		p.blame = f.what
		if f.panic {
			panic("a bug in open")
		}
		if f.err != nil {
			return nil, f.err
		}
	}
	if run.killed {
		return nil, errKilled
	}
	if p.store != nil {
		w.fail("p%d: opened twice", partition)
	}
	p.store = &modelStore{world: w, p: p}
	return p.store, nil
}

// enter begins a call. It returns false if nobody hears the answer.
func (s *modelStore) enter(what string, queue *[]fault) (f fault, alive bool) {
	s.mu.Lock()
	if s.busy != "" || s.closed {
		s.fail("p%d: %s while it is doing %q, closed: %v", s.p.number, what, s.busy, s.closed)
	}
	s.busy = what
	f, faulty := s.take(queue)
	if faulty {
		s.note("p%d: %s: %v", s.p.number, what, f)
	}
	s.mu.Unlock()
	return f, s.live()
}

func (s *modelStore) leave() {
	s.mu.Lock()
	s.busy = ""
	s.mu.Unlock()
}

func (s *modelStore) live() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.killed
}

// strike is what a faulty call ends with, and fatal whether any error makes the
// partition fail. It is called with the lock held.
func (s *modelStore) strike(f fault, fatal bool) error {
	s.shaken = time.Now()
	if messages.IsPermanent(f.err) {
		s.expect(f.err, "the store", s.p.blame == "")
	}
	if f.panic || messages.IsPermanent(f.err) || fatal {
		s.p.blame = f.what
	}
	if f.panic {
		panic("a bug in the store")
	}
	return f.err
}

func (s *modelStore) Load() (*messages.Checkpoint, error) {
	f, alive := s.enter("load", &s.p.loads)
	defer s.leave()
	s.suffer(nil, s.p, f)
	if alive = alive && s.live(); !alive {
		return nil, errKilled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &s.p.disk
	if f.err != nil || f.panic {
		return nil, s.strike(f, true)
	}
	s.fresh, s.acked, s.opens = d.offset == 0, d.offset, true
	if s.fresh {
		return &messages.Checkpoint{Partition: s.p.number, Stats: &messages.StatsTable{}}, nil
	}
	d.rejects = slices.DeleteFunc(slices.Clone(d.rejects), func(r *messages.Reject) bool { return r.GetOffset() >= d.offset })
	c := &messages.Checkpoint{Partition: s.p.number, Offset: d.offset, Stats: d.table, Topic: d.loaded(), RejectBytes: sizeOf(d.rejects)}
	s.seal(c)
	return c, nil
}

// Stages of a save: what is durable when it fails there.
const (
	stageNothing = iota
	stageRejects
	stageTopic
	stageFile
)

func (s *modelStore) Save(c *messages.Checkpoint) (*messages.CheckpointSaved, error) {
	began := time.Now()
	f, _ := s.enter("save", &s.p.saves)
	defer s.leave()
	s.mu.Lock()
	takes := s.run.saving
	s.mu.Unlock()
	for stage := stageNothing; stage <= stageFile; stage++ {
		time.Sleep(takes)
		if !s.live() {
			return nil, errKilled
		}
		if err := s.save(c, stage, f); err != nil {
			return nil, err
		}
		if f.what != "" && stage == f.stage {
			s.suffer(nil, s.p, f)
			if !s.live() {
				return nil, errKilled
			}
			err := s.fails(f)
			if err != nil {
				return nil, err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked, s.p.failing = c.GetOffset(), false
	if r := s.p.reading; !s.opens && r.fatal == c.GetOffset() {
		s.expect(ErrInvalidRecord, "saved all before it", s.p.blame == "")
	}
	return &messages.CheckpointSaved{Partition: s.p.number, Offset: c.GetOffset(), Took: durationpb.New(time.Since(began)), RejectBytes: sizeOf(s.p.disk.rejects)}, nil
}

// fails is how a save ends after a fault: an opening gives up, a writer tries
// again.
func (s *modelStore) fails(f fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.strike(f, s.opens)
	s.p.failing = err != nil
	return err
}

// save makes one part of a checkpoint durable, and checks it.
func (s *modelStore) save(c *messages.Checkpoint, stage int, f fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, d := s.p, &s.p.disk
	switch stage {
	case stageNothing:
		s.seal(c)
		s.check(c)
	case stageRejects:
		if s.fresh { // what an older file left is removed
			d.rejects, d.topic, s.fresh = nil, nil, false
		}
		last := int64(-1)
		if n := len(d.rejects); n > 0 {
			last = d.rejects[n-1].GetOffset()
		}
		for _, r := range c.GetRejects() {
			if r.GetOffset() > last {
				d.rejects = append(d.rejects, proto.CloneOf(r))
			}
		}
	case stageTopic:
		d.topic = proto.CloneOf(c.GetTopic())
	case stageFile:
		if c.GetOffset() < d.offset {
			s.fail("p%d: the durable offset goes back from %d to %d", p.number, d.offset, c.GetOffset())
		}
		if r := p.reading; !s.opens {
			if log := r.logAt(c.GetOffset()); log != nil {
				d.log = log
			}
			d.gaps = r.request.GetTopic().GetGaps()
			r.durable = c.GetOffset()
		}
		d.offset, d.table = c.GetOffset(), proto.CloneOf(c.GetStats())
		p.maxDurable = max(p.maxDurable, d.offset)
		s.note("p%d: durable up to %d", p.number, d.offset)
		if got := offsetsOf(d.rejects); f.what != "" {
			s.note("p%d: rejects beside it: %v", p.number, got)
		}
	}
	return nil
}

// check compares a checkpoint that is to be saved with what the model says.
func (s *modelStore) check(c *messages.Checkpoint) {
	p, d := s.p, &s.p.disk
	s.note("p%d: to be saved: offset %d, %d rejects", p.number, c.GetOffset(), len(c.GetRejects()))
	if c.GetPartition() != p.number || c.GetOffset() < d.offset {
		s.fail("p%d: a checkpoint of partition %d at offset %d, and %d is durable", p.number, c.GetPartition(), c.GetOffset(), d.offset)
		return
	}
	if s.opens {
		if c.GetOffset() != d.offset || len(c.GetRejects()) > 0 || !sameTable(c.GetStats(), d.table) {
			s.fail("p%d: an opening saves offset %d with %d rejects, and %d is durable", p.number, c.GetOffset(), len(c.GetRejects()), d.offset)
		}
		return
	}
	r := p.reading
	log := r.logAt(c.GetOffset())
	if log == nil {
		s.fail("p%d: a checkpoint at offset %d, which was not delivered", p.number, c.GetOffset())
		return
	}
	if r.fatal >= 0 && c.GetOffset() > r.fatal {
		s.fail("p%d: a checkpoint at offset %d, behind the record at %d that ends the run", p.number, c.GetOffset(), r.fatal)
	}
	want := r.at(c.GetOffset())
	if !sameTable(c.GetStats(), want.table) {
		s.fail("p%d: statistics at offset %d are %v, want %v", p.number, c.GetOffset(), c.GetStats(), want.table)
	}
	if topic := r.topicAt(c.GetOffset()); !proto.Equal(c.GetTopic(), topic) {
		s.fail("p%d: topic at offset %d is %v, want %v", p.number, c.GetOffset(), c.GetTopic(), topic)
	}
	since := slices.DeleteFunc(slices.Clone(want.rejects), func(r *messages.Reject) bool { return r.GetOffset() < s.acked })
	if !sameRejects(c.GetRejects(), since) {
		s.fail("p%d: the checkpoint at offset %d, after the one at %d, brings the rejects %v, want %v",
			p.number, c.GetOffset(), s.acked, offsetsOf(c.GetRejects()), offsetsOf(since))
	}
}

func (s *modelStore) Reset(id []byte) error {
	f, _ := s.enter("reset", &s.p.resets)
	defer s.leave()
	s.suffer(nil, s.p, f)
	if !s.live() {
		return errKilled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, d := s.p, &s.p.disk
	switch {
	case string(id) != string(d.topic.GetId()):
		s.fail("p%d: reset of topic %q, and it counts %q", p.number, id, d.topic.GetId())
	case !s.run.config.ResetOnRecreate:
		s.fail("p%d: reset unasked", p.number)
	case string(p.described.GetTopicId()) == string(id) && !p.truncated:
		s.fail("p%d: reset without a reason", p.number)
	}
	fails := f.err != nil || f.panic
	if fails && f.stage == stageNothing {
		return s.strike(f, true)
	}
	d.rejects, d.halfway = nil, true
	if fails && f.stage == stageRejects {
		return s.strike(f, true)
	}
	*d = modelDisk{resets: d.resets + 1, log: p.log}
	s.acked, s.fresh = 0, true
	s.note("p%d: reset", p.number)
	if fails {
		return s.strike(f, true)
	}
	return nil
}

func (s *modelStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.killed {
		return nil
	}
	if s.busy != "" || s.closed {
		s.fail("p%d: closed while it is doing %q, closed already: %v", s.p.number, s.busy, s.closed)
	}
	s.closed = true
	if s.p.store == s {
		s.p.store = nil
	}
	return nil
}
