package checkpoint

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// traced makes this test binary replace a file, where it is traced.
const traced = "WEATHERACTORS_TEST_REPLACE"

// TestTheSystemIsAskedToSync looks at the calls of the operating system: what
// the other tests of this package see of a disk is a double.
func TestTheSystemIsAskedToSync(t *testing.T) {
	if path := os.Getenv(traced); path != "" {
		if err := ReplaceFile(path, []byte("new")); err != nil {
			t.Fatal(err)
		}
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("there is no strace to see the calls with (Debian: apt-get install strace)")
	}
	dir := t.TempDir()
	path, trace := filepath.Join(dir, "file"), filepath.Join(t.TempDir(), "trace")
	// -y prints the path of what a file descriptor stands for.
	cmd := exec.Command(strace, "-f", "-y", "-o", trace, "-e", "trace=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2",
		os.Args[0], "-test.run=^TestTheSystemIsAskedToSync$")
	cmd.Env = append(os.Environ(), traced+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "ptrace") {
			t.Skipf("strace may not trace here: %s", out)
		}
		t.Fatalf("%v\n%s", err, out)
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
