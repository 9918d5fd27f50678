package status

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weatheractors/weatheractors/messages"
)

// catchingUp is a state in which one partition catches up, one is live, one can't
// be read and one is done.
func catchingUp(t *testing.T) *State {
	t.Helper()
	s, _ := stateOf(
		started(0, 1, 1_000_000, 3_000_000),
		started(2, 1, 100, 101),
		started(3, 1, 0, 0),
		batch(&messages.BatchCounted{Partition: 2, Incarnation: 1, Offset: 101, LastStableOffset: 101, LastDate: date(t, "1990-02-03")}),
		started(11, 1, 0, 60_000),
		batch(&messages.BatchCounted{Partition: 11, Incarnation: 1, Offset: 54_321, LastStableOffset: 60_000, LastDate: date(t, "1997-01-31")}),
		&messages.Event{Event: &messages.Event_SourceTrouble{SourceTrouble: &messages.SourceTrouble{Partition: 11, Error: "read temperatures: connection refused by the broker at 127.0.0.1:9092"}}},
		&messages.Event{Event: &messages.Event_Drained{Drained: &messages.Drained{Partition: 3}}},
		saved(2, 101),
		batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 2_000_000, LastStableOffset: 3_000_000, LastDate: date(t, "1993-10-10")}),
	)
	return s
}

func live(t *testing.T) *State {
	t.Helper()
	s, now := stateOf(
		started(0, 1, 1_234_567, 1_234_567), started(2, 1, 5, 5),
		batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 1_234_570, LastStableOffset: 1_234_570, LastDate: date(t, "1993-10-10")}),
		saved(0, 1_234_570),
	)
	_, _ = s.Add(saved(2, 5), now)
	_, _ = s.Tick(now.Add(25 * time.Second))
	return s
}

func producing(t *testing.T, waiting time.Duration) *State {
	t.Helper()
	progress := func(handedOver, acknowledged int64) *messages.Event {
		return &messages.Event{Event: &messages.Event_Published{Published: &messages.Published{
			HandedOver: handedOver, Acknowledged: acknowledged, Repeats: 66, LastDate: date(t, "1993-10-10")}}}
	}
	s, now := stateOf(progress(100, 0), progress(2270, 1458))
	_, _ = s.Tick(now.Add(waiting - time.Second))
	return s
}

func demoing(t *testing.T) *State {
	t.Helper()
	s, _ := stateOf(
		started(0, 1, 0, 0), started(1, 1, 0, 0),
		batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 414, LastStableOffset: 414, Counted: 399, Duplicates: 15, LastDate: date(t, "1994-03-31")}),
		batch(&messages.BatchCounted{Partition: 1, Incarnation: 1, Offset: 999, LastStableOffset: 999, Counted: 930, Duplicates: 69, LastDate: date(t, "1994-07-07")}),
		saved(0, 1), saved(0, 2), saved(1, 999),
		&messages.Event{Event: &messages.Event_Published{Published: &messages.Published{HandedOver: 1413, Acknowledged: 1413, Repeats: 84, LastDate: date(t, "1994-07-07")}}},
		&messages.Event{Event: &messages.Event_PictureDrawn{PictureDrawn: &messages.PictureDrawn{}}},
	)
	return s
}

var update = flag.Bool("update", false, "write testdata/layout.txt anew")

// TestLayout compares what is laid out with testdata/layout.txt, which shows it
// as a terminal does.
func TestLayout(t *testing.T) {
	demo := Demo(func(p int32) string { return string('A' + p%2) })
	var all strings.Builder
	for _, width := range []int{20, 40, 60, 80, 120} {
		for _, test := range []struct {
			name  string
			state *State
			view  func(*State, int, int) []Line
		}{
			{"partitions that catch up", catchingUp(t), Progress},
			{"partitions that are live", live(t), Progress},
			{"a producer", producing(t, time.Second), Progress},
			{"a producer that waits", producing(t, 15*time.Second), Progress},
			{"a demo", demoing(t), demo},
		} {
			fmt.Fprintf(&all, "-- %s, %d columns --\n", test.name, width)
			for i, line := range test.view(test.state, width, 24) {
				fmt.Fprintf(&all, "%s\n", line.Text)
				if n := utf8.RuneCountInString(line.Text); n >= width && line.Style != Wrong { // the screen cuts that one
					t.Errorf("%s: line %d takes %d columns of %d", test.name, i+1, n, width)
				}
			}
		}
	}
	const golden = "testdata/layout.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if all.String() != string(want) {
		t.Errorf("it is not what %s shows; look at the difference after `go test ./cmd/internal/status -run TestLayout -update`:\n%s", golden, all.String())
	}
}

func TestNotesAreWholeOrLeftOut(t *testing.T) {
	for width := range 30 {
		for _, line := range Progress(live(t), width, 24)[1:] {
			if _, note, found := strings.Cut(line.Text, "saved"); found && note != " 25s ago" || strings.Contains(line.Text, "…") {
				t.Errorf("%d columns: it is cut: %q", width, line.Text)
			}
		}
	}
}

func TestWhatDoesNotFitIsLeftOut(t *testing.T) {
	var events []*messages.Event
	for p := range int32(20) {
		events = append(events, started(p, 1, 0, 1000+int64(p)*7%20))
	}
	s, now := stateOf(events...)
	_, _ = s.Add(&messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 19, Error: "disk full"}}}, now)
	for height, want := range map[int]string{
		24: "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19",
		10: "5 8 11 14 17 19 … and 14 more, lag 14,092",
		5:  "19 … and 19 more, lag 19,177",
		3:  "19 … and 19 more, lag 19,177",
		2:  "… and 19 more, lag 19,177",
	} {
		lines := Progress(s, 80, height)
		if len(lines) > max(1, height-1) {
			t.Errorf("%d lines of %d are taken", len(lines), height)
		}
		var got []string
		for _, line := range lines {
			if strings.Contains(line.Text, "partition") {
				continue
			}
			if first, _, _ := strings.Cut(strings.TrimSpace(line.Text), " "); first != "…" {
				got = append(got, first)
			} else {
				got = append(got, line.Text)
			}
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("of %d lines it shows %q, want %q", height, text, want)
		}
	}
}
