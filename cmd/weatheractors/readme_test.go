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
	"syscall"
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
	for _, command := range commands {
		t.Run(strings.ReplaceAll(command, "/", "|"), func(t *testing.T) {
			words := strings.Fields(strings.Replace(command, "go run ./cmd/weatheractors", "weatheractors", 1))
			if words[0] == "go" {
				t.Skip("the go command's own: go test runs this test, and an installed program is the one built here")
			}
			runShown(t, dir, broker.Addr(), words)
		})
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

func runShown(t *testing.T, dir, broker string, words []string) {
	t.Helper()
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "WEATHERACTORS_BROKERS="+broker)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(endless, strings.Join(words, " ")) {
		interrupt := time.AfterFunc(aWhile, func() {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		})
		defer interrupt.Stop()
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v ended with %v:\n%s", words, err, &stderr)
	}
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
