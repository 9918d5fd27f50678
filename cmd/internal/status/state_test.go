package status

import (
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

var begin = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func date(t testing.TB, text string) int32 {
	t.Helper()
	d, err := weather.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return int32(d)
}

func started(partition int32, incarnation, offset, end int64) *messages.Event {
	return &messages.Event{Run: "consume", Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
		Partition: partition, Incarnation: incarnation, Offset: offset, LastStableOffset: end}}}
}

func batch(b *messages.BatchCounted) *messages.Event {
	return &messages.Event{Run: "consume", Event: &messages.Event_BatchCounted{BatchCounted: b}}
}

func saved(partition int32, offset int64) *messages.Event {
	return &messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{Partition: partition, Offset: offset}}}
}

func published(handedOver, acknowledged int64) *messages.Event {
	return &messages.Event{Event: &messages.Event_Published{Published: &messages.Published{HandedOver: handedOver, Acknowledged: acknowledged}}}
}

func failed(role string, permanent bool) *messages.Event {
	return &messages.Event{Event: &messages.Event_PartitionFailed{PartitionFailed: &messages.PartitionFailed{
		Partition: 2, Role: role, Error: "out of order", Permanent: permanent, RetryIn: durationpb.New(time.Second)}}}
}

// stateOf is a state that was told events, a second after the other, and ticked at
// each.
func stateOf(events ...*messages.Event) (s *State, now time.Time) {
	s, now = &State{}, begin
	for _, e := range events {
		_, _ = s.Add(e, now)
		now = now.Add(time.Second)
		_, _ = s.Tick(now)
	}
	return s, now
}

func TestNumbersOfLivesAddUp(t *testing.T) {
	s, _ := stateOf(
		started(2, 1, 0, 1000),
		batch(&messages.BatchCounted{Partition: 2, Incarnation: 1, Offset: 100, Counted: 90, Duplicates: 10}),
		started(2, 2, 50, 1000),
		batch(&messages.BatchCounted{Partition: 2, Incarnation: 2, Offset: 80, Counted: 29, Duplicates: 1}),
		batch(&messages.BatchCounted{Partition: 2, Incarnation: 2, Offset: 100, Counted: 46, Duplicates: 3, Rejects: 1}),
		batch(&messages.BatchCounted{Partition: 2, Incarnation: 3, Offset: 110, Counted: 10}), // its start was missed
		batch(&messages.BatchCounted{Partition: 0, Incarnation: 1, Offset: 7, Counted: 7}),
	)
	if records, counted, duplicates := s.Read(); records != 167 || counted != 153 || duplicates != 13 {
		t.Errorf("%d records were read, %d counted, %d ignored, want 167, 153 and 13", records, counted, duplicates)
	}
	if len(s.Partitions) != 2 || s.Partitions[0].Number != 0 || s.Partitions[1].Offset != 110 {
		t.Errorf("the partitions are %+v, want 0 and 2, at offset 110", s.Partitions)
	}
}

func TestAPartitionIsLiveOnceItKeepsUp(t *testing.T) {
	s := &State{}
	now := begin
	for _, step := range []struct {
		rule   string
		offset int64
		end    int64
		after  time.Duration
		live   bool
	}{
		{"it begins behind", 10, 100, time.Second, false},
		{"it gets nearer", 90, 100, time.Second, false},
		{"it comes to the end", 100, 100, time.Second, true},
		{"records arrive", 100, 110, time.Second, true},
		{"they are read", 110, 110, behindFor, true},
		{"it falls behind", 110, 200, time.Second, true},
		{"and stays there", 120, 300, behindFor, false},
		{"until it has caught up", 300, 300, time.Second, true},
	} {
		_, _ = s.Add(batch(&messages.BatchCounted{Offset: step.offset, LastStableOffset: step.end}), now)
		now = now.Add(step.after)
		_, _ = s.Tick(now)
		if got := s.Partitions[0].Live; got != step.live {
			t.Errorf("%s: live is %v, want %v", step.rule, got, step.live)
		}
	}
	if s, _ := stateOf(started(0, 1, 7, 7)); !s.Partitions[0].Live {
		t.Error("a partition that begins at the end is not live")
	}
}

func TestRatesAreSteady(t *testing.T) {
	var r rate
	r.from(1000)
	for second := range int64(4) {
		r.measure(1000+100*(second+1), time.Second)
		if r.perSecond < 99.9 || r.perSecond > 100.1 {
			t.Errorf("after %d s at 100 a second the rate is %v", second+1, r.perSecond)
		}
	}
	r.measure(1400, 0)
	r.measure(1400, interval)
	if r.perSecond < 80 || r.perSecond > 95 {
		t.Errorf("after a moment without records the rate is %v, want a little less", r.perSecond)
	}
	for range 100 {
		r.measure(1400, interval)
	}
	if r.perSecond > 0.1 {
		t.Errorf("long after the last record the rate is %v", r.perSecond)
	}
	r.measure(0, time.Second)
	if r.perSecond < 0 {
		t.Errorf("of a number that shrinks the rate is %v", r.perSecond)
	}
}

