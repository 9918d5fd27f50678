package metrics

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
)

// told is a state that was told events, by those who count partition 2.
func told(events ...*messages.Event) *status.State {
	s := &status.State{}
	for _, e := range events {
		_, _ = s.Add(e, time.Now())
	}
	_, _ = s.Tick(time.Now())
	return s
}

func started(incarnation, offset, end int64) *messages.Event {
	return &messages.Event{Run: "consume", Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
		Partition: 2, Incarnation: incarnation, Offset: offset, LastStableOffset: end}}}
}

func batch(incarnation, offset, counted, duplicates, rejects int64) *messages.Event {
	return &messages.Event{Run: "consume", Event: &messages.Event_BatchCounted{BatchCounted: &messages.BatchCounted{
		Partition: 2, Incarnation: incarnation, Offset: offset, LastStableOffset: 100, LastTimestamp: time.Now().UnixMilli(),
		Counted: counted, Duplicates: duplicates, Rejects: rejects}}}
}

func saved(offset int64, took time.Duration) *messages.Event {
	return &messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{
		Partition: 2, Offset: offset, Took: durationpb.New(took), FileBytes: 700, RejectBytes: 90}}}
}

func failed(role string) *messages.Event {
	return &messages.Event{Event: &messages.Event_PartitionFailed{PartitionFailed: &messages.PartitionFailed{
		Partition: 2, Role: role, Error: "boom", RetryIn: durationpb.New(time.Second)}}}
}

func published(handedOver, acknowledged int64) *messages.Event {
	return &messages.Event{Event: &messages.Event_Published{Published: &messages.Published{
		HandedOver: handedOver, Acknowledged: acknowledged, Repeats: 3, Retries: 5}}}
}

func drawn(err string) *messages.Event {
	return &messages.Event{Event: &messages.Event_PictureDrawn{PictureDrawn: &messages.PictureDrawn{Error: err}}}
}

// everything is a state in which each metric has something to say.
func everything() *status.State {
	return told(started(1, 10, 100), batch(1, 60, 40, 8, 2), saved(50, 3*time.Millisecond), failed("aggregator"),
		started(2, 50, 100), batch(2, 80, 25, 5, 0), saved(80, 30*time.Millisecond),
		&messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 2, Error: "disk full"}}},
		drawn(""), drawn(""), drawn("disk full"), published(50, 40))
}

// gatherer is what a scrape has of a state, ours alone.
func gatherer(t *testing.T, s *status.State, unready ...int32) prometheus.Gatherer {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(newRun("v1.2.3", func() (*status.State, []int32) { return s, unready })); err != nil {
		t.Fatal(err)
	}
	return registry
}

// compare fails unless a scrape has exactly what want says of the metrics that are
// in it.
func compare(t *testing.T, g prometheus.Gatherer, want string) {
	t.Helper()
	var b strings.Builder
	var names []string
	for line := range strings.Lines(want) {
		name := "weatheractors_" + line[:strings.IndexAny(line, "{ ")]
		if slices.Contains(names, name) {
			b.WriteString("weatheractors_" + line)
			continue
		}
		names = append(names, name)
		kind := "gauge"
		if strings.HasSuffix(name, "_total") {
			kind = "counter"
		}
		b.WriteString("# HELP " + name + " " + help(t, name) + "\n# TYPE " + name + " " + kind + "\nweatheractors_" + line)
	}
	if err := testutil.GatherAndCompare(g, strings.NewReader(b.String()), names...); err != nil {
		t.Error(err)
	}
}

var helps = regexp.MustCompile(`fqName: "(\w+)", help: "([^"]*)"`)

func help(t *testing.T, name string) string {
	t.Helper()
	for _, d := range all {
		if m := helps.FindStringSubmatch(d.String()); m[1] == name {
			return m[2]
		}
	}
	t.Fatalf("there is no metric %s", name)
	return ""
}

func TestWhatIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := everything()
		time.Sleep(7 * time.Second)
		g := gatherer(t, s, 2)
		compare(t, g, `build_info{goversion="`+runtime.Version()+`",version="v1.2.3"} 1
ready 0
partition_ready{partition="2"} 0
partition_state{partition="2",state="catching_up"} 1
partition_state{partition="2",state="drained"} 0
partition_state{partition="2",state="failed"} 0
partition_state{partition="2",state="live"} 0
partition_state{partition="2",state="opening"} 0
partition_state{partition="2",state="respawning"} 0
trouble{partition="",trouble="acknowledging"} 0
trouble{partition="",trouble="drawing"} 1
trouble{partition="2",trouble="opening"} 0
trouble{partition="2",trouble="reading"} 0
trouble{partition="2",trouble="respawning"} 0
trouble{partition="2",trouble="saving"} 1
pictures_drawn_total 2
records_total{outcome="counted",partition="2"} 65
records_total{outcome="duplicate",partition="2"} 13
records_total{outcome="rejected",partition="2"} 2
records_reread_total{partition="2"} 10
restarts_total{partition="2",role="aggregator"} 1
restarts_total{partition="2",role="checkpoint-writer"} 0
restarts_total{partition="2",role="opening"} 0
restarts_total{partition="2",role="partition"} 0
restarts_total{partition="2",role="reader"} 0
partition_offset{partition="2"} 80
partition_saved_offset{partition="2"} 80
partition_last_stable_offset{partition="2"} 100
partition_lag_records{partition="2"} 20
partition_lag_seconds{partition="2"} 7
checkpoint_failures_total{partition="2"} 1
checkpoint_last_timestamp_seconds{partition="2"} 9.466848e+08
checkpoint_size_bytes{partition="2"} 700
rejects_size_bytes{partition="2"} 90
reports_handed_over_total 50
reports_acknowledged_total 40
reports_repeated_total 3
produce_retries_total 5
reports_in_flight 10
`)
		const durations = `# HELP weatheractors_checkpoint_duration_seconds How long checkpoints took to become durable.
# TYPE weatheractors_checkpoint_duration_seconds histogram
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.0005"} 0
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.001"} 0
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.002"} 0
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.005"} 1
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.01"} 1
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.02"} 1
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.05"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.1"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.2"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="0.5"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="1"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="2"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="5"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="10"} 2
weatheractors_checkpoint_duration_seconds_bucket{partition="2",le="+Inf"} 2
weatheractors_checkpoint_duration_seconds_sum{partition="2"} 0.033
weatheractors_checkpoint_duration_seconds_count{partition="2"} 2
`
		if err := testutil.GatherAndCompare(g, strings.NewReader(durations), "weatheractors_checkpoint_duration_seconds"); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	s := &status.State{}
	s.Expect(2)
	families, err := gatherer(t, s).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, strings.TrimPrefix(f.GetName(), "weatheractors_"))
	}
	if want := []string{"build_info", "checkpoint_duration_seconds", "checkpoint_failures_total", "partition_ready", "partition_state",
		"pictures_drawn_total", "ready", "records_reread_total", "records_total", "restarts_total", "trouble"}; !slices.Equal(names, want) {
		t.Errorf("before a partition begins there are %q, want %q", names, want)
	}
}

// TestCountersNeverGoBack has a partition restarted, and begin at an earlier
// offset each time.
func TestCountersNeverGoBack(t *testing.T) {
	counters := func(s *status.State) map[string]float64 {
		families, err := gatherer(t, s).Gather()
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]float64{}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				switch key := fmt.Sprint(f.GetName(), m.GetLabel()); {
				case m.GetCounter() != nil:
					found[key] = m.GetCounter().GetValue()
				case m.GetHistogram() != nil:
					found[key] = float64(m.GetHistogram().GetSampleCount())
				}
			}
		}
		return found
	}
	s := &status.State{}
	var before map[string]float64
	for i, e := range []*messages.Event{
		started(1, 0, 100), batch(1, 40, 30, 8, 2), saved(20, time.Second), batch(1, 60, 48, 10, 2), failed("reader"),
		started(2, 20, 100), batch(2, 30, 10, 0, 0), failed("reader"), failed("opening"), started(3, 20, 100), batch(3, 100, 80, 0, 0),
		{Event: &messages.Event_Drained{Drained: &messages.Drained{Partition: 2}}},
	} {
		_, _ = s.Add(e, time.Now())
		now := counters(s)
		if len(before) > len(now) {
			t.Errorf("after event %d some are gone: %v, before %v", i, now, before)
		}
		for name, n := range before {
			if now[name] < n {
				t.Errorf("after event %d (%v) %s went back from %v to %v", i, e, name, n, now[name])
			}
		}
		before = now
	}
	compare(t, gatherer(t, s), `records_total{outcome="counted",partition="2"} 138
records_total{outcome="duplicate",partition="2"} 10
records_total{outcome="rejected",partition="2"} 2
records_reread_total{partition="2"} 50
restarts_total{partition="2",role="aggregator"} 0
restarts_total{partition="2",role="checkpoint-writer"} 0
restarts_total{partition="2",role="opening"} 1
restarts_total{partition="2",role="partition"} 0
restarts_total{partition="2",role="reader"} 2
`)
}

func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	problems, err := testutil.GatherAndLint(gatherer(t, everything()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestEachMetricIsInTheDocs(t *testing.T) {
	families, err := gatherer(t, everything()).Gather()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, f := range families {
		told[f.GetName()] = strings.ToLower(f.GetType().String())
	}
	if len(told) != len(all) {
		t.Errorf("%d metrics are told of, and %d there can be", len(told), len(all))
	}
	text, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(weatheractors_\\w+)` \\| (\\w+) ").FindAllStringSubmatch(string(text), -1) {
		documented[m[1]] = m[2]
	}
	if !maps.Equal(told, documented) {
		t.Errorf("docs/metrics.md has\n%v\nwant\n%v", documented, told)
	}
}

func TestScrape(t *testing.T) {
	h := Handler("v1.2.3", func() (*status.State, []int32) { return everything(), nil })
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || !strings.HasPrefix(kind, "text/plain; version=0.0.4") {
		t.Errorf("status %d, %s", w.Code, kind)
	}
	unpacked, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nweatheractors_ready 1\n", "\ngo_goroutines ", "\nprocess_cpu_seconds_total "} {
		if runtime.GOOS != "linux" && strings.Contains(want, "process") {
			continue
		}
		if !strings.Contains(string(body), want) {
			t.Errorf("it does not have %q:\n%s", want, body)
		}
	}
}

// BenchmarkScrape is what a scrape costs, which comes every few seconds, at worst.
func BenchmarkScrape(b *testing.B) {
	state := everything()
	h := Handler("v1.2.3", func() (*status.State, []int32) { return state, nil })
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
	}
}
