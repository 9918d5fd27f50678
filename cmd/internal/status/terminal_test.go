package status

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

// terminal is as much of a terminal as a Screen uses. What it does not know, it
// panics at.
type terminal struct {
	width, height int

	lines    [][]rune     // all there were; the last height of them are on it
	broken   map[int]bool // lines that it broke: the next one belongs to them
	row, col int          // of the cursor, in lines
	nowrap   bool
	styles   int // that were begun
}

func newTerminal(width, height int) *terminal {
	return &terminal{width: width, height: height, lines: make([][]rune, 1), broken: map[int]bool{}}
}

func (t *terminal) size() (width, height int) { return t.width, t.height }

// top is the first line that is on it.
func (t *terminal) top() int { return max(0, len(t.lines)-t.height) }

func (t *terminal) Write(p []byte) (int, error) {
	for text := string(p); text != ""; {
		if sequence, found := strings.CutPrefix(text, "\x1b["); found {
			end := strings.IndexFunc(sequence, func(r rune) bool { return r >= '@' && r <= '~' })
			t.control(sequence[:end], sequence[end])
			text = sequence[end+1:]
			continue
		}
		r := []rune(text)[0]
		t.put(r)
		text = text[len(string(r)):]
	}
	return len(p), nil
}

func (t *terminal) control(argument string, final byte) {
	switch argument + string(final) {
	case "K":
		t.lines[t.row] = t.lines[t.row][:min(t.col, len(t.lines[t.row]))]
		if t.col == 0 {
			delete(t.broken, t.row)
		}
	case "J":
		t.control("", 'K')
		for i := t.row + 1; i < len(t.lines); i++ {
			t.lines[i] = nil
			delete(t.broken, i)
		}
	case "?7l":
		t.nowrap = true
	case "?7h":
		t.nowrap = false
	case "0m", "2m", "32m", "33m":
		t.styles++
	default:
		var up int
		if n, err := fmt.Sscanf(argument, "%d", &up); final != 'A' || n != 1 || err != nil {
			panic(fmt.Sprintf("unknown sequence %q", argument+string(final)))
		}
		t.row = max(t.top(), t.row-up)
	}
}

func (t *terminal) put(r rune) {
	switch {
	case r == '\r':
		t.col = 0
	case r == '\n':
		if t.row++; t.row == len(t.lines) {
			t.lines = append(t.lines, nil)
		}
		t.col = 0 // as the terminal's driver has it
	case r < ' ':
		panic(fmt.Sprintf("control character %q", r))
	case t.col == t.width && t.nowrap:
		t.lines[t.row][t.col-1] = r
	case t.col == t.width:
		t.put('\n')
		t.put(r)
	default:
		for len(t.lines[t.row]) <= t.col {
			t.lines[t.row] = append(t.lines[t.row], ' ')
		}
		t.lines[t.row][t.col] = r
		t.col++
	}
}

// resize makes it narrower or wider, as most terminals do it: lines that are too
// long are broken, and those that were, joined, whatever stands there by now.
func (t *terminal) resize(width int) {
	var lines [][]rune
	broken, row := map[int]bool{}, 0
	for i := 0; i < len(t.lines); i++ {
		line := slices.Clone(t.lines[i])
		row = cmp.Or(row, t.rowAt(i, len(lines)))
		for ; t.broken[i]; i++ {
			line = append(line, t.lines[i+1]...)
		}
		for ; len(line) > width; line = line[width:] {
			broken[len(lines)] = true
			lines = append(lines, line[:width:width])
		}
		lines = append(lines, line)
	}
	t.width, t.lines, t.broken, t.row = width, lines, broken, row
}

// rowAt is where the cursor is once line i has become line n.
func (t *terminal) rowAt(i, n int) int {
	if i == t.row {
		return n
	}
	return 0
}

