package chaos

import (
	"math"
	"math/rand/v2"
	"time"
)

// The moments that a schedule chooses from. Half of the pauses are as likely to
// be of some microseconds as of a second, so that a process is hit in each stage
// of its start; the other half begins when all are at work, however slow the
// machine.
const (
	shortestPause = 10 * time.Microsecond
	longestPause  = time.Second
	workingPause  = 300 * time.Millisecond
	shortestDown  = time.Millisecond
	longestDown   = 300 * time.Millisecond
)

// How often what happens besides kills is part of a step: in each n-th.
const (
	everyRestart = 4
	everyFault   = 4
)

// mostFaults is how many answers in a row get lost at most: the producer tries
// ten times.
const mostFaults = 3

// The processes that are killed, by their place in a step's victims.
const (
	producer = iota
	consumerA
	consumerB
	victims
)

// outage is what happens to the broker in a step.
type outage int

const (
	noOutage outage = iota
	brokerStopped
	brokerKilled
)

// step is a moment of the schedule.
type step struct {
	// pause comes first. It is counted from the end of the step before, or from
	// when something more was counted since then.
	pause   time.Duration
	working bool
	// victims are killed at once, and started again.
	victims [victims]bool
	// flood has the producer's next life publish as fast as it can.
	flood bool
	// outage and down say what happens to the broker, if it can, and for how long.
	outage outage
	down   time.Duration
	// loseAcks of the next acknowledgements get lost, with their connection, and
	// cutAnswers of the next answers to consumers break off.
	loseAcks, cutAnswers int
}

// schedule makes up steps, without end. The same seed makes the same ones.
type schedule struct {
	random *rand.Rand
	n      int // steps so far
}

func newSchedule(seed uint64) *schedule {
	return &schedule{random: rand.New(rand.NewPCG(seed, 0))}
}

// next is the next step. What it draws does not depend on what came of the steps
// before.
func (s *schedule) next() step {
	var next step
	if s.random.IntN(2) == 0 {
		next.pause = s.spread(shortestPause, longestPause)
	} else {
		next.pause, next.working = time.Duration(s.random.Int64N(int64(workingPause))), true
	}
	switch n := s.random.IntN(10); {
	case n < 4:
		next.victims[producer] = true
	case n < 8:
		next.victims[consumerA+s.random.IntN(2)] = true
	case n < 9:
		next.victims[producer] = true
		next.victims[consumerA+s.random.IntN(2)] = true
	default:
		next.victims = [victims]bool{true, true, true}
	}
	next.flood = s.random.IntN(2) == 0
	s.addFaults(&next)
	s.n++
	return next
}

func (s *schedule) addFaults(next *step) {
	down := s.spread(shortestDown, longestDown)
	if s.n%everyRestart == 1 {
		next.down = down
		next.outage = brokerKilled
		if s.n/everyRestart%2 == 1 {
			next.outage = brokerStopped
		}
	}
	faults := 1 + s.random.IntN(mostFaults)
	switch s.n % everyFault {
	case 0:
		next.loseAcks = faults
	case 1:
		next.cutAnswers = faults
	}
}

// spread is as likely to be between 1 and 10 µs as between 100 µs and 1 ms.
func (s *schedule) spread(least, most time.Duration) time.Duration {
	return time.Duration(float64(least) * math.Pow(float64(most)/float64(least), s.random.Float64()))
}
