package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What follows publishes and counts while nodes of a cluster are killed, stopped
// and started again. Whatever the producers say at their end is compared with
// what kcat then reads of the topic.

const (
	// patience is how long an outage and its aftermath may take on a machine that
	// has other things to do.
	patience = 10 * time.Minute
	// endurance is how long a producer certainly goes on trying.
	endurance = 30 * time.Second
)

// sufferers are what goes on during each outage. A producer that is interrupted
// twice ends with one of these codes.
func sufferers(interrupted ...int) []scenario {
	return []scenario{
		{"trickle", theSameAllTheWay},
		{"flood", floods},
		{"SIGTERM", stopsWhileAway},
		{"SIGINT twice", interruptedTwice(interrupted)},
		{"SIGKILL", killedWhileAway},
		{"consumer stopped", consumerStopsWhileAway},
	}
}

// TestKafkaIsAwayWhilePublishedAndCounted takes away the only broker there is.
func TestKafkaIsAwayWhilePublishedAndCounted(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 1)
	outages := []struct {
		name, command string
		length        time.Duration
	}{
		{"killed for 20 s", "kill", 20 * time.Second},
		{"killed for 3 s", "kill", 3 * time.Second},
		{"stopped and started", "stop", 0},
	}
	if !thorough() {
		outages = outages[:1]
	}
	for range number(t, "WEATHERACTORS_TEST_OUTAGES", 1) {
		for _, o := range outages {
			t.Run(o.name, func(t *testing.T) {
				c := c.of(t)
				c.outage(func() { c.control(o.command, "1") }, func() {
					after(o.length)
					c.control("restart", "1")
				}, sufferers(130))
			})
		}
	}
	t.Run("loses the tail of its logs", func(t *testing.T) { c.of(t).losesItsTail() })
	t.Run("killed for good", func(t *testing.T) { c.of(t).staysAway() })
}

// thorough tells whether the shorter and gentler outages are wanted, too: they
// take minutes. WEATHERACTORS_TEST_OUTAGES says so, and how often.
func thorough() bool { return os.Getenv("WEATHERACTORS_TEST_OUTAGES") != "" }

// TestKafkaChangesItsLeaders takes away one node of three at a time, which leads
// some partitions of each topic.
func TestKafkaChangesItsLeaders(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	commands := []string{"kill", "stop"}
	if !thorough() {
		commands = commands[:1]
	}
	for round := range number(t, "WEATHERACTORS_TEST_OUTAGES", 1) {
		for i, command := range commands {
			node := int(2*round+uint64(i))%3 + 1
			t.Run(fmt.Sprintf("%s node %d", command, node), func(t *testing.T) {
				c := c.of(t)
				c.outage(func() { c.control(command, fmt.Sprint(node)) }, func() {
					after(5 * time.Second) // with two nodes
					c.control("restart", fmt.Sprint(node))
				}, append(sufferers(0, 130), scenario{"leaders", func(p place, o *outage) {
					p.produce("--days", "400", "--replication-factor", o.copies)
					for !slices.Contains(p.leaders(), node) { // it was away a moment ago
						p.topic = newTopic()
						p.produce("--days", "400", "--replication-factor", o.copies)
					}
					o.strike()
					eventually(p.t, "others lead", func() bool { return !slices.Contains(p.leaders(), node) })
					p.isAsUndisturbed()
				}}))
			})
		}
	}
	t.Run("replicas that are behind", func(t *testing.T) { c.of(t).fallsBehind() })
}

// fallsBehind kills a producer while its last records are in the log of their
// leader alone, where nobody can read them. The next one must not take them for
// missing.
func (c *cluster) fallsBehind() {
	t, p, o := c.t, c.place(c.t), &outage{copies: c.copies}
	w := p.produces(o, "1ms", 100000)
	w.inTopic(100)
	partition := slices.Index(p.leaders(), 1)
	if partition < 0 {
		t.Fatalf("node 1 leads nothing: %v", p.leaders())
	}
	records := func() (n uint32) {
		for _, path := range segments(t, c.dir, p.topic, partition) {
			for _, b := range batches(t, path) {
				n += b.records
			}
		}
		return n
	}
	for _, node := range []int{2, 3} { // so that nobody can decide to go on without them
		signal(t, "STOP", c.pid(node))
		defer signal(t, "CONT", c.pid(node))
	}
	// If it had them before they were counted, there are none to come: then the
	// producer waits for them.
	before := records()
	w.producer.awaitsLonger("node 1 has records alone", func() bool {
		return records() > before || strings.Contains(w.producer.stderr.String(), "nothing is acknowledged")
	})
	w.producer.kill()
	next := p.launch(append(w.publish, "--resume", "--delay", "1ms")...)
	after(2 * time.Second) // for what can be read of node 1's partition
	for _, node := range []int{2, 3} {
		signal(t, "CONT", c.pid(node))
	}
	watcher := p.elsewhere()
	consumer := watcher.launch("consume", "--all")
	consumer.awaitsLonger("the next one goes on", func() bool {
		return strings.Contains(next.stderr.String(), "resuming") && watcher.counted() > 1000 || !next.running()
	})
	consumer.stop().must(t, 0)
	next.stop()
	w.resumes()
}

