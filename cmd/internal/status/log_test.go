package status

import (
	"bytes"
	"log/slog"
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
			Log(events, slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: withoutTime})), nil)
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
		time.Sleep(3 * progressInterval)
		events <- counted(700, 0)
		time.Sleep(progressInterval)
	})
	want := []string{
		`level=INFO msg=counted partition=2 offset=500 lag=500 records_per_s=100 duplicates=0`,
		`level=INFO msg=counted partition=2 offset=700 lag=300 records_per_s=40 duplicates=0`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged %q, want %q", got, want)
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
