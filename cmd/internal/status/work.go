package status

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Work tells how far long work has come: on a terminal in a line that changes,
// otherwise in the log every few seconds.
type Work struct {
	log    *slog.Logger
	screen *Screen
	what   string
	attrs  []any

	rate        rate
	first       bool
	last, shown time.Time
}

// NewWork begins to tell of work, by what it does and attributes of its log
// lines. screen is nil where there is no terminal.
func NewWork(log *slog.Logger, screen *Screen, what string, attrs ...any) *Work {
	now := time.Now()
	return &Work{log: log, screen: screen, what: what, attrs: attrs, first: true, last: now, shown: now}
}

// Progress is told how many of how many records were read. It may be called as
// often as one likes.
func (w *Work) Progress(done, total int64) {
	if w.first {
		w.rate.from(done)
		w.first = false
	}
	now := time.Now()
	if elapsed := now.Sub(w.last); elapsed >= interval {
		w.rate.measure(done, elapsed)
		w.last = now
		if w.screen != nil {
			width, _ := w.screen.Size()
			w.screen.Show(w.line(done, total, width))
		}
	}
	if w.screen == nil && now.Sub(w.shown) >= progressInterval {
		w.shown = now
		w.log.Info(w.what, append(w.attrs[:len(w.attrs):len(w.attrs)], "records", done, "of", total, "records_per_s", int64(w.rate.perSecond))...)
	}
}

// Done takes the line away.
func (w *Work) Done() {
	if w.screen != nil {
		w.screen.Show(nil)
	}
}

func (w *Work) line(done, total int64, width int) []Line {
	p := Partition{Offset: done, End: total, rate: w.rate}
	left := ""
	if d, ok := p.Left(); ok {
		left = span(d+time.Second-1) + " left"
	}
	what := strings.TrimSuffix(fmt.Sprintln(append([]any{w.what}, w.attrs...)...), "\n")
	return table([]column{
		{left: true, rank: 3}, {title: "records", rank: 1}, {title: "of"}, {title: "records/s", rank: 2},
	}, []row{{cells: []string{what, Grouped(done), Grouped(total), perSecond(w.rate.perSecond)}, note: left}}, width)
}
