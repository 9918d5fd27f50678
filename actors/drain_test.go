package actors

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func newTextLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// soon is longer than a drain takes that waits for nothing.
const soon = 10 * time.Millisecond

func TestDrainOfAPartitionThatBacksOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.source.logs[2].describe = errors.New("broker away")
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		time.Sleep(time.Minute) // the next try is seconds away
		cancel()
		begun := time.Now()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > soon {
			t.Errorf("the end took %v, want none: nothing was in flight", took)
		}
		if f.store.open {
			t.Error("the store is still open")
		}
	})
}

// describing is a source whose Describe waits for its context.
type describing struct{ *fakeSource }

func (s describing) Describe(ctx context.Context, _ int32) (*messages.PartitionRange, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDrainEndsAnOpeningThatWaitsForABroker(t *testing.T) {
	for name, stop := range map[string]struct {
		end  func(system *actor.ActorSystem, cancel func())
		want error
	}{
		"a drain":     {func(_ *actor.ActorSystem, cancel func()) { cancel() }, nil},
		"a host does": {func(s *actor.ActorSystem, _ func()) { s.Root.Stop(actor.NewPID(s.Address(), "consume")) }, ErrStopped},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				f := newFixture(t)
				f.config.Source = describing{f.source}
				system := newSystem(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result := run(t, ctx, system, f.config)
				synctest.Wait()
				begun := time.Now()
				stop.end(system, cancel)
				if err := <-result; !errors.Is(err, stop.want) {
					t.Fatalf("Run = %v, want %v", err, stop.want)
				}
				if took := time.Since(begun); took > soon {
					t.Errorf("the end took %v", took)
				}
				synctest.Wait()
				if f.store.open {
					t.Error("the store is still open")
				}
			})
		})
	}
}

func TestOpeningThatHangsIsClosedOnceItReturns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		hang := make(chan struct{})
		f.config.Open = func(int32) (Store, error) { <-hang; return f.store.Open() }
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		synctest.Wait()
		cancel()
		if err := <-result; !errors.Is(err, ErrDrain) || !strings.Contains(err.Error(), "partition 2 was still being opened") {
			t.Errorf("Run = %v, want %v and what is left", err, ErrDrain)
		}
		close(hang)
		synctest.Wait()
		if f.store.opens != 1 || f.store.open {
			t.Errorf("the store was opened %d times, and is open: %v", f.store.opens, f.store.open)
		}
	})
}

func TestOpeningThatReturnsDuringADrainBeginsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		hang := make(chan struct{})
		f.config.Open = func(int32) (Store, error) { <-hang; return f.store.Open() }
		system := newSystem(t)
		events, unsubscribe := Subscribe(system, "", 100)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		synctest.Wait()
		cancel()
		time.Sleep(time.Second)
		close(hang)
		begun := time.Now()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > soon {
			t.Errorf("the end took %v", took)
		}
		unsubscribe()
		for e := range events {
			if e.GetPartitionStarted() != nil {
				t.Errorf("something was begun: %v", e)
			}
		}
		if f.store.open {
			t.Error("the store is still open")
		}
	})
}

func TestFailureDuringADrainIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		time.Sleep(5 * time.Second)
		f.store.mu.Lock()
		hang := make(chan struct{})
		f.store.hang, f.store.saveFails = hang, []error{errPanic}
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait() // they are being saved
		cancel()
		time.Sleep(time.Second)
		f.store.mu.Lock()
		f.store.hang = nil
		f.store.mu.Unlock()
		close(hang)
		err := <-result
		if err == nil || !strings.Contains(err.Error(), "above offset 100 will be counted again") {
			t.Errorf("Run = %v, want what will be counted again", err)
		}
		f.want(t, 100) // and nobody has tried again
	})
}

func TestStoreThatCannotBeClosedIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		want := errors.New("lock can't be given back")
		f.config.Open = func(int32) (Store, error) { return brokenStore{f.store, want}, nil }
		newSystemOf(t, f, want)
	})
}

