package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// rejected is a batch of a reject each at these offsets, which follow each other.
func rejected(offsets ...int64) *messages.RecordBatch {
	b := &messages.RecordBatch{Partition: 2, Base: offsets[0], Next: offsets[len(offsets)-1] + 1}
	for _, offset := range offsets {
		b.Rejects = append(b.Rejects, &messages.Reject{Offset: offset, Reason: "not a date"})
	}
	return b
}

func TestAllRejectsCountForTheLimit(t *testing.T) {
	one := rejectSize(rejected(0).Rejects[0])
	for name, c := range map[string]struct {
		kept    int64 // bytes, by former runs
		batches []*messages.RecordBatch
	}{
		"those of one batch":                  {0, []*messages.RecordBatch{rejected(0, 1, 2, 3)}},
		"those of batches that are not saved": {0, []*messages.RecordBatch{rejected(0), rejected(1), rejected(2), rejected(3)}},
		"those of former runs":                {one, []*messages.RecordBatch{batch(2, 0, days(t, "1990-01-01", 1)...), rejected(1, 2)}},
	} {
		t.Run(name, func(t *testing.T) {
			a := &aggregator{partition: 2, stats: new(weather.Stats), rejectLimit: 2 * one, rejectBytes: c.kept}
			for _, b := range c.batches {
				if a.final == nil {
					a.apply(b)
				}
			}
			if a.offset != 2 || !errors.Is(a.final, ErrRejectLimit) || !errors.Is(a.final, ErrInvalidRecord) || !messages.IsPermanent(a.final) {
				t.Errorf("it ends at offset %d with %v, want 2 and %v", a.offset, a.final, ErrRejectLimit)
			}
			if want := "offset 2: not a date"; !strings.Contains(a.final.Error(), want) {
				t.Errorf("it ends with %v, want %s", a.final, want)
			}
		})
	}
}

func TestRejectsOfFormerRunsCountForTheLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		reject := &messages.Reject{Offset: 3, Reason: "not a date"}
		f.config.RejectLimit = rejectSize(reject)
		f.records[3].Date, f.records[20].Date = 0, 0
		f.store.rejects = []*messages.Reject{reject}
		f.store.durable = &messages.Checkpoint{Partition: 2, Offset: 10, Stats: recount(t, f.records, 10),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id}}
		newSystemOf(t, f, ErrRejectLimit)
		f.want(t, 20)
	})
}

func TestLimitOfRejectsIs64MiBUnlessSaid(t *testing.T) {
	if got := (Consume{}).rejectLimit(); got != 64<<20 {
		t.Errorf("the limit is %d bytes, want 64 MiB", got)
	}
	if got := (Consume{RejectLimit: 7}).rejectLimit(); got != 7 {
		t.Errorf("the limit is %d bytes, want 7 as said", got)
	}
}

func TestRejectsBeforeTheOneThatEndsTheRunAreKept(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.RejectLimit = 2 * rejectSize(&messages.Reject{Reason: "not a date"})
		f.records[43].Date, f.records[44].Date, f.records[46].Date = 0, 0, 0 // of one batch
		newSystemOf(t, f, ErrRejectLimit)
		f.want(t, 46)
		if got := f.store.rejects; len(got) != 2 || got[0].GetOffset() != 43 || got[1].GetOffset() != 44 {
			t.Errorf("kept aside are %v, want those at 43 and 44", got)
		}
	})
}

func TestNoLackOfRoomIsSaidWhereNoneIs(t *testing.T) {
	a := &aggregator{partition: 2, stats: new(weather.Stats), rejectLimit: 1000, failInvalid: true}
	a.apply(rejected(0))
	if !errors.Is(a.final, ErrInvalidRecord) || errors.Is(a.final, ErrRejectLimit) {
		t.Errorf("it ends with %v", a.final)
	}
}

