package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The tests of this file disturb a consumer at each of its system calls on files
// in turn: they end it there, or let the call fail. In the end all files must
// have the bytes that they would have had anyway. WEATHERACTORS_TEST_CRASHPOINTS
// says at how many calls; those are spread over the story.

// call is a system call on a file.
type call struct {
	name string // create, open, write, sync, rename, …
	path string // of a rename, the old one
	size int    // bytes to be written
}

func (c call) String() string { return c.name + " " + filepath.Base(c.path) }

// changes tells whether a crash before the call and one after it can leave
// different things behind.
func (c call) changes() bool {
	return !slices.Contains([]string{"open", "read", "stat", "close"}, c.name)
}

// fate is what becomes of a call. The zero fate is that it is made.
type fate struct {
	kill bool          // the program ends before it, as by kill -9
	half bool          // half of it is written, then the program ends
	err  syscall.Errno // it fails
}

func (f fate) String() string {
	switch {
	case f.kill:
		return "killed"
	case f.half:
		return "killed half-way"
	default:
		return f.err.Error()
	}
}

// crashStory is something that a consumer may have to do with files.
type crashStory struct {
	name string
	// begin makes the topic and the files, and returns flags for the consumer.
	begin func(p place) []string
	// makes are calls that the consumer must make: else this story is not told.
	makes []string
	// verify is the exit code of verify in the end.
	verify int
}

var crashStories = []crashStory{
	{"first start in a new folder", func(p place) []string {
		p.days(40)
		return nil
	}, []string{
		"mkdir files", "sync above", "create partition-0.lock", "write partition-0.lock", "unlink partition-0.json.tmp",
		"unlink partition-0.rejected.jsonl", "unlink partition-0.topic",
		"create partition-0.topic.tmp", "write partition-0.topic.tmp", "sync partition-0.topic.tmp", "rename partition-0.topic.tmp",
		"create partition-0.json.tmp", "write partition-0.json.tmp", "sync partition-0.json.tmp", "rename partition-0.json.tmp", "sync files",
	}, 0},
	{"update of an existing file", func(p place) []string {
		p.days(40)
		p.count()
		p.days(40)
		return nil
	}, []string{"sync partition-0.json.tmp", "rename partition-0.json.tmp", "sync files"}, 0},
	{"rejects in a new folder", func(p place) []string {
		p.days(5)
		p.rubbish(3)
		p.days(5)
		return nil
	}, []string{"create partition-0.rejected.jsonl", "write partition-0.rejected.jsonl", "sync partition-0.rejected.jsonl", "sync files"}, 0},
	{"more rejects", func(p place) []string {
		p.days(10)
		p.rubbish(3)
		p.count()
		p.rubbish(2)
		p.days(10)
		p.rubbish(1)
		return nil
	}, []string{"write partition-0.rejected.jsonl", "sync partition-0.rejected.jsonl", "sync files"}, 0},
	{"rejects ahead of the file", func(p place) []string {
		p.days(10)
		p.rubbish(2)
		p.count()
		behind := p.read("partition-0.json")
		p.rubbish(3)
		p.days(10)
		p.count()
		p.put("partition-0.json", behind)
		return nil
	}, []string{"truncate partition-0.rejected.jsonl", "sync partition-0.rejected.jsonl"}, 0},
	{"reset", func(p place) []string {
		p.days(10)
		p.rubbish(2)
		p.count()
		// One of the two has a backup already: that name is not free.
		p.put("partition-0.json."+p.topicID("0")+".bak", "backup")
		p.produce("--recreate", "--partitions", "1", "--days", "15", "--start", "2001-01-01")
		p.rubbish(1)
		return []string{"--on-recreate", "reset"}
	}, []string{"rename partition-0.rejected.jsonl", "rename partition-0.json", "unlink partition-0.topic", "sync files"}, 0},
	{"gap that is skipped", func(p place) []string {
		p.days(10)
		p.rubbish(1)
		p.count()
		p.days(10)
		p.rubbish(1)
		p.days(10)
		p.deleteBefore(16)
		return []string{"--on-gap", "skip"}
	}, []string{"rename partition-0.topic.tmp", "rename partition-0.json.tmp", "write partition-0.rejected.jsonl"}, 1},
}

// days publishes the days that come next, each once, to a topic with one
// partition.
func (p place) days(n int) {
	p.t.Helper()
	p.produce("--resume", "--partitions", "1", "--duplicates", "0", "--days", fmt.Sprint(n))
}

// rubbish publishes records that can't be counted.
func (p place) rubbish(n int) {
	p.t.Helper()
	p.publish(slices.Repeat([]record{{"no month", "no report \x00\xff"}}, n)...)
}

