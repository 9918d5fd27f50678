package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// needPrometheus skips a test where Prometheus is not installed.
func needPrometheus(t *testing.T) {
	t.Helper()
	for _, name := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("%s is not installed: .ci/run prometheus brings it", name)
		}
	}
}

// promtool runs it, with something to read.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "promtool", args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), errors.Join(err, ctx.Err()), out)
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	needPrometheus(t)
	promtool(t, "", "check", "rules", root+"/docs/alerts.yml")
	promtool(t, "", "test", "rules", "testdata/alerts_test.yml")
}

// page waits until a process has said where its page is.
func (p *process) page() (host string) {
	p.t.Helper()
	where := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)
	p.awaits("the page's address", func() bool {
		m := where.FindStringSubmatch(p.stdout.String() + p.stderr.String())
		if m != nil {
			host = m[1]
		}
		return m != nil
	})
	return host
}

// get returns what is at a URL.
func get(t testing.TB, from string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: limit}
	defer client.CloseIdleConnections()
	response, err := client.Get(from)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(all)
}

// prometheus is a server that scrapes, twice a second.
type prometheus struct {
	t   *testing.T
	url string
}

// startPrometheus scrapes each of the targets as the job of that name.
func startPrometheus(t *testing.T, targets map[string]string) prometheus {
	t.Helper()
	dir, addr := t.TempDir(), unusedAddress(t)
	var config strings.Builder
	rules, err := filepath.Abs(root + "/docs/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&config, "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}\nrule_files: [%q]\nscrape_configs:\n", rules)
	for job, target := range targets {
		fmt.Fprintf(&config, "  - {job_name: %q, static_configs: [{targets: [%q]}]}\n", job, target)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "config", file)
	var log bytes.Buffer
	cmd := exec.Command("prometheus", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus said:\n%s", &log)
		}
	})
	p := prometheus{t, "http://" + addr}
	eventually(t, "Prometheus is ready", func() bool { code, _ := get(t, p.url+"/-/ready"); return code == http.StatusOK })
	return p
}

// unusedAddress is one that nobody listens on, for a moment at least.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// query returns the values of a query, by the labels that are left.
func (p prometheus) query(expression string) map[string]float64 {
	p.t.Helper()
	code, body := get(p.t, p.url+"/api/v1/query?query="+url.QueryEscape(expression))
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK {
		p.t.Fatalf("%s: %d %s (%v)", expression, code, body, err)
	}
	values := map[string]float64{}
	for _, r := range answer.Data.Result {
		n, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			p.t.Fatal(err)
		}
		labels := make([]string, 0, 2)
		for _, name := range []string{"alertname", "partition", "outcome"} {
			if value := r.Metric[name]; value != "" {
				labels = append(labels, value)
			}
		}
		values[strings.Join(labels, " ")] = n
	}
	return values
}

// all says whether a query has so many values, all of which are ok.
func (p prometheus) all(expression string, count int, ok func(n float64) bool) bool {
	p.t.Helper()
	values := p.query(expression)
	for _, n := range values {
		if !ok(n) {
			return false
		}
	}
	return len(values) == count
}

func is(want float64) func(float64) bool { return func(n float64) bool { return n == want } }

