package actors

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func inBubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func TestAggregatorRefusesBatches(t *testing.T) {
	good := batch(2, 100, days(t, "1990-01-01", 3)...)
	for name, spoil := range map[string]func(*messages.RecordBatch){
		"that skip records":            func(b *messages.RecordBatch) { b.Base++; b.Next++ },
		"that repeat records":          func(b *messages.RecordBatch) { b.Base-- },
		"that do not move the offset":  func(b *messages.RecordBatch) { b.Next = b.Base },
		"whose columns differ in size": func(b *messages.RecordBatch) { b.Degrees = b.Degrees[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			a := &aggregator{partition: 2, offset: 100, stats: new(weather.Stats), rejectLimit: 1000}
			b := batch(2, 100, days(t, "1990-01-01", 3)...)
			spoil(b)
			func() {
				defer func() {
					if recover() == nil {
						t.Error("applied")
					}
				}()
				a.apply(b)
			}()
			if a.offset != 100 || a.stats.Len() != 0 {
				t.Errorf("the batch has moved the offset to %d and left %d months", a.offset, a.stats.Len())
			}
			a.apply(good)
			if a.offset != 103 {
				t.Errorf("a good batch moves the offset to %d, want 103", a.offset)
			}
		})
	}
}

func TestEpochsBeginWithTheirFirstRecord(t *testing.T) {
	a := &aggregator{partition: 2, stats: new(weather.Stats), rejectLimit: 1000, failInvalid: true, topic: &messages.CountedTopic{Name: "t"}}
	b := batch(2, 0, days(t, "1990-01-01", 10)...)
	b.Epochs = []*messages.LeaderEpoch{{Epoch: 1, FirstOffset: 0}, {Epoch: 2, FirstOffset: 8}}
	b.Rejects = []*messages.Reject{{Offset: 5, Preceding: 5}}
	before := a.topic
	a.apply(b)
	if len(before.GetEpochs()) != 0 {
		t.Error("a topic that may have been sent was changed")
	}
	if got := a.topic.GetEpochs(); len(got) != 1 || got[0].GetEpoch() != 1 {
		t.Errorf("epochs below offset %d are %v, want the first only", a.offset, got)
	}
}

// probe is an actor that keeps what it is sent.
type probe struct{ got chan any }

func (p *probe) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(actor.SystemMessage); !ok {
		p.got <- ctx.Message()
	}
}

func (p *probe) take() any {
	synctest.Wait()
	select {
	case m := <-p.got:
		return m
	default:
		return nil
	}
}

func spawnProbe(system *actor.ActorSystem) (*probe, *actor.PID) {
	p := &probe{make(chan any, 100)}
	return p, system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return p }))
}

func TestBatchWithRejectsIsAnsweredOnceDurable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := newSystem(t)
		writer, writerPID := spawnProbe(system)
		reader, readerPID := spawnProbe(system)
		a := &aggregator{publisher: publisher{system, "test"}, partition: 2, writer: writerPID, stats: new(weather.Stats), rejectLimit: 1000}
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return a }))
		writer.take() // Started
		reader.take()

		b := batch(2, 0, days(t, "1990-01-01", 3)...)
		b.Rejects, b.Next = []*messages.Reject{{Offset: 3, Reason: "bad", Preceding: 3}}, 4
		system.Root.RequestWithCustomSender(pid, b, readerPID)
		c, _ := writer.take().(*messages.Checkpoint)
		if c.GetOffset() != 4 || len(c.GetRejects()) != 1 {
			t.Fatalf("checkpoint is %v, want offset 4 and one reject", c)
		}
		if m := reader.take(); m != nil {
			t.Fatalf("answered before it was durable: %v", m)
		}
		system.Root.RequestWithCustomSender(pid, batch(2, 4, days(t, "1990-01-04", 1)...), readerPID)
		if m, ok := reader.take().(*messages.BatchApplied); !ok || m.GetNext() != 5 {
			t.Fatalf("a batch without rejects was answered with %v", m)
		}
		system.Root.Send(pid, &messages.CheckpointSaved{Partition: 2, Offset: 4})
		if m, ok := reader.take().(*messages.BatchApplied); !ok || m.GetNext() != 4 {
			t.Fatalf("after it was durable it was answered with %v", m)
		}
		system.Root.Stop(pid)
	})
}

