package actors

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The model test: random histories of records, faults, kills and restarts over
// the real actors, with a fake source and a fake store in virtual time. A model
// says what must be durable, told and answered at every step.
//
//	go test ./actors -run TestModel -model.seeds=1000
//	go test ./actors -run TestModel -model.seed=123

var (
	modelSeeds = flag.Int("model.seeds", 40, "run the model test with so many seeds, from 1 on")
	modelSeed  = flag.Uint64("model.seed", 0, "run the model test with this seed only, and print its history")
	modelSteps = flag.Int("model.steps", 60, "steps of a history; fewer are the beginning of the same one")
)

func TestModel(t *testing.T) {
	eachSeed(t, "TestModel", func(t *testing.T, seed uint64, steps int) *story {
		w := newWorld(t, seed)
		w.live(seed, steps)
		return &w.story
	})
}

// eachSeed lives a history for each seed that is asked for. One that fails is
// tried again with fewer steps, and the shortest that fails as well is printed.
func eachSeed(t *testing.T, name string, live func(*testing.T, uint64, int) *story) {
	t.Helper()
	first, last := uint64(1), uint64(*modelSeeds)
	if *modelSeed != 0 {
		first, last = *modelSeed, *modelSeed
	}
	for seed := first; seed <= last; seed++ {
		s, steps := liveOnce(t, name, seed, *modelSteps, live), *modelSteps
		for fewer := 1; len(s.wrong) > 0 && fewer < steps; fewer += 1 + fewer/4 {
			if shorter := liveOnce(t, name, seed, fewer, live); len(shorter.wrong) > 0 {
				s, steps = shorter, fewer
			}
		}
		if len(s.wrong) > 0 {
			t.Fatalf("seed %d, first %d steps:\n%s\n\n%s\n\nto see it again:\n\t%s",
				seed, steps, strings.Join(s.steps, "\n"), strings.Join(s.wrong, "\n"), command(name, seed, steps))
		}
		if *modelSeed != 0 {
			t.Log("history:\n" + strings.Join(s.steps, "\n"))
		}
	}
}

func command(name string, seed uint64, steps int) string {
	return fmt.Sprintf("go test ./actors -run '^%s$' -v -model.seed=%d -model.steps=%d", name, seed, steps)
}

// liveOnce lives one history in a bubble of its own. That may end in a panic
// (goroutines that are left), or not at all.
func liveOnce(t *testing.T, name string, seed uint64, steps int, live func(*testing.T, uint64, int) *story) (s *story) {
	t.Helper()
	hung := time.AfterFunc(time.Minute, func() {
		fmt.Fprintln(os.Stderr, "a minute already, and not at its end:", command(name, seed, steps))
	})
	defer hung.Stop()
	defer func() {
		if reason := recover(); reason != nil {
			if s == nil {
				s = new(story)
			}
			s.wrong = append(s.wrong, fmt.Sprint(reason))
		}
	}()
	synctest.Test(t, func(t *testing.T) { s = live(t, seed, steps) })
	return s
}

func newWorld(t *testing.T, seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 0))
	w := &world{
		story: story{began: time.Now()}, system: newSystem(t), parts: map[int32]*modelPartition{}, topics: 1,
		changed: make(chan struct{}), release: make(chan struct{}), picture: map[int32]int64{},
	}
	for range 1 + rng.IntN(3) {
		number := rng.Int32N(10)
		if w.parts[number] != nil {
			continue
		}
		p := &modelPartition{number: number, rng: rand.New(rand.NewPCG(seed, 1000+uint64(number))), log: &modelLog{id: newTopicID(1)}}
		if rng.IntN(2) == 0 {
			p.log.grow(rng, rng.IntN(100))
		}
		if rng.IntN(6) == 0 {
			p.log.start = rng.Int64N(p.log.end() + 1)
		}
		p.disk.log = p.log
		w.parts[number] = p
		w.numbers = append(w.numbers, number)
		w.note("p%d: a log from %d to %d", number, p.log.start, p.log.end())
	}
	subscription := w.system.EventStream.Subscribe(w.heard)
	t.Cleanup(func() { w.system.EventStream.Unsubscribe(subscription) })
	return w
}