func TestRunDoesNotRestBeforeItEndsAtAnInvalidRecord(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.config.FailOnInvalid = true
		f.store.saveTakes = 100 * time.Millisecond
		result := run(t, t.Context(), newSystem(t), f.config)
		time.Sleep(10 * time.Second) // it is at rest: nothing comes
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 1)...) })
		time.Sleep(150 * time.Millisecond) // that one is saved, and the rest begins
		begun := time.Now()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, weather.Observation{}) })
		if err := <-result; !errors.Is(err, ErrInvalidRecord) {
			t.Errorf("Run = %v, want %v", err, ErrInvalidRecord)
		}
		if took := time.Since(begun); took > 100*time.Millisecond+soon {
			t.Errorf("the end took %v, want no more than a save", took)
		}
	})
}

// aggregation is an aggregator between probes.
type aggregation struct {
	system         *actor.ActorSystem
	pid, reader    *actor.PID
	writer, answer *probe
}

func aggregating(t *testing.T, a *aggregator) *aggregation {
	t.Helper()
	g := &aggregation{system: newSystem(t)}
	var writer *actor.PID
	g.writer, writer = spawnProbe(g.system)
	g.answer, g.reader = spawnProbe(g.system)
	a.publisher, a.partition, a.writer, a.stats = publisher{g.system, "test"}, 2, writer, new(weather.Stats)
	g.pid = g.system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return a }))
	t.Cleanup(func() { g.system.Root.Stop(g.pid) })
	g.writer.take() // Started
	g.answer.take()
	return g
}

func (g *aggregation) send(message any) {
	g.system.Root.RequestWithCustomSender(g.pid, message, g.reader)
	synctest.Wait()
}

func TestOneCheckpointAtATimeAndARestBetween(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		g := aggregating(t, &aggregator{rejectLimit: 1000})
		all := days(t, "1990-01-01", 10)
		g.send(batch(2, 0, all[:3]...))
		first, _ := g.writer.take().(*messages.Checkpoint)
		if first.GetOffset() != 3 {
			t.Fatalf("the first checkpoint is %v, want offset 3", first)
		}
		g.send(batch(2, 3, all[3:5]...))
		g.send(rejected(5))
		if m := g.writer.take(); m != nil {
			t.Fatalf("a second checkpoint is with the writer: %v", m)
		}
		if first.GetStats().GetCounts()[0] != 3 {
			t.Error("a checkpoint that was sent has changed")
		}
		for range 2 { // of the batches without rejects
			g.answer.take()
		}
		g.send(&messages.CheckpointSaved{Partition: 2, Offset: 3, Took: durationpb.New(20 * time.Millisecond)})
		if m := g.answer.take(); m != nil {
			t.Errorf("rejects that are not saved are answered with %v", m)
		}
		time.Sleep(restFactor*20*time.Millisecond - time.Millisecond)
		if m := g.writer.take(); m != nil {
			t.Fatalf("no rest before %v", m)
		}
		time.Sleep(2 * time.Millisecond)
		second, _ := g.writer.take().(*messages.Checkpoint)
		if second.GetOffset() != 6 || len(second.GetRejects()) != 1 {
			t.Fatalf("after the rest comes %v, want offset 6 and a reject", second)
		}
		g.send(&messages.CheckpointSaved{Partition: 2, Offset: 6, Took: durationpb.New(20 * time.Millisecond)})
		if m, _ := g.answer.take().(*messages.BatchApplied); m.GetNext() != 6 {
			t.Errorf("rejects that are saved are answered with %v", m)
		}
		time.Sleep(time.Minute)
		if m := g.writer.take(); m != nil {
			t.Errorf("nothing has changed, but there is %v", m)
		}
		g.send(batch(2, 6, all[6:]...))
		if third, _ := g.writer.take().(*messages.Checkpoint); third.GetOffset() != 10 || len(third.GetRejects()) != 0 {
			t.Errorf("then comes %v, want offset 10, and no reject again", third)
		}
	})
}

