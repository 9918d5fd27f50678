package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

// open opens partition 2 in a directory, and loads it.
func open(t *testing.T, dir string) (*Partition, *messages.Checkpoint) {
	t.Helper()
	p, err := Open(dir, storyPartition)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, load(t, p)
}

func load(t *testing.T, p *Partition) *messages.Checkpoint {
	t.Helper()
	c, err := p.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func save(t *testing.T, p *Partition, c *messages.Checkpoint) *messages.CheckpointSaved {
	t.Helper()
	saved, err := p.Save(c)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func TestRealDiskAndRAMEndAlike(t *testing.T) {
	s := story{'A'}
	p, c := open(t, t.TempDir())
	if want := s.wantLoaded(0); !proto.Equal(c, want) {
		t.Errorf("new partition loads as %v, want %v", c, want)
	}
	if err := s.save(p, 0, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	if c := load(t, p); !proto.Equal(c, s.wantLoaded(s.last())) {
		t.Errorf("loaded %v\nwant   %v", c, s.wantLoaded(s.last()))
	}
	memory := newRAM()
	if err := s.whole(memory, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	s.checkEnd(t, memory)
	for _, suffix := range []string{".json", ".rejected.jsonl", ".topic"} {
		if got, want := read(t, p.beside(suffix)), string(memory.read(ramPath(suffix))); got != want {
			t.Errorf("%s is\n%s, want\n%s", suffix, got, want)
		}
	}
}

func TestFilesOfAPartition(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "files")
	p, _ := open(t, dir)
	saved := save(t, p, &messages.Checkpoint{Partition: 2, Topic: &messages.CountedTopic{Name: "temperatures"}})
	want := "{\"partition\": 2, \"offset\": 0}\n"
	if got := read(t, Path(dir, 2)); got != want {
		t.Errorf("new file is %q, want %q", got, want)
	}
	if saved.Partition != 2 || saved.Offset != 0 || saved.FileBytes != int64(len(want)) || saved.RejectBytes != 0 || saved.Took.AsDuration() <= 0 {
		t.Errorf("saved %v", saved)
	}
	c := story{'A'}.at(0, 8)
	saved = save(t, p, c)
	if saved.Offset != 8 || saved.FileBytes != int64(len(story{'A'}.file(8))) || saved.RejectBytes != int64(len(story{'A'}.rejected(8))) {
		t.Errorf("saved %v", saved)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{"partition-2.json", "partition-2.lock", "partition-2.rejected.jsonl", "partition-2.topic"}; !slices.Equal(names, want) {
		t.Errorf("files are %v, want %v", names, want)
	}
}

func TestLoadAboveOffsetZeroWithoutTopic(t *testing.T) {
	p, _ := open(t, t.TempDir())
	write(t, p.path(), sample)
	c := load(t, p)
	if c.Topic != nil || c.RejectBytes != 0 || !proto.Equal(c, sampleCheckpoint()) {
		t.Errorf("loaded %v", c)
	}
	c.Topic = &messages.CountedTopic{Name: "temperatures", Id: story{'A'}.topicID()}
	save(t, p, c)
	if again := load(t, p); !proto.Equal(again, c) {
		t.Errorf("loaded %v, want %v", again, c)
	}
}

func TestNewPartitionDropsWhatAnOlderOneLeft(t *testing.T) {
	for name, file := range map[string]string{"no file": "", "offset 0": "{\"partition\":2,\"offset\":0}"} {
		t.Run(name, func(t *testing.T) {
			memory := newRAM()
			old := story{'A'}
			if err := old.whole(memory, func(int64) {}); err != nil {
				t.Fatal(err)
			}
			if file == "" {
				_ = memory.Remove(ramPath(".json"))
			} else {
				memory.names[ramPath(".json")].content = []byte(file)
			}
			p := newPartition(memory, ramDir, 2)
			if c := load(t, p); !proto.Equal(c, old.wantLoaded(0)) {
				t.Errorf("loaded %v", c)
			}
			if string(memory.read(ramPath(".rejected.jsonl"))) != old.rejected(old.last()) {
				t.Error("Load removed rejects: only a Save may")
			}
			// Without a topic, too: this one does not belong to the old.
			save(t, p, &messages.Checkpoint{Partition: 2})
			if names := memory.powerCut().list(); !slices.Equal(names, []string{ramPath(".json")}) {
				t.Errorf("left %v", names)
			}
		})
	}
}

func TestNothingOldComesBackAfterAPowerCut(t *testing.T) {
	memory := newRAM()
	if err := (story{'A'}).whole(memory, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	_ = memory.Remove(ramPath(".json"))
	_ = memory.SyncDir(ramDir)
	p := newPartition(memory, ramDir, 2)
	load(t, p)
	// The power goes before the last operation, the sync of the directory.
	p.disk = &faulty{disk: memory, fault: func(int) fault {
		if memory.names[p.path()] != nil {
			return fault{err: errNoSpace}
		}
		return fault{}
	}}
	want := &messages.Checkpoint{Partition: 2, Offset: 30, Stats: &messages.StatsTable{}}
	if _, err := p.Save(want); err == nil {
		t.Fatal("no error")
	}
	for d := range memory.powerCuts() {
		c := load(t, newPartition(d, ramDir, 2))
		if c.Offset > 0 && !proto.Equal(c, want) {
			t.Errorf("loaded %v, want %v", c, want)
		}
	}
}

func TestGapAtTheStartIsRecordedAnew(t *testing.T) {
	p, _ := open(t, t.TempDir())
	c := &messages.Checkpoint{Partition: 2, Topic: &messages.CountedTopic{Name: "t", Gaps: []*messages.Gap{{Base: 0, Next: 100}}}}
	save(t, p, c)
	if !strings.Contains(read(t, p.topicPath()), `{"base": 0, "next": 100}`) {
		t.Error("gap is not kept")
	}
	if c := load(t, p); c.Offset != 0 || c.Topic != nil {
		t.Errorf("loaded %v", c)
	}
	c.Offset = 100
	save(t, p, c)
	if got := load(t, p); !proto.Equal(got.Topic, c.Topic) {
		t.Errorf("loaded topic %v, want %v", got.Topic, c.Topic)
	}
}

func TestTopicIsWrittenOnlyWhenItChanges(t *testing.T) {
	memory := newRAM()
	p := newPartition(memory, ramDir, 2)
	load(t, p)
	one := &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{Epoch: 1, FirstOffset: 0}}}
	two := &messages.CountedTopic{Name: "t", Epochs: []*messages.LeaderEpoch{{Epoch: 2, FirstOffset: 0}}}
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 1, Topic: one})
	before := memory.names[ramPath(".topic")]
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 2, Topic: one})
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 3})
	load(t, p)
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 4, Topic: one})
	if memory.names[ramPath(".topic")] != before {
		t.Error("it was written again")
	}
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 5, Topic: two})
	if c := load(t, p); !proto.Equal(c.Topic, two) {
		t.Errorf("a change of the same size was not written: %v", c.Topic)
	}
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 6, Topic: one})
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 7, Topic: two})
	if c := load(t, p); !proto.Equal(c.Topic, two) {
		t.Errorf("the second of two changes was not written: %v", c.Topic)
	}
}

