package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// oneJanuary is a partition file with one day, of that year.
func oneJanuary(partition, offset, year, degrees int) string {
	return fmt.Sprintf(`{"partition": %d, "offset": %d, "January": {"%04[3]d": {"count": 1, "sum": %[4]d, "avg": %[4]d, `+
		`"end": "%04[3]d-01-01", "start": "%04[3]d-01-01"}}}`, partition, offset, year, degrees)
}

// watched is a watcher of a folder that does not exist yet, and what it printed.
type watched struct {
	*watcher
	t              *testing.T
	stdout, stderr bytes.Buffer
}

func newWatched(t *testing.T) *watched {
	dir := filepath.Join(t.TempDir(), "files")
	w := &watched{t: t}
	w.watcher = &watcher{
		app:     &app{stdout: &w.stdout, log: slog.New(slog.NewTextHandler(&w.stderr, nil))},
		picture: picture{dir: dir, out: filepath.Join(dir, "month.svg"), months: firstQuarter()},
	}
	return w
}

func (w *watched) write(partition int32, text string) {
	w.t.Helper()
	if err := os.MkdirAll(w.picture.dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.picture.dir, fmt.Sprintf("partition-%d.json", partition)), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// looks looks, and says what that printed and what it logged.
func (w *watched) looks() (printed, logged string) {
	w.stdout.Reset()
	w.stderr.Reset()
	w.look()
	return w.stdout.String(), w.stderr.String()
}

// expect looks, and fails if the picture was not replaced, or was.
func (w *watched) expect(why string, replaced bool) {
	w.t.Helper()
	before, _ := os.Stat(w.out)
	printed, logged := w.looks()
	after, err := os.Stat(w.out)
	if err != nil {
		w.t.Fatalf("%s: %v; logged %s", why, err, logged)
	}
	if other := before == nil || !os.SameFile(before, after); other != replaced {
		w.t.Errorf("%s: replaced the picture: %t, want %t", why, other, replaced)
	}
	if want := map[bool]string{true: w.out + "\n"}[replaced]; printed != want || logged != "" {
		w.t.Errorf("%s: printed %q and logged %q, want %q and nothing", why, printed, logged, want)
	}
}

func TestWatcherRedrawsWhatChanged(t *testing.T) {
	w := newWatched(t)
	w.write(2, oneJanuary(2, 1, 1997, 25))
	w.expect("the first look", true)
	w.expect("nothing changed", false)
	w.write(2, oneJanuary(2, 12, 1997, 25))
	w.expect("nothing changed that is shown", false)
	w.write(2, oneJanuary(2, 13, 1998, 26))
	w.expect("another year", true)
	w.write(1, `{"partition": 1, "offset": 0}`)
	w.expect("another file without news", false)
	if err := os.Remove(w.out); err != nil {
		t.Fatal(err)
	}
	w.expect("the picture was removed", true)
	entries, err := os.ReadDir(w.picture.dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("the folder holds %v, %v, want two files and the picture", entries, err)
	}
}

func TestWatcherWaitsForFiles(t *testing.T) {
	w := newWatched(t)
	const waiting = "waiting for partition files"
	says := func(why, text string) {
		t.Helper()
		if printed, logged := w.looks(); printed != "" || (text == "") != (logged == "") || !strings.Contains(logged, text) {
			t.Errorf("%s: printed %q and logged %q, want nothing and %q", why, printed, logged, text)
		}
	}
	says("without a folder", waiting)
	says("a second time", "")
	if err := os.Mkdir(w.picture.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	says("without files", "")
	w.write(2, oneJanuary(2, 1, 1997, 25))
	w.expect("a file has come", true)
	if err := os.RemoveAll(w.picture.dir); err != nil {
		t.Fatal(err)
	}
	says("the folder was removed", waiting)
	w.write(2, oneJanuary(2, 1, 1997, 25))
	w.expect("the folder was made again", true)
	w.write(2, "{")
	says("a file is corrupt", "corrupt checkpoint")
	says("it still is", "")
	w.write(2, oneJanuary(2, 1, 1999, 27))
	w.expect("it was mended", true)
}

// TestSeveralWatchersAtOnce runs two plot --watch on one picture: it is whole at
// any moment, shows the last change, and both end quietly at a signal.
func TestSeveralWatchersAtOnce(t *testing.T) {
	w := newWatched(t)
	w.write(2, oneJanuary(2, 1, 1000, 25))
	watch := func() (*exec.Cmd, *bytes.Buffer) {
		var stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), "weatheractors", "plot", "--watch", "--log-level", "warn", "--dir", w.picture.dir)
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Wait() }) // the context has ended it, if nothing else did
		return cmd, &stderr
	}
	one, oneSaid := watch()
	other, otherSaid := watch()
	awaitPicture := func(label string) {
		t.Helper()
		poll := time.NewTicker(time.Millisecond)
		defer poll.Stop()
		for deadline := time.Now().Add(tooLong); ; <-poll.C {
			svg, err := os.ReadFile(w.out)
			if err == nil && !bytes.HasSuffix(svg, []byte("</svg>\n")) {
				t.Fatalf("the picture ends after %d bytes", len(svg))
			}
			if bytes.Contains(svg, []byte(label)) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the picture does not show %s: %v", label, err)
			}
		}
	}
	for year := 1000; year <= 1020; year++ {
		replaceFile(t, filepath.Join(w.picture.dir, "partition-2.json"), oneJanuary(2, year, year, 25))
		awaitPicture(fmt.Sprintf("January-%d", year))
	}
	for cmd, said := range map[*exec.Cmd]*bytes.Buffer{one: oneSaid, other: otherSaid} {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || said.Len() > 0 {
			t.Errorf("ended with %v, having said %q", err, said)
		}
	}
}

// replaceFile puts a file in another's place, as consume does.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".tmp", []byte(text), 0o600), os.Rename(path+".tmp", path)); err != nil {
		t.Fatal(err)
	}
}

// TestPictureOfTheREADME draws docs/month.svg as its reader would: from real
// weather, with the program's own commands.
func TestPictureOfTheREADME(t *testing.T) {
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	dir := t.TempDir()
	drawn := filepath.Join(dir, "month.svg")
	for _, command := range []string{
		"produce --delay 0 --input ../../weather/testdata/seattle-weather.csv",
		"consume --all --until-end",
		"plot --months all",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), tooLong)
		cmd := exec.CommandContext(ctx, "weatheractors", append(strings.Fields(command), "--dir", dir, "--brokers", broker.Addr())...)
		output, err := cmd.CombinedOutput()
		cancel()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, output)
		}
	}
	got, err := os.ReadFile(drawn)
	if err != nil {
		t.Fatal(err)
	}
	const path = "../../docs/month.svg"
	if os.Getenv("UPDATE_README") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/month.svg is not what the program draws (%v). To draw it anew, and look at it:\n"+
			"  UPDATE_README=1 go test ./cmd/weatheractors -run TestPictureOfTheREADME && git diff docs/month.svg\n"+
			"  open docs/month.svg in a browser", err)
	}
}
