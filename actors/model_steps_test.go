package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

func millis(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// start begins a run, of some kind, as soon as nothing of the one before is left.
func (w *world) start(config Consume, saving time.Duration) {
	w.mu.Lock()
	w.runs++
	config.Name = fmt.Sprintf("run-%d", w.runs)
	config.Partitions, config.Source, config.Open = w.numbers, modelSource{w}, w.lock
	ctx, cancel := context.WithCancel(context.Background())
	run := &modelRun{name: config.Name, config: config, cancel: cancel, saving: saving}
	w.run, w.healing = run, false
	for _, p := range w.parts {
		p.described, p.reading, p.readings, p.started, p.until = nil, nil, nil, 0, -1
		p.truncated, p.blame, p.broken, p.failing, p.maxDurable = false, "", false, false, p.disk.offset
	}
	w.note("START %s: until end %v, fail on invalid %v, reject limit %d, reset %v, skip gaps %v, draw %v, drain time-out %v, saves take 4 x %v", config.Name, config.UntilEnd,
		config.FailOnInvalid, config.RejectLimit, config.ResetOnRecreate, config.SkipGaps, config.Draw != nil, config.DrainTimeout, saving)
	w.mu.Unlock()
	go func() {
		err := Run(ctx, w.system, config)
		w.mu.Lock()
		defer w.mu.Unlock()
		run.ended, run.err, run.endedAt = true, err, time.Now()
		w.note("END of %s: %v", run.name, err)
	}()
	synctest.Wait() // it can be stopped
}

func (w *world) config(rng *rand.Rand) Consume {
	c := Consume{
		UntilEnd:        rng.IntN(4) == 0,
		FailOnInvalid:   rng.IntN(8) == 0,
		ResetOnRecreate: rng.IntN(3) > 0,
		SkipGaps:        rng.IntN(3) > 0,
		DrainTimeout:    []time.Duration{0, 0, 2 * time.Second, time.Minute}[rng.IntN(4)],
	}
	if rng.IntN(8) == 0 {
		c.RejectLimit = 1 + rng.Int64N(600)
	}
	if rng.IntN(2) == 0 {
		c.Draw = w.paint
	}
	return c
}

// paint is the Draw of a run.
func (w *world) paint() error {
	w.mu.Lock()
	if w.drawing {
		w.fail("two pictures are drawn at once")
	}
	w.drawing = true
	f, _ := w.take(&w.draw)
	for _, p := range w.parts {
		w.picture[p.number] = p.disk.offset
	}
	p, takes := w.parts[w.numbers[0]], w.run.saving
	w.mu.Unlock()
	time.Sleep(takes)
	w.suffer(nil, p, f)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drawing = false
	if f.panic {
		panic("a bug in the picture")
	}
	return f.err
}

// step does something to the world.
func (w *world) step(rng *rand.Rand) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.parts[w.numbers[rng.IntN(len(w.numbers))]]
	if w.run.ended {
		switch rng.IntN(4) {
		case 0: // something else first
		default:
			w.again(rng)
			return
		}
	}
	switch n := rng.IntN(100); {
	case n < 20:
		w.grow(rng, p)
	case n < 32:
		w.armFetch(rng, p)
	case n < 48:
		w.armSave(rng, p)
	case n < 54:
		w.armOpening(rng, p)
	case n < 58:
		w.armDraw(rng)
	case n < 62:
		w.letGo()
	case n < 86:
		// below
	case n < 89:
		w.signal()
	case n < 91:
		w.hostStops()
	case n < 94:
		w.kill()
	case n < 95:
		w.recreate(rng)
	case n < 97:
		w.lose(rng, p)
	case n < 98:
		w.stopAmidOpenings(rng, p)
	default:
		w.trim(rng, p)
	}
	for range rng.IntN(3) {
		w.ask(rng, p)
	}
	for range rng.IntN(3) {
		w.sendLate(rng, p)
	}
}

func (w *world) again(rng *rand.Rand) {
	config, saving := w.config(rng), millis(rng.IntN(3)*rng.IntN(12))
	w.mu.Unlock()
	defer w.mu.Lock()
	w.gone()
	w.start(config, saving)
}

func (w *world) grow(rng *rand.Rand, p *modelPartition) {
	n := 1 + rng.IntN(12)
	if rng.IntN(6) == 0 {
		n *= 10
	}
	p.log.grow(rng, n)
	w.note("p%d: %d more records, up to %d", p.number, n, p.log.end())
	w.touch()
}

