// Package metrics tells Prometheus how a run is doing.
//
// A scrape reads the latest copy of what the page shows, too, so it costs those who
// count nothing, and what the page, health and metrics say is the same. That is
// made of events, of which a listener may miss some; nearly all numbers are right
// again with the next one. docs/metrics.md has the list.
//
// The only labels are those that name few things: partition, and what a program
// knows of beforehand. There is none for the run: who counts a partition may
// change, the counters go on.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// Look returns how the run is doing, which nobody changes any more, and which of
// its partitions keep it from being ready; status.Nowhere stands for what is about
// none of them.
type Look func() (state *status.State, unready []int32)

// atOnce is how many scrapes are answered at a time.
const atOnce = 4

// Handler answers scrapes of a program of that version.
func Handler(version string, look Look) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		newRun(version, look),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: atOnce})
}

// run collects what is known of a run at the moment.
type run struct {
	look Look
	info prometheus.Metric
}

func newRun(version string, look Look) run {
	return run{look, prometheus.MustNewConstMetric(buildInfo, prometheus.GaugeValue, 1, version, runtime.Version())}
}

// Describe implements prometheus.Collector.
func (r run) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range all {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (r run) Collect(ch chan<- prometheus.Metric) {
	state, unready := r.look()
	ch <- r.info
	s := sink(ch)
	s.gauge(ready, flag(len(unready) == 0))
	s.counter(pictures, state.Pictures)
	s.gauge(troubled, flag(state.Troubled(status.Nowhere, status.Drawing)), "", status.Drawing.String())
	for _, p := range state.Partitions {
		s.partition(state, p, unready, time.Now())
	}
	if state.Producer != nil {
		s.gauge(troubled, flag(state.Troubled(status.Nowhere, status.Acknowledging)), "", status.Acknowledging.String())
		s.producer(state.Producer)
	}
}

// sink takes the metrics of one scrape.
type sink chan<- prometheus.Metric

func (s sink) counter(d *prometheus.Desc, n int64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func (s sink) gauge(d *prometheus.Desc, n float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func label(partition int32) string { return strconv.Itoa(int(partition)) }
