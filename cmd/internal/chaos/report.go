package chaos

import (
	"fmt"
	"strings"
	"time"
)

// Report is what a run did, and what it found.
type Report struct {
	// Seed, Topic and Dir are the run's. Brokers says in words whose they were.
	Seed       uint64
	Topic, Dir string
	Brokers    string
	Took       time.Duration

	// ProducerKills and ConsumerKills are the processes that SIGKILL ended, and
	// Restarts how often one was started again.
	ProducerKills, ConsumerKills, Restarts int
	// GaveUp is how many processes ended by themselves at their start, because
	// the broker was away at that moment. They are started again.
	GaveUp int
	// BrokerStops and BrokerKills are the restarts of the broker, after SIGTERM
	// and after SIGKILL.
	BrokerStops, BrokerKills int
	// LostAcks are acknowledgements that did not arrive, CutAnswers fetches that
	// broke off.
	LostAcks, CutAnswers int

	// Records are those in the topic, Days those counted, from First to Last. What
	// is over was ignored as duplicates: repeats that the producer made on purpose
	// and records that are in the topic twice.
	Records     int64
	Days        int
	First, Last time.Time
	Mended      int // days that a resumed producer had still to add, in the end
	// Acknowledged is the last day that producers said to be: all up to it must be
	// there. Zero if they were killed before they said anything.
	Acknowledged time.Time

	// NotTried says what could not be done here, and why.
	NotTried []string
	// Wrong says what should not be so. Empty means that all is proven.
	Wrong []string
}

// Kills is the number of processes that SIGKILL ended, without the broker's.
func (r *Report) Kills() int { return r.ProducerKills + r.ConsumerKills }

// OK tells whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Wrong) == 0 }

// Duplicates is the number of records that were ignored.
func (r *Report) Duplicates() int64 { return r.Records - int64(r.Days) }

// String returns the report in lines, without a newline at the end.
func (r *Report) String() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-16s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("on", "%s, topic %s, seed %d", r.Brokers, r.Topic, r.Seed)
	line("kills", "%d: producer %d, consumers %d; started again %d times", r.Kills(), r.ProducerKills, r.ConsumerKills, r.Restarts)
	if r.GaveUp > 0 {
		line("gave up", "%d at their start, for want of a broker; started again", r.GaveUp)
	}
	line("broker restarts", "%d: stopped %d, killed %d", r.BrokerStops+r.BrokerKills, r.BrokerStops, r.BrokerKills)
	line("connections cut", "%d before an acknowledgement arrived, %d in the middle of a fetch", r.LostAcks, r.CutAnswers)
	line("records", "%d in the topic", r.Records)
	if r.Days > 0 {
		line("days", "%d, from %s to %s", r.Days, day(r.First), day(r.Last))
		line("duplicates", "%d ignored", r.Duplicates())
	}
	if !r.Acknowledged.IsZero() {
		line("acknowledged", "up to %s, at least", day(r.Acknowledged))
	}
	if r.Mended > 0 {
		line("mended", "%d days, by a last `produce --resume`", r.Mended)
	}
	line("time", "%v", r.Took.Round(100*time.Millisecond))
	for _, what := range r.NotTried {
		line("not tried", "%s", what)
	}
	for _, what := range r.Wrong {
		line("WRONG", "%s", what)
	}
	if r.OK() {
		line("verdict", "each day was counted once; the files are those of an undisturbed run, byte for byte")
	} else {
		line("verdict", "NOT as it should be")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
