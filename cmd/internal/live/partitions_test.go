package live

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
	"github.com/weatheractors/weatheractors/messages"
)

var update = flag.Bool("update", false, "rewrite testdata with what is answered now")

// expectGolden compares an answer with a file that people have looked at.
func expectGolden(t *testing.T, file string, body []byte) {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("answered\n%s\nwhich is not %s; if it is right, go test -update ./cmd/internal/live", &pretty, file)
	}
}

// TestPartitions has one partition in each state, and a producer.
func TestPartitions(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	batch := counting(2, 90, 100)
	batch.GetBatchCounted().LastDate, batch.GetBatchCounted().LastTimestamp = 1990<<9|1<<5|31, now.Add(-1500*time.Millisecond).UnixMilli()
	state := &status.State{}
	state.Expect(1)
	for _, e := range []*messages.Event{
		failed(0, "opening", "no such topic", time.Second),
		started(2, 1, 100), batch, saved(2, 80), failed(2, "aggregator", "a batch was lost", time.Second),
		started(3, 5, 5),
		started(4, 5, 50), saveFailed(4, "disk full"),
		started(5, 5, 5), {Event: &messages.Event_Drained{Drained: &messages.Drained{Partition: 5, Offset: 5}}},
		started(6, 5, 5), failed(6, "reader", "topic was recreated", 0),
		published(120, 100),
	} {
		_, _ = state.Add(e, now)
	}
	config := local(t.TempDir())
	config.Events = make(chan *messages.Event)
	s := newServer(config)
	s.publish(state, now)
	w := get(s, "/api/partitions")
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("somebody may keep it, although it changes all the time")
	}
	expectGolden(t, "testdata/partitions.json", w.Body.Bytes())
}

func TestPartitionsOfFilesAlone(t *testing.T) {
	dir := filledFolder(t)
	put(t, dir, 7, corrupt)
	for _, p := range []int32{0, 2, 7} {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		if err := os.Chtimes(checkpoint.Path(dir, p), at, at); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s, _, stop := running(t, local(dir))
		defer stop()
		time.Sleep(2*interval + interval/2)
		body := get(s, "/api/partitions").Body.Bytes()
		expectGolden(t, "testdata/files.json", bytes.ReplaceAll(body, []byte(dir), []byte("files")))
	})
}

func TestPartitionsAreShownBeforeTheyBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := local(t.TempDir())
		config.Events = make(chan *messages.Event)
		s, _, stop := running(t, config)
		s.Expect([]int32{3, 1})
		synctest.Wait()
		var numbers []int32
		state, _ := s.Look()
		for _, p := range state.Partitions {
			numbers = append(numbers, p.Number)
		}
		if !slices.Equal(numbers, []int32{1, 3}) {
			t.Errorf("partitions %v", numbers)
		}
		stop()
		s.Expect([]int32{5}) // nobody hears; nobody waits
	})
}

// TestFailuresAreToldAtOnce has an actor fail and begin again, faster than the
// state of things is told.
func TestFailuresAreToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config, events := local(t.TempDir()), make(chan *messages.Event)
		config.Events = events
		s, network, stop := running(t, config)
		defer stop()
		events <- started(2, 1, 100)
		time.Sleep(time.Second + interval/2)
		watching := openStream(t, network)
		defer watching.conn.Close()
		seen := make(chan string, 100)
		go func() {
			for {
				event, data, err := watching.next()
				if err != nil {
					close(seen)
					return
				}
				var o overview
				if event == "partitions" && json.Unmarshal([]byte(data), &o) == nil && len(o.Partitions) > 0 {
					seen <- o.Partitions[0].State
				}
			}
		}()
		time.Sleep(10 * time.Millisecond)
		events <- failed(2, "reader", "boom", 100*time.Millisecond)
		time.Sleep(10 * time.Millisecond)
		events <- started(2, 1, 100)
		time.Sleep(time.Second)
		var states []string
		for len(seen) > 0 {
			states = append(states, <-seen)
		}
		if !slices.Contains(states, "respawning") || states[len(states)-1] != "catching_up" {
			t.Errorf("told %v", states)
		}
		if n := s.latest.Load().state.Partitions[0].Failures; len(n) != 1 || n[0].Times != 1 {
			t.Errorf("%v failures", n)
		}
	})
}

func TestWhatThereIs(t *testing.T) {
	s := following(t, local(t.TempDir()))
	w := get(s, "/api")
	var api struct {
		Version   string
		Resources []struct{ Path, Type string }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &api); err != nil || api.Version != "v1" || len(api.Resources) < 6 {
		t.Fatalf("%s: %v", w.Body, err)
	}
	for _, r := range api.Resources {
		if w := get(s, r.Path, method(http.MethodHead)); w.Code == http.StatusNotFound {
			t.Errorf("%s is not there", r.Path)
		}
	}
}
