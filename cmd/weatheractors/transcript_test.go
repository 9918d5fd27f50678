package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/weatheractors/weatheractors/weather"
)

var update = flag.Bool("update", false, "write what commands print into the transcripts of testdata/script")

// transcript is the script command that runs what a file of the script shows, as
// a terminal would: each line that begins with "$ " by a shell, followed by what
// it prints, and its exit status if that is not 0. In what is printed, … stands
// for anything within a line; the time of log lines is left out, and addresses
// and folders go by the name of their variable.
func transcript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("want the name of a file of the script")
	}
	var blocks []string
	differs := false
	for block := range strings.SplitSeq("\n\n"+strings.TrimSpace(ts.ReadFile(args[0])), "\n\n$ ") {
		if block == "" {
			continue // before the first
		}
		command, shown, _ := strings.Cut(block, "\n")
		got := printed(ts, command)
		if alike(shown, got) {
			got = shown
		} else {
			differs = true
			ts.Logf("$ %s\nprints\n%s\ninstead of\n%s", command, got, shown)
		}
		blocks = append(blocks, strings.TrimRight("$ "+command+"\n"+got, "\n"))
	}
	switch {
	case differs && *update:
		ts.Check(writeShown(filepath.Join("testdata/script", ts.Name()+".txtar"), args[0], strings.Join(blocks, "\n\n")+"\n"))
	case differs:
		ts.Fatalf("if that is right, go test -run TestScripts/%s -update makes %s show it", ts.Name(), args[0])
	}
}

// printed runs a command and returns all that it prints.
func printed(ts *testscript.TestScript, command string) string {
	err := ts.Exec("sh", "-c", "exec 2>&1; "+command)
	text := ts.ReadFile("stdout")
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		text += "exit status " + strconv.Itoa(exit.ExitCode()) + "\n"
	} else if err != nil {
		text += err.Error() + "\n"
	}
	text = regexp.MustCompile(`(?m)^time=\S+ `).ReplaceAllString(text, "")
	for _, variable := range []string{"BROKER", "SECURE", "NOBODY", "WORK"} {
		text = strings.ReplaceAll(text, ts.Getenv(variable), "$"+variable)
	}
	return text
}

// alike compares what is printed with what is shown.
func alike(shown, printed string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimRight(shown, "\n")), "…", ".*")
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimRight(printed, "\n"))
}

func writeShown(script, name, content string) error {
	archive, err := txtar.ParseFile(script)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if i < len(archive.Files)-1 {
		content += "\n" // before the name of the next
	}
	archive.Files[i].Data = []byte(content)
	return os.WriteFile(script, txtar.Format(archive), 0o644)
}

// TestEveryHintIsShown wants a transcript for every hint that the program can
// give, so that none is given that nobody has read where it stands.
func TestEveryHintIsShown(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range archive.Files {
			if !strings.Contains(string(archive.Comment), "transcript "+file.Name+"\n") {
				continue
			}
			for line := range strings.Lines(string(file.Data)) {
				if text, ok := strings.CutPrefix(line, "hint: "); ok {
					shown[strings.TrimSpace(text)] = true
				}
			}
		}
	}
	if !shown[certificateHint] {
		t.Errorf("no transcript in testdata/script shows the hint about certificates")
	}
	given := map[string]error{}
	for _, h := range hints {
		if other := given[h.hint]; other != nil {
			t.Errorf("%q and %q have the same hint: which one a transcript shows can't be told", h.err, other)
		}
		given[h.hint] = h.err
		if errors.Is(h.err, weather.ErrTooLong) {
			continue // a transcript would read gigabytes; weather has a test of the error
		}
		if !shown[h.hint] {
			t.Errorf("no transcript in testdata/script shows the hint of %q: %s", h.err, h.hint)
		}
	}
}
