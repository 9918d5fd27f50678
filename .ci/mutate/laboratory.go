package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// laboratory is where mutants are tried.
type laboratory struct {
	root    string // of the module
	scratch string // a folder for changed files
	limit   time.Duration
}

// verdict is what a run of tests has come to.
type verdict struct {
	ran    bool // there was a test to run
	failed []string
	build  string // what the compiler said, if it failed
	said   string // by the compiler
	late   bool
}

// baseline runs the tests of every package concerned, as they are: a mutant that
// is noticed by tests that fail anyway proves nothing.
func (l *laboratory) baseline(ctx context.Context, mutants []*mutant) error {
	var packages []string
	for _, m := range mutants {
		if m.equivalent == "" && !slices.Contains(packages, m.in) {
			packages = append(packages, m.in)
		}
	}
	l.limit = 10 * time.Minute
	began := time.Now()
	v, err := l.test(ctx, "", "", packages...)
	switch {
	case err != nil:
		return err
	case v.build != "":
		return fmt.Errorf("does not compile unmutated:\n%s", v.build)
	case len(v.failed) > 0:
		return fmt.Errorf("tests fail unmutated: %s", strings.Join(v.failed, ", "))
	}
	// What takes so much longer than all of them together has hung.
	l.limit = time.Minute + 2*time.Since(began)
	return nil
}

// try tries a mutant: the tests that are to notice it, then all others.
func (l *laboratory) try(ctx context.Context, m *mutant) {
	switch {
	case m.outcome == broken: // the tables are wrong
		return
	case m.equivalent != "":
		m.outcome, m.detail = equivalent, m.equivalent
		return
	}
	began := time.Now()
	defer func() { m.took = time.Since(began) }()
	overlay, err := l.overlay(m)
	if err != nil {
		m.outcome, m.detail = broken, err.Error()
		return
	}
	patterns := []string{""}
	if m.by != "" {
		patterns = []string{"^(" + m.by + ")$", ""}
	}
	for _, pattern := range patterns {
		v, err := l.test(ctx, overlay, pattern, m.in)
		switch {
		case err != nil:
			m.outcome, m.detail = broken, err.Error()
		case v.build != "":
			m.outcome, m.detail, m.output = broken, "does not compile", v.build
		case !v.ran:
			m.outcome, m.detail = broken, "no test "+m.by+" in "+m.in
		case v.late:
			m.outcome, m.detail = timedOut, m.in+" "+first(v.failed)
		case len(v.failed) > 0:
			m.outcome, m.detail = noticed, first(v.failed)
		default:
			m.outcome = survived
			continue
		}
		return
	}
}

func first(tests []string) string {
	switch len(tests) {
	case 0:
		return ""
	case 1:
		return tests[0]
	default:
		return fmt.Sprintf("%s and %d more", tests[0], len(tests)-1)
	}
}

// overlay writes the mutated file, and what makes the compiler take it.
func (l *laboratory) overlay(m *mutant) (path string, err error) {
	original := filepath.Join(l.root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(l.scratch, "")
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(dir, filepath.Base(original))
	if err := os.WriteFile(mutated, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, replace, 0o600)
}

// test runs tests under an overlay, if there is one.
func (l *laboratory) test(ctx context.Context, overlay, pattern string, packages ...string) (v verdict, err error) {
	args := []string{"test", "-json", "-count=1", "-vet=off", "-ldflags=-s -w", "-failfast", "-timeout", l.limit.String()}
	if pattern != "" {
		args = append(args, "-run", pattern)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Dir = l.root
	// Some tests build the program by themselves: the flag must reach them, too.
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+overlayFlag(overlay)))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return v, err
	}
	if err := cmd.Start(); err != nil {
		return v, err
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		v.hear(lines.Bytes())
	}
	err = cmd.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && (len(v.failed) > 0 || v.build != "") {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("go test: %w\n%s", err, &stderr)
	}
	return v, err
}

func overlayFlag(overlay string) string {
	if overlay == "" {
		return ""
	}
	return "-overlay=" + overlay
}

// event is a line of go test -json.
type event struct {
	Action, Package, Test, Output, FailedBuild string
}

func (v *verdict) hear(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		return
	}
	switch e.Action {
	case "run":
		v.ran = true
	case "build-output":
		v.said += e.Output
	case "output":
		v.late = v.late || strings.HasPrefix(e.Output, "panic: test timed out after")
	case "fail":
		v.fail(e)
	}
}

// fail notes the test that failed, and not those around it.
func (v *verdict) fail(e event) {
	switch {
	case e.FailedBuild != "":
		v.build = v.said
	case e.Test == "" && len(v.failed) == 0:
		v.failed = append(v.failed, "the tests of "+filepath.Base(e.Package)) // a panic between two tests
	case e.Test != "":
		v.failed = slices.DeleteFunc(v.failed, func(other string) bool { return strings.HasPrefix(e.Test, other+"/") })
		if !slices.ContainsFunc(v.failed, func(other string) bool { return strings.HasPrefix(other, e.Test+"/") }) {
			v.failed = append(v.failed, e.Test)
		}
	}
}
