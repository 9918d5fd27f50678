package live

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

func TestReady(t *testing.T) {
	const noise = 250 * time.Millisecond
	type step struct {
		after time.Duration
		event *messages.Event
	}
	begins := step{0, started(2, 10, 10)}
	cases := []struct {
		name  string
		steps []step
		want  []string // none: ready
	}{
		{"nothing has begun", nil, []string{"partition 2: not begun yet"}},
		{"at the end", []step{begins}, nil},
		{"nothing new for an hour", []step{begins, {time.Hour, nil}}, nil},
		{"far behind", []step{{0, started(2, 0, 5_000_000)}}, []string{"partition 2: 5,000,000 records behind"}},
		{"not far behind", []step{{0, started(2, 0, 10_000)}}, nil},
		{"just too far behind", []step{{0, started(2, 0, 10_001)}}, []string{"partition 2: 10,001 records behind"}},
		{"a little behind, and comes no further", []step{{0, started(2, 0, 7)}, {31 * time.Second, nil}},
			[]string{"partition 2: stalled: 7 records to read, and none was for 31s"}},
		{"a little behind, and comes further", []step{{0, started(2, 0, 7)}, {29 * time.Second, counting(2, 1, 8)}, {29 * time.Second, nil}}, nil},
		{"counted, and not saved", []step{begins, {0, counting(2, 20, 20)}, {31 * time.Second, nil}},
			[]string{"partition 2: stalled: nothing was saved for 31s"}},
		{"counted, and saved", []step{begins, {0, counting(2, 20, 20)}, {time.Second, saved(2, 20)}, {time.Minute, nil}}, nil},
		{"counts on while it saves", []step{begins, {0, counting(2, 20, 20)}, {29 * time.Second, saved(2, 15)}, {29 * time.Second, nil}}, nil},
		{"can't save", []step{begins, {0, saveFailed(2, "disk full")}}, []string{"partition 2: can't save: disk full"}},
		{"saves again", []step{begins, {0, saveFailed(2, "disk full")}, {0, saved(2, 10)}}, nil},
		{"can't read", []step{begins, {0, sourceTrouble(2, "connection refused")}}, []string{"partition 2: can't read: connection refused"}},
		{"reads again", []step{begins, {0, sourceTrouble(2, "connection refused")}, {0, sourceTrouble(2, "")}}, nil},
		{"can't begin", []step{{0, failed(2, "opening", "no such topic", time.Second)}}, []string{"partition 2: can't begin: no such topic"}},
		{"an actor has failed", []step{begins, {0, failed(2, "reader", "boom", time.Second)}}, []string{"partition 2: starting again: boom"}},
		{"and was started again", []step{begins, {0, failed(2, "reader", "boom", time.Second)}, begins}, nil},
		{"failed for good", []step{begins, {0, failed(2, "reader", "topic was recreated", 0)}}, []string{"partition 2: failed: topic was recreated"}},
		{"ended at the end it was told, and the log went on", []step{{0, started(2, 0, 20_000)}, {0, drained(2, 5)}, {time.Minute, nil}}, nil},
		{"one of several", []step{begins, {0, started(3, 0, 20_000)}}, []string{"partition 3: 20,000 records behind"}},
		{"several", []step{{0, started(2, 0, 30_000)}, {0, started(3, 0, 20_000)}},
			[]string{"partition 2: 30,000 records behind", "partition 3: 20,000 records behind"}},
		{"nothing is acknowledged", []step{begins, {0, published(100, 40)}, {10 * time.Second, nil}},
			[]string{"producer: nothing is acknowledged, 60 in flight"}},
		{"all is acknowledged", []step{begins, {0, published(100, 100)}, {10 * time.Second, nil}}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := local(t.TempDir())
				events := make(chan *messages.Event)
				config.Events = events
				s, _, stop := running(t, config)
				defer stop()
				s.Expect([]int32{2})
				for _, step := range c.steps {
					time.Sleep(step.after)
					if step.event != nil {
						events <- step.event
					}
				}
				time.Sleep(noise)
				synctest.Wait()
				w := get(s, "/readyz")
				want, code := "ok\n", http.StatusOK
				if len(c.want) > 0 {
					want, code = strings.Join(c.want, "\n")+"\n", http.StatusServiceUnavailable
				}
				if w.Body.String() != want || w.Code != code || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
					t.Errorf("%d %q, want %d %q", w.Code, w.Body, code, want)
				}
				expectHealthJSON(t, s, "/readyz", c.want)
			})
		})
	}
}

