package status

import (
	"testing"
	"time"

	"github.com/weatheractors/weatheractors/messages"
)

func TestWhatIsReadAgainCountsOnce(t *testing.T) {
	var s State
	started := func(incarnation, offset int64) {
		s.Add(&messages.Event{Run: "consume", Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
			Incarnation: incarnation, Offset: offset}}}, time.Time{})
	}
	counted := func(incarnation, offset, counted, duplicates int64) {
		s.Add(&messages.Event{Run: "consume", Event: &messages.Event_BatchCounted{BatchCounted: &messages.BatchCounted{
			Incarnation: incarnation, Offset: offset, Counted: counted, Duplicates: duplicates}}}, time.Time{})
	}
	saved := func(offset int64) {
		s.Add(&messages.Event{Run: "consume", Event: &messages.Event_CheckpointSaved{CheckpointSaved: &messages.CheckpointSaved{Offset: offset}}}, time.Time{})
	}
	want := func(what string, once Tally, gross int64) {
		t.Helper()
		p := s.Partitions[0]
		if p.Once != once || p.Counted+p.Duplicates != gross {
			t.Errorf("%s: once %+v and %d in all, want %+v and %d", what, p.Once, p.Counted+p.Duplicates, once, gross)
		}
	}
	started(1, 100)
	counted(1, 110, 9, 1)
	counted(1, 120, 18, 2)
	counted(1, 130, 27, 3)
	saved(120)
	want("a first life", Tally{27, 3, 0}, 30)
	started(2, 120)
	want("a second life, which begins at the checkpoint", Tally{18, 2, 0}, 30)
	counted(2, 130, 9, 1)
	want("it has read again what was lost", Tally{27, 3, 0}, 40)
	counted(2, 140, 18, 2)
	saved(140)
	started(3, 140)
	want("a third, which has nothing to read again", Tally{36, 4, 0}, 50)
	started(4, 7)
	want("where it can't be known, nothing is taken back", Tally{36, 4, 0}, 50)
	counted(5, 150, 10, 0)
	want("nor where a start was missed", Tally{46, 4, 0}, 60)
}

func TestLedgerIsBounded(t *testing.T) {
	var l ledger
	for i := range int64(2 * mostMarks) {
		l.read(i, Tally{Counted: i})
	}
	if len(l.marks) > mostMarks {
		t.Errorf("%d marks are kept, want %d at most", len(l.marks), mostMarks)
	}
}
