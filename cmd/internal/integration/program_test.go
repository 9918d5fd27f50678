package integration

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	module = "github.com/weatheractors/weatheractors"
	// root is the module's folder, from here.
	root = "../../.."
)

// build compiles the program and returns its path.
var build = sync.OnceValues(func() (string, error) {
	if err := lookAtSources(); err != nil {
		return "", err
	}
	path := filepath.Join(scratch, "weatheractors")
	args := []string{"build", "-ldflags=-w", "-o", path}
	if withRaceDetector() {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, module+"/cmd/weatheractors")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
})

// lookAtSources opens every folder of the module: go test remembers which ones a
// test opened, and runs it again when something in them has changed. It can't
// know by itself that the test builds a program from them.
func lookAtSources() error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
}

func withRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// process is the program, running or ended.
type process struct {
	t              testing.TB
	command        string
	cmd            *exec.Cmd
	stdout, stderr transcript
	began          time.Time
	ended          chan struct{} // closed then
}

// launch runs the program in the background. It is killed at the end of the
// test, if not before.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	p := newProcess(t, args...)
	p.cmd.Stdout = &p.stdout
	p.start()
	return p
}

func newProcess(t testing.TB, args ...string) *process {
	t.Helper()
	cmd, err := command(args...)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, command: "weatheractors " + strings.Join(args, " "), cmd: cmd, ended: make(chan struct{})}
	p.cmd.Stderr = &p.stderr
	return p
}

// command is the program in an environment that says nothing about it.
func command(args ...string) (*exec.Cmd, error) {
	path, err := build()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEATHERACTORS_") })
	// With the race detector a program takes a second to exit, unless told.
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=10")
	return cmd, nil
}

func (p *process) start() {
	p.t.Helper()
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", p.command, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ProcessState has it
	}()
	p.t.Cleanup(p.cleanUp)
}

func (p *process) cleanUp() {
	p.kill()
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(p.stderr.String(), bad) {
			p.t.Errorf("%s said %q:\n%s", p.command, bad, p.stderr.String())
		}
	}
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// kill ends it at once, as kill -9 does, and tells whether it still ran.
func (p *process) kill() bool {
	err := p.cmd.Process.Kill()
	<-p.ended
	return err == nil && p.cmd.ProcessState.ExitCode() == -1
}

// stop asks it to end, and waits until it has.
func (p *process) stop() result {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%s: %v", p.command, err)
	}
	return p.wait()
}

// wait returns what it left when it ended by itself.
func (p *process) wait() result {
	p.t.Helper()
	hung := time.NewTimer(limit)
	defer hung.Stop()
	select {
	case <-p.ended:
	case <-hung.C:
		p.kill()
		p.t.Fatalf("%s: did not end within %v\n%s%s", p.command, limit, p.stdout.String(), p.stderr.String())
	}
	return result{p.command, p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String(), time.Since(p.began)}
}

// awaits waits until ok says that it has said enough.
func (p *process) awaits(what string, ok func() bool) {
	p.t.Helper()
	eventually(p.t, p.command+": "+what, func() bool {
		alive := p.running()
		if ok() {
			return true
		}
		if !alive {
			p.t.Fatalf("%s: ended before %s\n%s", p.command, what, p.wait())
		}
		return false
	})
}

// result is what a process left when it ended.
type result struct {
	command        string
	code           int // -1: ended by a signal
	stdout, stderr string
	took           time.Duration
}

func (r result) String() string {
	return fmt.Sprintf("%s\nexit %d\n%s%s", r.command, r.code, r.stdout, r.stderr)
}

// must checks the exit code, and that standard error has each of the texts.
func (r result) must(t testing.TB, code int, stderr ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("want exit %d: %v", code, r)
	}
	for _, text := range stderr {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("want %q in standard error: %v", text, r)
		}
	}
	return r
}

// transcript collects what a process writes while others read it.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// lines are the whole lines so far.
func (s *transcript) lines() []string {
	text := s.String()
	end := strings.LastIndexByte(text, '\n')
	if end < 0 {
		return nil
	}
	return strings.Split(text[:end], "\n")
}