// brokenStore fails to close, and panics in place of nil.
type brokenStore struct {
	*fakeStore
	err error
}

func (s brokenStore) Close() error {
	if s.err == nil {
		panic("a bug in Close")
	}
	return s.err
}

func TestRootThatPanicsEndsItsRun(t *testing.T) {
	for name, c := range map[string]struct {
		store   error
		trigger any // what the root can't bear
	}{
		"at its end":    {nil, nil},
		"while it runs": {errors.New("not closed"), &messages.Drained{Partition: 99}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				f := newFixture(t)
				f.config.UntilEnd = c.trigger == nil
				f.config.Open = func(int32) (Store, error) { return brokenStore{f.store, c.store}, nil }
				system := newSystem(t)
				result := run(t, t.Context(), system, f.config)
				time.Sleep(time.Minute)
				root := actor.NewPID(system.Address(), "consume")
				if c.trigger != nil {
					system.Root.Send(root, c.trigger)
				}
				if err := <-result; !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "root") {
					t.Errorf("Run = %v, want %v, and that it was the root", err, ErrStopped)
				}
				synctest.Wait()
				if _, there := system.ProcessRegistry.GetLocal(root.GetId()); there {
					t.Error("the root is still there")
				}
			})
		})
	}
}

// bad panics in one message.
type bad struct{ at func(any) bool }

func (b bad) Receive(ctx actor.Context) {
	if b.at(ctx.Message()) {
		panic("a bug at the end")
	}
}

func TestPanicAtTheEndOfAnActorDoesNotBringItBack(t *testing.T) {
	for name, at := range map[string]func(any) bool{
		"stopping": func(m any) bool { _, ok := m.(*actor.Stopping); return ok },
		"stopped":  func(m any) bool { _, ok := m.(*actor.Stopped); return ok },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				system := newSystem(t)
				pid := system.Root.Spawn(guarded("bad", func() actor.Actor { return bad{at} }))
				if err := system.Root.StopFuture(pid).Wait(); err != nil {
					t.Errorf("it did not stop: %v", err)
				}
			})
		})
	}
}

func TestOpeningThatPanicsIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		tries := 0
		f.config.Open = func(int32) (Store, error) {
			if tries++; tries == 1 {
				panic("a bug in Open")
			}
			return f.store.Open()
		}
		newSystemOf(t, f, nil)
		f.want(t, 100)
	})
}

func TestStoreThatCannotBeOpenedIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.Open = func(int32) (Store, error) { return nil, messages.Permanent(errLocked) }
		newSystemOf(t, f, errLocked)
	})
}

func TestImpossibleStatisticsEndTheRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.store.durable = &messages.Checkpoint{
			Partition: 2, Offset: 10, Stats: &messages.StatsTable{Starts: []int32{1}},
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id},
		}
		if err := Run(t.Context(), newSystem(t), f.config); err == nil || !strings.Contains(err.Error(), "statistics: columns of 1, 0, 0 and 0 rows") {
			t.Errorf("Run = %v, want what is wrong with the statistics", err)
		}
	})
}

func TestSidecarIsSavedBeforeTheFirstRecordIsRead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.source.change(2, func(l *fakeLog) { l.records = nil })
		newSystemOf(t, f, nil)
		if topic := f.store.durable.GetTopic(); topic.GetName() != f.source.topic || !slices.Equal(topic.GetId(), f.source.id) {
			t.Errorf("the topic that is kept is %v", topic)
		}
	})
}