// pid is that of a node.
func (c *cluster) pid(node int) int {
	c.t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("%s/%d/pid", c.dir, node))
	if err != nil {
		c.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		c.t.Fatal(err)
	}
	return pid
}

// producing is a producer of days with repeats, and a consumer of its topic.
type producing struct {
	place
	days     []day
	publish  []string
	producer *process
}

// produces starts publishing at that pace, and returns when some records are in
// the topic.
func (p place) produces(o *outage, delay string, n int) *producing {
	p.t.Helper()
	w := &producing{place: p, days: muchWeather()[:n]}
	w.publish = []string{"produce", "--input", weatherFile(p.t, n), "--duplicates", "0.05", "--replication-factor", o.copies}
	w.publish = slices.Clip(w.publish)
	w.producer = p.launch(append(w.publish, "--delay", delay)...)
	return w
}

var muchWeather = sync.OnceValue(func() []day { return someWeather(601000) })

var weatherFiles struct {
	sync.Mutex
	made map[int]string
}

// weatherFile has the first n days of muchWeather.
func weatherFile(t testing.TB, n int) string {
	t.Helper()
	weatherFiles.Lock()
	defer weatherFiles.Unlock()
	path, ok := weatherFiles.made[n]
	if !ok {
		path = filepath.Join(scratch, fmt.Sprintf("%d.csv", n))
		if err := os.WriteFile(path, []byte(asCSV(muchWeather()[:n])), 0o644); err != nil {
			t.Fatal(err)
		}
		if weatherFiles.made == nil {
			weatherFiles.made = make(map[int]string)
		}
		weatherFiles.made[n] = path
	}
	return path
}

// awaitsLonger is awaits through an outage.
func (p *process) awaitsLonger(what string, ok func() bool) {
	p.t.Helper()
	look := time.NewTicker(10 * glance)
	defer look.Stop()
	for began := time.Now(); !ok(); <-look.C {
		if !p.running() || time.Since(began) > patience {
			p.t.Fatalf("%s: waited %v in vain: %s\n%s", p.command, time.Since(began), what, p.stderr.String())
		}
	}
}

// counted is the sum of the offsets of all files, from their first lines alone:
// the files of a flood are large.
func (p place) counted() (sum int64) {
	for partition := range 4 {
		file, err := os.Open(p.path(partition))
		if err != nil {
			continue // not yet
		}
		var n, offset int64
		if _, err := fmt.Fscanf(file, `{"partition": %d, "offset": %d`, &n, &offset); err != nil {
			p.t.Errorf("partition-%d.json: %v", partition, err)
		}
		file.Close()
		sum += offset
	}
	return sum
}

// theSameAllTheWay publishes, counts and prints through the outage.
func theSameAllTheWay(p place, o *outage) {
	w := p.produces(o, "2ms", 100000)
	consumer := p.launch("consume", "--all")
	consumer.awaitsLonger("100 records are counted", func() bool { return p.counted() > 100 })
	debug := p.launch("debug")
	debug.awaitsLonger("debug prints", func() bool { return len(debug.stdout.lines()) > 0 })
	o.strike()
	<-o.over
	before, printed := p.counted(), len(debug.stdout.lines())
	consumer.awaitsLonger("more is counted", func() bool { return p.counted() > before+100 || !w.producer.running() })
	debug.awaitsLonger("debug prints more", func() bool { return len(debug.stdout.lines()) > printed+100 || !w.producer.running() })
	said := w.producer.stop()
	all := w.endedWell(said, o)
	debug.stop().must(p.t, 0)
	consumer.stop().must(p.t, 0)
	p.count()
	there := slices.DeleteFunc(slices.Clone(w.days), func(d day) bool {
		return !all.dates[d.date.Format(time.DateOnly)] // a producer that could not finish in time may leave a hole
	})
	p.tally().equals(p.t, counted(there))
	p.isAsUndisturbed()
	p.printsEach(debug, there)
	p.t.Logf("%d records", all.records)
}