func (w *world) armFetch(rng *rand.Rand, p *modelPartition) {
	all := []fault{
		{what: "connection lost", err: errBroker},
		{what: "connection lost", err: errBroker},
		{what: "a panic", panic: true},
		{what: "slow", takes: millis(rng.IntN(5000))},
		{what: "slow", hangs: true},
		{what: "slow to hear that it shall end", takes: millis(rng.IntN(2000)), deaf: true},
		{what: "trouble", takes: millis(rng.IntN(5000))},
		{what: "a batch again"},
		{what: "a batch that skips"},
		{what: "a batch that ends where it begins"},
		{what: "a batch with a date too many"},
		{what: "a batch with an impossible date"},
		{what: "a batch with an impossible date"},
	}
	if rng.IntN(25) == 0 {
		all = []fault{{what: "a corrupt batch", err: messages.ErrCorruptBatch}}
	}
	f := all[rng.IntN(len(all))]
	w.note("p%d: next fetch: %v", p.number, f)
	p.fetches = append(p.fetches, f)
	n := 1 + rng.IntN(5)
	p.log.grow(rng, n) // so that there is a next one
	w.touch()
}

func (w *world) armSave(rng *rand.Rand, p *modelPartition) {
	stage := rng.IntN(stageFile + 1)
	name := []string{"before anything is durable", "when the rejects are durable", "when the topic is durable", "when all is durable"}[stage]
	all := []fault{
		{what: "disk full " + name, stage: stage, err: errDisk},
		{what: "disk full " + name, stage: stage, err: errDisk},
		{what: "disk full " + name, stage: stage, err: errDisk, takes: millis(rng.IntN(300))},
		{what: "a panic " + name, stage: stage, panic: true},
		{what: "slow " + name, stage: stage, takes: millis(rng.IntN(3000))},
		{what: "slow " + name, stage: stage, takes: millis(rng.IntN(40))},
		{what: "slow " + name, stage: stage, takes: millis(rng.IntN(15000))},
		{what: "hangs " + name, stage: stage, hangs: true},
	}
	if rng.IntN(30) == 0 {
		all = []fault{{what: "disk gone " + name, stage: stage, err: messages.Permanent(errDisk)}}
	}
	f := all[rng.IntN(len(all))]
	for range 1 + rng.IntN(3) {
		p.saves = append(p.saves, f)
		if f.hangs {
			break
		}
	}
	w.note("p%d: next %d saves: %v", p.number, len(p.saves), f)
	p.log.grow(rng, 1+rng.IntN(5))
	w.touch()
}

func (w *world) armOpening(rng *rand.Rand, p *modelPartition) {
	errLock := errors.New("lock: no space left")
	all := []fault{
		{what: "it fails", err: errDisk},
		{what: "it panics", panic: true},
		{what: "it is slow", takes: millis(rng.IntN(5000))},
		{what: "it hangs", hangs: true},
	}
	f := all[rng.IntN(len(all))]
	f.stage = rng.IntN(stageFile + 1)
	where := "load"
	switch rng.IntN(4) {
	case 0:
		if f.err != nil {
			f.err = errLock
		}
		where, p.opens = "open", append(p.opens, f)
	case 1:
		if f.err != nil {
			f.err = []error{errBroker, messages.ErrTopicMissing}[rng.IntN(2)]
		}
		f.panic, f.deaf = false, rng.IntN(2) == 0
		where, p.describes = "describe", append(p.describes, f)
	case 2:
		where, p.resets = "reset", append(p.resets, f)
	default:
		p.loads = append(p.loads, f)
	}
	w.note("p%d: next %s: %v", p.number, where, f)
	if rng.IntN(2) == 0 {
		p.fetches = append(p.fetches, fault{what: "connection lost", err: errBroker})
		p.log.grow(rng, 1)
		w.touch()
	}
}

func (w *world) armDraw(rng *rand.Rand) {
	f := []fault{
		{what: "it fails", err: errDisk}, {what: "it panics", panic: true},
		{what: "it is slow", takes: millis(rng.IntN(3000))}, {what: "it hangs", hangs: true},
	}[rng.IntN(4)]
	w.note("next picture: %v", f)
	w.draw = append(w.draw, f)
}

func (w *world) letGo() {
	w.note("what hangs goes on")
	close(w.release)
	w.release = make(chan struct{})
}

func (w *world) signal() {
	if w.run.ended || !w.run.signaled.IsZero() {
		return
	}
	w.note("SIGNAL")
	w.run.signaled = time.Now()
	for _, p := range w.parts {
		w.run.heldUp = w.run.heldUp || p.failing || p.struggling > 0
	}
	w.run.cancel()
}

func (w *world) root() *actor.PID { return actor.NewPID(w.system.Address(), w.run.name) }

func (w *world) hostStops() {
	if w.run.ended {
		return
	}
	w.note("the host stops the root")
	w.run.stopped = time.Now()
	w.system.Root.Stop(w.root())
}