func (p place) put(name, content string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func TestKillAtEachCallChangesNothing(t *testing.T) {
	onEachCrashStory(t, func(told toldStory) {
		killed := func(p place, r result) {
			if r.code != -1 {
				p.t.Errorf("it was not killed: %v", r)
			}
			p.areWhole()
			told.run(p).must(p.t, 0)
		}
		told.disturb(fate{kill: true}, call.changes, killed)
		told.disturb(fate{half: true}, func(c call) bool { return c.name == "write" && c.size > 1 }, killed)
	})
}

func TestFailureOfEachCallChangesNothing(t *testing.T) {
	onEachCrashStory(t, func(told toldStory) {
		failed := func(p place, r result) {
			if r.code == 0 {
				return // it has tried again
			}
			r.must(p.t, 1)
			if !strings.Contains(r.stderr, "no space left on device") && !strings.Contains(r.stderr, "input/output error") {
				p.t.Errorf("it does not say why: %v", r)
			}
			p.areWhole()
			told.run(p).must(p.t, 0)
		}
		told.disturb(fate{err: syscall.ENOSPC}, call.changes, failed)
		told.disturb(fate{err: syscall.EIO}, func(call) bool { return true }, failed)
	})
}

// toldStory is a story whose end is known.
type toldStory struct {
	crashStory
	start place             // where it begins
	flags []string          // of the consumer
	calls []call            // that it makes
	end   map[string]string // all files
}

// onEachCrashStory tells each story once undisturbed, and then has it disturbed.
func onEachCrashStory(t *testing.T, disturb func(toldStory)) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("only for Linux on amd64 there is code here to trace system calls")
	}
	t.Parallel()
	for _, story := range crashStories {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			disturb(story.tell(place{t: t, broker: brokers(t)[0], topic: newTopic()}.newFolder()))
		})
	}
}

func (s crashStory) tell(start place) toldStory {
	t := start.t
	told := toldStory{crashStory: s, start: start, flags: s.begin(start)}
	undisturbed := told.again()
	told.run(undisturbed).must(t, 0)
	told.end = undisturbed.all()
	undisturbed.run("verify", "--all").must(t, s.verify)

	watched := told.again()
	told.traced(watched, func(c call) fate {
		told.calls = append(told.calls, c)
		return fate{}
	}).must(t, 0)
	same(t, watched.all(), told.end)
	for _, want := range s.makes {
		if !slices.ContainsFunc(told.calls, func(c call) bool { return c.String() == want }) {
			t.Errorf("it never came to %q: %v", want, told.calls)
		}
	}
	return told
}

// disturb lets the consumer meet a fate at one of its calls that count; in
// another folder at the next one, and so on, until there are no more. mended is
// to have each folder completed.
func (s toldStory) disturb(f fate, counts func(call) bool, mended func(place, result)) {
	t := s.start.t
	t.Helper()
	total := 0
	for _, c := range s.calls {
		if counts(c) {
			total++
		}
	}
	points := number(t, "WEATHERACTORS_TEST_CRASHPOINTS", 2)
	step := max(1, total/int(max(1, points)))
	tried := 0
	for n := rand.IntN(step); s.disturbAt(n, f, counts, mended); n += step {
		tried++
	}
	t.Logf("%v at %d of %d calls", f, tried, total)
}

// disturbAt disturbs the consumer at call n of those that count, from 0, and
// tells whether there was one.
func (s toldStory) disturbAt(n int, f fate, counts func(call) bool, mended func(place, result)) (met bool) {
	t := s.start.t
	t.Helper()
	var at call
	defer func() {
		if t.Failed() {
			t.Logf("%v at call %d of those that count, %v", f, n+1, at)
		}
	}()
	p, left := s.again(), n
	r := s.traced(p, func(c call) fate {
		if met || !counts(c) {
			return fate{}
		}
		if left--; left >= 0 {
			return fate{}
		}
		met, at = true, c
		return f
	})
	if met {
		mended(p, r)
	} else {
		r.must(t, 0)
	}
	same(t, p.all(), s.end)
	if t.Failed() {
		t.FailNow()
	}
	return met
}

// args are those of the consumer.
func (s toldStory) args() []string {
	return append([]string{"consume", "--all", "--until-end"}, s.flags...)
}

func (s toldStory) run(p place) result { return p.run(s.args()...) }

// traced runs the consumer, and asks for the fate of each of its calls.
func (s toldStory) traced(p place, decide func(call) fate) result {
	p.t.Helper()
	cmd, err := command(p.here(s.args())...)
	if err != nil {
		p.t.Fatal(err)
	}
	output, err := os.CreateTemp(filepath.Dir(filepath.Dir(p.dir)), "output")
	if err != nil {
		p.t.Fatal(err)
	}
	defer output.Close()
	cmd.Stderr = output
	code, err := trace(cmd, filepath.Dir(p.dir), decide)
	if err != nil {
		missing(p.t, fmt.Sprintf("programs can't be traced here: %v", err))
	}
	said, err := os.ReadFile(output.Name())
	if err != nil {
		p.t.Fatal(err)
	}
	return result{command: strings.Join(cmd.Args, " "), code: code, stderr: string(said)}
}

// newFolder is the same topic and a folder that does not exist, in one that
// has nothing else in it.
func (p place) newFolder() place {
	p.t.Helper()
	above := filepath.Join(p.t.TempDir(), "above")
	if err := os.Mkdir(above, 0o755); err != nil {
		p.t.Fatal(err)
	}
	p.dir = filepath.Join(above, "files")
	return p
}

// again is where the story begins, once more.
func (s toldStory) again() place {
	s.start.t.Helper()
	p := s.start.newFolder()
	if err := os.CopyFS(p.dir, os.DirFS(s.start.dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	return p
}

// all are the files of the folder, by name, but for those that only tell who is
// at work.
func (p place) all() map[string]string {
	p.t.Helper()
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.t.Fatal(err)
	}
	files := make(map[string]string)
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasSuffix(name, ".lock") {
			files[name] = p.read(name)
		}
	}
	return files
}

// areWhole checks what anyone may read in the moment after a crash.
func (p place) areWhole() {
	p.t.Helper()
	for name, content := range p.files() {
		if !json.Valid([]byte(content)) || !strings.HasSuffix(content, "}\n") {
			p.t.Errorf("%s is not whole:\n%s", name, content)
		}
	}
}