// printsEach checks that debug left no day out, from its first to its last line
// of each partition.
func (p place) printsEach(debug *process, days []day) {
	p.t.Helper()
	var dates [4]map[string]bool
	first, last := [4]string{}, [4]string{}
	for _, line := range debug.stdout.lines() {
		var partition int
		if strings.HasSuffix(line, "'degrees': 1000000.0}") {
			continue // a repeat stands somewhere behind its original
		}
		_, date, _ := strings.Cut(line, "'date': '")
		if _, err := fmt.Sscanf(line, "{'partition': %d", &partition); err != nil || len(date) < 10 {
			p.t.Fatalf("debug printed %q", line)
		}
		date = date[:10]
		if dates[partition] == nil {
			dates[partition], first[partition] = make(map[string]bool), date
		}
		dates[partition][date] = true
		last[partition] = max(last[partition], date)
	}
	for partition := range 4 {
		var missing []string
		for _, d := range days {
			date := d.date.Format(time.DateOnly)
			if partitionOf[d.date.Month().String()] == partition && date >= first[partition] && date <= last[partition] && !dates[partition][date] {
				missing = append(missing, date)
			}
		}
		if len(missing) > 0 {
			p.t.Errorf("debug left out %d days of partition %d, %s to %s, between %s and %s:\n%s", len(missing), partition,
				missing[0], missing[len(missing)-1], first[partition], last[partition], debug.stderr.String())
		}
	}
}

// floods publishes as fast as it goes when the outage begins.
func floods(p place, o *outage) {
	o.arrive()
	<-o.imminent
	w := p.produces(o, "0", 600000)
	consumer := p.launch("consume", "--all")
	consumer.awaitsLonger("something is counted", func() bool { return p.counted() > 0 })
	o.strike()
	<-o.over
	before := p.counted()
	consumer.awaitsLonger("more is counted", func() bool { return p.counted() > before+100 || !w.producer.running() })
	said := w.producer.stop()
	all := w.endedWell(said, o)
	consumer.stop().must(p.t, 0)
	p.t.Logf("%d records: exit %d", all.records, said.code)
	w.resumes()
}

// waitLonger waits through an outage.
func (p *process) waitLonger() result {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
	}
	return p.wait()
}

var unacknowledged = regexp.MustCompile(`could not finish what was in flight within \S+: (\d+) of (\d+) reports handed over are not acknowledged`)

// stopsWhileAway asks a producer to end during the outage.
func stopsWhileAway(p place, o *outage) {
	w := p.produces(o, "1ms", 100000)
	w.inTopic(100)
	o.strike()
	asked := time.Now()
	said := w.producer.stop()
	took := time.Since(asked)
	<-o.over
	w.isTrue(said)
	p.t.Logf("it ended after %v: %s", took, said.stderr)
	w.resumes()
}

// inTopic waits until so many records were published.
func (w *producing) inTopic(n int) {
	w.t.Helper()
	watcher := w.elsewhere()
	consumer := watcher.launch("consume", "--all")
	consumer.awaitsLonger("records are counted", func() bool { return watcher.counted() >= int64(n) })
	consumer.kill()
}

// isTrue compares what a producer said at its end with the topic.
func (w *producing) isTrue(said result) content {
	w.t.Helper()
	all := w.content(w.days)
	acked := published(w.t, said)
	if said.code == 0 {
		all.withoutHoles(w.t, w.days)
		if acked != all.records {
			w.t.Errorf("%d were acknowledged, %d are there: %v", acked, all.records, said)
		}
		return all
	}
	said.must(w.t, 1, fmt.Sprintf("(%d reports were acknowledged)", acked))
	if acked > all.records {
		w.t.Errorf("%d were acknowledged, only %d are there: %v", acked, all.records, said)
	}
	if m := unacknowledged.FindStringSubmatch(said.stderr); m != nil {
		open, _ := strconv.Atoi(m[1])
		handed, _ := strconv.Atoi(m[2])
		if all.records > handed || handed-open != acked || open == 0 {
			w.t.Errorf("%d were acknowledged, %d are there: %v", acked, all.records, said)
		}
	} else if !givenUp.MatchString(said.stderr) {
		w.t.Errorf("it does not say what was not acknowledged: %v", said)
	}
	return all
}

// endedWell is isTrue of a producer that was stopped after the outage, which must
// not have given up, unless that was longer than it tries.
func (w *producing) endedWell(said result, o *outage) content {
	w.t.Helper()
	all := w.isTrue(said)
	if lasted := o.lasted(); givenUp.MatchString(said.stderr) && lasted < endurance {
		w.t.Errorf("it gave up though all was well after %v: %v", lasted, said)
	}
	return all
}

