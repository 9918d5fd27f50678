package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// commands are what scripts can say beyond testscript's own:
//
//	usage PATTERN command...   the command ends with exit status 2
//	fails PATTERN command...   it ends with exit status 1
//
// and what it prints on standard error begins with the program's name and
// matches PATTERN;
//
//	transcript FILE     the commands in it print what it shows
//	await FILE TEXT     waits until a file holds a text
//
//	hold FOLDER PARTITION                   locks a partition, as another process would
//	hold-broker FOLDER                      runs a broker that keeps its topics there
//	publish TOPIC PARTITION KEY VALUE       puts a record there whatever it is
//	warm-up FILE                            publishes until FILE has something in it
//	delete-records TOPIC PARTITION OFFSET   deletes the records below an offset
//	refuse KIND CODE TIMES                  makes the broker refuse such requests
//
//	gzip FILE          compresses it to FILE.gz
//	halve FILE         keeps the first half of it
//	pad FILE BYTES     makes it a file of rejects that has more than that many
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"usage":          func(ts *testscript.TestScript, neg bool, args []string) { expectExit(ts, neg, exitUsage, args) },
	"fails":          func(ts *testscript.TestScript, neg bool, args []string) { expectExit(ts, neg, exitFailed, args) },
	"transcript":     transcript,
	"publish":        publishRecord,
	"delete-records": deleteRecords,
	"refuse":         refuse,
	"warm-up":        warmUp,
	"await":          await,
	"hold": func(ts *testscript.TestScript, _ bool, args []string) {
		held, err := checkpoint.Open(ts.MkAbs(args[0]), number(ts, args[1]))
		ts.Check(err)
		ts.Defer(func() { ts.Check(held.Close()) })
	},
	"hold-broker": func(ts *testscript.TestScript, _ bool, args []string) {
		broker, err := embedded.Start(embedded.Config{Listen: "127.0.0.1:0", DataDir: ts.MkAbs(args[0])})
		ts.Check(err)
		ts.Defer(func() { ts.Check(broker.Close()) })
	},
	"start": start,
	"get":   get,
	"stop":  stop,
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
	"pad": func(ts *testscript.TestScript, _ bool, args []string) {
		rest := strings.Repeat("x", int(number(ts, args[1])))
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(rest+"\n{\"offset\": 0}\n"), 0o600))
	},
}

func await(ts *testscript.TestScript, _ bool, args []string) {
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.After(tooLong); ; {
		if content, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && strings.Contains(string(content), args[1]) {
			return
		}
		select {
		case <-poll.C:
		case <-deadline:
			ts.Fatalf("%s does not hold %q", args[0], args[1])
		}
	}
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
