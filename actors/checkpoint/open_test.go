package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/weatheractors/weatheractors/messages"
)

// ownerEnv makes the test program a process that has a partition of a directory.
const ownerEnv = "CHECKPOINT_TEST_OWNS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerEnv); dir != "" {
		if _, err := Open(dir, 2); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("open")
		select {} // until killed
	}
	os.Exit(m.Run())
}

func TestPartitionHasOneWriter(t *testing.T) {
	dir := t.TempDir()
	p, _ := open(t, dir)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("open partition 2: %s: partition is locked by another writer: process %d on host %s",
		filepath.Join(dir, "partition-2.lock"), os.Getpid(), host)
	if _, err := Open(dir, 2); !errors.Is(err, ErrLocked) || !messages.IsPermanent(err) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	other, err := Open(dir, 3)
	if err != nil {
		t.Fatalf("another partition: %v", err)
	}
	if err := errors.Join(other.Close(), p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if got := read(t, filepath.Join(dir, "partition-2.lock")); strings.Contains(got, "process") {
		t.Errorf("a lock file that nobody has says %q", got)
	}
	open(t, dir)
}

func TestLockOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerEnv+"="+dir)
	output, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	defer owner.Process.Kill()
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "open\n" {
		t.Fatalf("owner says %q, %v", line, err)
	}
	want := fmt.Sprintf("process %d on host", owner.Process.Pid)
	if _, err := Open(dir, 2); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %s", err, want)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	// It is free at once; the text that the dead owner left does not matter.
	p, _ := open(t, dir)
	want = fmt.Sprintf("process %d on host", os.Getpid())
	if got := readOwner(p.lock.path); !strings.HasPrefix(got, want) {
		t.Errorf("owner is %q, want %s", got, want)
	}
}

func TestOwnerInALockFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	const unknown = "it does not say which"
	if got := readOwner(path); got != unknown {
		t.Errorf("without a file: %q", got)
	}
	for content, want := range map[string]string{
		"":                     unknown,
		"#":                    unknown,
		"# \n":                 unknown,
		"# a on b\nrest":       "a on b",
		"# a\x1b[31m\xff on b": "a?[31m\ufffd on b",
	} {
		write(t, path, content)
		if got := readOwner(path); got != want {
			t.Errorf("%q: got %q, want %q", content, got, want)
		}
	}
}

func TestOpenWhereNothingCanBeKept(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "file")
	write(t, inTheWay, "mine")
	denied := func(name string) *faulty {
		return &faulty{disk: systemDisk{}, fault: func(n int) fault {
			if n == 2 { // once the directory is there
				return fault{err: &fs.PathError{Op: "open", Path: name, Err: syscall.EACCES}}
			}
			return fault{}
		}}
	}
	tests := []struct {
		name, dir string
		disk      disk
		want      string
	}{
		{"file in the way", inTheWay, systemDisk{}, "it is a file"},
		{"file above", filepath.Join(inTheWay, "files"), systemDisk{}, "not a directory"},
		{"directory that is not writable", dir, denied("probe"), "open probe: permission denied"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := openOn(test.disk, test.dir, 2)
			if !errors.Is(err, ErrNotWritable) || !messages.IsPermanent(err) {
				t.Fatalf("got %v", err)
			}
			for _, want := range []string{"open partition 2: " + test.dir, "by user id " + userID(), test.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want it to say %q", err, want)
				}
			}
		})
	}
	if read(t, inTheWay) != "mine" {
		t.Error("file was changed")
	}
	open(t, dir) // is not locked
	if _, err := Open(dir, -1); !messages.IsPermanent(err) {
		t.Errorf("partition -1: %v", err)
	}
}
