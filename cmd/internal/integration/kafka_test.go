package integration

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The tests of the files kafka_*_test.go are about what only Apache Kafka does, or
// does in its own way.

// kafkaFolder is where .ci/kafka keeps the Apache Kafka of WEATHERACTORS_TEST_BROKERS.
func kafkaFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WEATHERACTORS_TEST_KAFKA")
	if dir == "" {
		t.Skip("WEATHERACTORS_TEST_KAFKA is not set: `.ci/kafka run -- go test` sets it to the folder of its Apache Kafka")
	}
	return dir
}

// onKafka is a place on the Apache Kafka that all tests share, and none may break.
func onKafka(t *testing.T) place {
	t.Helper()
	kafkaFolder(t)
	return place{t: t, broker: broker{"kafka", os.Getenv("WEATHERACTORS_TEST_BROKERS")}, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files")}
}

// cluster is an Apache Kafka of a test's own, which may be broken.
type cluster struct {
	t         *testing.T
	dir, addr string
	copies    string // of each record
}

// startCluster starts one with so many nodes, numbered from 1. Every node keeps
// everything. It is stopped at the end of the test.
func startCluster(t *testing.T, nodes int) *cluster {
	t.Helper()
	// In the folder of .ci/kafka run, which stops what it finds there in the end.
	c := &cluster{t: t, dir: filepath.Join(kafkaFolder(t), "cluster-"+newTopic()), copies: fmt.Sprint(nodes)}
	c.addr = c.control("start")
	t.Cleanup(func() { c.control("stop") })
	return c
}

// of is the cluster for a subtest.
func (c *cluster) of(t *testing.T) *cluster { return &cluster{t, c.dir, c.addr, c.copies} }

// control has .ci/kafka do something to the cluster.
func (c *cluster) control(command string, node ...string) string {
	c.t.Helper()
	args := append([]string{command, c.dir}, node...)
	cmd := exec.Command(root+"/.ci/kafka", args...)
	cmd.Env = append(os.Environ(), "KAFKA_NODES="+c.copies)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		logs, _ := filepath.Glob(c.dir + "/*/kafka.log")
		for _, log := range logs {
			content, _ := os.ReadFile(log)
			c.t.Logf("%s:\n%s", log, content[max(0, len(content)-4000):])
		}
		c.t.Fatalf(".ci/kafka %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

// place is a topic of its own on the cluster.
func (c *cluster) place(t *testing.T) place {
	t.Helper()
	return place{t: t, broker: broker{"cluster", c.addr}, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files")}
}

// scenario is something that goes on while a cluster suffers.
type scenario struct {
	name string
	run  func(place, *outage)
}

// outage is what a scenario knows of the cluster's suffering.
type outage struct {
	copies   string               // as in cluster
	arrive   func()               // says that it is ready for what it has to do in the last moment
	underWay func()               // says that it is ready to suffer
	imminent <-chan struct{}      // closed when all have arrived
	begun    <-chan struct{}      // closed then
	over     <-chan struct{}      // closed then
	lasted   func() time.Duration // once it is over
}

// strike says that the scenario is ready, and waits until the outage has begun.
func (o *outage) strike() {
	o.arrive()
	o.underWay()
	<-o.begun
}

// outage has all scenarios go on side by side while begin, and then end, do
// something to the cluster.
func (c *cluster) outage(begin, end func(), scenarios []scenario) {
	c.t.Helper()
	var arrived, underWay, all sync.WaitGroup
	arrived.Add(len(scenarios))
	underWay.Add(len(scenarios))
	imminent, begun, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var from, to time.Time
	lasted := func() time.Duration { return to.Sub(from) }
	defer all.Wait()
	for _, s := range scenarios {
		all.Go(func() {
			o := &outage{c.copies, sync.OnceFunc(arrived.Done), sync.OnceFunc(underWay.Done), imminent, begun, over, lasted}
			defer o.underWay() // nobody waits for one that has failed
			defer o.arrive()
			c.t.Run(s.name, func(t *testing.T) { s.run(c.place(t), o) })
		})
	}
	// Where a step fails, the scenarios must not wait for the next.
	defer close(over)
	func() {
		defer close(begun)
		func() {
			defer close(imminent)
			arrived.Wait()
		}()
		underWay.Wait()
		from = time.Now()
		begin()
	}()
	end()
	to = time.Now()
}

// after waits for real time to pass: an outage has its length.
func after(length time.Duration) { <-time.After(length) }

// logged is a record as kcat, a client of others, reads it.
type logged struct {
	partition int
	offset    int64
	key, date string
	degrees   float64
}

func (r logged) isRepeat() bool { return r.degrees == 1000000 }

// records are all records of the topic, by partition.
func (p place) records() [4][]logged {
	p.t.Helper()
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		missing(p.t, "there is no kcat")
	}
	cmd := exec.Command(kcat, "-C", "-q", "-e", "-o", "beginning", "-b", p.broker.addr, "-t", p.topic,
		"-f", `%p %o %k %S`+"\n%s\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("kcat: %v\n%s", err, &stderr)
	}
	var all [4][]logged
	for read := bufio.NewReader(bytes.NewReader(out)); ; {
		var r logged
		var size int
		if _, err := fmt.Fscanf(read, "%d %d %s %d\n", &r.partition, &r.offset, &r.key, &size); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			p.t.Fatal(err)
		}
		value := make([]byte, size+1) // with the end of the line
		if _, err := io.ReadFull(read, value); err != nil {
			p.t.Fatal(err)
		}
		if size != 21 || string(value[:2]) != "\x0a\x0a" || value[12] != 0x11 {
			p.t.Fatalf("offset %d of partition %d has the value %x", r.offset, r.partition, value[:size])
		}
		r.date, r.degrees = string(value[2:12]), math.Float64frombits(binary.LittleEndian.Uint64(value[13:21]))
		all[r.partition] = append(all[r.partition], r)
	}
}

// content is what producers left in a topic.
type content struct {
	records int
	dates   map[string]bool
}

// content reads the topic and checks what must be so whatever happened: every
// record is one of the days, none is there twice, each partition is in order and
// has no hole, and each repeat stands behind its original.
func (p place) content(days []day) content {
	p.t.Helper()
	all := content{dates: make(map[string]bool)}
	var due [4][]day
	for _, d := range days {
		partition := partitionOf[d.date.Month().String()]
		due[partition] = append(due[partition], d)
	}
	for partition, records := range p.records() {
		all.records += len(records)
		if err := all.add(records, due[partition]); err != nil {
			p.t.Errorf("partition %d of %s: %v", partition, p.topic, err)
		}
	}
	return all
}

// add checks the records of a partition, for which these days are due.
func (c *content) add(records []logged, due []day) error {
	repeated := make(map[string]bool)
	for _, r := range records {
		switch {
		case r.isRepeat():
			if !c.dates[r.date] || repeated[r.date] {
				return fmt.Errorf("%+v is a repeat without its original, or the second one", r)
			}
			repeated[r.date] = true
		case c.dates[r.date]:
			return fmt.Errorf("%+v is there twice", r)
		case len(due) == 0 || r.date != due[0].date.Format(time.DateOnly):
			return fmt.Errorf("%+v, but next due is %v", r, due[:min(1, len(due))])
		case r.key != due[0].date.Month().String() || r.degrees != due[0].degrees:
			return fmt.Errorf("%+v, but it should be %v", r, due[0])
		default:
			c.dates[r.date] = true
			due = due[1:]
		}
	}
	return nil
}

// withoutHoles checks that the days are there up to some day, and none after it.
func (c content) withoutHoles(t testing.TB, days []day) {
	t.Helper()
	for i, d := range days {
		if (i < len(c.dates)) != c.dates[d.date.Format(time.DateOnly)] {
			t.Errorf("%d days are there, but not the first ones: see %v", len(c.dates), d.date)
			return
		}
	}
}

// leaders are the nodes that lead the topic's partitions, as kcat knows them.
func (p place) leaders() []int {
	p.t.Helper()
	out, err := exec.Command("kcat", "-L", "-J", "-b", p.broker.addr, "-t", p.topic).Output()
	if err != nil {
		p.t.Fatalf("kcat: %v", err)
	}
	var answer struct {
		Topics []struct {
			Partitions []struct{ Partition, Leader int }
		}
	}
	if err := json.Unmarshal(out, &answer); err != nil || len(answer.Topics) != 1 {
		p.t.Fatalf("kcat: %v\n%s", err, out)
	}
	partitions := answer.Topics[0].Partitions
	slices.SortFunc(partitions, func(a, b struct{ Partition, Leader int }) int { return a.Partition - b.Partition })
	var leaders []int
	for _, partition := range partitions {
		leaders = append(leaders, partition.Leader)
	}
	return leaders
}

// foreign runs the program of that name.
func (p place) foreign(command string, args ...string) {
	p.t.Helper()
	path, err := buildForeign()
	if err != nil {
		p.t.Fatal(err)
	}
	if out, err := exec.Command(path, append([]string{command, p.broker.addr, p.topic}, args...)...).CombinedOutput(); err != nil {
		p.t.Fatalf("foreign %s %v: %v\n%s", command, args, err, out)
	}
}

var buildForeign = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "foreign")
	out, err := exec.Command("go", "build", "-o", path, "./foreign").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build ./foreign: %w\n%s", err, out)
	}
	return path, nil
})