func TestNoRestAtTheEndOfInput(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		took := durationpb.New(time.Second)
		all := days(t, "1990-01-01", 10)
		g := aggregating(t, &aggregator{rejectLimit: 1000})
		g.send(batch(2, 0, all[:3]...))
		g.writer.take()
		g.send(batch(2, 3, all[3:]...))
		g.send(&messages.CheckpointSaved{Partition: 2, Offset: 3, Took: took})
		if m := g.writer.take(); m != nil {
			t.Fatalf("no rest before %v", m)
		}
		g.send(&messages.EndOfInput{Next: 10})
		if m, _ := g.writer.take().(*messages.Checkpoint); m.GetOffset() != 10 {
			t.Errorf("the end of input is followed by %v, want the last checkpoint", m)
		}

		g = aggregating(t, &aggregator{rejectLimit: 1000})
		g.send(batch(2, 0, all[:3]...))
		g.writer.take()
		g.send(batch(2, 3, all[3:]...))
		g.send(&messages.EndOfInput{Next: 10})
		g.send(&messages.CheckpointSaved{Partition: 2, Offset: 3, Took: took})
		if m, _ := g.writer.take().(*messages.Checkpoint); m.GetOffset() != 10 {
			t.Errorf("a save after the end of input is followed by %v, want the last checkpoint", m)
		}
	})
}

func TestRejectsThatCameDuringASaveCountForTheLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		one := rejectSize(rejected(0).Rejects[0])
		a := &aggregator{rejectLimit: 2 * one}
		g := aggregating(t, a)
		g.send(rejected(0)) // goes to the writer
		g.send(rejected(1)) // comes while it saves
		g.send(&messages.CheckpointSaved{Partition: 2, Offset: 1, RejectBytes: one, Took: durationpb.New(time.Second)})
		g.send(rejected(2))
		if !errors.Is(a.final, ErrRejectLimit) || a.offset != 2 {
			t.Errorf("it is at offset %d with %v, want 2 and %v", a.offset, a.final, ErrRejectLimit)
		}
	})
}

func TestNothingIsCountedBehindTheRecordThatEndsTheRun(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		a := &aggregator{rejectLimit: 1000, failInvalid: true}
		g := aggregating(t, a)
		g.send(batch(2, 0, days(t, "1990-01-01", 3)...))
		g.answer.take()
		b := rejected(3, 4)
		b.Rejects[0].Preceding = 0
		g.send(b)
		g.send(batch(2, 3, days(t, "1990-01-04", 2)...)) // as if it went on there
		a.endOfInput(nil, &messages.EndOfInput{Next: 5}) // the reader had come further
		if m := g.answer.take(); m != nil {
			t.Errorf("the reader is told to go on: %v", m)
		}
		if a.offset != 3 || a.final == nil {
			t.Errorf("it is at offset %d with %v, want 3 and why it ends", a.offset, a.final)
		}
	})
}

func TestEndOfInputElsewhereIsRefused(t *testing.T) {
	for _, next := range []int64{99, 101} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("an end at offset %d is taken for one at 100", next)
				}
			}()
			a := &aggregator{partition: 2, offset: 100, saving: true}
			a.endOfInput(nil, &messages.EndOfInput{Next: next})
		}()
	}
}

func TestEpochsKeepWhatElseIsKnownOfTheTopic(t *testing.T) {
	topic := &messages.CountedTopic{
		Name: "t", Id: []byte("0123456789abcdef"),
		Epochs: []*messages.LeaderEpoch{{Epoch: 1}}, Gaps: []*messages.Gap{{Base: 1, Next: 2}},
	}
	a := &aggregator{partition: 2, offset: 5, stats: new(weather.Stats), topic: topic}
	b := batch(2, 5, days(t, "1990-01-01", 3)...)
	b.Epochs = []*messages.LeaderEpoch{{Epoch: 4, FirstOffset: 6}}
	a.apply(b)
	got := a.topic
	if got.GetName() != "t" || string(got.GetId()) != "0123456789abcdef" || len(got.GetGaps()) != 1 || len(got.GetEpochs()) != 2 {
		t.Errorf("the topic is %v now, want another epoch and nothing else", got)
	}
}

