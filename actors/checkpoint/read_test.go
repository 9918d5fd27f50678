package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	own := Path(dir, 2)
	tests := []struct {
		name, path, data, want string // want "" means the sample
	}{
		{"as encoded", own, sample, ""},
		{"any name", filepath.Join(dir, "copy.json"), sample, ""},
		{"name of another partition", Path(dir, 3), sample, "line 1: partition is 2: want 3"},
		{"corrupt", own, edited(`"count": 30`, `"count": -3`), "line 6: count is -3: want 0 or more"},
		{"empty", own, "", "line 1: want an object, but the file ends here"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			write(t, test.path, test.data)
			c, err := ReadFile(test.path)
			switch {
			case test.want == "":
				if err != nil || !proto.Equal(c, sampleCheckpoint()) {
					t.Errorf("got %v, %v", c, err)
				}
			case !errors.Is(err, ErrCorrupt) || err.Error() != "load checkpoint "+test.path+": corrupt checkpoint: "+test.want:
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := ReadFile(Path(dir, 9)); !errors.Is(err, fs.ErrNotExist) || messages.IsPermanent(err) {
		t.Errorf("no file: %v", err)
	}
	// A reader does not care whether anything was counted of that topic.
	write(t, own, edited("4117", "0"))
	if _, err := ReadFile(own); err != nil {
		t.Errorf("offset 0 with statistics: %v", err)
	}
}

func TestReadFileWhileItIsReplaced(t *testing.T) {
	p, _ := open(t, t.TempDir())
	s := story{'A'}
	save(t, p, s.at(0, 0))
	var wait sync.WaitGroup
	stop := make(chan struct{})
	wait.Go(func() {
		for last := int64(0); ; {
			select {
			case <-stop:
				return
			default:
			}
			c, err := ReadFile(p.path())
			if err != nil || c.Offset < last {
				t.Errorf("read offset %d, %v after %d", c.GetOffset(), err, last)
				return
			}
			last = c.Offset
		}
	})
	for offset := range int64(28) {
		save(t, p, s.at(max(offset-1, 0), offset))
	}
	close(stop)
	wait.Wait()
}

func TestFilesFindsPartitionFilesOnly(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"partition-10.json", "partition-2.json", "partition-0.json", "partition-2147483647.json",
		"partition-1.json.tmp", "partition-02.json", "partition--1.json", "partition-+1.json", "partition-.json", "partition-3.lock",
		"partition-2147483648.json", "month.svg", "partition-4.json.unknown.bak", "Partition-5.json", "6.json"} {
		write(t, filepath.Join(dir, name), "")
	}
	if err := os.Mkdir(filepath.Join(dir, "partition-7.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := Files(dir)
	if want := []int32{0, 2, 7, 10, 2147483647}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := Files(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestWhatIsNoRegularFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(Path(dir, 0), 0o755); err != nil {
		t.Fatal(err)
	}
	paths := []string{Path(dir, 0)}
	if out, err := exec.Command("mkfifo", Path(dir, 1)).CombinedOutput(); err == nil {
		paths = append(paths, Path(dir, 1)) // nobody writes to it
	} else {
		t.Logf("no pipe: %v: %s", err, out)
	}
	for i, path := range paths {
		_, read := ReadFile(path)
		p, err := Open(dir, int32(i))
		if err != nil {
			t.Fatal(err)
		}
		_, load := p.Load()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		for _, err := range []error{read, load} {
			if want := "load checkpoint " + path + ": not a regular file"; err == nil || err.Error() != want || !messages.IsPermanent(err) {
				t.Errorf("got %v, want %s, for good", err, want)
			}
		}
	}
}
