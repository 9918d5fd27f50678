package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// commands are what scripts can say beyond testscript's own:
//
//	usage PATTERN command...   the command ends with exit status 2
//	fails PATTERN command...   it ends with exit status 1
//
// and what it prints on standard error begins with the program's name and
// matches PATTERN;
//
//	gzip FILE    compresses it to FILE.gz
//	halve FILE   keeps the first half of it
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"usage": func(ts *testscript.TestScript, neg bool, args []string) { expectExit(ts, neg, exitUsage, args) },
	"fails": func(ts *testscript.TestScript, neg bool, args []string) { expectExit(ts, neg, exitFailed, args) },
	"gzip": func(ts *testscript.TestScript, _ bool, args []string) {
		var compressed bytes.Buffer
		z := gzip.NewWriter(&compressed)
		_, err := z.Write([]byte(ts.ReadFile(args[0])))
		ts.Check(errors.Join(err, z.Close()))
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".gz"), compressed.Bytes(), 0o600))
	},
	"halve": func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(len(ts.ReadFile(args[0]))/2)))
	},
}

func expectExit(ts *testscript.TestScript, neg bool, status int, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("want a pattern and a command")
	}
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != status {
		ts.Fatalf("ended with %v, want exit status %d", err, status)
	}
	pattern, err := regexp.Compile(`(?m)^weatheractors: .*(` + args[0] + `)`)
	ts.Check(err)
	if stderr := ts.ReadFile("stderr"); !pattern.MatchString(stderr) {
		ts.Fatalf("standard error does not match %q", pattern)
	}
}
