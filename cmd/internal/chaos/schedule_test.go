package chaos

import (
	"slices"
	"testing"
	"time"
)

func steps(seed uint64, n int) []step {
	s := newSchedule(seed)
	all := make([]step, n)
	for i := range all {
		all[i] = s.next()
	}
	return all
}

func TestSeedDecidesTheSchedule(t *testing.T) {
	if !slices.Equal(steps(1, 1000), steps(1, 1000)) {
		t.Error("the same seed made two schedules")
	}
	if slices.Equal(steps(1, 10), steps(2, 10)) {
		t.Error("two seeds made the same schedule")
	}
}

func TestScheduleHasEverything(t *testing.T) {
	all := steps(3, 200)
	for what, is := range map[string]func(step) bool{
		"a pause of microseconds":  func(s step) bool { return s.pause < time.Millisecond },
		"a pause of half a second": func(s step) bool { return s.pause > longestPause/2 },
		"a pause while at work":    func(s step) bool { return s.working },
		"the producer alone":       func(s step) bool { return s.victims == [victims]bool{producer: true} },
		"a consumer alone":         func(s step) bool { return s.victims == [victims]bool{consumerA: true} },
		"the other alone":          func(s step) bool { return s.victims == [victims]bool{consumerB: true} },
		"producer and consumer":    func(s step) bool { return s.victims == [victims]bool{producer: true, consumerB: true} },
		"all at once":              func(s step) bool { return s.victims == [victims]bool{true, true, true} },
		"a flood":                  func(s step) bool { return s.flood },
		"a trickle":                func(s step) bool { return !s.flood },
		"a stop of the broker":     func(s step) bool { return s.outage == brokerStopped },
		"a kill of the broker":     func(s step) bool { return s.outage == brokerKilled },
		"lost acknowledgements":    func(s step) bool { return s.loseAcks > 0 },
		"answers that break off":   func(s step) bool { return s.cutAnswers > 0 },
	} {
		if !slices.ContainsFunc(all, is) {
			t.Errorf("no step has %s", what)
		}
	}
	for i, s := range all {
		if s.pause < 0 || s.pause > longestPause || s.down < 0 || s.down > longestDown ||
			s.victims == [victims]bool{} || s.loseAcks > mostFaults || s.cutAnswers > mostFaults {
			t.Errorf("step %d: %+v", i, s)
		}
	}
	// Every step kills, so that a run ends.
	few := steps(4, 8)
	if !slices.ContainsFunc(few, func(s step) bool { return s.outage == brokerStopped }) || !slices.ContainsFunc(few, func(s step) bool { return s.outage == brokerKilled }) {
		t.Error("a short run does not try the broker's end in both ways")
	}
}