// live goes through the steps, and then lets everything come to a good end.
func (w *world) live(seed uint64, steps int) {
	w.start(w.config(rand.New(rand.NewPCG(seed, 1))), 0)
	for i := range steps {
		rng := rand.New(rand.NewPCG(seed, 10000+uint64(i)))
		w.step(rng)
		switch n := rng.IntN(20); {
		case n < 8:
		case n < 13:
			time.Sleep(millis(rng.IntN(8)))
		case n < 18:
			time.Sleep(millis(rng.IntN(900)))
		default:
			time.Sleep(millis(rng.IntN(20000)))
		}
		synctest.Wait()
		if w.look(); len(w.wrong) > 0 {
			break
		}
	}
	w.heal()
	for range 2 {
		if len(w.wrong) == 0 {
			w.start(Consume{ResetOnRecreate: true, SkipGaps: true, UntilEnd: seed%2 == 0, Draw: w.paint}, millis(7))
			w.heal()
		}
	}
	for _, q := range w.asked {
		w.system.Root.Stop(q.pid)
	}
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unseal(0)
	for _, name := range processes(w.system) {
		if strings.HasPrefix(name, "run-") {
			w.fail("%s is left", name)
		}
	}
}

// heal ends all faults, and the run.
func (w *world) heal() {
	w.mu.Lock()
	w.note("nothing goes wrong any more")
	for _, p := range w.parts {
		p.fetches, p.describes, p.opens, p.loads, p.saves, p.resets = nil, nil, nil, nil, nil, nil
		if lost := max(p.until, p.described.GetLastStableOffset()) - p.log.end(); lost > 0 { // or its end does not come
			p.log.grow(p.rng, int(lost))
		}
	}
	w.touch()
	w.draw, w.healing = nil, true
	w.letGo()
	alive, since := !w.run.ended, time.Now()
	w.mu.Unlock()
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	w.look()
	w.mu.Lock()
	for _, p := range w.parts {
		end := p.log.end()
		if w.run.config.UntilEnd {
			end = p.until
		}
		if len(w.wrong) == 0 && !w.run.ended && p.disk.offset < end && p.log.start < end {
			w.fail("p%d: %d is durable, %d could be", p.number, p.disk.offset, end)
		}
	}
	if w.run.config.UntilEnd && !w.run.ended {
		w.fail("it does not come to an end")
	}
	w.signal()
	w.mu.Unlock()
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	w.look()
	w.gone()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !alive || w.disturbed(since) || w.run.err != nil || w.run.config.Draw == nil || len(w.wrong) > 0 {
		return
	}
	for _, p := range w.parts {
		if p.reading != nil && w.picture[p.number] != p.disk.offset {
			w.fail("p%d: the last picture is of offset %d, and %d is durable", p.number, w.picture[p.number], p.disk.offset)
		}
	}
}

// look checks the world while it stands still.
func (w *world) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.parts {
		w.lookAt(p)
	}
	w.lookAtQuestions()
	w.lookAtRun()
}

func (w *world) lookAt(p *modelPartition) {
	d := &p.disk
	if d.offset < p.lastOffset && d.resets == p.lastResets {
		w.fail("p%d: the durable offset went back from %d to %d", p.number, p.lastOffset, d.offset)
	}
	p.lastOffset, p.lastResets = d.offset, d.resets
	want := d.log.count(d.offset, d.gaps)
	if !sameTable(d.table, want.table) {
		w.fail("p%d: durable at offset %d is %v, want %v", p.number, d.offset, d.table, want.table)
	}
	durable := slices.Clone(d.rejects)
	for len(durable) > 0 && durable[len(durable)-1].GetOffset() >= d.offset {
		durable = durable[:len(durable)-1]
	}
	if d.offset > 0 && !d.halfway && !sameRejects(durable, want.rejects) {
		w.fail("p%d: durable rejects below offset %d are %v, want %v", p.number, d.offset, offsetsOf(durable), offsetsOf(want.rejects))
	}
	r := p.reading
	if r == nil || !r.active || w.run.ended || !w.run.stopped.IsZero() {
		return
	}
	name := fmt.Sprintf("%s/partition-%d.%d/reader", w.run.name, p.number, len(p.readings))
	if _, found := w.system.ProcessRegistry.GetLocal(name); !found {
		w.fail("p%d: %s reads, and is not there", p.number, name)
	}
	if p.started != int64(len(p.readings)) {
		w.fail("p%d: incarnation %d is the %dth that reads", p.number, p.started, len(p.readings))
	}
}