// stopAmidOpenings stops the root while one partition is being opened, and
// something else keeps the root from its end.
func (w *world) stopAmidOpenings(rng *rand.Rand, p *modelPartition) {
	p.fetches = append(p.fetches, fault{what: "connection lost", err: errBroker})
	p.describes = append(p.describes, fault{what: "it hangs", hangs: true, deaf: true})
	p.log.grow(rng, 1)
	other := w.parts[w.numbers[rng.IntN(len(w.numbers))]]
	f := fault{what: "hangs longer", hangs: true, takes: time.Second}
	if other != p {
		other.saves = append(other.saves, f)
		other.log.grow(rng, 2)
	} else {
		w.draw = append(w.draw, f)
	}
	w.note("p%d: next fetch: connection lost; next describe hangs, and a save of p%d, or a picture", p.number, other.number)
	w.touch()
	w.mu.Unlock()
	time.Sleep(millis(rng.IntN(1000)))
	synctest.Wait()
	w.mu.Lock()
	w.hostStops()
	w.mu.Unlock()
	synctest.Wait()
	w.mu.Lock()
	w.letGo()
}

// kill ends the run as the end of its process would: nothing that it still does
// reaches a disk.
func (w *world) kill() {
	if w.run.ended {
		return
	}
	w.note("KILL")
	w.run.stopped, w.run.killed = time.Now(), true
	for _, p := range w.parts {
		if p.store != nil {
			p.store.killed = true
			p.store = nil
		}
	}
	w.letGo()
	w.system.Root.Stop(w.root())
	w.mu.Unlock()
	defer w.mu.Lock()
	w.gone()
}

func (w *world) recreate(rng *rand.Rand) {
	w.topics++
	id := newTopicID(w.topics)
	for _, p := range w.parts {
		p.log = &modelLog{id: id}
		p.log.grow(rng, rng.IntN(60))
	}
	w.note("the topic is deleted and created anew: %s", id)
	w.touch()
}

func (w *world) lose(rng *rand.Rand, p *modelPartition) {
	tail := min(p.log.end()-p.log.start, int64(rng.IntN(40)))
	p.log = p.log.cut(p.log.end() - tail)
	w.note("p%d: the log loses its tail from %d on", p.number, p.log.end())
	p.log.grow(rng, rng.IntN(50))
	w.note("p%d: and is refilled up to %d", p.number, p.log.end())
	w.touch()
}

func (w *world) trim(rng *rand.Rand, p *modelPartition) {
	p.log.start = min(p.log.end(), p.log.start+int64(rng.IntN(50)))
	w.note("p%d: the log starts at %d now", p.number, p.log.start)
	w.touch()
}

// question is a GetStats, and what was answered.
type question struct {
	p           *modelPartition // nil: one that is not there
	run         string
	incarnation int64 // the least that may answer
	answers     int
	pid         *actor.PID
}

func (w *world) ask(rng *rand.Rand, p *modelPartition) {
	q := &question{p: p, run: w.run.name, incarnation: p.started}
	number := p.number
	if rng.IntN(15) == 0 {
		q.p, number = nil, 77
	}
	q.pid = w.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if s, ok := ctx.Message().(*messages.Stats); ok {
			w.answered(q, s)
		}
	}))
	w.note("p%d: question", number)
	w.asked = append(w.asked, q)
	w.system.Root.RequestWithCustomSender(w.root(), &messages.GetStats{Partition: number}, q.pid)
	for _, m := range w.late {
		if s, ok := m.message.(*messages.Stats); ok && m.partition == number && m.run == w.run.name && s.GetIncarnation() < p.started {
			w.system.Root.Send(w.root(), s)
			break
		}
	}
}

func (w *world) answered(q *question, s *messages.Stats) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q.answers++
	if q.answers > 1 {
		w.fail("a question has %d answers", q.answers)
	}
	p := q.p
	switch {
	case p == nil:
		if s.GetState() != messages.State_STATE_NOT_ASSIGNED || s.GetPartition() != 77 {
			w.fail("the answer for a partition that is not there is %v", s)
		}
		return
	case q.run != w.run.name:
		return
	case s.GetPartition() != p.number || s.GetIncarnation() < q.incarnation:
		w.fail("p%d: the answer of incarnation %d or later is %v", p.number, q.incarnation, s)
		return
	case s.GetTable() == nil:
		most := p.maxDurable
		if p.reading != nil {
			most = max(most, p.reading.request.GetOffset())
		}
		if s.GetOffset() != s.GetSavedOffset() || s.GetOffset() > most {
			w.fail("p%d: the root says %v, and %d is durable", p.number, s, most)
		}
		return
	}
	w.keep(lateMessage{p.number, w.run.name, s.GetIncarnation(), p.log, s})
	w.seal(s)
	r := p.incarnation(s.GetIncarnation())
	if r == nil || r.logAt(s.GetOffset()) == nil {
		w.fail("p%d: an answer of incarnation %d at offset %d", p.number, s.GetIncarnation(), s.GetOffset())
		return
	}
	begun, now := r.at(r.request.GetOffset()), r.at(s.GetOffset())
	if !sameTable(s.GetTable(), now.table) {
		w.fail("p%d: the answer at offset %d is %v, want %v", p.number, s.GetOffset(), s.GetTable(), now.table)
	}
	if s.GetCounted() != now.counted-begun.counted || s.GetDuplicates() != now.duplicates-begun.duplicates || s.GetRejects() != int64(len(now.rejects)-len(begun.rejects)) {
		w.fail("p%d: the answer at offset %d has %d counted, %d duplicates, %d rejects", p.number, s.GetOffset(), s.GetCounted(), s.GetDuplicates(), s.GetRejects())
	}
	if saved := s.GetSavedOffset(); saved > s.GetOffset() || saved > max(r.durable, r.request.GetOffset()) || saved < r.request.GetOffset() {
		w.fail("p%d: the answer says saved up to %d, offset %d; %d is durable, begun at %d", p.number, saved, s.GetOffset(), r.durable, r.request.GetOffset())
	}
}

