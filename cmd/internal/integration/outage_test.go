package integration

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ownBroker starts a development broker of the test's own, and returns a place on it.
func ownBroker(t *testing.T, listen, data string) (*process, place) {
	t.Helper()
	b := launch(t, "broker", "--listen", listen, "--data-dir", data)
	b.awaits("its address", func() bool { return len(b.stdout.lines()) > 0 })
	return b, place{
		t: t, broker: broker{"own", b.stdout.lines()[0]}, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files"),
	}
}

// TestABrokerThatIsKilledIsWaitedFor runs on a development broker of its own,
// whose process is killed and started again while it is published to and read.
func TestABrokerThatIsKilledIsWaitedFor(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	b, p := ownBroker(t, "127.0.0.1:0", data)
	producer := p.launch("produce", "--delay", "1ms")
	consumer := p.launch("consume", "--all")
	troubles := func() int { return strings.Count(consumer.stderr.String(), "can't read at the moment") }
	progress := func() {
		t.Helper()
		before := p.offset()
		consumer.awaits("more is counted", func() bool { return p.offset() > before+100 })
	}
	progress()
	for range 2 {
		before := troubles()
		b.kill()
		consumer.awaits("it says that it can't read", func() bool { return troubles() > before })
		b, _ = ownBroker(t, p.broker.addr, data)
		progress()
	}
	producer.stop().must(t, 0)
	consumer.stop().must(t, 0, "reading again")
	p.count()
	p.tally().withoutHoles(t)
	p.ok("verify", "--all")
	b.stop().must(t, 0)
}

func TestABrokerThatHangsDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	b, p := ownBroker(t, "127.0.0.1:0", t.TempDir())
	p.produce("--days", "100", "--duplicates", "0")
	consumer := p.launch("consume", "--all")
	consumer.awaits("100 records are counted", func() bool { return p.offset() == 100 })
	// Go has no name for this signal on every system.
	if err := exec.Command("kill", "-STOP", strconv.Itoa(b.cmd.Process.Pid)).Run(); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	consumer.stop().must(t, 0)
	if took := time.Since(asked); took > 8*time.Second {
		t.Errorf("it took %v", took)
	}
	p.tally().withoutHoles(t)
}
