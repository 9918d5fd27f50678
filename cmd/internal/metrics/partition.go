package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// roles are those that can fail; restarts of each are told from the beginning, so
// that the first one is seen to increase them.
var roles = []string{"opening", "reader", "aggregator", "checkpoint-writer", "partition"}

// partition tells how one partition is doing at the time now. What is not known
// yet is left out: 0 would be an answer.
func (s sink) partition(state *status.State, p *status.Partition, unready []int32, now time.Time) {
	number := label(p.Number)
	s.gauge(partitionReady, flag(!slices.Contains(unready, p.Number)), number)
	for phase := status.PhaseOpening; phase <= status.PhaseFailed; phase++ {
		s.gauge(partitionState, flag(state.Phase(p) == phase), number, phase.String())
	}
	for _, what := range []status.What{status.Respawning, status.Opening, status.Saving, status.Reading} {
		s.gauge(troubled, flag(state.Troubled(p.Number, what)), number, what.String())
	}
	for _, role := range roles {
		s.counter(restarts, times(p.Failures, role), number, role)
	}
	s.counter(records, p.Counted, number, "counted")
	s.counter(records, p.Duplicates, number, "duplicate")
	s.counter(records, p.Rejects, number, "rejected")
	s.counter(recordsAgain, p.Again, number)
	if p.Incarnation() > 0 {
		s.gauge(offset, float64(p.Offset), number)
		s.gauge(savedOffset, float64(p.Saved), number)
		s.gauge(lastStableOffset, float64(p.End), number)
		s.gauge(lagRecords, float64(p.Lag()), number)
	}
	if lag, known := p.LagTime(now); known {
		s.gauge(lagSeconds, lag.Seconds(), number)
	}
	s.checkpoints(p, number)
}

func times(failures []status.Failure, role string) int64 {
	i := slices.IndexFunc(failures, func(f status.Failure) bool { return f.Role == role })
	if i < 0 {
		return 0
	}
	return failures[i].Times
}

// checkpoints tells of those of a partition.
func (s sink) checkpoints(p *status.Partition, number string) {
	within := make(map[float64]uint64, len(status.TimeBounds))
	for i, bound := range status.TimeBounds {
		within[bound.Seconds()] = uint64(p.SaveTimes.Within[i])
	}
	s <- prometheus.MustNewConstHistogram(checkpointSeconds, uint64(p.Saves), p.SaveTimes.Total.Seconds(), within, number)
	s.counter(checkpointFailures, p.SaveFailures, number)
	if !p.SavedAt.IsZero() {
		s.gauge(checkpointTime, float64(p.SavedAt.UnixMilli())/1000, number)
		s.gauge(checkpointBytes, float64(p.FileBytes), number)
		s.gauge(rejectBytes, float64(p.RejectBytes), number)
	}
}

// producer tells how far a producer has come.
func (s sink) producer(p *status.Producer) {
	s.counter(handedOver, p.Acknowledged+p.InFlight)
	s.counter(acknowledged, p.Acknowledged)
	s.counter(repeats, p.Repeats)
	s.counter(retries, p.Retries)
	s.gauge(inFlight, float64(p.InFlight))
}
