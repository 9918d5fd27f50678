package actors

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// host is a program that has actors of its own: it spawns a tree under itself,
// and beside it an actor that fails when asked to. It then restarts both.
type host struct {
	tree *actor.Props
	root *actor.PID
	weak *actor.PID
}

func (h *host) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		h.root = ctx.SpawnPrefix(h.tree, "tree")
		h.weak = ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if ctx.Message() == "fail" {
				panic("a bug of the host's")
			}
		}))
	case string:
		ctx.Forward(h.weak)
	}
}

// underAHost spawns a tree below a host, and returns how it ends.
func underAHost(t *testing.T, config Config) (system *actor.ActorSystem, h *host, top *actor.PID, ends <-chan error) {
	t.Helper()
	ended := make(chan error, 10)
	props, err := Props(config, func(err error) { ended <- err })
	if err != nil {
		t.Fatal(err)
	}
	h, system = &host{tree: props}, newSystem(t)
	all := actor.NewAllForOneStrategy(10, time.Minute, func(any) actor.Directive { return actor.RestartDirective })
	top = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return h }, actor.WithSupervisor(all)))
	synctest.Wait()
	return system, h, top, ended
}

// once returns how a tree ended, and checks that it was told once.
func once(t *testing.T, ends <-chan error) error {
	t.Helper()
	err := <-ends
	time.Sleep(time.Minute)
	if len(ends) > 0 {
		t.Errorf("its end was told once more: %v", <-ends)
	}
	return err
}

func TestTreeUnderAHostsActor(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system, h, _, ends := underAHost(t, f.config)
		time.Sleep(10 * time.Second)
		answer, err := system.Root.RequestFuture(h.root, &messages.GetStats{Partition: 2}, time.Second).Result()
		if err != nil || answer.(*messages.Stats).GetSavedOffset() != 100 {
			t.Errorf("it says %v (error %v), want all 100 saved", answer, err)
		}
		system.Root.Send(h.root, &messages.Drain{})
		if err := once(t, ends); err != nil {
			t.Errorf("it ended with %v", err)
		}
		f.want(t, 100)
	})
}

func TestTreeEndsWithItsHost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system, _, top, ends := underAHost(t, f.config)
		system.Root.Stop(top)
		if err := once(t, ends); !errors.Is(err, ErrStopped) {
			t.Errorf("it ended with %v, want %v", err, ErrStopped)
		}
		if f.store.open {
			t.Error("the store is still open")
		}
	})
}

func TestTreeThatItsHostRestartsEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system, _, top, ends := underAHost(t, f.config)
		time.Sleep(10 * time.Second)
		system.Root.Send(top, "fail")
		if err := once(t, ends); !errors.Is(err, ErrStopped) {
			t.Errorf("it ended with %v, want %v", err, ErrStopped)
		}
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		time.Sleep(10 * time.Second)
		f.want(t, 100) // nobody goes on
		if f.store.opens != 1 {
			t.Errorf("the store was opened %d times, want once", f.store.opens)
		}
	})
}

func TestProducerThatItsHostRestartsEnds(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sink := newFakeSink(10)
		system, _, top, ends := underAHost(t, Produce{Days: forever(date(t, "1990-01-01")), Delay: time.Second, Sink: sink})
		time.Sleep(10500 * time.Millisecond)
		before := sink.handedOver()
		system.Root.Send(top, "fail")
		if err := once(t, ends); !errors.Is(err, ErrStopped) {
			t.Errorf("it ended with %v, want %v", err, ErrStopped)
		}
		if after := sink.handedOver(); after != before || !sink.aborted {
			t.Errorf("%d reports were handed over since; the sink was aborted: %v", after-before, sink.aborted)
		}
	})
}

func TestDrainThatIsAskedForTwiceIsOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.store.saveTakes = 2 * time.Second
		system, h, _, ends := underAHost(t, f.config)
		time.Sleep(3 * time.Second) // it is begun, and saves for the first time
		for range 3 {
			system.Root.Send(h.root, &messages.Drain{})
			time.Sleep(time.Second)
		}
		if err := once(t, ends); err != nil {
			t.Errorf("it ended with %v", err)
		}
		f.want(t, 100)
	})
}

func TestDrainThatHangsIsToldToAHostInTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.store.saveTakes = time.Hour
		system, h, _, ends := underAHost(t, f.config)
		system.Root.Send(h.root, &messages.Drain{})
		begun := time.Now()
		err := <-ends
		if took := time.Since(begun); !errors.Is(err, ErrDrain) || took > 8*time.Second {
			t.Errorf("it ended with %v after %v, want %v within 8 s", err, took, ErrDrain)
		}
		time.Sleep(2 * time.Hour) // the actors end once the disk does
	})
}

func TestSomebodyMustBeToldHowATreeEnds(t *testing.T) {
	if _, err := Props(newFixture(t).config, nil); !errors.Is(err, errConfig) {
		t.Errorf("error %v, want %v", err, errConfig)
	}
}

func TestBadConfigIsNotRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		if err := Run(t.Context(), newSystem(t), Consume{}); !errors.Is(err, errConfig) {
			t.Errorf("Run = %v, want %v", err, errConfig)
		}
	})
}

func TestDrawingTakesATenthOfTheTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		var drawn atomic.Int32
		f.config.Draw = func() error { drawn.Add(1); time.Sleep(100 * time.Millisecond); return nil }
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		more := days(t, "1999-01-01", 1000)
		for i := range more {
			f.source.change(2, func(l *fakeLog) { l.records = append(l.records, more[i]) })
			time.Sleep(10 * time.Millisecond)
		}
		if n := drawn.Load(); n < 5 || n > 11 {
			t.Errorf("drawn %d times in 10 s, want about 10", n)
		}
		time.Sleep(10 * time.Second)
		before := drawn.Load()
		time.Sleep(time.Minute)
		if n := drawn.Load() - before; n != 0 {
			t.Errorf("drawn %d times though nothing had changed", n)
		}
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}