// resumes has another producer go on, and checks that each day is there once.
func (w *producing) resumes() {
	w.t.Helper()
	before := w.content(w.days)
	days := 500 // more than one partition may have
	for i, d := range w.days {
		if before.dates[d.date.Format(time.DateOnly)] {
			days = min(i+1+500, len(w.days))
		}
	}
	w.ok("produce", "--resume", "--delay", "0", "--input", write(w.t, "days.csv", asCSV(w.days[:days])), "--wait", "1m")
	all := w.content(w.days)
	all.withoutHoles(w.t, w.days)
	if len(all.dates) != days {
		w.t.Errorf("%d days are there, want %d", len(all.dates), days)
	}
	fresh := w.elsewhere()
	fresh.count()
	fresh.tally().equals(w.t, counted(w.days[:days]))
	fresh.ok("verify", "--all")
}

// interruptedTwice presses Ctrl-C until the producer ends, which must be with one
// of those codes.
func interruptedTwice(codes []int) func(place, *outage) {
	return func(p place, o *outage) {
		w := p.produces(o, "1ms", 100000)
		w.inTopic(100)
		o.strike()
		said := w.interrupt()
		<-o.over
		if !slices.Contains(codes, said.code) {
			p.t.Errorf("want exit %v: %v", codes, said)
		}
		p.t.Logf("exit %d", said.code)
		w.resumes()
	}
}

// interrupt presses Ctrl-C until the producer has ended.
func (w *producing) interrupt() result {
	w.t.Helper()
	for w.producer.running() {
		_ = w.producer.cmd.Process.Signal(os.Interrupt) // it may have ended since
		select {
		case <-w.producer.ended:
		case <-time.After(300 * time.Millisecond): // sooner, it would count as the first
		}
	}
	return w.producer.wait()
}

// killedWhileAway kills a producer at a random moment of the outage, and has
// another one go on as soon as it can.
func killedWhileAway(p place, o *outage) {
	w := p.produces(o, "1ms", 100000)
	w.inTopic(100)
	o.strike()
	after(rand.N(3 * time.Second))
	w.producer.kill()
	next := p.launch(append(w.publish, "--resume", "--delay", "1ms", "--wait", "2m")...)
	<-o.over
	watcher := p.elsewhere()
	consumer := watcher.launch("consume", "--all")
	records := int64(w.content(w.days).records)
	consumer.awaitsLonger("the next one goes on", func() bool { return watcher.counted() > records+100 || !next.running() })
	consumer.stop().must(p.t, 0)
	// Like the first one, it need not have come to an orderly end.
	if said := next.stop(); said.code != 0 {
		p.t.Logf("the next one: %v", said)
	}
	w.resumes()
}

// consumerStopsWhileAway stops a consumer during the outage, which must take no
// longer than otherwise.
func consumerStopsWhileAway(p place, o *outage) {
	p.produce("--days", "3000", "--replication-factor", o.copies)
	consumer := p.launch("consume", "--all")
	consumer.awaitsLonger("100 records are counted", func() bool { return p.counted() > 100 })
	o.strike()
	consumer.stop().must(p.t, 0)
	<-o.over
	p.isAsUndisturbed()
}

// givenUp names the record, and tells how many were acknowledged.
var givenUp = regexp.MustCompile(`publish report \d+ \(\d{4}-\d\d-\d\d\) to partition [0-3] of .*given up.*\(\d+ reports were acknowledged\)`)

// staysAway kills the broker, until all producers have given up.
func (c *cluster) staysAway() {
	t, o := c.t, &outage{copies: c.copies}
	p := c.place(t)
	slow := p.produces(o, "2ms", 100000)
	slow.inTopic(100)
	fast := c.place(t).produces(o, "0", 600000)
	fast.inTopic(1)
	consumer := p.launch("consume", "--all")
	consumer.awaitsLonger("100 records are counted", func() bool { return p.counted() > 100 })
	c.control("kill", "1")
	killed := time.Now()
	var said []result
	for _, w := range []*producing{slow, fast} {
		r := w.producer.waitLonger().must(t, 1, "hint: try `weatheractors produce --resume`")
		t.Logf("gave up within %v: %s", time.Since(killed), r.stderr)
		said = append(said, r)
	}
	c.control("restart", "1")
	for i, w := range []*producing{slow, fast} {
		if !givenUp.MatchString(said[i].stderr) {
			t.Errorf("it does not name the record, or how many were acknowledged: %v", said[i])
		}
		t.Logf("%d are there", w.isTrue(said[i]).records)
		w.resumes()
	}
	consumer.awaitsLonger("it reads again", func() bool { return strings.Contains(consumer.stderr.String(), "reading again") })
	consumer.stop().must(t, 0)
	p.isAsUndisturbed()
}
