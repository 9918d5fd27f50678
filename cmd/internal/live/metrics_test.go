package live

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/metrics"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
)

// expectAgreement has /readyz and /metrics say the same: which partitions are not
// ready, and what troubles them.
func expectAgreement(t *testing.T, s *Server, when, unready, troubles string) {
	t.Helper()
	health := get(s, "/readyz")
	var named []string
	for _, m := range regexp.MustCompile(`(?m)^partition (\d+): `).FindAllStringSubmatch(health.Body.String(), -1) {
		named = append(named, m[1])
	}
	if got := strings.Join(named, " "); got != unready {
		t.Errorf("%s: /readyz says that %q are not ready, want %q:\n%s", when, got, unready, health.Body)
	}
	body := get(s, "/metrics").Body.String()
	matches := func(pattern string) string {
		var found []string
		for _, m := range regexp.MustCompile(`(?m)^weatheractors_`+pattern+`$`).FindAllStringSubmatch(body, -1) {
			found = append(found, strings.Join(m[1:], " "))
		}
		return strings.Join(found, ", ")
	}
	if got, want := matches(`partition_ready{partition="(\d)"} 0`), strings.ReplaceAll(unready, " ", ", "); got != want {
		t.Errorf("%s: the metrics say that %q are not ready, want %q", when, got, want)
	}
	if got, want := matches(`ready (\d)`) == "1", health.Code == http.StatusOK; got != want {
		t.Errorf("%s: ready is %t, and /readyz answers %d", when, got, health.Code)
	}
	if got := matches(`trouble{partition="(\d?)",trouble="(\w+)"} 1`); got != troubles {
		t.Errorf("%s: the metrics say that trouble is %q, want %q", when, got, troubles)
	}
}

func TestMetricsAndHealthAgree(t *testing.T) {
	type step struct {
		what     string
		event    *messages.Event
		unready  string
		troubles string
	}
	cases := []struct {
		name  string
		steps []step
	}{
		{"the broker goes away", []step{
			{"it is there", counting(2, 10, 10), "", ""},
			{"it has gone", sourceTrouble(2, "connection refused"), "2", "2 reading"},
			{"it is back", sourceTrouble(2, ""), "", ""},
		}},
		{"the disk is full", []step{
			{"it is not yet", saved(2, 10), "", ""},
			{"a checkpoint fails", saveFailed(2, "no space left on device"), "2", "2 saving"},
			{"another one", saveFailed(2, "no space left on device"), "2", "2 saving"},
			{"records come all the same", counting(2, 20, 20), "2", "2 saving"},
			{"there is space again", saved(2, 20), "", ""},
		}},
		{"a partition is respawned", []step{
			{"an actor fails", failed(2, "aggregator", "boom", time.Second), "2", "2 respawning"},
			{"opening fails", failed(2, "opening", "no leader", time.Second), "2", "2 opening, 2 respawning"},
			{"it begins again, far behind", started(2, 0, 20_000), "2", ""},
			{"it catches up", counting(2, 20_000, 20_000), "", ""},
		}},
		{"a partition has failed for good", []step{
			{"it has", failed(3, "reader", "the topic was recreated", 0), "3", ""},
		}},
		{"the broker acknowledges nothing", []step{
			{"it does", published(100, 100), "", ""},
			{"it does not", published(150, 100), "", ""},
			{"for a while", nil, "", " acknowledging"},
			{"it does again", published(150, 150), "", ""},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := local(t.TempDir())
				events := make(chan *messages.Event)
				config.Events = events
				var s *Server
				var stop func()
				config.Metrics = metrics.Handler("v1", func() (*status.State, []int32) { return s.Look() })
				s, _, stop = running(t, config)
				defer stop()
				events <- started(2, 10, 10)
				events <- started(3, 10, 10)
				for _, step := range c.steps {
					if step.event != nil {
						events <- step.event
					} else {
						time.Sleep(10 * time.Second)
					}
					time.Sleep(interval)
					synctest.Wait()
					expectAgreement(t, s, step.what, step.unready, step.troubles)
				}
			})
		})
	}
}