func TestAProducerWaits(t *testing.T) {
	s := &State{}
	at := func(second time.Duration, e *messages.Event) (Trouble, bool) {
		if e != nil {
			return s.Add(e, begin.Add(second*time.Second))
		}
		return s.Tick(begin.Add(second * time.Second))
	}
	for _, step := range []struct {
		rule    string
		second  time.Duration
		event   *messages.Event
		waits   time.Duration // in seconds
		changed bool
	}{
		{"nothing was published", 0, nil, 0, false},
		{"reports are handed over", 1, published(10, 0), 0, false},
		{"for a moment", 3, nil, 0, false},
		{"for too long", 4, nil, 3, true},
		{"more are handed over", 5, published(20, 0), 4, false},
		{"it lasts", 13, nil, 12, false},
		{"one is acknowledged", 14, published(20, 1), 0, true},
		{"the others, too", 15, published(20, 20), 0, false},
		{"there is nothing to do for long", 100, nil, 0, false},
		{"one after that", 101, published(21, 20), 0, false},
		{"is acknowledged", 102, published(21, 21), 0, false},
	} {
		_, changed := at(step.second, step.event)
		if waits := s.waits(); waits != step.waits*time.Second || changed != step.changed {
			t.Errorf("%s: it waits for %v, a change: %v; want %d s, %v", step.rule, waits, changed, step.waits, step.changed)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	for rule, test := range map[string]struct {
		p     Partition
		left  time.Duration
		known bool
	}{
		"records over rate":   {Partition{Offset: 100, End: 1100, rate: rate{perSecond: 50}}, 20 * time.Second, true},
		"nothing is left":     {Partition{Offset: 1100, End: 1100, rate: rate{perSecond: 50}}, 0, false},
		"nothing moves":       {Partition{Offset: 100, End: 1100}, 0, false},
		"longer than we live": {Partition{End: 1 << 62, rate: rate{perSecond: 1}}, 0, false},
	} {
		if left, known := test.p.Left(); known != test.known || known && left != test.left {
			t.Errorf("%s: %v, %v, want %v, %v", rule, left, known, test.left, test.known)
		}
	}
}

func TestNumbersAsPeopleReadThem(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := Grouped(n); got != want {
			t.Errorf("Grouped(%d) is %q, want %q", n, got, want)
		}
	}
	for r, want := range map[float64]string{0: "0", 0.4: "0", 9.6: "10", 999: "999", 1234: "1,230", 345678: "346,000", 999999: "1,000,000"} {
		if got := perSecond(r); got != want {
			t.Errorf("%v a second is %q, want %q", r, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0s", 9900 * time.Millisecond: "9s", 14 * time.Second: "10s", 59 * time.Second: "55s",
		time.Minute: "1m", 59 * time.Minute: "59m", 3 * time.Hour: "3h", 100 * time.Hour: "4d",
	} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestTroublesOfAPartition(t *testing.T) {
	saveFailed := &messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 2, Error: "disk full"}}}
	for _, test := range []struct {
		rule   string
		events []*messages.Event
		want   Trouble
		found  bool
	}{
		{"none at first", nil, Trouble{}, false},
		{"one that began", []*messages.Event{saveFailed}, Trouble{2, Saving, "disk full"}, true},
		{"one that is over", []*messages.Event{saveFailed, saved(2, 7)}, Trouble{}, false},
		{"one of another partition", []*messages.Event{saveFailed, saved(0, 7)}, Trouble{2, Saving, "disk full"}, true},
		{"the worst of several", []*messages.Event{saveFailed, failed("reader", false)}, Trouble{2, Respawning, "out of order"}, true},
		{"a start ends what kept it from counting", []*messages.Event{failed("opening", false), failed("reader", false), started(2, 2, 0, 0)}, Trouble{}, false},
		{"but nothing else", []*messages.Event{saveFailed, started(2, 2, 0, 0)}, Trouble{2, Saving, "disk full"}, true},
		{"an end is no trouble", []*messages.Event{failed("reader", true)}, Trouble{}, false},
	} {
		s, _ := stateOf(test.events...)
		if got, found := s.Worst(2); got != test.want || found != test.found {
			t.Errorf("%s: it is %+v, %v, want %+v, %v", test.rule, got, found, test.want, test.found)
		}
	}
}
