package integration

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// longestLife of a process that will be killed: long enough to start, go on from
// where the one before ended, and get some work done.
const longestLife = 300 * time.Millisecond

// TestKillsChangeNothing kills producer and consumer with kill -9, again and
// again, at random moments. In the end the topic must have every day, and the
// files the bytes of an undisturbed count.
func TestKillsChangeNothing(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		kills := number(t, "WEATHERACTORS_TEST_KILLS", 6)
		seed := number(t, "WEATHERACTORS_TEST_SEED", rand.Uint64()>>1)
		t.Logf("the moments come from WEATHERACTORS_TEST_SEED=%d", seed)
		random := rand.New(rand.NewPCG(seed, 0))

		days := someWeather(4000)
		publish := []string{"produce", "--resume", "--input", write(t, "weather.csv", asCSV(days)), "--duplicates", "0.05"}
		victims := []*victim{
			{place: p, args: append(publish, "--delay", "500us")},
			{place: p, args: []string{"consume", "--all"}},
		}
		for _, v := range victims {
			v.begin()
		}
		for range kills {
			v := victims[random.IntN(len(victims))]
			v.killAfter(time.Duration(random.Int64N(int64(longestLife))))
			v.begin()
		}
		for _, v := range victims {
			v.process.kill()
			t.Logf("%s: %d of %d lives ended by a kill, the last one is not counted", v.args[0], v.killed, v.lives)
		}
		p.ok(append(publish, "--delay", "0")...)
		p.count()

		p.tally().equals(t, counted(days))
		p.ok("verify", "--all")
		undisturbed := p.elsewhere()
		undisturbed.count()
		same(t, p.files(), undisturbed.files())
	})
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

// killAfter kills the process some time after it began. A process that has ended
// before that has either done all of its work or failed.
func (v *victim) killAfter(life time.Duration) {
	v.t.Helper()
	moment := time.NewTimer(life - time.Since(v.process.began))
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
