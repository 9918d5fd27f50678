package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

var summary = regexp.MustCompile(`(?s)Published (\d+) reports, up to (\S+): (\d+) days, and (\d+) of them twice\.
Counted   (\d+) days, each once; ignored (\d+) duplicates; kept 0 aside that can't be counted\.
Written `)

func TestDemo(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "demo")
	demo := launch(t, "demo", "--dir", dir)
	demo.awaits("progress", func() bool { return strings.Contains(demo.stdout.String(), "counted") })
	if err := demo.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	r := demo.wait().must(t, 0)
	m := summary.FindStringSubmatch(r.stdout)
	if m == nil {
		t.Fatalf("no summary: %v", r)
	}
	if days, repeats := m[3], m[4]; days == "0" || days != m[5] || repeats != m[6] {
		t.Errorf("published %s days and %s repeats, counted %s and ignored %s: %v", days, repeats, m[5], m[6], r)
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
