package integration

import (
	"bufio"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dictionary is the form of a line of debug.
var dictionary = regexp.MustCompile(`^\{'partition': ([0-3]), 'key': '([A-Z][a-z]+)', 'date': '\d{4}-\d\d-\d\d', 'degrees': -?\d+\.\d+\}$`)

// TestDebug does one thing after the other, since every debug joins the same
// group, and waits for those that come and go.
func TestDebug(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "10", "--start", "1989-01-01")
		feed := p.launch("produce", "--resume", "--start", "1990-01-01", "--delay", "2ms", "--duplicates", "0.3")
		dictionaries := p.ok("debug", "-n", "100").stdout
		inJSON := p.ok("debug", "-n", "20", "-o", "json").stdout
		p.firstLine("debug")
		debug := p.launch("debug")
		debug.awaits("a line", func() bool { return len(debug.stdout.lines()) > 0 })
		feed.stop().must(t, 0)
		p.dictionaries(dictionaries)
		jsonLines(t, inJSON)
		p.recreatedUnder(debug)
	})
}

// recreatedUnder creates the topic anew while debug runs, which must go on with
// its first record.
func (p place) recreatedUnder(debug *process) {
	p.t.Helper()
	p.produce("--recreate", "--days", "50", "--start", "2001-01-01", "--duplicates", "0")
	var dates []string
	debug.awaits("50 dates of the new topic", func() bool {
		dates = dates[:0]
		for _, line := range debug.stdout.lines() {
			if _, date, ok := strings.Cut(line, "'date': '2001-"); ok {
				dates = append(dates, "2001-"+date[:5])
			}
		}
		return len(dates) >= 50
	})
	debug.stop().must(p.t, 0)
	slices.Sort(dates)
	if dates = slices.Compact(dates); len(dates) != 50 || dates[49] != "2001-02-19" {
		p.t.Errorf("debug printed of the new topic %v", dates)
	}
}

// dictionaries checks 100 lines that debug printed.
func (p place) dictionaries(text string) {
	p.t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 100 {
		p.t.Errorf("debug -n 100 printed %d lines", len(lines))
	}
	for _, line := range lines {
		if m := dictionary.FindStringSubmatch(line); m == nil || m[1] != string('0'+rune(partitionOf[m[2]])) {
			p.t.Errorf("debug printed %q", line)
		}
		if strings.Contains(line, "'date': '1989") {
			p.t.Errorf("debug began before it was started: %s", line)
		}
	}
	if !strings.Contains(text, "'degrees': 1000000.0}") {
		p.t.Errorf("debug printed no repeat:\n%s", text)
	}
	p.t.Run("as Python prints them", func(t *testing.T) {
		needPython(t)
		printed := strings.Split(p.python("read.py", "4"), "\n")
		for _, line := range lines {
			if !slices.Contains(printed, line) {
				t.Errorf("Python prints no record as %s", line)
			}
		}
	})
}

func jsonLines(t *testing.T, text string) {
	t.Helper()
	if n := strings.Count(text, "\n"); n != 20 {
		t.Errorf("debug -n 20 -o json printed %d lines", n)
	}
	for line := range strings.Lines(text) {
		var record struct {
			Partition *int
			Offset    *int64
			Key, Date string
			Degrees   *float64
		}
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&record); err != nil || record.Partition == nil || record.Offset == nil || record.Degrees == nil {
			t.Errorf("debug -o json printed %s: %v", line, err)
		} else if *record.Partition != partitionOf[record.Key] || parse(t, record.Date).Month().String() != record.Key {
			t.Errorf("debug -o json printed %s", line)
		}
	}
}

// firstLine reads one line of a command and closes the pipe, as head -n 1 does.
// The command must end by itself, without a word.
func (p place) firstLine(args ...string) {
	p.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	debug := newProcess(p.t, p.here(args)...)
	debug.cmd.Stdout = w
	debug.start()
	w.Close()
	line, err := bufio.NewReader(r).ReadString('\n')
	r.Close()
	if err != nil || !dictionary.MatchString(strings.TrimSuffix(line, "\n")) {
		p.t.Errorf("its first line is %q: %v", line, err)
	}
	if ended := debug.wait(); ended.code != 0 || ended.stderr != "" {
		p.t.Errorf("after its pipe was closed: %v", ended)
	}
}
