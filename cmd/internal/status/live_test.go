package status

import (
	"strings"
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

func TestLiveLine(t *testing.T) {
	l := newLive()
	if got := l.line(time.Second); got != "" {
		t.Errorf("before anything has happened the line is %q", got)
	}
	started := func(partition int32, offset, end int64) {
		l.event(&messages.Event{Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
			Partition: partition, Offset: offset, LastStableOffset: end}}})
	}
	counted := func(partition int32, offset, end int64) {
		l.event(&messages.Event{Event: &messages.Event_BatchCounted{BatchCounted: &messages.BatchCounted{
			Partition: partition, Offset: offset, LastStableOffset: end}}})
	}
	started(2, 1000, 1001000)
	started(0, 7, 7)
	counted(2, 101000, 1001000)
	if got, want := l.line(time.Second), "0: offset 7   2: offset 101,000, lag 900,000, 100,000/s, 9s left"; got != want {
		t.Errorf("catching up the line is %q, want %q", got, want)
	}
	counted(2, 1001000, 1001000)
	if got, want := l.line(time.Second), "0: offset 7   2: offset 1,001,000, 340,000/s"; got != want {
		t.Errorf("caught up the line is %q, want %q", got, want)
	}
	for range 100 {
		l.line(time.Second)
	}
	if got, want := l.line(time.Second), "0: offset 7   2: offset 1,001,000"; got != want {
		t.Errorf("after a while the line is %q, want %q", got, want)
	}
}

func TestLiveLineOfAProducer(t *testing.T) {
	l := newLive()
	l.event(&messages.Event{Event: &messages.Event_Published{Published: &messages.Published{Acknowledged: 1458, Repeats: 66}}})
	if got, want := l.line(time.Second), "no date  1,458 acknowledged, 66 of them repeats, 1,458/s"; got != want {
		t.Errorf("the line is %q, want %q", got, want)
	}
}

func TestScreenKeepsTheLineBelowTheLog(t *testing.T) {
	var out strings.Builder
	s := NewScreen(&out, func() int { return 10 })
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a log line before there is any", func() { _, _ = s.Write([]byte("one\n")) }, "one\n"},
		{"a line", func() { s.Show("offset 7") }, clearLine + noWrap + "offset 7" + wrap},
		{"the same again", func() { s.Show("offset 7") }, ""},
		{"a log line above it", func() { _, _ = s.Write([]byte("two\n")) }, clearLine + "two\n" + noWrap + "offset 7" + wrap},
		{"one that is too long", func() { s.Show("offset 7000") }, clearLine + noWrap + "offset 7…" + wrap},
		{"no line", func() { s.Show("") }, clearLine},
		{"a log line after that", func() { _, _ = s.Write([]byte("three\n")) }, "three\n"},
	} {
		out.Reset()
		step.do()
		if out.String() != step.want {
			t.Errorf("%s: wrote %q, want %q", step.name, out.String(), step.want)
		}
	}
}
