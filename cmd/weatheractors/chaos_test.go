package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/messages"
)

// saboteur is the program with a fault, for chaos to notice.
func saboteur() {
	fault, command := os.Getenv("SABOTAGE"), os.Args[1]
	if fault == "exit" && command == "produce" {
		fmt.Fprintln(os.Stderr, "weatheractors: bored")
		os.Exit(exitFailed)
	}
	code := run(os.Args[1:], os.Stdout, os.Stderr)
	if at := slices.Index(os.Args, "--dir"); command == "consume" && slices.Contains(os.Args, "--until-end") {
		switch dir := os.Args[at+1]; {
		case fault == "day":
			edit(dir, `("count": )31(.*"start": "1990-01-01")`, "${1}30$2")
		case fault == "byte" && filepath.Base(dir) == "files":
			edit(dir, `("sum": )\d`, "${1}")
		}
	}
	os.Exit(code)
}

// edit replaces the first match of a pattern in the file that has January.
func edit(dir, pattern, by string) {
	path := filepath.Join(dir, "partition-2.json")
	text, err := os.ReadFile(path)
	must(err)
	re := regexp.MustCompile(pattern)
	match := re.FindSubmatchIndex(text)
	edited := slices.Concat(text[:match[0]], re.Expand(nil, []byte(by), text, match), text[match[1]:])
	must(os.WriteFile(path, edited, 0o600))
}

// TestChaosLeavesNothingBehind ends chaos in the middle, by Ctrl-C.
func TestChaosLeavesNothingBehind(t *testing.T) {
	c := beginChaos(t)
	c.end(t, os.Interrupt)
	if code := c.cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(c.stderr.String(), "nothing is proven: interrupted\n") {
		t.Errorf("exit status %d:\n%s", code, &c.stderr)
	}
	if left, err := os.ReadDir(c.temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := kafka.Partitions(t.Context(), c.cluster); !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("topic %s: %v, want that it is gone", c.cluster.Topic, err)
	}
}

// TestChaosThatIsKilledLeavesNoProcess: whoever runs it need not look for them.
func TestChaosThatIsKilledLeavesNoProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux kills processes with the one that started them")
	}
	beginChaos(t).end(t, os.Kill)
}

// chaosUnderWay is a chaos that would never end.
type chaosUnderWay struct {
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	temp    string // its folder for temporary files
	cluster kafka.Config
}

// beginChaos returns once it has three processes, and its topic.
func beginChaos(t *testing.T) *chaosUnderWay {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("without /proc nobody can tell whose processes there are")
	}
	broker := brokerFor(t)
	c := &chaosUnderWay{temp: t.TempDir(), cluster: kafka.Config{Brokers: []string{broker.Addr()}}}
	c.cmd = exec.Command("weatheractors", "chaos", "--kills", "1000000", "--brokers", broker.Addr())
	c.cmd.Env, c.cmd.Stderr = append(os.Environ(), "TMPDIR="+c.temp), &c.stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it has processes and a topic", func() bool {
		family := c.processes(t)
		if len(family) != 3 {
			return false
		}
		c.cluster.Topic = regexp.MustCompile(`weatheractors-chaos-[0-9a-f]{12}`).FindString(family[0].args)
		_, err := kafka.Partitions(t.Context(), c.cluster)
		return err == nil
	})
	return c
}

// end ends it by a signal. It must not outlive it.
func (c *chaosUnderWay) end(t *testing.T, how os.Signal) {
	t.Helper()
	family := c.processes(t)
	if err := c.cmd.Process.Signal(how); err != nil {
		t.Fatal(err)
	}
	_ = c.cmd.Wait() // ProcessState has it
	eventually(t, "its processes are gone", func() bool {
		return !slices.ContainsFunc(processes(t), func(p proc) bool {
			return strings.Contains(p.args, c.cluster.Topic) || slices.Contains(family, p)
		})
	})
}

// processes are those that it has started.
func (c *chaosUnderWay) processes(t *testing.T) []proc {
	t.Helper()
	return slices.DeleteFunc(processes(t), func(p proc) bool { return p.parent != strconv.Itoa(c.cmd.Process.Pid) })
}

// proc is a process of the system.
type proc struct {
	pid, parent, args string
}

func processes(t *testing.T) (all []proc) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err1 := os.ReadFile(path)
		args, err2 := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err1 != nil || err2 != nil {
			continue // ended meanwhile
		}
		// The name in parentheses may hold anything; then come state and parent.
		_, rest, _ := strings.Cut(string(stat), ") ")
		if fields := strings.Fields(rest); len(fields) > 1 && fields[0] != "Z" {
			all = append(all, proc{filepath.Base(filepath.Dir(path)), fields[1], string(args)})
		}
	}
	return all
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline, look := time.NewTimer(tooLong), time.NewTicker(10*time.Millisecond)
	defer deadline.Stop()
	defer look.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("waited %v in vain: %s", tooLong, what)
		}
	}
}
