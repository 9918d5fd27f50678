package status

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// liveInterval is how often the changing line of a terminal changes.
const liveInterval = 250 * time.Millisecond

// live makes the line that a terminal shows: for each partition its offset, and
// how far it is behind; or the progress of a producer.
type live struct {
	partitions map[int32]*gauge
	producer   *gauge
	published  *messages.Published
}

// gauge measures how fast a number grows.
type gauge struct {
	now, before int64
	end         int64   // where it will stop growing, as far as is known
	rate        float64 // per second, smoothed
	measured    bool
}

func newLive() *live { return &live{partitions: map[int32]*gauge{}} }

func (l *live) event(e *messages.Event) {
	switch e := e.GetEvent().(type) {
	case *messages.Event_PartitionStarted:
		l.partitions[e.PartitionStarted.GetPartition()] = newGauge(e.PartitionStarted.GetOffset(), e.PartitionStarted.GetLastStableOffset())
	case *messages.Event_BatchCounted:
		b := e.BatchCounted
		if l.partitions[b.GetPartition()] == nil {
			l.partitions[b.GetPartition()] = newGauge(b.GetOffset(), 0)
		}
		g := l.partitions[b.GetPartition()]
		g.now, g.end = b.GetOffset(), b.GetLastStableOffset()
	case *messages.Event_Published:
		if l.producer == nil {
			l.producer = newGauge(0, 0)
		}
		l.published, l.producer.now = e.Published, e.Published.GetAcknowledged()
	}
}

func newGauge(now, end int64) *gauge { return &gauge{now: now, before: now, end: end} }

// tick measures what has happened since the last one.
func (g *gauge) tick(since time.Duration) {
	latest := float64(max(0, g.now-g.before)) / since.Seconds()
	if g.measured {
		latest = 0.7*g.rate + 0.3*latest
	}
	g.rate, g.before, g.measured = latest, g.now, true
}

// line is called once per interval.
func (l *live) line(since time.Duration) string {
	var parts []string
	if l.published != nil {
		l.producer.tick(since)
		parts = append(parts, fmt.Sprintf("%v  %s acknowledged, %s of them repeats, %s/s", weather.Date(l.published.GetLastDate()),
			grouped(l.published.GetAcknowledged()), grouped(l.published.GetRepeats()), grouped(int64(l.producer.rate))))
	}
	for _, number := range slices.Sorted(maps.Keys(l.partitions)) {
		g := l.partitions[number]
		g.tick(since)
		parts = append(parts, fmt.Sprintf("%d: %s", number, g))
	}
	return strings.Join(parts, "   ")
}

// String says where a partition is.
func (g *gauge) String() string {
	lag := g.end - g.now
	text := "offset " + grouped(g.now)
	if lag > 0 {
		text += ", lag " + grouped(lag)
	}
	if g.rate >= 1 {
		text += ", " + grouped(int64(g.rate)) + "/s"
		if left := time.Duration(float64(lag)/g.rate*1e9) * time.Nanosecond; lag > 0 && left >= time.Second {
			text += ", " + left.Round(time.Second).String() + " left"
		}
	}
	return text
}

// grouped writes a number with a comma every three digits.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
