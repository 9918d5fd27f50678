package status

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

// logged returns the lines that Log writes while f sends events.
func logged(t *testing.T, f func(chan<- *messages.Event)) []string {
	t.Helper()
	var out bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		events, done := make(chan *messages.Event), make(chan struct{})
		go func() {
			defer close(done)
			Listener{Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: withoutTime}))}.Listen(events)
		}()
		f(events)
		close(events)
		<-done
	})
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func counted(offset, rejects int64) *messages.Event {
	b := &messages.BatchCounted{Partition: 2, Offset: offset, LastStableOffset: 1000, Rejects: rejects}
	if rejects > 0 {
		b.FirstReject = &messages.Reject{Offset: offset - 1, Reason: "empty value"}
	}
	return &messages.Event{Event: &messages.Event_BatchCounted{BatchCounted: b}}
}

func saveFailed(cause string) *messages.Event {
	return &messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 2, Error: cause}}}
}

func TestTroubleIsSaidOnceAndWhenItIsOver(t *testing.T) {
	saved := &messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{Partition: 2}}}
	got := logged(t, func(events chan<- *messages.Event) {
		events <- saved
		events <- saveFailed("disk full")
		events <- saveFailed("disk full")
		events <- saveFailed("disk on fire")
		events <- saved
		events <- saved
	})
	for i, want := range []string{"disk full", "disk on fire", "saving works again"} {
		if i >= len(got) || !strings.Contains(got[i], want) {
			t.Fatalf("logged %q, want line %d to say %q", got, i+1, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("logged %q, want 3 lines", got)
	}
}

func TestProgressIsSaidWhenThereIsSome(t *testing.T) {
	got := logged(t, func(events chan<- *messages.Event) {
		events <- counted(100, 0)
		events <- counted(500, 0)
		time.Sleep(3*progressInterval - time.Second)
		events <- counted(700, 0)
		time.Sleep(progressInterval)
	})
	want := []string{
		`level=INFO msg=counted partition=2 offset=500 lag=500 records_per_s=100 duplicates=0`,
		`level=INFO msg=counted partition=2 offset=700 lag=300 records_per_s=40 duplicates=0 saved=0`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestProgressSaysWhileTheFileIsBehind(t *testing.T) {
	saved := func(offset int64) *messages.Event {
		return &messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{Partition: 2, Offset: offset}}}
	}
	trouble := func(cause string) *messages.Event {
		return &messages.Event{Event: &messages.Event_SourceTrouble{SourceTrouble: &messages.SourceTrouble{Partition: 2, Error: cause}}}
	}
	got := logged(t, func(events chan<- *messages.Event) {
		time.Sleep(time.Second / 10) // so that no two things happen at the same time
		events <- counted(226, 0)
		events <- saved(226)
		events <- counted(500, 0)
		time.Sleep(progressInterval) // no longer than that: as ever
		events <- counted(600, 0)
		time.Sleep(progressInterval) // nothing was saved for longer
		events <- saveFailed("disk full")
		events <- counted(1000, 0)
		time.Sleep(2 * progressInterval) // nothing moves in the second one
		events <- saved(1000)
		events <- trouble("no route")
		time.Sleep(progressInterval)
		events <- trouble("")
		time.Sleep(2 * progressInterval)
	})
	want := []string{
		`level=INFO msg=counted partition=2 offset=500 lag=500 records_per_s=100 duplicates=0`,
		`level=INFO msg=counted partition=2 offset=600 lag=400 records_per_s=20 duplicates=0 saved=226`,
		`level=WARN msg="can't save; the file stays as it is, trying again" partition=2 cause="disk full"`,
		`level=WARN msg=counted partition=2 offset=1000 lag=0 records_per_s=80 duplicates=0 saved=226 cause="disk full"`,
		`level=WARN msg=counted partition=2 offset=1000 lag=0 records_per_s=0 duplicates=0 saved=226 cause="disk full"`,
		`level=INFO msg="saving works again" partition=2`,
		`level=WARN msg="can't read at the moment; trying again" partition=2 cause="no route"`,
		`level=WARN msg=counted partition=2 offset=1000 lag=0 records_per_s=0 duplicates=0 cause="no route"`,
		`level=INFO msg="reading again" partition=2`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestRejectsAreSaidOnceASecondAtMost(t *testing.T) {
	got := logged(t, func(events chan<- *messages.Event) {
		for i := range int64(30) {
			events <- counted(10*i+10, i+1)
			time.Sleep(rejectInterval / 10)
		}
	})
	if len(got) != 3 {
		t.Errorf("%d lines in 3 s: %q", len(got), got)
	}
}

func TestAProducerIsNotSilent(t *testing.T) {
	got := logged(t, func(events chan<- *messages.Event) {
		time.Sleep(time.Second / 10) // so that no two things happen at the same time
		for day := range int64(18) {
			acknowledged := day + 1
			if day >= 4 && day < 14 { // the broker is away
				acknowledged = 4
			}
			events <- published(day+1, acknowledged)
			time.Sleep(time.Second)
		}
	})
	want := []string{
		`level=INFO msg=published acknowledged=4 repeats=0 in_flight=1 records_per_s=0`,
		`level=WARN msg="nothing is acknowledged at the moment; waiting for the broker" in_flight=4`,
		`level=INFO msg=published acknowledged=4 repeats=0 in_flight=6 records_per_s=0`,
		`level=INFO msg="reports are acknowledged again"`,
		`level=INFO msg=published acknowledged=15 repeats=0 in_flight=0 records_per_s=2`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAListenerTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, done := make(chan *messages.Event), make(chan *State)
		var told []int64
		go func() {
			tell := func(s *State) { told = append(told, s.Producer.Acknowledged) }
			done <- Listener{Log: slog.New(slog.DiscardHandler), Tell: tell}.Listen(events)
		}()
		events <- published(10, 7)
		time.Sleep(2*calmInterval + interval)
		events <- published(10, 10)
		close(events)
		if state := <-done; state.Producer.Acknowledged != 10 || !slices.Equal(told, []int64{7, 7}) {
			t.Errorf("it told of %v acknowledged, and returned %d, want [7 7] and 10", told, state.Producer.Acknowledged)
		}
	})
}
