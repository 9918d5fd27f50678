package integration

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What follows is about logs that look otherwise than a producer left them.

// signal sends a signal that Go has no name for on every system.
func signal(t testing.TB, name string, pid int) {
	t.Helper()
	if err := exec.Command("kill", "-"+name, strconv.Itoa(pid)).Run(); err != nil {
		t.Fatalf("kill -%s %d: %v", name, pid, err)
	}
}

// offsetOf is the offset in a partition's file.
func (p place) offsetOf(partition int) (offset int64) {
	p.t.Helper()
	var file struct{ Offset int64 }
	unmarshal(p.t, p.read(fmt.Sprintf("partition-%d.json", partition)), &file)
	return file.Offset
}

func TestKafkaDeletedRecordsBeforeTheStart(t *testing.T) {
	t.Parallel()
	p := onKafka(t)
	p.produce("--days", "500", "--duplicates", "0")
	p.count()
	before, at := p.files(), p.offsetOf(2)
	p.produce("--resume", "--days", "1500", "--duplicates", "0")
	p.foreign("delete", "2", fmt.Sprint(at+7))
	gone := fmt.Sprintf("offsets %d to %d", at, at+6)
	p.run("consume", "2", "--until-end").must(t, 1, gone, "hint: `--on-gap skip`")
	same(t, p.files(), before)
	p.count("--on-gap", "skip")
	contains(t, "the sidecar", p.read("partition-2.topic"), fmt.Sprint(at), fmt.Sprint(at+7))
	if n := p.tally().count(); n != 2000-7 {
		t.Errorf("counted %d days, want 2000 without the 7 that are gone", n)
	}
	p.ok("verify", "0", "1", "3")
	p.run("verify", "2").must(t, 1)
	p.count() // it is no gap any more
	fresh := p.elsewhere()
	contains(t, "standard error", fresh.count().stderr, fmt.Sprint(at+7))
	if n := fresh.tally().count(); int64(n) != 2000-at-7 {
		t.Errorf("a fresh start counted %d days, want %d", n, 2000-at-7)
	}
}

func TestKafkaDeletesRecordsDuringTheRun(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"fail", "skip"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			p := onKafka(t)
			p.produce("--days", "500", "--duplicates", "0")
			consumer := p.launch("consume", "--all", "--on-gap", policy)
			consumer.awaitsLonger("500 are counted", func() bool { return p.counted() == 500 })
			signal(t, "STOP", consumer.cmd.Process.Pid)
			// The fetch that is under way gets the first batch, which is to be a small one.
			p.produce("--resume", "--days", "1500", "--duplicates", "0", "--delay", "200us")
			const end = 600
			p.foreign("delete", "2", fmt.Sprint(end))
			signal(t, "CONT", consumer.cmd.Process.Pid)
			if policy == "fail" {
				// An answer may have been on its way.
				said := consumer.waitLonger().must(t, 1, "hint: `--on-gap skip`")
				contains(t, "standard error", said.stderr, fmt.Sprintf("offsets %d to %d", p.offsetOf(2), end-1))
				p.ok("verify", "0", "1", "3")
				return
			}
			consumer.awaitsLonger("the rest is counted", func() bool { return p.counted() == 2000 })
			consumer.stop().must(t, 0)
			var sidecar struct{ Gaps []struct{ Base, Next int } }
			unmarshal(t, p.read("partition-2.topic"), &sidecar)
			if len(sidecar.Gaps) != 1 || sidecar.Gaps[0].Next != end {
				t.Fatalf("the gap is not noted: %+v", sidecar)
			}
			if n, want := p.tally().count(), 2000-(end-sidecar.Gaps[0].Base); n != want {
				t.Errorf("counted %d days, want %d", n, want)
			}
			p.run("verify", "2").must(t, 1)
		})
	}
}