// delivering delivers its batches, one after the other.
type delivering struct {
	Source
	batches []*messages.RecordBatch
	lasts   time.Duration // of the end
	ended   chan struct{}
}

func (s *delivering) Read(ctx context.Context, _ *messages.ReadRequest, deliver func(*messages.RecordBatch) error, _ func(error)) error {
	defer close(s.ended)
	for _, b := range s.batches {
		if err := deliver(b); err != nil {
			return err
		}
	}
	<-ctx.Done()
	time.Sleep(s.lasts)
	return ctx.Err()
}

// pumping is a reader whose aggregator is a probe.
type pumping struct {
	system *actor.ActorSystem
	pid    *actor.PID
	got    *probe
	source *delivering
}

func startPumping(t *testing.T, batches ...*messages.RecordBatch) *pumping {
	t.Helper()
	r := &pumping{system: newSystem(t), source: &delivering{batches: batches, ended: make(chan struct{})}}
	var aggregator *actor.PID
	r.got, aggregator = spawnProbe(r.system)
	synctest.Wait()
	r.got.take() // Started
	r.pid = r.system.Root.Spawn(guarded(roleReader, func() actor.Actor {
		return &reader{publisher: publisher{r.system, "test"}, source: r.source, request: &messages.ReadRequest{Partition: 2}, aggregator: aggregator}
	}))
	return r
}

// more returns how many batches have come.
func (r *pumping) more() (n int) {
	for r.got.take() != nil {
		n++
	}
	return n
}

func (r *pumping) applied() { r.system.Root.Send(r.pid, &messages.BatchApplied{}) }

// stop stops the reader, which must not wait for anybody.
func (r *pumping) stop(t *testing.T) {
	t.Helper()
	if err := r.system.Root.StopFuture(r.pid).Wait(); err != nil {
		t.Fatalf("it did not stop: %v", err)
	}
	select {
	case <-r.source.ended:
	default:
		t.Error("it has stopped, and still reads")
	}
}

// batches are n batches, of a record each.
func batches(t *testing.T, n int) (all []*messages.RecordBatch) {
	t.Helper()
	for i, day := range days(t, "1990-01-01", n) {
		all = append(all, batch(2, int64(i), day))
	}
	return all
}

func TestFourBatchesAreInFlightAtMost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := startPumping(t, batches(t, 10)...)
		if n := r.more(); n != 4 {
			t.Errorf("%d batches come before any is applied, want 4", n)
		}
		for range 2 {
			r.applied()
		}
		if n := r.more(); n != 2 {
			t.Errorf("%d batches come after 2 were applied, want 2", n)
		}
		r.stop(t)
	})
}

func TestBatchWithRejectsIsInFlightAlone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		all := batches(t, 10)
		all[2].Rejects = []*messages.Reject{{Offset: 2}}
		r := startPumping(t, all...)
		if n := r.more(); n != 3 {
			t.Errorf("%d batches come, want 3: none behind the one with rejects", n)
		}
		for range 2 {
			r.applied()
			if n := r.more(); n != 0 {
				t.Errorf("%d batches come before the one with rejects is applied", n)
			}
		}
		r.applied()
		if n := r.more(); n != 4 {
			t.Errorf("%d batches come then, want 4", n)
		}
		r.stop(t)

		r = startPumping(t, all[2:]...)
		if n := r.more(); n != 1 {
			t.Errorf("%d batches come, want the one with rejects", n)
		}
		r.stop(t) // while it waits for that to be durable
	})
}

func TestReaderWaitsForItsPump(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := startPumping(t)
		r.source.lasts = time.Second // a connection to be closed
		synctest.Wait()
		r.stop(t)
	})
}

func TestPanicOfASourceSaysWhere(t *testing.T) {
	p := &pump{request: &messages.ReadRequest{Partition: 2}}
	err := p.run(t.Context(), nil) // nil is no source
	if err == nil || !strings.Contains(err.Error(), "read partition 2: panic: ") || !strings.Contains(err.Error(), "reader.go") {
		t.Errorf("it says %v, want the panic and its stack", err)
	}
}
