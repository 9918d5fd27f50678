package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weatheractors/weatheractors/messages"
)

// What is done again after it failed, and what of the first try is left.

// failing is a disk on which some things fail, once.
type failing struct {
	disk
	rename, remove, sync error
	synced               []string // directories
}

func once(err *error) error {
	failed := *err
	*err = nil
	return failed
}

func (d *failing) Rename(from, to string) error {
	if err := once(&d.rename); err != nil {
		return err
	}
	return d.disk.Rename(from, to)
}

func (d *failing) Remove(name string) error {
	if err := once(&d.remove); err != nil {
		return err
	}
	return d.disk.Remove(name)
}

func (d *failing) SyncDir(dir string) error {
	d.synced = append(d.synced, dir)
	return d.disk.SyncDir(dir)
}

func (d *failing) Open(name string, flag int) (file, error) {
	f, err := d.disk.Open(name, flag)
	return failingFile{f, d}, err
}

type failingFile struct {
	file
	disk *failing
}

func (f failingFile) Sync() error {
	if err := once(&f.disk.sync); err != nil {
		return err
	}
	return f.file.Sync()
}

func TestRemovalOfWhatAnOlderOneLeftIsTriedAgain(t *testing.T) {
	memory := newRAM()
	write := func(name, text string) {
		if err := writeFile(memory, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	write(ramPath(".rejected.jsonl"), line(7))
	d := &failing{disk: memory, remove: errNoSpace}
	p := newPartition(d, ramDir, 2)
	load(t, p)
	if _, err := p.Save(&messages.Checkpoint{Partition: 2, Offset: 1}); !errors.Is(err, errNoSpace) {
		t.Fatalf("Save = %v, want %v", err, errNoSpace)
	}
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 9})
	if there, _ := memory.Exists(ramPath(".rejected.jsonl")); there {
		t.Error("what an older one left is there after all")
	}
}

func TestTopicIsWrittenAgainAfterTheFileCouldNotBe(t *testing.T) {
	memory := newRAM()
	d := &failing{disk: memory}
	p := newPartition(d, ramDir, 2)
	load(t, p)
	c := &messages.Checkpoint{Partition: 2, Offset: 1, Topic: &messages.CountedTopic{Name: "temperatures"}}
	save(t, p, c)
	want := string(memory.names[ramPath(".topic")].content)
	d.rename = errNoSpace
	if _, err := p.Save(c); !errors.Is(err, errNoSpace) {
		t.Fatalf("Save = %v, want %v", err, errNoSpace)
	}
	// Say, another volume was mounted meanwhile.
	if err := writeFile(memory, ramPath(".topic"), []byte("of another time")); err != nil {
		t.Fatal(err)
	}
	save(t, p, c)
	if got := string(memory.names[ramPath(".topic")].content); got != want {
		t.Errorf("the sidecar is %q, want %q", got, want)
	}
}

func TestRejectsThatFailedLeaveNothingBehind(t *testing.T) {
	memory := newRAM()
	d := &failing{disk: memory, sync: errNoSpace}
	l := rejectLog{disk: d, path: ramPath(".rejected.jsonl"), last: -1}
	if err := l.append([]*messages.Reject{{Offset: 1, Reason: strings.Repeat("long ", 100)}}); !errors.Is(err, errNoSpace) {
		t.Fatalf("append = %v, want %v", err, errNoSpace)
	}
	for offset := int64(1); offset < 3; offset++ {
		if err := l.append([]*messages.Reject{{Offset: offset, Reason: "short"}}); err != nil {
			t.Fatal(err)
		}
	}
	const want = `{"offset":1,"reason":"short","key":"","value":""}` + "\n" + `{"offset":2,"reason":"short","key":"","value":""}` + "\n"
	if got := string(memory.names[l.path].content); got != want {
		t.Errorf("the file is\n%swant\n%s", got, want)
	}
	if l.size != int64(len(want)) {
		t.Errorf("its size is taken for %d bytes, want %d", l.size, len(want))
	}
}

func TestResetThatCannotRenameIsAnError(t *testing.T) {
	memory := newRAM()
	d := &failing{disk: memory}
	p := newPartition(d, ramDir, 2)
	load(t, p)
	save(t, p, &messages.Checkpoint{Partition: 2, Offset: 5})
	d.rename = errNoSpace
	if err := p.Reset(nil); !errors.Is(err, errNoSpace) {
		t.Fatalf("Reset = %v, want %v", err, errNoSpace)
	}
	if got := load(t, p).GetOffset(); got != 5 {
		t.Errorf("the file is at offset %d, want 5 still", got)
	}
}

func TestNewFoldersAreMadeDurably(t *testing.T) {
	top := t.TempDir()
	d := &failing{disk: systemDisk{}}
	p, err := openOn(d, filepath.Join(top, "a", "b"), 2)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, dir := range []string{top, filepath.Join(top, "a")} {
		if !slices.Contains(d.synced, dir) {
			t.Errorf("%s was not synced, and holds the name of a new folder; only %q were", dir, d.synced)
		}
	}
}

func TestCountThatIsTooLargeIsNamedByItsLine(t *testing.T) {
	const text = `{"partition": 2, "offset": 50, "January": {"1990": {
		"start": "1990-01-01", "end": "1990-01-31",
		"count": 32,
		"sum": 1, "avg": 1}}}`
	_, err := parseFile([]byte(text))
	if err == nil || !strings.HasPrefix(err.Error(), "line 3: count is 32: want 1 to 31") {
		t.Errorf("error %v, want one that names line 3", err)
	}
}

func TestLockIsGivenBackIfThePartitionCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	// In the place of the temporary file, it can't be opened as a file.
	blocker := Path(dir, 2) + temporarySuffix
	if err := os.MkdirAll(filepath.Join(blocker, "not empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, 2); !errors.Is(err, ErrNotWritable) {
		t.Fatalf("Open = %v, want %v", err, ErrNotWritable)
	}
	if err := os.RemoveAll(blocker); err != nil {
		t.Fatal(err)
	}
	p, err := Open(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
