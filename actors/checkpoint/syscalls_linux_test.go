package checkpoint

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the other tests of this package see of a disk is a double. These look at
// the calls of the operating system.

// traced makes this test binary replace a file, where it is traced.
const traced = "WEATHERACTORS_TEST_REPLACE"

func TestReplaceWhereItIsTraced(t *testing.T) {
	path := os.Getenv(traced)
	if path == "" {
		t.Skip("it is for the other tests of this file to run")
	}
	if err := ReplaceFile(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
}

// replaceTraced replaces a file under strace, and returns the error of that.
func replaceTraced(t *testing.T, path string, args ...string) error {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace to see the calls with (Debian: apt-get install strace)")
	}
	cmd := exec.Command(strace, append(args, "-f", os.Args[0], "-test.run=^TestReplaceWhereItIsTraced$")...)
	cmd.Env = append(os.Environ(), traced+"="+path)
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "ptrace") {
		t.Skipf("strace may not trace here: %s", out)
	}
	t.Logf("%s", out)
	return err
}

func TestTheSystemIsAskedToSync(t *testing.T) {
	dir := t.TempDir()
	path, trace := filepath.Join(dir, "file"), filepath.Join(t.TempDir(), "trace")
	// -y prints the path of what a file descriptor stands for.
	if err := replaceTraced(t, path, "-y", "-o", trace, "-e", "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls := ""
	for call := range strings.SplitSeq(string(text), "\n") {
		if strings.Contains(call, dir) {
			calls += call + "\n"
		}
	}
	quoted := regexp.QuoteMeta
	want := regexp.MustCompile(`(?s)write\w*\(\d+<` + quoted(path) + `\.tmp>.*` +
		`f(data)?sync\(\d+<` + quoted(path) + `\.tmp>.*` +
		`rename\w*\(.*` + quoted(path) + `\.tmp.*` +
		`fsync\(\d+<` + quoted(dir) + `>`)
	if !want.MatchString(calls) {
		t.Errorf("the calls are\n%swant write, fsync and rename of the file, and fsync of the folder", calls)
	}
}

func TestFolderThatCannotBeSynced(t *testing.T) {
	for name, c := range map[string]struct {
		fails string
		ok    bool
	}{
		"for the file system has no such thing": {"EINVAL", true},
		"for the disk fails":                    {"EIO", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "file")
			err := replaceTraced(t, path, "-P", dir, "-e", "trace=fsync", "-e", "inject=fsync:error="+c.fails)
			if (err == nil) != c.ok {
				t.Errorf("%s of the folder's fsync: error %v, want one: %v", c.fails, err, !c.ok)
			}
			if text, err := os.ReadFile(path); string(text) != "new" {
				t.Errorf("the file says %q (error %v), want what is new", text, err)
			}
		})
	}
}
