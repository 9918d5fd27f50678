package status

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
)

func TestTimesOfCheckpointsAddUp(t *testing.T) {
	s := &State{}
	for _, took := range []time.Duration{200 * time.Microsecond, time.Millisecond, time.Millisecond + 1, time.Minute} {
		_, _ = s.Add(&messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{
			Partition: 2, Took: durationpb.New(took)}}}, begin)
	}
	_, _ = s.Add(&messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 2, Error: "disk full"}}}, begin)
	p := s.Partitions[0]
	want := Times{Within: [len(TimeBounds)]int64{1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, Total: time.Minute + 2200*time.Microsecond + 1}
	if p.SaveTimes != want || p.Saves != 4 || p.SaveFailures != 1 {
		t.Errorf("%d saves took %+v, %d failed, want 4, %+v, 1", p.Saves, p.SaveTimes, p.SaveFailures, want)
	}
}

// startedIn is a partition that begins at an offset of the topic of an id.
func startedIn(id string, incarnation, offset int64) *messages.Event {
	return &messages.Event{Run: "consume", Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
		Partition: 2, Incarnation: incarnation, Offset: offset, Topic: &messages.CountedTopic{Name: "temperatures", Id: []byte(id)}}}}
}

func TestRecordsThatAreReadAgain(t *testing.T) {
	to100 := batch(&messages.BatchCounted{Partition: 2, Incarnation: 1, Offset: 100, Counted: 100})
	for _, c := range []struct {
		rule   string
		events []*messages.Event
		want   int64
	}{
		{"none in the first life", []*messages.Event{startedIn("a", 1, 40), to100}, 0},
		{"what was not saved", []*messages.Event{startedIn("a", 1, 0), to100, startedIn("a", 2, 70)}, 30},
		{"in each life", []*messages.Event{startedIn("a", 1, 0), to100, startedIn("a", 2, 70), startedIn("a", 3, 60)}, 40},
		{"none if all was saved", []*messages.Event{startedIn("a", 1, 0), to100, startedIn("a", 2, 100)}, 0},
		{"none of another topic", []*messages.Event{startedIn("a", 1, 0), to100, startedIn("b", 2, 0)}, 0},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if s, _ := stateOf(c.events...); s.Partitions[0].Again != c.want {
				t.Errorf("%d, want %d", s.Partitions[0].Again, c.want)
			}
		})
	}
}

func TestTroubled(t *testing.T) {
	s, _ := stateOf(started(2, 1, 0, 10),
		&messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{Partition: 2, Error: "disk full"}}},
		&messages.Event{Event: &messages.Event_SourceTrouble{SourceTrouble: &messages.SourceTrouble{Partition: 2, Error: "refused"}}})
	for what := Respawning; what <= Acknowledging; what++ {
		if got, want := s.Troubled(2, what), what == Saving || what == Reading; got != want {
			t.Errorf("troubled by %v: %t, want %t", what, got, want)
		}
	}
	if s.Troubled(3, Saving) {
		t.Error("another partition is in trouble")
	}
}

func TestFailuresOfARoleAddUp(t *testing.T) {
	s, _ := stateOf(failed("reader", false), failed("aggregator", false), failed("reader", false), failed("reader", false))
	want := []Failure{{"aggregator", 1, "out of order"}, {"reader", 3, "out of order"}}
	if got := s.Partitions[0].Failures; !slices.Equal(got, want) {
		t.Errorf("failures are %+v, want %+v", got, want)
	}
}