// lookAtQuestions checks that every question has its answer, but for those whose
// partition can't stop.
func (w *world) lookAtQuestions() {
	for _, q := range w.asked {
		stuck := q.p != nil && (q.p.deaf > 0 || q.p.store != nil && q.p.store.busy != "")
		if q.answers == 0 && q.run == w.run.name && !w.run.ended && w.run.stopped.IsZero() && !stuck {
			w.fail("a question has no answer")
		}
	}
}

// lookAtRun checks when the run has ended, and how.
func (w *world) lookAtRun() {
	run := w.run
	now, end := time.Now(), run.config.drainTimeout()+millis(10)
	if run.ended {
		now = run.endedAt
	}
	must := run.must
	if !run.stopped.IsZero() {
		must = time.Time{} // the end begins again
	}
	for what, since := range map[string]time.Time{"its signal": run.signaled, "it was stopped": run.stopped, "a permanent error": must} {
		if !since.IsZero() && now.Sub(since) > end {
			w.fail("%s: ended: %v, %v after %s", run.name, run.ended, now.Sub(since), what)
		}
	}
	if !run.ended || run.looked {
		return
	}
	run.looked = true
	err, asked := run.err, !run.signaled.IsZero()
	disturbed := w.disturbed(run.signaled) || w.disturbed(run.must)
	expected := slices.ContainsFunc(run.expected, func(e error) bool { return errors.Is(err, e) })
	switch {
	case err == nil && !run.must.IsZero():
		w.fail("%s ended without an error, want one of %v", run.name, run.expected)
	case err == nil && !asked && !run.config.UntilEnd:
		w.fail("%s ended for no reason", run.name)
	case err == nil:
		if took := run.endedAt.Sub(run.signaled); asked && !disturbed && !run.heldUp && took > 12*run.saving+millis(10) {
			w.fail("%s ended %v after its signal, and nothing held it", run.name, took)
		}
		w.lookAtGoodEnd()
	case expected:
		if !disturbed && !run.must.IsZero() && run.stopped.IsZero() {
			w.lookAtOthers()
		}
	case errors.Is(err, ErrStopped) && !run.stopped.IsZero():
	case errors.Is(err, ErrDrain) && asked && disturbed:
	case strings.Contains(err.Error(), "stopped before everything counted was saved") && asked && disturbed:
	default:
		w.fail("%s ended with %v; its expected: %v, asked to: %v, disturbed: %v", run.name, err, run.expected, asked, disturbed)
	}
}

// disturbed tells whether a fault has been at work since.
func (w *world) disturbed(since time.Time) bool {
	if since.IsZero() {
		return false
	}
	for _, p := range w.parts {
		if p.struggling > 0 || p.failing {
			return true
		}
	}
	return !w.shaken.Before(since)
}

// lookAtGoodEnd checks that everything is durable.
func (w *world) lookAtGoodEnd() {
	for _, p := range w.parts {
		r := p.reading
		if r == nil || p.broken {
			if w.run.signaled.IsZero() {
				w.fail("p%d: the run ended well, and it does not run", p.number)
			}
			continue
		}
		if done := max(p.disk.offset, r.request.GetOffset()); done != r.position || done < r.surely || w.run.signaled.IsZero() && done < p.until {
			w.fail("p%d: the run ended well, and %d is durable, %d was counted, %d delivered, %d is the end", p.number, p.disk.offset, r.position, r.surely, p.until)
		}
	}
}

// lookAtOthers checks that the partitions that had no fault were drained.
func (w *world) lookAtOthers() {
	for _, p := range w.parts {
		if r := p.reading; r != nil && !p.broken && !r.active && max(p.disk.offset, r.request.GetOffset()) != r.position {
			w.fail("p%d: not drained: %d is durable, %d was counted", p.number, p.disk.offset, r.position)
		}
	}
}

// gone waits until nothing is left of the run.
func (w *world) gone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range 20 {
		w.letGo()
		w.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		w.mu.Lock()
		if w.run.ended && !w.open() && !w.rooted() {
			return
		}
	}
	w.fail("%s has ended: %v, it is there: %v, a store is open: %v", w.run.name, w.run.ended, w.rooted(), w.open())
}

func (w *world) open() bool {
	for _, p := range w.parts {
		if p.store != nil {
			return true
		}
	}
	return false
}

// rooted tells whether the root is there. It goes last.
func (w *world) rooted() bool {
	_, found := w.system.ProcessRegistry.GetLocal(w.run.name)
	return found
}