func TestUntilEndMeansTheEndAtTheFirstOpening(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		// Nothing durable yet would mean that it begins anew, with the end of then.
		f.source.change(2, func(l *fakeLog) { l.records = f.records[:28] })
		if err := <-run(t, t.Context(), newSystem(t), f.config); err != nil {
			t.Fatal(err)
		}
		f.source.change(2, func(l *fakeLog) { l.records = f.records })
		f.source.logs[2].fail[30] = errors.New("connection lost")
		result := run(t, t.Context(), newSystem(t), f.config)
		synctest.Wait() // backs off, having seen an end of 100
		f.records = append(f.records, days(t, "1999-01-01", 21)...)
		f.source.change(2, func(l *fakeLog) { l.records = f.records })
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		// A batch may hold a few more.
		if got := f.store.durable.GetOffset(); got < 100 || got >= 100+7 {
			t.Errorf("it ended at offset %d, want the end that there was at first, 100", got)
		}
	})
}

func TestRespawnsBackOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.source.logs[2].describe = errors.New("broker away")
		system := newSystem(t)
		events, unsubscribe := Subscribe(system, "", 1000)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		time.Sleep(20 * time.Second)
		f.source.change(2, func(l *fakeLog) { l.describe = nil })
		time.Sleep(20 * time.Second)
		f.source.change(2, func(l *fakeLog) {
			l.records = append(l.records, days(t, "1999-01-01", 3)...)
			l.fail[100] = errors.New("connection lost")
		})
		time.Sleep(20 * time.Second)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		unsubscribe()
		var waits []time.Duration
		for e := range events {
			if failed := e.GetPartitionFailed(); failed != nil {
				waits = append(waits, failed.GetRetryIn().AsDuration()/time.Millisecond)
			}
		}
		if want := []time.Duration{100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 100}; !slices.Equal(waits, want) {
			t.Errorf("waited %v ms, want %v", waits, want)
		}
	})
}

func TestSavesBackOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := newSystem(t)
		full := errors.New("disk full")
		store := &fakeStore{saveFails: []error{full, full, full, nil, full, nil}}
		asker, askerPID := spawnProbe(system)
		writer := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
			return &hostOf{child: newCheckpointWriter(publisher{system, "test"}, store)}
		}))
		for _, c := range []struct{ after, saves int }{{99, 1}, {101, 2}, {299, 2}, {301, 3}, {699, 3}, {701, 4}} {
			if c.saves == 1 {
				system.Root.RequestWithCustomSender(writer, &messages.Checkpoint{Partition: 2, Offset: 1}, askerPID)
				synctest.Wait()
			}
			if c.after < 700 && asker.take() != nil {
				t.Fatal("answered before it was saved")
			}
			sleepUntil(c.after)
			if store.savesSoFar() != c.saves {
				t.Fatalf("after %d ms there were %d tries, want %d", c.after, store.savesSoFar(), c.saves)
			}
		}
		if saved, _ := asker.take().(*messages.CheckpointSaved); saved.GetOffset() != 1 {
			t.Errorf("answered %v, want offset 1", saved)
		}
		system.Root.RequestWithCustomSender(writer, &messages.Checkpoint{Partition: 2, Offset: 2}, askerPID)
		time.Sleep(101 * time.Millisecond)
		if store.savesSoFar() != 6 {
			t.Errorf("%d tries, want 6: the back-off starts over", store.savesSoFar())
		}
		system.Root.Stop(writer)
	})
}

// sleepUntil sleeps until so many milliseconds after the bubble's begin.
func sleepUntil(ms int) {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	time.Sleep(time.Until(begin.Add(time.Duration(ms) * time.Millisecond)))
	synctest.Wait()
}

func (s *fakeStore) savesSoFar() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.saves
}

// hostOf is the parent of an actor, and passes on what it gets.
type hostOf struct {
	child actor.Actor
	pid   *actor.PID
}

func (h *hostOf) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		h.pid = ctx.Spawn(guarded("child", func() actor.Actor { return h.child }))
	case *messages.Checkpoint:
		ctx.Forward(h.pid)
	}
}

