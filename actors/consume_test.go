package actors

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// fixture is one partition with 100 days, its store, and a Consume of it.
type fixture struct {
	records []weather.Observation
	source  *fakeSource
	store   *fakeStore
	config  Consume
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{records: days(t, "1990-01-01", 100), store: &fakeStore{}}
	f.source = newFakeSource(map[int32][]weather.Observation{2: f.records})
	f.config = Consume{
		Partitions: []int32{2}, Source: f.source,
		Open: stores(map[int32]*fakeStore{2: f.store}), UntilEnd: true,
	}
	return f
}

// want checks that the store has exactly the records below offset.
func (f *fixture) want(t *testing.T, offset int64) {
	t.Helper()
	if got := f.store.durable.GetOffset(); got != offset {
		t.Errorf("durable offset is %d, want %d", got, offset)
	}
	if want := recount(t, f.records, offset); !proto.Equal(f.store.durable.GetStats(), want) {
		t.Errorf("durable statistics are %v, want %v", f.store.durable.GetStats(), want)
	}
	if f.store.open {
		t.Error("the store is still open")
	}
}

func TestEveryRecordIsCountedOnce(t *testing.T) {
	for name, disturb := range map[string]func(*fixture){
		"undisturbed":      func(*fixture) {},
		"the source fails": func(f *fixture) { f.source.logs[2].fail[30] = errors.New("connection lost") },
		"the source fails twice": func(f *fixture) {
			f.source.logs[2].fail[7], f.source.logs[2].fail[60] = errors.New("a"), errors.New("b")
		},
		"a batch skips records":         func(f *fixture) { f.source.logs[2].fail[30] = errSkips },
		"the source panics":             func(f *fixture) { f.source.logs[2].fail[30] = errPanic },
		"the topic is missing at first": func(f *fixture) { f.source.logs[2].describe = messages.ErrTopicMissing },
		"saving fails":                  func(f *fixture) { f.store.saveFails = []error{nil, errors.New("disk full"), errors.New("disk full")} },
		"saving panics":                 func(f *fixture) { f.store.saveFails = []error{nil, nil, errPanic} },
		"the first save fails":          func(f *fixture) { f.store.saveFails = []error{errors.New("disk full")} },
		"saving is slow":                func(f *fixture) { f.store.saveTakes = time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				disturb(f)
				result := run(t, t.Context(), newSystem(t), f.config)
				synctest.Wait()
				f.source.change(2, func(l *fakeLog) { l.describe = nil })
				if err := <-result; err != nil {
					t.Fatal(err)
				}
				f.want(t, 100)
			})
		})
	}
}

func TestDuplicatesAreIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		repeat := weather.Observation{Date: f.records[3].Date, Degrees: weather.RepeatDegrees}
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records[:10:10], repeat, repeat) })
		newSystemOf(t, f, nil)
		if want := recount(t, f.records, 10); !proto.Equal(f.store.durable.GetStats(), want) {
			t.Errorf("durable statistics are %v, want %v", f.store.durable.GetStats(), want)
		}
		if got := f.store.durable.GetOffset(); got != 12 {
			t.Errorf("durable offset is %d, want 12", got)
		}
	})
}

// newSystemOf runs a fixture to its end in a new system, and checks its result.
func newSystemOf(t *testing.T, f *fixture, want error) *actor.ActorSystem {
	t.Helper()
	system := newSystem(t)
	if err := Run(t.Context(), system, f.config); !errors.Is(err, want) {
		t.Fatalf("Run = %v, want %v", err, want)
	}
	return system
}

func TestRunEndsWithErrors(t *testing.T) {
	for name, c := range map[string]struct {
		disturb func(*fixture)
		want    error
		offset  int64
	}{
		"the topic was recreated while reading": {
			func(f *fixture) { f.source.logs[2].fail[50] = messages.ErrTopicRecreated }, messages.ErrTopicRecreated, 50,
		},
		"the log lost records that were counted": {
			func(f *fixture) { f.source.logs[2].fail[50] = messages.ErrLogTruncated }, messages.ErrLogTruncated, 50,
		},
		"records were deleted before they were counted": {
			func(f *fixture) { f.source.logs[2].fail[50] = messages.ErrOffsetGone }, messages.ErrOffsetGone, 50,
		},
		"a batch can't be decoded": {
			func(f *fixture) { f.source.logs[2].fail[50] = messages.ErrCorruptBatch }, messages.ErrCorruptBatch, 50,
		},
		"an invalid record, if asked to fail": {
			func(f *fixture) { f.config.FailOnInvalid = true; f.records[45].Date = 0 }, ErrInvalidRecord, 45,
		},
		"too many invalid records": {
			func(f *fixture) {
				f.config.RejectLimit = 2 * rejectSize(&messages.Reject{Reason: "not a date"})
				f.records[10].Date, f.records[20].Date, f.records[30].Date = 0, 0, 0
			}, ErrInvalidRecord, 30,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				c.disturb(f)
				newSystemOf(t, f, c.want)
				// What was read before the failure may be saved or not; what is
				// saved is whole.
				if got := f.store.durable.GetOffset(); got > c.offset {
					t.Errorf("durable offset is %d, beyond %d", got, c.offset)
				}
				if errors.Is(c.want, ErrInvalidRecord) && f.store.durable.GetOffset() != c.offset {
					t.Errorf("durable offset is %d, want %d: all before the invalid record", f.store.durable.GetOffset(), c.offset)
				}
				f.want(t, f.store.durable.GetOffset())
			})
		})
	}
}

func TestPermanentErrorDrainsTheOtherPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		other := days(t, "2001-03-01", 50)
		good := &fakeStore{saveTakes: time.Second}
		f.source.logs[0] = &fakeLog{records: other[:20], fail: map[int64]error{}, perBatch: 7}
		f.config.Partitions = []int32{0, 2}
		f.config.UntilEnd = false
		f.config.Open = stores(map[int32]*fakeStore{0: good, 2: f.store})
		result := run(t, t.Context(), newSystem(t), f.config)
		time.Sleep(10 * time.Second)
		f.source.change(0, func(l *fakeLog) { l.records = other })
		time.Sleep(100 * time.Millisecond) // they are counted, and being saved
		f.source.change(2, func(l *fakeLog) {
			l.records = append(l.records, days(t, "1999-01-01", 3)...)
			l.fail[100] = messages.ErrCorruptBatch
		})
		if err := <-result; !errors.Is(err, messages.ErrCorruptBatch) {
			t.Fatalf("Run = %v, want %v", err, messages.ErrCorruptBatch)
		}
		f.want(t, 100)
		if good.open || good.durable.GetOffset() != 50 || !proto.Equal(good.durable.GetStats(), recount(t, other, 50)) {
			t.Errorf("the other partition is saved up to offset %d, want all 50 (still open: %v)", good.durable.GetOffset(), good.open)
		}
	})
}

func TestDrainSavesWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.store.saveTakes = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		time.Sleep(1500 * time.Millisecond) // the first checkpoint is being saved
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		f.want(t, 100)
	})
}

func TestDrainThatHangsEndsTheRunAndKeepsTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, newSystem(t), f.config)
		time.Sleep(5 * time.Second)
		f.store.mu.Lock()
		f.store.hang = make(chan struct{})
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait()
		cancel()
		begun := time.Now()
		err := <-result
		if !errors.Is(err, ErrDrain) || !strings.Contains(err.Error(), "partition 2 above offset 100") {
			t.Errorf("Run = %v, want %v with the offset to count again from", err, ErrDrain)
		}
		if took := time.Since(begun); took > defaultDrainTimeout {
			t.Errorf("Run took %v to end, want at most %v", took, defaultDrainTimeout)
		}
		if !f.store.open {
			t.Error("the store was given up while a save was under way")
		}
		close(f.store.hang)
		synctest.Wait()
		if f.store.open {
			t.Error("the store is still open after the save has ended")
		}
	})
}

func TestHostStopsTheRoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system := newSystem(t)
		result := run(t, t.Context(), system, f.config)
		synctest.Wait()
		system.Root.Stop(actor.NewPID(system.Address(), "consume"))
		if err := <-result; !errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want %v", err, ErrStopped)
		}
		f.want(t, f.store.durable.GetOffset())
	})
}

func TestPermanentErrorWhileADiskHangsEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		result := run(t, t.Context(), newSystem(t), f.config)
		time.Sleep(5 * time.Second)
		f.store.mu.Lock()
		f.store.hang = make(chan struct{})
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait() // they are being saved
		f.source.change(2, func(l *fakeLog) { l.fail[103] = messages.ErrCorruptBatch })
		if err := <-result; !errors.Is(err, messages.ErrCorruptBatch) || !strings.Contains(err.Error(), "partition 2 above offset 100") {
			t.Errorf("Run = %v, want %v and what is left", err, messages.ErrCorruptBatch)
		}
		close(f.store.hang)
		synctest.Wait()
		if f.store.open {
			t.Error("the store is still open after the save has ended")
		}
	})
}

func TestUntilEndMeansTheEndOfTheLogThatIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.source.logs[2].fail[0] = errors.New("connection lost")
		f.source.logs[2].describe = nil
		result := run(t, t.Context(), newSystem(t), f.config)
		synctest.Wait() // backs off, having seen an end of 100
		f.records = f.records[:30]
		f.source.change(2, func(l *fakeLog) { l.records = f.records })
		f.source.mu.Lock()
		f.source.id = []byte("another topic id")
		f.source.mu.Unlock()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
		f.want(t, 30)
	})
}

func TestHostStopsTheRootWhileADiskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		system := newSystem(t)
		f.store.hang = make(chan struct{})
		f.store.durable = &messages.Checkpoint{Partition: 2, Offset: 7, Stats: recount(t, f.records, 7),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id}}
		result := run(t, t.Context(), system, f.config)
		synctest.Wait()
		system.Root.Stop(actor.NewPID(system.Address(), "consume"))
		if err := <-result; !errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want %v", err, ErrStopped)
		}
		close(f.store.hang)
		synctest.Wait()
		if f.store.open {
			t.Error("the store is still open after the save has ended")
		}
	})
}

func TestNothingIsSpawnedWhileTheRootStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		system := newSystem(t)
		slow := &fakeStore{hang: make(chan struct{})}
		f.source.logs[0] = &fakeLog{records: f.records, fail: map[int64]error{}, perBatch: 7}
		f.config.Partitions = []int32{0, 2}
		f.config.Open = stores(map[int32]*fakeStore{0: slow, 2: f.store})
		f.store.durable = &messages.Checkpoint{Partition: 2, Offset: 7, Stats: recount(t, f.records, 7),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id}}
		f.store.hang = make(chan struct{})
		result := run(t, t.Context(), system, f.config)
		synctest.Wait() // one partition is being opened, the other saves what it counted
		system.Root.Stop(actor.NewPID(system.Address(), "consume"))
		synctest.Wait()
		close(slow.hang) // opened, before the other can stop
		synctest.Wait()
		close(f.store.hang)
		if err := <-result; !errors.Is(err, ErrStopped) {
			t.Errorf("Run = %v, want %v", err, ErrStopped)
		}
		synctest.Wait()
		if slow.open || f.store.open || slow.durable.GetOffset() != 0 {
			t.Errorf("open: %v and %v, and it went on counting up to %d", slow.open, f.store.open, slow.durable.GetOffset())
		}
	})
}

func TestPictureThatHangsDoesNotKeepTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		hang := make(chan struct{})
		f.config.Draw = func() error { <-hang; return nil }
		newSystemOf(t, f, nil)
		if got := f.store.durable.GetOffset(); got != 100 {
			t.Errorf("durable offset is %d, want 100", got)
		}
		close(hang)
		synctest.Wait()
	})
}

func TestGetStatsIsAnsweredInEveryState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.source.logs[2].describe = messages.ErrTopicMissing
		system := newSystem(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		ask := func(partition int32) *messages.Stats {
			t.Helper()
			synctest.Wait()
			answer, err := system.Root.RequestFuture(actor.NewPID(system.Address(), "consume"), &messages.GetStats{Partition: partition}, time.Second).Result()
			if err != nil {
				t.Fatal(err)
			}
			return answer.(*messages.Stats)
		}
		if got := ask(7).GetState(); got != messages.State_STATE_NOT_ASSIGNED {
			t.Errorf("state of another partition is %v", got)
		}
		if got := ask(2); got.GetState() != messages.State_STATE_BACKING_OFF || !strings.Contains(got.GetLastError(), "topic does not exist") {
			t.Errorf("without a topic: %v", got)
		}
		f.source.change(2, func(l *fakeLog) { l.describe = nil })
		time.Sleep(10 * time.Second)
		got := ask(2)
		if got.GetState() != messages.State_STATE_RUNNING || got.GetOffset() != 100 || got.GetSavedOffset() != 100 || got.GetIncarnation() != 1 {
			t.Errorf("running: %v", got)
		}
		if !proto.Equal(got.GetTable(), recount(t, f.records, 100)) {
			t.Errorf("running: table %v", got.GetTable())
		}
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}

func TestQuestionThatGoesDownWithTheActorsIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		system := newSystem(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		time.Sleep(5 * time.Second)
		hang := make(chan struct{})
		f.store.mu.Lock()
		f.store.hang = hang
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		synctest.Wait() // they are being saved
		f.source.change(2, func(l *fakeLog) { l.fail[103] = errors.New("connection lost") })
		synctest.Wait() // the actors are being stopped, and a save keeps them from it
		answer := system.Root.RequestFuture(actor.NewPID(system.Address(), "consume"), &messages.GetStats{Partition: 2}, time.Minute)
		synctest.Wait()
		f.store.mu.Lock()
		f.store.hang = nil
		f.store.mu.Unlock()
		close(hang)
		got, err := answer.Result()
		if err != nil {
			t.Fatal(err)
		}
		if stats := got.(*messages.Stats); stats.GetState() != messages.State_STATE_BACKING_OFF || !strings.Contains(stats.GetLastError(), "connection lost") {
			t.Errorf("the answer is %v, want the root's own: backing off, connection lost", stats)
		}
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}

func TestPictureIsDrawnAfterTheLastCheckpoint(t *testing.T) {
	for name, draw := range map[string]func() error{
		"it can be drawn":    func() error { return nil },
		"it can't be drawn":  func() error { return errors.New("no space") },
		"drawing it panics":  func() error { panic("a bug in the picture") },
		"drawing it is slow": func() error { time.Sleep(2 * time.Second); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.store.saveTakes = time.Second
				var drawn int64
				f.config.Draw = func() error {
					f.store.mu.Lock()
					drawn = f.store.durable.GetOffset()
					f.store.mu.Unlock()
					return draw()
				}
				newSystemOf(t, f, nil)
				if drawn != 100 {
					t.Errorf("the last picture is of offset %d, want 100", drawn)
				}
			})
		})
	}
}
