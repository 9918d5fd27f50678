package actors

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func TestCountedBatchesTellTheTimeOfTheirLatestRecord(t *testing.T) {
	a := &aggregator{}
	if got := a.counted(&messages.RecordBatch{LastTimestamp: 1234}, 0).GetLastTimestamp(); got != 1234 {
		t.Errorf("the time told is %d, want that of the batch, 1234", got)
	}
}

func TestRetriesOfTheSinkAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := newFakeSink(10)
		sink.retries = 3
		system := newSystem(t)
		events, cancel := Subscribe(system, "produce", 10000)
		defer cancel()
		days := slices.Values([]weather.Observation{{Date: date(t, "1990-01-01"), Degrees: 50}})
		if err := <-run(t, t.Context(), system, Produce{Days: days, Sink: sink}); err != nil {
			t.Fatal(err)
		}
		retries := int64(-1)
		for len(events) > 0 {
			if p := (<-events).GetPublished(); p != nil {
				retries = p.GetRetries()
			}
		}
		if retries != 3 {
			t.Errorf("the last progress tells of %d retries, want 3", retries)
		}
	})
}