func TestLoadMakesDurableWhatAKilledWriterLeft(t *testing.T) {
	memory := newRAM()
	s := story{'A'}
	// Killed before the last operation, the sync of the directory.
	count := &faulty{disk: newRAM(), fault: func(int) fault { return fault{} }}
	if err := s.whole(count, func(int64) {}); err != nil {
		t.Fatal(err)
	}
	killed := &faulty{disk: memory, fault: func(n int) fault {
		if n < count.operations-1 {
			return fault{}
		}
		return fault{err: fs.ErrClosed}
	}}
	if err := s.whole(killed, func(int64) {}); err == nil {
		t.Fatal("was not killed")
	}
	c := load(t, newPartition(memory, ramDir, 2))
	if after := load(t, newPartition(memory.powerCut(), ramDir, 2)); !proto.Equal(c, after) {
		t.Errorf("loaded %v, after a power cut %v", c, after)
	}
}

func TestDirectoryThatVanishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	p, _ := open(t, dir)
	s := story{'A'}
	save(t, p, s.at(0, 1))
	if err := os.RemoveAll(dir); err != nil {
		t.Skipf("this system does not let go of it: %v", err)
	}
	if _, err := p.Save(s.at(1, 8)); !errors.Is(err, fs.ErrNotExist) || messages.IsPermanent(err) {
		t.Errorf("Save: %v", err)
	}
	if _, err := p.Load(); !errors.Is(err, fs.ErrNotExist) || messages.IsPermanent(err) {
		t.Errorf("Load: %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Another process can lock the partition now.
	if _, err := p.Load(); !errors.Is(err, ErrLockLost) || !messages.IsPermanent(err) {
		t.Errorf("Load: %v", err)
	}
}

func TestLockFileThatIsReplaced(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed": os.Remove,
		"another": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, filePerm)) },
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := open(t, t.TempDir())
			s := story{'A'}
			save(t, p, s.at(0, 8))
			if err := replace(p.lock.path); err != nil {
				t.Skipf("this system does not let go of it: %v", err)
			}
			if _, err := p.Save(s.at(8, 15)); !errors.Is(err, ErrLockLost) || !messages.IsPermanent(err) {
				t.Errorf("Save: %v", err)
			}
			if c, err := ReadFile(p.path()); err != nil || c.GetOffset() != 8 {
				t.Errorf("the file was written on, to offset %d: %v", c.GetOffset(), err)
			}
		})
	}
}

func TestFileThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(Path(dir, 3), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := Open(dir, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	if _, err := p.Load(); err == nil || !messages.IsPermanent(err) {
		t.Errorf("Load of a directory: %v, want a permanent error", err)
	}
}

func TestTopicRemovedWhileRunningIsWrittenAgain(t *testing.T) {
	p, _ := open(t, t.TempDir())
	s := story{'A'}
	save(t, p, s.at(0, 8))
	want := read(t, p.topicPath())
	if err := os.Remove(p.topicPath()); err != nil {
		t.Fatal(err)
	}
	save(t, p, s.at(0, 8))
	if got := read(t, p.topicPath()); got != want {
		t.Errorf("it is %q, want %q", got, want)
	}
}

func TestRejectsRemovedWhileRunning(t *testing.T) {
	p, _ := open(t, t.TempDir())
	s := story{'A'}
	save(t, p, s.at(0, 8))
	if err := os.Remove(p.rejects.path); err != nil {
		t.Fatal(err)
	}
	saved := save(t, p, s.at(8, 15))
	want := strings.TrimPrefix(s.rejected(15), s.rejected(8))
	if got := read(t, p.rejects.path); got != want || saved.RejectBytes != int64(len(want)) {
		t.Errorf("%v: rejects are\n%s, want\n%s", saved, got, want)
	}
}

func BenchmarkSave(b *testing.B) {
	p, err := Open(b.TempDir(), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Load(); err != nil {
		b.Fatal(err)
	}
	years := manyYears(8000)
	for _, rows := range []int{200, 24_000} { // 20 kB and 2.8 MB
		c := &messages.Checkpoint{Partition: 1, Stats: &messages.StatsTable{
			Starts: years.Stats.Starts[:rows], Ends: years.Stats.Ends[:rows], Counts: years.Stats.Counts[:rows], Sums: years.Stats.Sums[:rows]}}
		b.Run(strconv.Itoa(rows)+" rows", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Save(c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
