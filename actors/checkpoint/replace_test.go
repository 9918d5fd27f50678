package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, data string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "month.svg")
	write(t, path+".tmp", strings.Repeat("stray", 100))
	for _, data := range []string{"<svg/>", "", "<svg></svg>"} {
		if err := ReplaceFile(path, []byte(data)); err != nil || read(t, path) != data {
			t.Errorf("%v: file is %q, want %q", err, read(t, path), data)
		}
	}
	if _, err := os.Stat(path + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("temporary file: %v", err)
	}
	if err := ReplaceFile(filepath.Join(path, "below"), nil); err == nil {
		t.Error("no error for a directory that is a file")
	}
}

func TestReplaceFileOnARealDiskThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "month.svg")
	const before, after = "the old content", "the new"
	for n := 0; ; n++ {
		for _, done := range []how{nothing, half, all} {
			write(t, path, before)
			d := &faulty{disk: systemDisk{}, fault: func(i int) fault {
				if i == n {
					return fault{errNoSpace, done}
				}
				return fault{}
			}}
			err := replaceFile(d, path, []byte(after))
			if len(d.log) == 0 {
				if err != nil || n != 6 {
					t.Errorf("%v: it took %d operations, not open, write, sync, close, rename, sync", err, n)
				}
				return
			}
			if !errors.Is(err, errNoSpace) {
				t.Errorf("%v: error is %v", d.log, err)
			}
			if got := read(t, path); got != before && (got != after || d.operations < 5) {
				t.Errorf("%v: file is %q", d.log, got)
			}
			if _, err := os.Stat(path + ".tmp"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v: temporary file: %v", d.log, err)
			}
			if err := ReplaceFile(path, []byte(after)); err != nil || read(t, path) != after {
				t.Errorf("%v: again: %v, file is %q", d.log, err, read(t, path))
			}
		}
	}
}
