package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestABrokerThatIsKilledIsWaitedFor runs on a development broker of its own,
// whose process is killed and started again while it is published to and read.
func TestABrokerThatIsKilledIsWaitedFor(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	address := "127.0.0.1:0"
	begin := func() *process {
		b := launch(t, "broker", "--listen", address, "--data-dir", data)
		b.awaits("its address", func() bool { return len(b.stdout.lines()) > 0 })
		address = b.stdout.lines()[0]
		return b
	}
	b := begin()
	p := place{t: t, broker: broker{"restarted", address}, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files")}
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
		b = begin()
		progress()
	}
	producer.stop().must(t, 0)
	consumer.stop().must(t, 0, "reading again")
	p.count()
	p.tally().withoutHoles(t)
	p.ok("verify", "--all")
	b.stop().must(t, 0)
}
