package actors

import (
	"log/slog"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// perFetch is about how many reports of 21 bytes a fetch of a megabyte holds.
const perFetch = 25_000

// century is a batch of so many days, one after the other.
func century(records int) *messages.RecordBatch {
	b := &messages.RecordBatch{Next: int64(records), LastStableOffset: int64(records)}
	d, err := weather.ParseDate("1990-01-01")
	if err != nil {
		panic(err)
	}
	for i := range records {
		b.Dates, b.Degrees = append(b.Dates, int32(d)), append(b.Degrees, float64(i%1000)/8)
		d = d.Next()
	}
	return b
}

// Counting must not allocate per record: what it allocates is for months that
// are new.
func TestCountingAllocatesNothingPerRecord(t *testing.T) {
	a := &aggregator{stats: new(weather.Stats)}
	b := century(perFetch)
	if n := testing.AllocsPerRun(1, func() { a.offset = 0; a.apply(b) }); n > 2 {
		t.Errorf("%v allocations for %d records of months that are known, want at most 2", n, perFetch)
	}
}

func BenchmarkApply(b *testing.B) {
	batch := century(perFetch)
	b.ReportAllocs()
	for b.Loop() {
		a := &aggregator{stats: new(weather.Stats)}
		a.apply(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/perFetch, "ns/record")
}

// BenchmarkHop is a batch's way from one actor to another and its answer's way
// back, four under way at a time, as from reader to aggregator.
func BenchmarkHop(b *testing.B) {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	defer system.Shutdown()
	credits := make(chan struct{}, batchesInFlight)
	to := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if m, ok := ctx.Message().(*messages.RecordBatch); ok {
			ctx.Respond(&messages.BatchApplied{Next: m.GetNext()})
		}
	}))
	from := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, ok := ctx.Message().(*messages.BatchApplied); ok {
			<-credits
		}
	}))
	batch := &messages.RecordBatch{}
	b.ReportAllocs()
	for b.Loop() {
		credits <- struct{}{}
		system.Root.RequestWithCustomSender(to, batch, from)
	}
}
