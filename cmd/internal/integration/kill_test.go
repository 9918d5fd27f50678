package integration

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"
)

// The tests of this file kill producers and consumers at random moments. In the
// end the topic must have every day, and the files the bytes that they would
// have had anyway.

// longestPause between two kills is long enough for a process to start, go on
// from where the one before ended, and get some work done.
const longestPause = 300 * time.Millisecond

func TestKillsOfATrickleChangeNothing(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		days := someWeather(4000)
		publish := []string{"produce", "--resume", "--input", write(t, "weather.csv", asCSV(days)), "--duplicates", "0.05"}
		p.underFire(append(slices.Clip(publish), "--delay", "500us"))
		p.ok(append(publish, "--delay", "0")...)
		p.isAsUndisturbed()
		p.tally().equals(t, counted(days))
	})
}

func TestKillsOfAFloodChangeNothing(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		publish := []string{"produce", "--resume", "--seed", "7", "--delay", "0"}
		p.underFire(publish)
		// More than one partition can be ahead of another.
		p.ok(append(publish, "--days", "20000")...)
		p.isAsUndisturbed()
		tally := p.tally()
		tally.withoutHoles(t)
		first, last := tally.span(t)
		if n, days := tally.count(), int(last.Unix()-first.Unix())/86400+1; n != days {
			t.Errorf("counted %d days, but from %v to %v there are %d", n, first, last, days)
		}
	})
}

// underFire kills a producer and a consumer with kill -9, again and again, at
// random moments.
func (p place) underFire(publish []string) {
	p.t.Helper()
	kills := number(p.t, "WEATHERACTORS_TEST_KILLS", 5)
	seed := number(p.t, "WEATHERACTORS_TEST_SEED", rand.Uint64()>>1)
	p.t.Logf("the moments come from WEATHERACTORS_TEST_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	victims := []*victim{{place: p, args: publish}, {place: p, args: []string{"consume", "--all"}}}
	for _, v := range victims {
		v.begin()
	}
	for range kills {
		v := victims[random.IntN(len(victims))]
		v.killAfter(time.Duration(random.Int64N(int64(longestPause))))
		v.begin()
	}
	for _, v := range victims {
		v.killAfter(0)
		p.t.Logf("%s: %d of %d lives ended by a kill", v.args[0], v.killed, v.lives)
	}
	p.t.Logf("%d records were counted by then", p.offset())
}

// isAsUndisturbed counts the rest, and compares with files that were never
// disturbed.
func (p place) isAsUndisturbed() {
	p.t.Helper()
	p.count()
	undisturbed := p.elsewhere()
	undisturbed.count()
	same(p.t, p.files(), undisturbed.files())
	p.ok("verify", "--all")
}

// victim is a command that is started again after each kill.
type victim struct {
	place
	args          []string
	process       *process
	lives, killed int
}

func (v *victim) begin() {
	v.t.Helper()
	v.process = v.launch(v.args...)
	v.lives++
}

// killAfter kills the process after a pause. If it ends by itself before that, it
// has either done all of its work or failed.
func (v *victim) killAfter(pause time.Duration) {
	v.t.Helper()
	moment := time.NewTimer(pause)
	defer moment.Stop()
	select {
	case <-moment.C:
		if v.process.kill() {
			v.killed++
		}
	case <-v.process.ended:
		v.process.wait().must(v.t, 0)
	}
}

// number is what a variable of the environment says.
func number(t testing.TB, variable string, otherwise uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s is %q: want a number", variable, text)
	}
	return n
}