func TestKafkaTransactions(t *testing.T) {
	t.Parallel()
	p := onKafka(t)
	p.foreign("create", "4")
	live := p.elsewhere()
	consumer := live.launch("consume", "--all")
	const n = 300
	p.foreign("transactions", fmt.Sprint(n))
	days := someWeather(n + 200)
	for i := range n {
		days[i].degrees = float64(i)
	}
	p.count()
	p.tally().equals(t, counted(days[:n]))
	p.ok("verify", "--all")
	if int(p.offset()) < 2*n {
		t.Errorf("the files stand at %d: where are control records and aborted ones?", p.offset())
	}
	t.Logf("%d offsets for %d days", p.offset(), n)

	// Up to where a transaction is open there is an end; after it, it goes on.
	p.foreign("begin")
	p.count()
	p.tally().equals(t, counted(days[:n]))
	// Its records are not there, but what stands behind them is, once and for all.
	input := write(t, "days.csv", asCSV(someWeather(n+200)))
	p.ok("produce", "--resume", "--delay", "0", "--input", input)
	p.ok("produce", "--resume", "--delay", "0", "--input", input)
	p.count()
	// At another open one there would be fewer.
	p.tally().equals(t, counted(days))
	consumer.awaitsLonger("the live one is there, too", func() bool { return live.counted() >= p.offset() })
	consumer.stop().must(t, 0)
	live.count()
	same(t, live.files(), p.files())
	p.ok("verify", "--all")
	for partition, records := range p.records() {
		seen := make(map[string]bool)
		for _, r := range records {
			if seen[r.date] {
				t.Errorf("partition %d has %s twice", partition, r.date)
			}
			seen[r.date] = true
		}
	}
}

// batch is a record batch as it stands in a log.
type batch struct {
	at, size int
	base     int64
	records  uint32
}

// batches are those of a segment.
func batches(t testing.TB, path string) (all []batch) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		return nil // it was just cleaned
	}
	const header = 61
	for at := 0; at+header <= len(content); {
		b := batch{
			at: at, base: int64(binary.BigEndian.Uint64(content[at:])),
			size:    12 + int(binary.BigEndian.Uint32(content[at+8:])),
			records: binary.BigEndian.Uint32(content[at+57:]),
		}
		if b.size <= header-1 || at+b.size > len(content) {
			break
		}
		all = append(all, b)
		at += b.size
	}
	return all
}

func segments(t testing.TB, dir, topic string, partition int) []string {
	t.Helper()
	paths, err := filepath.Glob(fmt.Sprintf("%s/1/data/%s-%d/*.log", dir, topic, partition))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no log of partition %d in %s: %v", topic, partition, dir, err)
	}
	return paths
}

// TestKafkaCompactsTheTopic has a broker leave holes in the offsets, and batches
// with nothing in them, which it keeps for the sake of their producers.
func TestKafkaCompactsTheTopic(t *testing.T) {
	t.Parallel()
	needPython(t)
	p := onKafka(t)
	p.foreign("create", "4", "cleanup.policy=compact", "segment.bytes=1048576", "min.cleanable.dirty.ratio=0.001", "max.compaction.lag.ms=1000")
	p.foreign("publish", "0", "300")
	p.count()
	begun := p.tally().count()
	for i := range 3 { // producers, each with its last batch
		p.foreign("publish", fmt.Sprint(300+60000*i), "60000")
	}
	dir := kafkaFolder(t)
	// looks is how the logs look: their segments, and how many batches are empty.
	looks := func() (text string, empty int) {
		for partition := range 4 {
			for _, path := range segments(t, dir, p.topic, partition) {
				all := batches(t, path)
				text += fmt.Sprintln(path, len(all))
				for _, b := range all {
					if b.records == 0 {
						empty++
					}
				}
			}
		}
		return text, empty
	}
	for began := time.Now(); ; after(20 * glance) {
		before, empty := looks()
		if empty > 0 {
			fresh := p.elsewhere()
			fresh.count()
			n := fresh.tally().count()
			recounted, err := python("testdata/recount.py", p.broker.addr, p.topic, fresh.dir)
			verified := fresh.run("verify", "--all")
			// The broker may have gone on with it meanwhile.
			if now, _ := looks(); now == before {
				r := recount{Days: n}
				switch {
				case err == nil:
					unmarshal(t, recounted, &r)
				case strings.Contains(err.Error(), "unpacked[-1].offset"):
					// kafka-python 2.0.2 fails where a fetch begins with an empty batch:
					// then verify, which has another client, must do.
					t.Log("kafka-python can't read this topic")
				default:
					t.Fatal(err)
				}
				if verified.must(t, 0); r.Days != n || n == 0 || n >= 180300 {
					t.Errorf("counted %d days of 180300, Python %d", n, r.Days)
				}
				p.count()
				for partition := range 4 {
					if a, b := p.offsetOf(partition), fresh.offsetOf(partition); a != b {
						t.Errorf("partition %d: one that had begun came to %d, a fresh one to %d", partition, a, b)
					}
				}
				if p.tally().count() <= begun {
					t.Errorf("one that had begun with %d days has no more", begun)
				}
				t.Logf("%d days are left of 180300, with %d empty batches", n, empty)
				return
			}
		}
		if time.Since(began) > patience {
			t.Fatal("the broker does not compact the topic, or does not stop")
		}
	}
}

