package actors

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// told runs a fixture to its end, and returns what those of its events come to
// that pick wants.
func told[T any](t *testing.T, f *fixture, want error, pick func(*messages.Event) *T) (all []*T) {
	t.Helper()
	system := newSystem(t)
	events, cancel := Subscribe(system, "", 1000)
	if err := Run(t.Context(), system, f.config); !errors.Is(err, want) {
		t.Fatalf("Run = %v, want %v", err, want)
	}
	cancel()
	for e := range events {
		if picked := pick(e); picked != nil {
			all = append(all, picked)
		}
	}
	return all
}

func TestFailureOfAPartitionIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		disturb   func(*fixture)
		role, say string
		end       error
		retry     time.Duration // 0: it is permanent
	}{
		"the source fails": {func(f *fixture) { f.source.logs[2].fail[30] = errors.New("connection lost") },
			roleReader, "connection lost", nil, firstRespawn},
		"a batch skips records": {func(f *fixture) { f.source.logs[2].fail[30] = errSkips },
			roleAggregator, "starts at offset 31, want 30", nil, firstRespawn},
		"saving panics": {func(f *fixture) { f.store.saveFails = []error{nil, errPanic} },
			roleWriter, "a bug in the store", nil, firstRespawn},
		"the first load fails": {func(f *fixture) { f.store.saveFails = []error{errors.New("disk full")} },
			roleOpening, "disk full", nil, firstRespawn},
		"a batch can't be decoded": {func(f *fixture) { f.source.logs[2].fail[30] = messages.ErrCorruptBatch },
			roleReader, messages.ErrCorruptBatch.Error(), messages.ErrCorruptBatch, 0},
		"saving can't ever work": {func(f *fixture) { f.store.saveFails = []error{nil, messages.Permanent(errLocked)} },
			roleWriter, "locked", errLocked, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				f := newFixture(t)
				c.disturb(f)
				all := told(t, f, c.end, (*messages.Event).GetPartitionFailed)
				if len(all) != 1 {
					t.Fatalf("told %d failures, want one: %v", len(all), all)
				}
				got := all[0]
				if got.GetPartition() != 2 || got.GetRole() != c.role || !strings.Contains(got.GetError(), c.say) {
					t.Errorf("told %v, want a failure of partition 2's %s: %s", got, c.role, c.say)
				}
				if got.GetPermanent() != (c.retry == 0) || got.GetRetryIn().AsDuration() != c.retry {
					t.Errorf("told %v, want another try in %v", got, c.retry)
				}
			})
		})
	}
}

var errLocked = errors.New("locked")

func TestEachIncarnationIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.source.logs[2].fail[30] = errors.New("connection lost")
		all := told(t, f, nil, (*messages.Event).GetPartitionStarted)
		if len(all) != 2 || all[0].GetIncarnation() != 1 || all[0].GetOffset() != 0 || all[1].GetIncarnation() != 2 || all[1].GetLastStableOffset() != 100 {
			t.Errorf("told the starts %v, want incarnations 1 and 2", all)
		}
	})
}

// A source that tells of trouble before it reads.
type troubled struct{ *fakeSource }

func (s troubled) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	trouble(errors.New("broker away"))
	trouble(nil)
	return s.fakeSource.Read(ctx, req, deliver, trouble)
}

func TestTroubleOfTheSourceIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.Source = troubled{f.source}
		all := told(t, f, nil, (*messages.Event).GetSourceTrouble)
		if len(all) != 2 || all[0].GetError() != "broker away" || all[0].GetPartition() != 2 || all[1].GetError() != "" {
			t.Errorf("told %v, want a broker that is away, and that it is not any more", all)
		}
	})
}

func TestSavesThatFailAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.store.saveFails = []error{nil, errors.New("disk full"), errors.New("disk full")}
		all := told(t, f, nil, (*messages.Event).GetSaveFailed)
		for i, failed := range all {
			if failed.GetAttempts() != int32(i+1) || failed.GetError() != "disk full" || failed.GetPartition() != 2 || failed.GetOffset() == 0 {
				t.Errorf("failure %d is told as %v", i+1, failed)
			}
		}
		if len(all) != 2 {
			t.Errorf("told %d failures, want 2", len(all))
		}
	})
}

func TestSavesAndTheEndAreTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		saved := told(t, newFixture(t), nil, (*messages.Event).GetCheckpointSaved)
		if n := len(saved); n == 0 || saved[n-1].GetOffset() != 100 {
			t.Errorf("told the saves %v, want the last at offset 100", saved)
		}
		drained := told(t, newFixture(t), nil, (*messages.Event).GetDrained)
		if len(drained) != 1 || drained[0].GetPartition() != 2 || drained[0].GetOffset() != 100 {
			t.Errorf("told the ends %v, want one at offset 100", drained)
		}
	})
}

func TestGapIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.source.change(2, func(l *fakeLog) { l.start, l.records = 40, l.records[40:] })
		all := told(t, f, nil, (*messages.Event).GetPartitionNote)
		if len(all) != 1 || all[0].GetPartition() != 2 || !strings.Contains(all[0].GetText(), "offsets 0 to 39") {
			t.Errorf("told %v, want the records that are gone", all)
		}
	})
}

func TestWhatBecameOfTheRecordsIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.records[20].Date = 0              // can't be counted
		f.records[21] = f.records[5]        // a duplicate
		f.records[22].Date = 0              // nor this one
		last := f.records[len(f.records)-1] // of the last batch
		all := told(t, f, nil, (*messages.Event).GetBatchCounted)
		final := all[len(all)-1]
		if final.GetCounted() != 97 || final.GetDuplicates() != 1 || final.GetRejects() != 2 || final.GetOffset() != 100 {
			t.Errorf("at the end told %v, want 97 counted, 1 duplicate, 2 rejects", final)
		}
		if weather.Date(final.GetLastDate()) != last.Date {
			t.Errorf("at the end told the date %v, want %v", weather.Date(final.GetLastDate()), last.Date)
		}
		first := slices.DeleteFunc(all, func(b *messages.BatchCounted) bool { return b.GetFirstReject() == nil })
		if len(first) == 0 || first[0].GetFirstReject().GetOffset() != 20 {
			t.Errorf("told the rejects %v, want the one at offset 20 first", first)
		}
	})
}

func TestPictureThatCannotBeDrawnIsTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for want, draw := range map[string]func() error{
			"no space":                        func() error { return errors.New("no space") },
			"draw the picture: panic: no ink": func() error { panic("no ink") },
		} {
			f := newFixture(t)
			f.config.Draw = draw
			all := told(t, f, nil, (*messages.Event).GetPictureDrawn)
			if len(all) == 0 || all[0].GetError() != want {
				t.Errorf("told %v, want %s", all, want)
			}
		}
	})
}

func TestPanicOfAnActorIsLoggedWithItsStack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var log strings.Builder
		_ = asFailure(newTextLogger(&log), roleReader, "a bug")
		if !strings.Contains(log.String(), "a bug") || !strings.Contains(log.String(), "TestPanicOfAnActorIsLoggedWithItsStack") {
			t.Errorf("the log says %q, want the panic and its stack", log.String())
		}
		log.Reset()
		_ = asFailure(newTextLogger(&log), roleReader, errors.New("connection lost"))
		if log.Len() > 0 {
			t.Errorf("the log says %q of what is no bug", log.String())
		}
	})
}

func TestSubscriptionMayBeCancelledTwice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		system := newSystem(t)
		events, cancel := Subscribe(system, "", 1)
		cancel()
		cancel()
		if _, open := <-events; open {
			t.Error("the channel is open")
		}
		// An event that was on its way already finds nobody.
		s := &subscription{events: make(chan *messages.Event, 1)}
		s.close()
		s.offer(&messages.Event{})
	})
}

// statsOf asks a root for a partition.
func statsOf(t *testing.T, system *actor.ActorSystem, partition int32) *messages.Stats {
	t.Helper()
	answer, err := system.Root.RequestFuture(actor.NewPID(system.Address(), "consume"), &messages.GetStats{Partition: partition}, time.Minute).Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer.(*messages.Stats)
}

func TestStatsTellWhatIsSaved(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.UntilEnd = false
		f.source.logs[2].fail[30] = errors.New("connection lost")
		system := newSystem(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, f.config)
		time.Sleep(5 * time.Second)
		f.store.mu.Lock()
		f.store.hang = make(chan struct{})
		f.store.mu.Unlock()
		f.source.change(2, func(l *fakeLog) { l.records = append(l.records, days(t, "1999-01-01", 3)...) })
		time.Sleep(time.Second)
		got := statsOf(t, system, 2)
		if got.GetState() != messages.State_STATE_RUNNING || got.GetOffset() != 103 || got.GetSavedOffset() != 100 || got.GetLastStableOffset() != 103 {
			t.Errorf("while it saves: %v, want offset 103, of which 100 are saved", got)
		}
		if got.GetIncarnation() != 2 || !strings.Contains(got.GetLastError(), "connection lost") {
			t.Errorf("while it saves: %v, want incarnation 2, and why there is a second", got)
		}
		close(f.store.hang)
		cancel()
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}

func TestStatsTellWhenAllIsDrained(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		slow := &fakeStore{saveTakes: time.Minute}
		f.source.logs[0] = &fakeLog{records: days(t, "2001-01-01", 10), fail: map[int64]error{}, perBatch: 7}
		f.config.Partitions = []int32{0, 2}
		f.config.Open = stores(map[int32]*fakeStore{0: slow, 2: f.store})
		system := newSystem(t)
		result := run(t, t.Context(), system, f.config)
		time.Sleep(10 * time.Second)
		if got := statsOf(t, system, 2); got.GetState() != messages.State_STATE_DRAINED || got.GetOffset() != 100 {
			t.Errorf("at its end partition 2 says %v", got)
		}
		// Nobody waits for an answer here, and nobody is harmed.
		system.Root.Send(actor.NewPID(system.Address(), "consume"), &messages.GetStats{Partition: 2})
		for range 2 { // each question has an answer of its own
			statsOf(t, system, 2)
		}
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	})
}
