package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var summary = regexp.MustCompile(`Published: ([\d,]+) days from 1990-01-01 to (\S+),
 +([\d,]+) of them a second time, as 1000000 °F\.
Read: +([\d,]+) reports; the ([\d,]+) repeats were ignored\.
Proven: +the files hold ([\d,]+) days: each was counted exactly once,`)

func TestDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	demo := launch(t, "demo", "--dir", dir)
	demo.awaits("progress", func() bool { return strings.Contains(demo.stdout.String(), " times\n") })
	if err := demo.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r := demo.wait().must(t, 0)
	m := summary.FindStringSubmatch(r.stdout)
	if m == nil {
		t.Fatalf("no summary: %v", r)
	}
	number := func(group int) int {
		n, err := strconv.Atoi(strings.ReplaceAll(m[group], ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if days, repeats := number(1), number(3); days == 0 || days != number(6) || repeats != number(5) || days+repeats != number(4) {
		t.Errorf("the numbers do not add up: %v", r)
	}
	p := place{t: t, dir: dir}
	tally := p.tally()
	if last := m[2]; tally[parse(t, last).Month().String()][last[:4]].End != last {
		t.Errorf("%s was published last, and is not the end of its month: %+v", last, tally)
	}
	contains(t, "month.svg", p.read("month.svg"), ">January-", ">Avg. Max Temperature<")
}

func TestDemoEmptiesNobodysFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := filepath.Join(dir, "partition-0.json")
	if err := os.WriteFile(mine, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	launch(t, "demo", "--dir", dir).wait().must(t, 1, dir)
	if content, err := os.ReadFile(mine); string(content) != "mine" {
		t.Errorf("it holds %q now: %v", content, err)
	}
}