func TestAnswerThatComesTwiceIsNoAnswerToTheNextCheckpoint(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := newSystem(t)
		writer, writerPID := spawnProbe(system)
		a := &aggregator{publisher: publisher{system, "test"}, partition: 2, writer: writerPID, stats: new(weather.Stats), rejectLimit: 1000}
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return a }))
		saved := &messages.CheckpointSaved{Partition: 2, Offset: 3}
		want := func(offset int64) {
			t.Helper()
			if c, _ := writer.take().(*messages.Checkpoint); c.GetOffset() != offset {
				t.Fatalf("the writer got a checkpoint at offset %d, want %d (0: none)", c.GetOffset(), offset)
			}
		}
		writer.take() // Started
		system.Root.Send(pid, batch(2, 0, days(t, "1990-01-01", 3)...))
		want(3)
		system.Root.Send(pid, saved)
		system.Root.Send(pid, batch(2, 3, days(t, "1990-01-04", 2)...))
		want(5)
		system.Root.Send(pid, batch(2, 5, days(t, "1990-01-06", 1)...))
		system.Root.Send(pid, saved)
		want(0)
		system.Root.Send(pid, &messages.CheckpointSaved{Partition: 2, Offset: 5})
		want(6)
		system.Root.Stop(pid)
	})
}

func TestAnswersThatComeTwiceDoNotHoldThePump(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		p := &pump{credits: make(chan struct{}, batchesInFlight), send: func(*messages.RecordBatch) {}}
		ended, result := make(chan struct{}), make(chan error, 1)
		go func() { // a reader that gets answers without end
			for {
				select {
				case <-p.credits:
				case <-ended:
					return
				}
			}
		}()
		go func() {
			result <- p.deliver(t.Context(), &messages.RecordBatch{Next: 1, Rejects: []*messages.Reject{{}}})
		}()
		synctest.Wait()
		close(ended)
		select {
		case err := <-result:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("the pump waits for ever")
		}
	})
}

func TestCheckpointsTakeATenthOfTheTime(t *testing.T) {
	var p pace
	for _, c := range []struct{ took, rest time.Duration }{
		{10 * time.Millisecond, 90 * time.Millisecond},
		{20 * time.Millisecond, 90 * time.Millisecond},
		{5 * time.Second, 180 * time.Millisecond}, // one slow fsync
		{5 * time.Second, time.Second},            // a slow disk
		{time.Millisecond, 9 * time.Millisecond},
	} {
		if got := p.rest(c.took); got != c.rest {
			t.Errorf("rest after %v is %v, want %v", c.took, got, c.rest)
		}
	}
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	b := backoff{first: 100 * time.Millisecond, limit: 350 * time.Millisecond}
	var got []time.Duration
	for range 4 {
		got = append(got, b.wait()/time.Millisecond)
	}
	b.reset()
	got = append(got, b.wait()/time.Millisecond)
	if want := []time.Duration{100, 200, 350, 350, 100}; !slices.Equal(got, want) {
		t.Errorf("waits are %v ms, want %v", got, want)
	}
}

func TestSlowListenerMissesEventsAndDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := newSystem(t)
		events, cancel := Subscribe(system, "mine", 2)
		p, other := publisher{system, "mine"}, publisher{system, "another"}
		for range 5 {
			other.publish(&messages.Event{})
			p.publish(&messages.Event{})
		}
		cancel()
		p.publish(&messages.Event{})
		n := 0
		for e := range events {
			if e.GetRun() != "mine" {
				t.Errorf("got an event of run %q", e.GetRun())
			}
			n++
		}
		if n != 2 {
			t.Errorf("got %d events, want the 2 that there was room for", n)
		}
	})
}

func TestBadConfigIsRefused(t *testing.T) {
	f := newFixture(t)
	if _, err := Props(f.config, nil); !errors.Is(err, errConfig) {
		t.Errorf("nobody to be told: error %v, want %v", err, errConfig)
	}
	for name, spoil := range map[string]func(*Consume){
		"no partitions":        func(c *Consume) { c.Partitions = nil },
		"a partition twice":    func(c *Consume) { c.Partitions = []int32{2, 2} },
		"a negative partition": func(c *Consume) { c.Partitions = []int32{-1} },
		"no source":            func(c *Consume) { c.Source = nil },
		"no store":             func(c *Consume) { c.Open = nil },
		"a negative limit":     func(c *Consume) { c.RejectLimit = -1 },
		"a negative time-out":  func(c *Consume) { c.DrainTimeout = -1 },
	} {
		c := f.config
		spoil(&c)
		if _, err := Props(c, func(error) {}); !errors.Is(err, errConfig) {
			t.Errorf("%s: error %v, want %v", name, err, errConfig)
		}
	}
	for name, c := range map[string]Produce{
		"no days":          {Sink: newFakeSink(1)},
		"no sink":          {Days: slices.Values(f.records)},
		"an empty window":  {Days: slices.Values(f.records), Sink: newFakeSink(0)},
		"a negative delay": {Days: slices.Values(f.records), Sink: newFakeSink(1), Delay: -1},
	} {
		if _, err := Props(c, func(error) {}); !errors.Is(err, errConfig) {
			t.Errorf("%s: error %v, want %v", name, err, errConfig)
		}
	}
}