// text is what is on it, and what has left it at the top.
func (t *terminal) text() string {
	var b strings.Builder
	for _, line := range t.lines {
		b.WriteString(strings.TrimRight(string(line), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

func TestScreenKeepsTheBlockBelowTheLog(t *testing.T) {
	term := newTerminal(20, 6)
	s := NewScreen(term, term.size, false)
	block := func(texts ...string) (lines []Line) {
		for _, text := range texts {
			lines = append(lines, Line{Text: text, Style: Heading})
		}
		return lines
	}
	log := func(text string) func() {
		return func() {
			if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("Write returned %d, %v", n, err)
			}
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a log line before there is a block", log("one\n"), "one"},
		{"a block", func() { s.Show(block("a 1", "b 10")) }, "one\na 1\nb 10"},
		{"a block that changes", func() { s.Show(block("a 12", "b 9")) }, "one\na 12\nb 9"},
		{"log lines above it", log("two\nthree\n"), "one\ntwo\nthree\na 12\nb 9"},
		{"a long log line", log("a line that has to be broken\n"), "one\ntwo\nthree\na line that has to b\ne broken\na 12\nb 9"},
		{"a block that shrinks", func() { s.Show(block("a 12")) }, "one\ntwo\nthree\na line that has to b\ne broken\na 12"},
		{"one that grows", func() { s.Show(block("a", "b", "c")) }, "one\ntwo\nthree\na line that has to b\ne broken\na\nb\nc"},
		{"a line that is too long", func() { s.Show(block("a", "a line that is longer")) }, "one\ntwo\nthree\na line that has to b\ne broken\na\na line that is lon…"},
		{"what would move the cursor", func() { s.Show(block("a\x1b[2Jb\nc")) }, "one\ntwo\nthree\na line that has to b\ne broken\na [2Jb c"},
		{"no block", func() { s.Show(nil) }, "one\ntwo\nthree\na line that has to b\ne broken"},
		{"a log line after it", log("four\n"), "one\ntwo\nthree\na line that has to b\ne broken\nfour"},
		{"a block that is left", func() { s.Show(block("the", "end")); s.Leave() }, "one\ntwo\nthree\na line that has to b\ne broken\nfour\nthe\nend"},
		{"what follows it", log("bye\n"), "one\ntwo\nthree\na line that has to b\ne broken\nfour\nthe\nend\nbye"},
		{"nothing to take away", func() { s.Show(nil) }, "one\ntwo\nthree\na line that has to b\ne broken\nfour\nthe\nend\nbye"},
	} {
		step.do()
		if got := term.text(); got != step.want {
			t.Errorf("%s: it shows\n%s\nwant\n%s", step.name, got, step.want)
		}
		if term.nowrap || term.col != 0 {
			t.Errorf("%s: it does not wrap: %v; the cursor is in column %d", step.name, term.nowrap, term.col)
		}
	}
	if term.styles > 0 {
		t.Error("it has colors, want none")
	}
}

func TestScreenThatIsResized(t *testing.T) {
	term := newTerminal(30, 60)
	s := NewScreen(term, term.size, true)
	_, _ = s.Write([]byte("log\n"))
	block := []Line{{"a line of twenty-four....", Wrong}, {"short", Plain}, {"another of more than twenty", Done}}
	s.Show(block)
	for _, step := range []struct {
		width int
		want  string
	}{
		{12, "log\na line of…\nshort\nanother of…"},
		{40, "log\na line of twenty-four....\nshort\nanother of more than twenty"},
		{7, "log\na lin…\nshort\nanoth…"},
	} {
		term.resize(step.width)
		s.Show(block)
		if got := term.text(); got != step.want {
			t.Errorf("%d columns: it shows\n%s\nwant\n%s", step.width, got, step.want)
		}
	}
	term.resize(3)
	if _, err := s.Write([]byte("x\n")); err != nil {
		t.Fatal(err)
	}
	s.Show(nil)
	if got := term.text(); got != "log\nx" {
		t.Errorf("in the end it shows\n%s\nwant the log alone", got)
	}
	if term.styles == 0 {
		t.Error("it has no colors")
	}
}

// TestAListenerLeavesNothingBehind shows all of a run on a terminal: what is in
// between, and what is there in the end.
func TestAListenerLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(60, 10)
		s := NewScreen(term, term.size, false)
		log := slog.New(slog.NewTextHandler(s, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
		events, done := make(chan *messages.Event), make(chan *State)
		go func() { done <- Listener{Log: log, Screen: s}.Listen(events) }()

		time.Sleep(interval / 2)
		events <- started(0, 1, 0, 4000)
		events <- started(1, 1, 5, 5)
		time.Sleep(interval)
		events <- batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 1000, LastStableOffset: 4000, LastDate: date(t, "1992-09-26")})
		time.Sleep(interval)
		synctest.Wait()
		counting := "level=INFO msg=counting partition=0 offset=0 lag=4000\nlevel=INFO msg=counting partition=1 offset=5 lag=0\n"
		if got, want := term.text(), counting+
			"partition  date        offset    lag  records/s\n"+
			"        0  1992-09-26   1,000  3,000      2,670  2s left\n"+
			"        1                   5                    live"; got != want {
			t.Errorf("while it catches up it shows\n%s\nwant\n%s", got, want)
		}
		events <- batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 4000, LastStableOffset: 4000, LastDate: date(t, "2000-12-12")})
		events <- saved(0, 4000)
		time.Sleep(calmInterval)
		synctest.Wait()
		if got, want := term.text(), counting+
			"partition  date        offset\n"+
			"        0  2000-12-12   4,000  saved just now\n"+
			"        1                   5  live"; got != want {
			t.Errorf("live it shows\n%s\nwant\n%s", got, want)
		}
		close(events)
		<-done
		s.Show(nil)
		if got := term.text() + "\n"; got != counting || term.col != 0 || term.row != 2 {
			t.Errorf("in the end it shows\n%s\nwith the cursor in line %d, column %d; want\n%s", got, term.row, term.col, counting)
		}
	})
}

func TestWorkTellsHowFarItIs(t *testing.T) {
	for _, test := range []struct {
		rule   string
		screen bool
		want   string // in between
		end    string
	}{
		{"on a terminal, in a line that changes", true,
			"                        records      of  records/s\nrecounting partition 2    4,500  20,000        500  30s left", ""},
		{"elsewhere, in the log every few seconds", false,
			"level=INFO msg=recounting partition=2 records=2500 of=20000 records_per_s=500", "same"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				term := newTerminal(80, 10)
				var screen *Screen
				if test.screen {
					screen = NewScreen(term, term.size, false)
				}
				work := NewWork(slog.New(slog.NewTextHandler(term, &slog.HandlerOptions{ReplaceAttr: withoutTime})), screen, "recounting", "partition", 2)
				for i := range int64(91) {
					work.Progress(i*50, 20_000)
					time.Sleep(time.Second / 10)
				}
				if got := term.text(); got != test.want {
					t.Errorf("it shows\n%s\nwant\n%s", got, test.want)
				}
				work.Done()
				if test.end == "" && term.text() != "" {
					t.Errorf("it leaves\n%s", term.text())
				}
			})
		})
	}
}