// sendLate delivers a message once more: to the actor it went to, dead or
// alive, or to the one that is in its place now.
func (w *world) sendLate(rng *rand.Rand, p *modelPartition) {
	if len(w.late) == 0 {
		return
	}
	m := w.late[rng.IntN(len(w.late))]
	for range 5 { // rather one of now
		if m.partition == p.number && m.run == w.run.name {
			break
		}
		m = w.late[rng.IntN(len(w.late))]
	}
	p = w.parts[m.partition]
	pid := func(run string, incarnation int64, child string) *actor.PID {
		return actor.NewPID(w.system.Address(), fmt.Sprintf("%s/partition-%d.%d%s", run, m.partition, incarnation, child))
	}
	now := int64(len(p.readings))
	r := p.reading
	switch old := m.run != w.run.name || m.incarnation != now; {
	case old && rng.IntN(3) == 0:
		w.note("p%d: late, to incarnation %d of %s: %s", p.number, m.incarnation, m.run, brief(m.message))
		for _, child := range []string{"", "/aggregator", "/reader", "/checkpoint-writer"} {
			w.system.Root.RequestWithCustomSender(pid(m.run, m.incarnation, child), m.message, pid(m.run, m.incarnation, "/reader"))
		}
	case r == nil || m.run != w.run.name:
	default:
		w.sendLateTo(rng, r, m, func(incarnation int64, child string) *actor.PID { return pid(w.run.name, incarnation, child) })
	}
}

func (w *world) sendLateTo(rng *rand.Rand, r *reading, m lateMessage, pid func(int64, string) *actor.PID) {
	p, now := r.p, int64(len(r.p.readings))
	switch message := m.message.(type) {
	case *messages.RecordBatch:
		if rng.IntN(2) == 0 {
			w.note("p%d: once more, to incarnation %d: batch [%d, %d) was applied", p.number, now, message.GetBase(), message.GetNext())
			r.strays++
			w.system.Root.Send(pid(now, "/reader"), &messages.BatchApplied{Next: message.GetNext()})
			return
		}
		if common(m.log, p.log) < message.GetNext() || message.GetNext() > r.next || r.logAt(message.GetNext()) == nil {
			return
		}
		w.note("p%d: once more, to incarnation %d: %s", p.number, now, brief(message))
		p.blame = "late batch"
		r.strays++
		r.batches = append(r.batches, delivered{message.GetBase(), message.GetNext(), r.logAt(message.GetNext())})
		w.system.Root.RequestWithCustomSender(pid(now, "/aggregator"), message, pid(m.incarnation, "/reader"))
	case *messages.CheckpointSaved:
		if common(m.log, p.disk.log) < message.GetOffset() {
			return
		}
		w.note("p%d: once more, to incarnation %d and the root: %s", p.number, now, brief(message))
		w.system.Root.RequestWithCustomSender(pid(now, "/aggregator"), message, pid(m.incarnation, "/checkpoint-writer"))
		if m.incarnation != now {
			w.system.Root.RequestWithCustomSender(w.root(), message, pid(m.incarnation, ""))
		}
	}
}

func brief(m proto.Message) string {
	switch m := m.(type) {
	case *messages.RecordBatch:
		return fmt.Sprintf("batch [%d, %d)", m.GetBase(), m.GetNext())
	case *messages.CheckpointSaved:
		return fmt.Sprintf("saved up to %d", m.GetOffset())
	default:
		return string(m.ProtoReflect().Descriptor().Name())
	}
}

// processes lists what is in the registry of a system.
func processes(system *actor.ActorSystem) []string {
	var all []string
	for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(name string, _ any) { all = append(all, name) })
	}
	slices.Sort(all)
	return all
}
