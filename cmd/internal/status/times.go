package status

import "time"

// TimeBounds are by what Times are told apart: from what a fast disk takes for a
// checkpoint up to what one does that is not well.
var TimeBounds = [...]time.Duration{
	500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second,
}

// Times says how long something took, each time that it was done.
type Times struct {
	// Within counts, for each of the TimeBounds, how often it took at most that long.
	Within [len(TimeBounds)]int64
	// Total is how long it took all in all.
	Total time.Duration
}

func (t *Times) add(took time.Duration) {
	t.Total += took
	for i, bound := range TimeBounds {
		if took <= bound {
			t.Within[i]++
		}
	}
}
