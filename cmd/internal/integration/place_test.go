package integration

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// place is where a test works: a topic of its own on one broker, and a folder.
type place struct {
	t          *testing.T
	broker     broker
	topic, dir string
}

// onEachBroker runs a test on every broker there is, side by side.
func onEachBroker(t *testing.T, test func(t *testing.T, p place)) {
	t.Parallel()
	for _, b := range brokers(t) {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, place{t: t, broker: b, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files")})
		})
	}
}

var topics atomic.Int64

// newTopic is a name that no other test has, nor another run before.
func newTopic() string {
	return fmt.Sprintf("integration-%x-%d", time.Now().UnixNano(), topics.Add(1))
}

// elsewhere is the same topic and a new folder.
func (p place) elsewhere() place {
	p.dir = filepath.Join(p.t.TempDir(), "files")
	return p
}

// launch runs the program in the background.
func (p place) launch(args ...string) *process {
	p.t.Helper()
	return launch(p.t, p.here(args)...)
}

// here adds where to work.
func (p place) here(args []string) []string {
	return append(slices.Clip(args), "--brokers", p.broker.addr, "--topic", p.topic, "--dir", p.dir)
}

// run runs the program to its end.
func (p place) run(args ...string) result {
	p.t.Helper()
	return p.launch(args...).wait()
}

// ok runs the program, which must succeed.
func (p place) ok(args ...string) result {
	p.t.Helper()
	return p.run(args...).must(p.t, 0)
}

// produce publishes made-up weather; seed and delay are fixed.
func (p place) produce(args ...string) result {
	p.t.Helper()
	return p.ok(append([]string{"produce", "--delay", "0", "--seed", "7"}, args...)...)
}

// count counts all that there is.
func (p place) count(args ...string) result {
	p.t.Helper()
	return p.ok(append([]string{"consume", "--all", "--until-end"}, args...)...)
}

func (p place) path(partition int) string {
	return filepath.Join(p.dir, fmt.Sprintf("partition-%d.json", partition))
}

func (p place) read(name string) string {
	p.t.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(content)
}

// files are the partition files of the folder, by name.
func (p place) files() map[string]string {
	p.t.Helper()
	paths, err := filepath.Glob(filepath.Join(p.dir, "partition-*.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	files := make(map[string]string)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a reset has moved it since
		}
		if err != nil {
			p.t.Fatal(err)
		}
		files[filepath.Base(path)] = string(content)
	}
	return files
}

// offset is the sum of the offsets of all files: as many records were read, as
// long as the topic has neither transactions nor deleted records.
func (p place) offset() (sum int64) {
	for _, text := range p.files() {
		var file struct{ Offset int64 }
		unmarshal(p.t, text, &file)
		sum += file.Offset
	}
	return sum
}

// same checks that two folders have the same partition files, byte for byte.
func same(t testing.TB, got, want map[string]string) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("there is nothing to compare with")
	}
	if g, w := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(g, w) {
		t.Fatalf("files are %v, want %v", g, w)
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s differs:\n%s", name, firstDifference(got[name], want[name]))
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d is  %s\nit should be %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// write writes a file into a folder of the test and returns its path.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("want %q in %s:\n%s", part, what, text)
		}
	}
}
