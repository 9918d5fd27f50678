package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func TestLogThatLostRecordsIsCountedAnewOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.ResetOnRecreate = true
		f.source.logs[2].fail[50] = messages.ErrLogTruncated
		f.source.logs[2].fail[70] = errors.New("connection lost")
		f.store.durable = &messages.Checkpoint{
			Partition: 2, Offset: 50, Stats: recount(t, days(t, "1980-01-01", 50), 50),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id},
		}
		newSystemOf(t, f, nil)
		f.want(t, 100)
		if f.store.resets != 1 {
			t.Errorf("the store was reset %d times, want once", f.store.resets)
		}
	})
}

func TestFirstFailureOfAnIncarnationIsTheReason(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system := newSystem(t)
		events, unsubscribe := Subscribe(system, "", 1000)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		time.Sleep(5 * time.Second)
		hang := make(chan struct{})
		f.store.mu.Lock()
		f.store.hang, f.store.saveFails = hang, []error{errPanic}
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait() // they are being saved
		f.source.change(2, func(l *fakeLog) { l.fail[103] = errors.New("connection lost") })
		synctest.Wait()
		f.store.mu.Lock()
		f.store.hang = nil
		f.store.mu.Unlock()
		close(hang) // and now the save fails, too
		time.Sleep(5 * time.Second)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		unsubscribe()
		for e := range events {
			if failed := e.GetPartitionFailed(); failed != nil && failed.GetRole() != roleReader {
				t.Errorf("told %v, want what came first: the reader's", failed)
			}
		}
	})
}

func TestGapThatOpensDuringTheRunIsSkippedWhereAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd, f.config.SkipGaps = false, true
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		time.Sleep(10 * time.Second)
		f.source.change(2, func(l *fakeLog) { l.start, l.records = 110, days(t, "1999-01-01", 10) })
		time.Sleep(10 * time.Second)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		if got := f.store.durable.GetOffset(); got != 120 {
			t.Errorf("durable offset is %d, want 120", got)
		}
		if gaps := f.store.durable.GetTopic().GetGaps(); len(gaps) != 1 || gaps[0].GetBase() != 100 || gaps[0].GetNext() != 110 {
			t.Errorf("gaps kept in mind are %v, want [100, 110)", gaps)
		}
	})
}

func TestFirstErrorIsWhatTheRunEndsWith(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		other, broken := days(t, "2001-03-01", 50), &fakeStore{saveTakes: time.Second}
		f.source.logs[0] = &fakeLog{records: other[:20], fail: map[int64]error{}, perBatch: 7}
		f.config.Partitions, f.config.UntilEnd = []int32{0, 2}, false
		f.config.Open = stores(map[int32]*fakeStore{0: broken, 2: f.store})
		result := run(t, t.Context(), newSystem(t), f.config)
		time.Sleep(10 * time.Second)
		broken.mu.Lock()
		broken.saveFails = []error{errPanic}
		broken.mu.Unlock()
		f.source.change(0, func(l *fakeLog) { l.records = other })
		time.Sleep(100 * time.Millisecond) // they are being saved
		f.source.change(2, func(l *fakeLog) { l.fail[100] = messages.ErrCorruptBatch })
		if err := <-result; !errors.Is(err, messages.ErrCorruptBatch) {
			t.Errorf("Run = %v, want %v, and not what came of it", err, messages.ErrCorruptBatch)
		}
	})
}

func TestActorsThatAHostStopsAreSpawnedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system := newSystem(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		time.Sleep(10 * time.Second)
		system.Root.Stop(actor.NewPID(system.Address(), "consume/partition-2.1"))
		f.records = append(f.records, days(t, "1999-01-01", 3)...)
		time.Sleep(time.Second)
		f.source.change(2, func(l *fakeLog) { l.records = f.records })
		time.Sleep(10 * time.Second)
		if got := statsOf(t, system, 2); got.GetIncarnation() != 2 {
			t.Errorf("it says %v, want incarnation 2", got)
		}
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		f.want(t, 103)
	})
}

func TestQuestionIsAnsweredAtTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system := newSystem(t)
		result := run(t, t.Context(), system, f.config)
		time.Sleep(5 * time.Second)
		hang := make(chan struct{})
		f.store.mu.Lock()
		f.store.hang = hang
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait() // they are being saved
		f.source.change(2, func(l *fakeLog) { l.fail[103] = errors.New("connection lost") })
		synctest.Wait() // the actors are being stopped, and a save keeps them from it
		root := actor.NewPID(system.Address(), "consume")
		answer := system.Root.RequestFuture(root, &messages.GetStats{Partition: 2}, time.Hour)
		synctest.Wait()
		system.Root.Stop(root)
		time.Sleep(time.Second)
		close(hang)
		if err := <-result; !errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want %v", err, ErrStopped)
		}
		if got, err := answer.Result(); err != nil || got.(*messages.Stats).GetSavedOffset() != 100 {
			t.Errorf("the answer is %v (error %v), want that 100 are saved", got, err)
		}
	})
}

func TestNothingIsSavedWhereNothingIsNew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.store.durable = &messages.Checkpoint{Partition: 2, Offset: 100, Stats: recount(t, f.records, 100),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id}}
		newSystemOf(t, f, nil)
		f.want(t, 100)
		if f.store.saves != 0 {
			t.Errorf("saved %d times", f.store.saves)
		}
	})
}

func TestHostStopsAProducerWhoseDaysHang(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hang := make(chan struct{})
		system := newSystem(t)
		result := run(t, t.Context(), system, Produce{Days: func(func(weather.Observation) bool) { <-hang }, Sink: newFakeSink(10)})
		synctest.Wait()
		system.Root.Stop(actor.NewPID(system.Address(), "produce"))
		begun := time.Now()
		if err := <-result; !errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want %v", err, ErrStopped)
		}
		if took := time.Since(begun); took > defaultDrainTimeout {
			t.Errorf("Run took %v to end, want at most %v", took, defaultDrainTimeout)
		}
		close(hang)
		synctest.Wait()
	})
}

func TestDrainOfAProducerWhoseDaysHangSaysWhatIsLeft(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hang := make(chan struct{})
		first := date(t, "1990-01-01")
		days := func(yield func(weather.Observation) bool) {
			yield(weather.Observation{Date: first})
			yield(weather.Observation{Date: first.Next()})
			<-hang // when asked for the third: whether there is one says whether the second is the last
		}
		sink := newFakeSink(10)
		sink.mute = true
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), Produce{Days: days, Delay: time.Millisecond, Sink: sink})
		time.Sleep(time.Second)
		cancel()
		err := <-result
		if !errors.Is(err, ErrDrain) || !strings.Contains(err.Error(), "1 of 1 reports handed over are not acknowledged") {
			t.Errorf("Run = %v, want %v with the report that is open", err, ErrDrain)
		}
		close(hang)
		synctest.Wait()
	})
}