// losesItsTail runs on a cluster of its own: its broker comes back without the end
// of its logs, as after a power cut.
func (c *cluster) losesItsTail() {
	t, p := c.t, c.place(c.t)
	for range 3 {
		p.produce("--resume", "--days", "1000", "--duplicates", "0")
	}
	p.count()
	before, id := p.files(), p.topicID("2")
	early := p.elsewhere() // has read nothing of what will be lost
	live := p.elsewhere()
	consumer := live.launch("consume", "--all")
	consumer.awaitsLonger("all are counted", func() bool { return live.counted() == 3000 })
	c.control("kill", "1")
	for partition := range 4 {
		paths := segments(t, c.dir, p.topic, partition)
		path := paths[len(paths)-1]
		all := batches(t, path)
		if len(all) < 3 {
			t.Fatalf("partition %d has only %d batches", partition, len(all))
		}
		if err := os.Truncate(path, int64(all[len(all)-1].at)); err != nil {
			t.Fatal(err)
		}
		derived, _ := filepath.Glob(filepath.Dir(path) + "/*.*index")
		snapshots, _ := filepath.Glob(filepath.Dir(path) + "/*.snapshot")
		for _, path := range append(derived, snapshots...) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.control("restart", "1")
	refused := consumer.waitLonger().must(t, 1, "hint: `--on-recreate reset`")
	t.Logf("while it ran: %s", refused.stderr)
	same(t, live.files(), before)
	p.run("consume", "--all", "--until-end").must(t, 1, "hint: `--on-recreate reset`")
	same(t, p.files(), before)
	early.count()

	// Refilled with other weather, beyond where it was.
	p.ok("produce", "--resume", "--delay", "0", "--seed", "8", "--days", "2500", "--duplicates", "0", "--wait", "1m")
	refused = p.run("consume", "--all", "--until-end").must(t, 1, "hint: `--on-recreate reset`")
	t.Logf("refilled: %s", refused.stderr)
	same(t, p.files(), before)
	p.run("verify", "--all").must(t, 1)
	p.count("--on-recreate", "reset")
	if now := p.topicID("2"); now != id {
		t.Errorf("the topic's id was %s, now it is %s", id, now)
	}
	early.count()
	same(t, p.files(), early.files())
	p.isAsUndisturbed()
}

func TestKafkaWithSASL(t *testing.T) {
	t.Parallel()
	p := onKafka(t)
	content, err := os.ReadFile(filepath.Join(kafkaFolder(t), "sasl"))
	if err != nil {
		t.Fatal(err)
	}
	p.broker.addr = strings.TrimSpace(string(content))
	for _, c := range []struct{ mechanism, password string }{
		{"PLAIN", "sun-and-rain"}, {"SCRAM-SHA-512", "sun-and-rain"},
		{"PLAIN", "wind"}, {"SCRAM-SHA-512", "wind"},
	} {
		t.Run(c.mechanism+" "+c.password, func(t *testing.T) {
			p := p.elsewhere()
			p.t, p.topic = t, newTopic()
			auth := []string{"--sasl-mechanism", c.mechanism, "--sasl-user", "weather",
				"--sasl-password-file", write(t, "password", c.password+"\n")}
			publish := append([]string{"produce", "--delay", "0", "--seed", "7", "--days", "100"}, auth...)
			if c.password == "wind" {
				p.run(publish...).must(t, 1, "uthentication failed")
				return
			}
			p.ok(publish...)
			p.count(auth...)
			p.ok(append([]string{"verify", "--all"}, auth...)...)
			p.tally().withoutHoles(t)
		})
	}
}
