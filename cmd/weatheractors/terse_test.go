package main

import (
	"bytes"
	"log/slog"
	"regexp"
	"testing"
)

func TestLogLinesForPeople(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newTerse(&out, slog.LevelInfo))
	for _, test := range []struct {
		rule string
		say  func()
		want string
	}{
		{"time of day, what happens, what it is about", func() { log.Info("counting", "partition", 2, "lag", 7) }, `counting partition=2 lag=7\n`},
		{"a level that is not the usual one", func() { log.Warn("can't read", "cause", "no route") }, `WARN can't read cause="no route"\n`},
		{"nothing to add", func() { log.Info("reading again") }, `reading again\n`},
		{"attributes of a logger", func() { log.With("a", 1).WithGroup("b").Info("c", "level", 2) }, `c a=1 b\.level=2\n`},
	} {
		out.Reset()
		test.say()
		if !regexp.MustCompile(`^\d\d:\d\d:\d\d ` + test.want + `$`).Match(out.Bytes()) {
			t.Errorf("%s: it is %q, want %q", test.rule, out.String(), test.want)
		}
	}
	out.Reset()
	if log.Debug("detail"); out.Len() > 0 {
		t.Errorf("below its level it says %q", out.String())
	}
}
