package status

import "github.com/weatheractors/weatheractors/messages"

// Totals sums up what became of the records of a process. The zero value is
// empty. Events carry running numbers, so a missed one is made good by the next.
type Totals struct {
	// Published is the latest progress of a producer, nil if there is none.
	Published *messages.Published

	latest map[life]*messages.BatchCounted
}

// life is one incarnation of a partition, whose numbers begin at 0.
type life struct {
	run         string
	partition   int32
	incarnation int64
}

// Add adds what an event tells.
func (t *Totals) Add(e *messages.Event) {
	if p := e.GetPublished(); p != nil {
		t.Published = p
	}
	if b := e.GetBatchCounted(); b != nil {
		if t.latest == nil {
			t.latest = map[life]*messages.BatchCounted{}
		}
		t.latest[life{e.GetRun(), b.GetPartition(), b.GetIncarnation()}] = b
	}
}

// Records returns how many records were counted, ignored as duplicates, and
// kept aside. After a failure, records that were not saved count again.
func (t *Totals) Records() (counted, duplicates, rejects int64) {
	for _, b := range t.latest {
		counted += b.GetCounted()
		duplicates += b.GetDuplicates()
		rejects += b.GetRejects()
	}
	return counted, duplicates, rejects
}
