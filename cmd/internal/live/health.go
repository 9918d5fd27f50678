package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

const (
	// modelAge is how old a snapshot may be of a model that works.
	modelAge = 5 * time.Second
	// probeWait is how long the actors may take to answer, probeAge how long an
	// answer counts: so often they are asked at most.
	probeWait = 2 * time.Second
	probeAge  = time.Second
	// stalledAfter is how long a partition may have something to read, or to save,
	// and not come further.
	stalledAfter = 30 * time.Second
)

// livez says whether the program works: a new start would mend what is wrong.
func (s *Server) livez(w http.ResponseWriter, r *http.Request) {
	var reasons []string
	if age := time.Since(s.latest.Load().at); age > modelAge {
		reasons = append(reasons, fmt.Sprintf("the page's model has not ticked for %s", age.Truncate(time.Second)))
	}
	if err := s.probe.now(r.Context()); err != nil {
		reasons = append(reasons, err.Error())
	}
	health(w, r, "not all of it works", reasons)
}

// readyz says whether all that is to be counted is, up to a moment ago.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	var texts []string
	for _, reason := range s.unready(s.latest.Load(), time.Now()) {
		texts = append(texts, reason.text)
	}
	health(w, r, "it does not keep up", texts)
}

// Look returns how the run is doing, a copy that nobody changes, and which of its
// partitions keep it from being ready, as /readyz says; status.Nowhere stands for
// what is about none of them.
func (s *Server) Look() (state *status.State, unready []int32) {
	n := s.latest.Load()
	for _, reason := range s.unready(n, time.Now()) {
		unready = append(unready, reason.partition)
	}
	return n.state, unready
}

// reason is why a run is not ready.
type reason struct {
	partition int32 // that it is about, or status.Nowhere
	text      string
}

// unready returns why the run is not ready, a reason for each thing that is wrong.
func (s *Server) unready(n *snapshot, now time.Time) (reasons []reason) {
	because := func(partition int32, format string, args ...any) {
		reasons = append(reasons, reason{partition, fmt.Sprintf(format, args...)})
	}
	if s.config.Events != nil && len(n.state.Partitions) == 0 && n.state.Producer == nil {
		because(status.Nowhere, "nothing has begun yet")
	}
	for _, p := range n.state.Partitions {
		if why := s.behind(n.state, p, now); why != "" {
			because(p.Number, "partition %d: %s", p.Number, why)
		}
	}
	if p := producer(n.state); p != nil && p.Trouble != nil {
		because(status.Nowhere, "producer: %s, %d in flight", *p.Trouble, p.InFlight)
	}
	if hangs := s.files.hangs(now); hangs > 0 {
		because(status.Nowhere, "files: %v for %s", errFilesHang, hangs.Truncate(time.Second))
	}
	if n.table != nil && n.table.err != nil {
		because(status.Nowhere, "files: %v", n.table.err)
	}
	if n.table != nil && s.config.Events == nil {
		for _, trouble := range n.table.troubles() {
			because(status.Nowhere, "files: %s", trouble.Problem)
		}
	}
	return reasons
}

// behind returns why a partition is not ready, or nothing.
func (s *Server) behind(state *status.State, p *status.Partition, now time.Time) string {
	phase := state.Phase(p)
	worst, troubled := state.Worst(p.Number)
	switch {
	case phase == status.PhaseFailed:
		return "failed: " + p.Failed
	case troubled:
		return map[status.What]string{
			status.Respawning: "starting again: ", status.Opening: "can't begin: ", status.Saving: "can't save: ", status.Reading: "can't read: ",
		}[worst.What] + worst.Cause
	case phase == status.PhaseOpening:
		return "not begun yet"
	case phase == status.PhaseDrained:
		return ""
	case phase != status.PhaseLive && p.Lag() > s.config.ReadyLag:
		return fmt.Sprintf("%s records behind", status.Grouped(p.Lag()))
	case p.Lag() > 0 && now.Sub(p.Moved) > stalledAfter:
		return fmt.Sprintf("stalled: %s records to read, and none was for %s", status.Grouped(p.Lag()), now.Sub(p.Moved).Truncate(time.Second))
	case !p.Owing.IsZero() && now.Sub(p.Owing) > stalledAfter:
		return fmt.Sprintf("stalled: nothing was saved for %s", now.Sub(p.Owing).Truncate(time.Second))
	}
	return ""
}

// health answers that all is well, or why not.
func health(w http.ResponseWriter, r *http.Request, detail string, reasons []string) {
	w.Header().Set("Cache-Control", "no-store")
	asJSON := r.URL.Query().Get("format") == "json"
	switch {
	case asJSON && len(reasons) > 0:
		problem(w, r, http.StatusServiceUnavailable, detail, reasons...)
	case asJSON:
		send(w, r, map[string]string{"status": "ok"})
	case len(reasons) > 0:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, strings.Join(reasons, "\n")) // whoever asked has gone
	default:
		sendBytes(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	}
}

// prober asks the actors, one question at a time, however many want to know.
type prober struct {
	ask func(context.Context) error

	mu    sync.Mutex
	asked *asked
}

// asked is a question, and once done is closed its answer.
type asked struct {
	done chan struct{}
	at   time.Time
	err  error
}

// now returns nil if the actors answer, or who does not.
func (p *prober) now(ctx context.Context) error {
	if p.ask == nil {
		return nil
	}
	q := p.question()
	select {
	case <-q.done:
		return q.err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(2 * probeWait):
		return errors.New("whoever asks the actors gives no answer")
	}
}

// question returns the one that is under way or was answered just now, or asks.
func (p *prober) question() *asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.asked; last != nil {
		select {
		case <-last.done:
			if time.Since(last.at) < probeAge {
				return last
			}
		default:
			return last
		}
	}
	q := &asked{done: make(chan struct{})}
	p.asked = q
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), probeWait)
		defer cancel()
		q.err = p.ask(ctx)
		q.at = time.Now()
		close(q.done)
	}()
	return q
}