func TestNothingIsHandedOverDuringADrainOfAProducer(t *testing.T) {
	for name, config := range map[string]Produce{
		"a repeat of what is acknowledged meanwhile": {Repeat: func(weather.Date) bool { return true }},
		"a day that comes late":                      {Delay: 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sink := newFakeSink(100)
				sink.takes = time.Second
				config.Days, config.Sink = forever(date(t, "1990-01-01")), sink
				ctx, cancel := context.WithCancel(t.Context())
				result := run(t, ctx, newSystem(t), config)
				time.Sleep(500 * time.Millisecond)
				synctest.Wait()
				before := sink.handedOver()
				cancel()
				if err := <-result; err != nil {
					t.Fatal(err)
				}
				if after := sink.handedOver(); after != before || before == 0 {
					t.Errorf("%d reports were handed over before the drain, %d after it", before, after)
				}
			})
		})
	}
}

func (s *fakeSink) handedOver() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.reports)
}

// refusing takes so many batches, and no more.
type refusing struct {
	*fakeSink
	batches int
	asked   int
}

var errRefused = errors.New("sink is closed")

func (s *refusing) Publish(b *messages.ReportBatch) error {
	if s.asked++; s.asked > s.batches {
		return errRefused
	}
	return s.fakeSink.Publish(b)
}

func TestSinkThatRefusesABatchEndsTheRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sink := &refusing{fakeSink: newFakeSink(10), batches: 3}
		sink.takes = time.Second
		err := Run(t.Context(), newSystem(t), Produce{Days: forever(date(t, "1990-01-01")), Sink: sink})
		if !errors.Is(err, errRefused) {
			t.Errorf("Run = %v, want %v", err, errRefused)
		}
		if !sink.aborted || sink.asked != 4 {
			t.Errorf("the sink was aborted: %v, and got %d batches, want none after the one refused", sink.aborted, sink.asked)
		}
	})
}

func TestNothingIsHandedOverAfterTheSinkHasFailed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		sink := &refusing{fakeSink: newFakeSink(10), batches: 1}
		p := &producer{publisher: publisher{newSystem(t), "test"}, sink: sink}
		p.handOver(&messages.ReportBatch{Dates: []int32{1}, Degrees: []float64{1}}, false)
		p.handOver(&messages.ReportBatch{Dates: []int32{2}, Degrees: []float64{2}}, false)
		p.handOver(&messages.ReportBatch{Dates: []int32{3}, Degrees: []float64{3}}, false)
		if sink.asked != 2 || !errors.Is(p.refused, errRefused) {
			t.Errorf("the sink got %d batches, and the reason is %v", sink.asked, p.refused)
		}
	})
}

func TestHostStopsTheProducer(t *testing.T) {
	for name, mute := range map[string]bool{"that works": false, "that waits for a broker": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				sink := newFakeSink(10)
				sink.mute = mute
				system := newSystem(t)
				ended := false
				endless := func(yield func(weather.Observation) bool) {
					defer func() { ended = true }()
					forever(date(t, "1990-01-01"))(yield)
				}
				result := run(t, t.Context(), system, Produce{Days: endless, Delay: time.Second, Sink: sink})
				time.Sleep(time.Minute)
				system.Root.Stop(actor.NewPID(system.Address(), "produce"))
				if err := <-result; !errors.Is(err, ErrStopped) {
					t.Errorf("Run = %v, want %v", err, ErrStopped)
				}
				synctest.Wait()
				if !sink.aborted || !ended {
					t.Errorf("the sink was aborted: %v, the days were told to end: %v", sink.aborted, ended)
				}
			})
		})
	}
}

func TestMissedDaysAreNotMadeUpForInABurst(t *testing.T) {
	now := time.Unix(1000, 0)
	g := &generator{delay: 100 * time.Millisecond, due: now.Add(-time.Hour)}
	for _, c := range []struct{ later, want time.Duration }{
		{0, 100 * time.Millisecond},                     // an hour was missed
		{130 * time.Millisecond, 70 * time.Millisecond}, // 30 ms late: the schedule holds
	} {
		if got := g.untilNext(now.Add(c.later)); got != c.want {
			t.Errorf("after %v the next day is due in %v, want %v", c.later, got, c.want)
		}
	}
}
