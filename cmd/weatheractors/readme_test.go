package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// Those of the README's commands that run for ever, or for long, are interrupted
// after a while, as a reader would do; the others must end by themselves.
var endless = []string{
	"weatheractors demo --duration 5s",
	"weatheractors produce",
	"weatheractors consume 0 2",
	"weatheractors consume 1 3 --plot files/month.svg",
	"weatheractors debug",
	"weatheractors consume --all --http 127.0.0.1:8080",
	"weatheractors demo --faults",
	"weatheractors serve --http 127.0.0.1:8080",
}

const (
	aWhile  = 500 * time.Millisecond
	tooLong = time.Minute
)

// TestREADME runs the commands that the README shows, one after the other, in a
// folder of their own and with a broker of their own. Each must end well, or
// when it is interrupted.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := shown(string(readme))
	if len(commands) < 10 {
		t.Fatalf("the README shows %d commands, want at least 10: has its form changed?", len(commands))
	}
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "weather/testdata"), os.DirFS("../../weather/testdata")); err != nil {
		t.Fatal(err)
	}
	container := t.TempDir() // has files of its own
	for _, command := range commands {
		t.Run(strings.ReplaceAll(command, "/", "|"), func(t *testing.T) {
			words := strings.Fields(strings.Replace(command, "go run ./cmd/weatheractors", "weatheractors", 1))
			if words[0] == "go" {
				t.Skip("the go command's own: go test runs this test, and an installed program is the one built here")
			}
			place := dir
			if inContainer := len(words) > 4 && slices.Equal(words[:4], []string{"docker", "exec", "-it", "p7"}); inContainer {
				words, place = words[4:], container
			}
			if words[0] == "docker" {
				t.Skip("there may be no Docker here: .ci/image builds the images, and starts what is in them")
			}
			runShown(t, place, broker.Addr(), words)
		})
	}
}

// TestDockerfileHasTheTargetsThatAreNamed holds those who tell of its images to
// their word.
func TestDockerfileHasTheTargetsThatAreNamed(t *testing.T) {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"README.md", "Dockerfile", "docs/compose.yml"} {
		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(`(?:--target|target:) +(\w+)`).FindAllSubmatch(text, -1)
		if len(named) == 0 {
			t.Errorf("%s names no target: has its form changed?", path)
		}
		for _, target := range named {
			if !bytes.Contains(dockerfile, slices.Concat([]byte(" AS "), target[1], []byte("\n"))) {
				t.Errorf("%s names the target %s, which the Dockerfile does not have", path, target[1])
			}
		}
	}
}

// shown returns the commands in a text: what follows "$ " in blocks marked
// console.
func shown(text string) (commands []string) {
	console := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			console = line == "```console"
		}
		if command, found := strings.CutPrefix(line, "$ "); console && found {
			commands = append(commands, command)
		}
	}
	return commands
}

// runShown runs a command that the README shows.
func runShown(t *testing.T, dir, broker string, words []string) {
	t.Helper()
	wait := aWhile
	if !slices.Contains(endless, strings.Join(words, " ")) {
		wait = tooLong
	}
	for ; ; wait *= 2 {
		stderr, err := runFor(t, wait, dir, broker, words)
		if err == nil {
			return
		}
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Exited() || wait >= tooLong {
			t.Fatalf("%v ended with %v:\n%s", words, err, stderr)
		}
		// On a busy machine it was interrupted before it could mind.
	}
}

// runFor runs a command, and interrupts it after a while.
func runFor(t *testing.T, wait time.Duration, dir, broker string, words []string) (stderr string, err error) {
	t.Helper()
	var output bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), wait+tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	if i := slices.Index(words, "127.0.0.1:8080"); i > 0 {
		cmd.Args[i] = "127.0.0.1:0" // others may be at work here
	}
	cmd.Dir, cmd.Stderr = dir, &output
	cmd.Env = append(os.Environ(), "WEATHERACTORS_BROKERS="+broker)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	interrupt := time.AfterFunc(wait, func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Error(err)
		}
	})
	defer interrupt.Stop()
	err = cmd.Wait()
	return output.String(), err
}

// TestDesignNamesTestsThatExist holds docs/design.md to its word: what it says
// can go wrong is shown by tests.
func TestDesignNamesTestsThatExist(t *testing.T) {
	design, err := os.ReadFile("../../docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]+`).FindAllString(string(design), -1)
	if len(named) < 20 {
		t.Fatalf("it names %d tests, want at least 20: has its form changed?", len(named))
	}
	existing := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	if err := filepath.WalkDir("../..", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(source), -1) {
			existing[match[1]] = true
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, name := range named {
		if !existing[name] {
			t.Errorf("docs/design.md names %s, which does not exist", name)
		}
	}
}
