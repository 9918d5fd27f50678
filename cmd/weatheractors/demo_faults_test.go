package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestDemoOutlastsItsFaults has actors of a demo fail all the time, until its page
// has told of failures of each kind. What was counted must be right all the same.
func TestDemoOutlastsItsFaults(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	var said spoken
	a := &app{stdout: &said, stderr: &said, log: slog.New(slog.DiscardHandler)}
	d := demo{app: a, dir: filepath.Join(t.TempDir(), "demo"), delay: time.Millisecond, web: webFlags{address: "127.0.0.1:0"}, faults: newFaults(10 * time.Millisecond)}
	ended := make(chan error, 1)
	go func() { ended <- d.run(ctx) }()
	restarts := map[string]int{}
	page := regexp.MustCompile(`http://\S+/`)
	for restarts["reader"] < 2 || restarts["aggregator"] < 2 || restarts["checkpoint-writer"] < 2 {
		select {
		case err := <-ended:
			t.Fatalf("it ended with %v after %v:\n%s", err, restarts, said.String())
		case <-time.After(20 * time.Millisecond):
		}
		if url := page.FindString(said.String()); url != "" {
			restarts = restartsOn(t, url)
		}
	}
	cancel()
	if err := <-ended; err != nil || !strings.Contains(said.String(), "Proven:") {
		t.Errorf("it ended with %v after %v:\n%s", err, restarts, said.String())
	}
}

// restartsOn counts the restarts that a page tells of, by kind of actor.
func restartsOn(t *testing.T, page string) map[string]int {
	t.Helper()
	status, answer, err := fetch(page+"api/partitions", nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	_, body, _ := strings.Cut(answer, "\n\n")
	var told struct {
		Partitions []struct {
			Actors []struct {
				Name     string
				Restarts int
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &told); err != nil {
		t.Fatal(err)
	}
	restarts := map[string]int{}
	for _, p := range told.Partitions {
		for _, a := range p.Actors {
			restarts[a.Name] += a.Restarts
		}
	}
	return restarts
}

func TestFaultsComeInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFaults(time.Second)
		expect := func(why string, v victim, want bool) {
			t.Helper()
			if got := f.strike(v, 2); got != want {
				t.Errorf("%s: %v, want %v", why, got, want)
			}
		}
		expect("too soon", faultyReader, false)
		time.Sleep(time.Second)
		expect("not its turn", faultyWriter, false)
		expect("its turn", faultyReader, true)
		time.Sleep(time.Minute)
		expect("the last one is not mended", faultyAggregator, false)
		f.mended(3)
		expect("another partition is", faultyAggregator, false)
		f.mended(2)
		expect("too soon after it is", faultyAggregator, false)
		time.Sleep(time.Second)
		expect("the next one", faultyAggregator, true)

		waited := make(chan time.Time)
		go func() {
			f.finish(t.Context())
			waited <- time.Now()
		}()
		time.Sleep(time.Second)
		f.mended(2)
		if at := <-waited; time.Since(at) != 0 {
			t.Error("the end did not wait until the last one was mended")
		}
		time.Sleep(time.Minute)
		expect("after the end", faultyWriter, false)
		f.finish(t.Context())
	})
}