// expectHealthJSON has health say the same in JSON.
func expectHealthJSON(t *testing.T, s *Server, path string, reasons []string) {
	t.Helper()
	w := get(s, path+"?format=json")
	if len(reasons) == 0 {
		if w.Code != http.StatusOK || w.Body.String() != `{"status":"ok"}`+"\n" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		return
	}
	expectProblem(t, w, http.StatusServiceUnavailable, "")
	var p struct{ Reasons []string }
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || !slices.Equal(p.Reasons, reasons) {
		t.Errorf("reasons %q (%v), want %q", p.Reasons, err, reasons)
	}
}

func TestReadyBeforeAnythingIsKnown(t *testing.T) {
	config := local(t.TempDir())
	config.Events = make(chan *messages.Event)
	if w := get(newServer(config), "/readyz"); w.Code != http.StatusServiceUnavailable || w.Body.String() != "nothing has begun yet\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

func TestReadyToServeFiles(t *testing.T) {
	cases := []struct {
		name string
		dir  func(t *testing.T) string
		want string
	}{
		{"files", func(t *testing.T) string { return filledFolder(t) }, ""},
		{"an empty folder", func(t *testing.T) string { return t.TempDir() }, ""},
		{"no folder", func(t *testing.T) string { return t.TempDir() + "/none" }, ""},
		{"a corrupt file", func(t *testing.T) string {
			dir := filledFolder(t)
			put(t, dir, 0, corrupt)
			return dir
		}, "partition-0.json: corrupt checkpoint: line 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := c.dir(t)
			synctest.Test(t, func(t *testing.T) {
				s, _, stop := running(t, local(dir))
				defer stop()
				time.Sleep(time.Second)
				w := get(s, "/readyz")
				if ready := w.Code == http.StatusOK; ready != (c.want == "") || !strings.Contains(w.Body.String(), c.want) {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		})
	}
}

func TestAlive(t *testing.T) {
	silence := func(ctx context.Context) error { <-ctx.Done(); return errors.New("consume: no answer for partition 2") }
	hang := func(context.Context) error { time.Sleep(time.Minute); return nil }
	cases := []struct {
		name  string
		probe func(context.Context) error
		want  string
	}{
		{"no actors", nil, ""},
		{"actors that answer", func(context.Context) error { return nil }, ""},
		{"actors that do not", silence, "consume: no answer for partition 2"},
		{"a question that hangs", hang, "whoever asks the actors gives no answer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := local(t.TempDir())
				config.Probe = c.probe
				s, _, stop := running(t, config)
				defer stop()
				w := get(s, "/livez")
				if alive := w.Code == http.StatusOK; alive != (c.want == "") || !strings.Contains(w.Body.String(), c.want) {
					t.Errorf("%d %s, want %s", w.Code, w.Body, c.want)
				}
				time.Sleep(time.Minute) // until the question has ended
			})
		})
	}
}

func TestAModelThatHangsIsNotAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(local(t.TempDir())) // whose model does not run
		time.Sleep(modelAge)
		if w := get(s, "/livez"); w.Code != http.StatusOK {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		time.Sleep(time.Second)
		if w := get(s, "/livez"); w.Code != http.StatusServiceUnavailable || w.Body.String() != "the page's model has not ticked for 6s\n" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestActorsAreAskedOnceASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		config := local(t.TempDir())
		config.Probe = func(context.Context) error { asked++; time.Sleep(100 * time.Millisecond); return nil }
		s := newServer(config)
		for range 50 {
			go get(s, "/livez")
		}
		synctest.Wait()
		time.Sleep(time.Second)
		get(s, "/livez")
		if asked != 1 {
			t.Errorf("asked %d times within a second", asked)
		}
		time.Sleep(probeAge)
		get(s, "/livez")
		if asked != 2 {
			t.Errorf("asked %d times within three seconds, want twice", asked)
		}
	})
}