// TestPrometheusAgreesWithTheFiles has Prometheus scrape a consumer, until all is
// counted and saved, and while its broker is away.
func TestPrometheusAgreesWithTheFiles(t *testing.T) {
	t.Parallel()
	needPrometheus(t)
	data := t.TempDir()
	b, p := ownBroker(t, "127.0.0.1:0", data)
	const days = 2000
	p.produce("--days", strconv.Itoa(days))
	consumer := p.launch("consume", "--all", "--http", "127.0.0.1:0")
	page := consumer.page()
	prom := startPrometheus(t, map[string]string{"weatheractors": page})

	eventually(t, "all is counted and saved", func() bool {
		return prom.all(`up`, 1, is(1)) && prom.all(`weatheractors_ready`, 1, is(1)) &&
			prom.all(`weatheractors_partition_saved_offset - weatheractors_partition_last_stable_offset`, 4, is(0)) &&
			prom.all(`sum(weatheractors_records_total{outcome="counted"})`, 1, is(days))
	})
	counted, offsets := prom.query(`weatheractors_records_total{outcome="counted"}`), prom.query(`weatheractors_partition_saved_offset`)
	sizes, saves := prom.query(`weatheractors_checkpoint_size_bytes`), prom.query(`weatheractors_checkpoint_duration_seconds_count`)
	for partition := range 4 {
		number := strconv.Itoa(partition)
		text := p.read(fmt.Sprintf("partition-%d.json", partition))
		var file struct{ Offset float64 }
		unmarshal(t, text, &file)
		if counted[number+" counted"] != float64(daysIn(t, text)) || offsets[number] != file.Offset || sizes[number] != float64(len(text)) || saves[number] < 1 {
			t.Errorf("partition %d: %v counted, offset %v, %v bytes, %v checkpoints; in the file are %d, %v and %d",
				partition, counted[number+" counted"], offsets[number], sizes[number], saves[number], daysIn(t, text), file.Offset, len(text))
		}
	}
	if n := prom.query(`sum(weatheractors_records_total) - sum(weatheractors_partition_offset)`)[""]; n != 0 {
		t.Errorf("%v more records were read than there are", n)
	}
	_, metrics := get(t, "http://"+page+"/metrics")
	promtool(t, metrics, "check", "metrics")

	ready := func() int { code, _ := get(t, "http://"+page+"/readyz"); return code }
	b.kill()
	eventually(t, "Prometheus sees that the broker has gone", func() bool {
		return prom.all(`weatheractors_partition_ready`, 4, is(0)) && prom.all(`weatheractors_trouble{trouble="reading"}`, 4, is(1)) && prom.all(`weatheractors_ready`, 1, is(0))
	})
	if code := ready(); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d", code)
	}
	eventually(t, "an alarm is about to be raised", func() bool {
		return len(prom.query(`ALERTS{alertname="WeatheractorsNotReady"}`)) == 4
	})
	ownBroker(t, p.broker.addr, data)
	eventually(t, "Prometheus sees that the broker is back", func() bool {
		return prom.all(`weatheractors_partition_ready`, 4, is(1)) && prom.all(`weatheractors_ready`, 1, is(1))
	})
	eventually(t, "it is ready", func() bool { return ready() == http.StatusOK })
	consumer.stop().must(t, 0)
}

// daysIn adds up the counts of a partition file.
func daysIn(t *testing.T, text string) (sum int) {
	t.Helper()
	for _, m := range regexp.MustCompile(`"count": (\d+)`).FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// TestPrometheusSeesRestarts has Prometheus scrape a demo whose actors fail.
func TestPrometheusSeesRestarts(t *testing.T) {
	t.Parallel()
	needPrometheus(t)
	demo := launch(t, "demo", "--faults", "--dir", filepath.Join(t.TempDir(), "demo"), "--http", "127.0.0.1:0")
	prom := startPrometheus(t, map[string]string{"weatheractors": demo.page()})
	eventually(t, "an actor is started again", func() bool { return len(prom.query(`increase(weatheractors_restarts_total[1m]) > 0`)) > 0 })
	restarted := time.Now()
	eventually(t, "two seconds more were scraped", func() bool {
		return prom.all(`max(timestamp(weatheractors_ready))`, 1, func(n float64) bool { return n > float64(restarted.Unix()+2) })
	})
	for expression, want := range map[string]int{
		`sum by (partition) (rate(weatheractors_records_total[30s])) > 0`:                                        4,
		`rate(weatheractors_reports_acknowledged_total[30s]) > 0`:                                                1,
		`resets(weatheractors_records_total[1m]) > 0`:                                                            0,
		`resets(weatheractors_restarts_total[1m]) > 0`:                                                           0,
		`resets(weatheractors_checkpoint_duration_seconds_count[1m]) > 0`:                                        0,
		`weatheractors_build_info{version!="",goversion=~"go.*"}`:                                                1,
		`process_cpu_seconds_total > 0 and on () go_goroutines > 0`:                                              1,
		`histogram_quantile(0.5, sum by (le) (rate(weatheractors_checkpoint_duration_seconds_bucket[30s]))) > 0`: 1,
		// What was read, but for what was read again, is as far as it has come: in
		// each scrape.
		`count_over_time((sum by (partition) (weatheractors_records_total) - on (partition) weatheractors_records_reread_total
			!= on (partition) weatheractors_partition_offset)[1m:500ms])`: 0,
	} {
		if got := prom.query(expression); len(got) != want {
			t.Errorf("%s: %v, want %d values", expression, got, want)
		}
	}
	demo.stop().must(t, 0)
}
