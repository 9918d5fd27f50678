package kafka

import "testing"

// All that a batch takes is allocated at once.
func TestReportsCostNoAllocationEach(t *testing.T) {
	reports, sink := generate(100), new(Sink)
	if got := testing.AllocsPerRun(100, func() { sink.outgoing(reports) }); got > 1 {
		t.Errorf("%v allocations for 100 reports, want 1", got)
	}
}
