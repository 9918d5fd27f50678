package integration

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// gate stands before a broker. It loses acknowledgements: the broker has written
// the records and has answered, but then the connection breaks.
type gate struct {
	broker string

	mu   sync.Mutex
	lose map[string]int // how many answers about a topic; negative is all
	lost map[string]int
}

// openGate opens one where clients of the proxied listener are sent.
func openGate(t *testing.T) (*gate, string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(kafkaFolder(t), "proxied"))
	if err != nil {
		t.Fatal(err)
	}
	broker, addr, _ := strings.Cut(strings.TrimSpace(string(content)), " ")
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	g := &gate{broker: broker, lose: make(map[string]int), lost: make(map[string]int)}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go g.serve(client)
		}
	}()
	return g, addr
}

// loses says how many answers about a topic are to be lost from now on.
func (g *gate) loses(topic string, n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lose[topic] = n
}

// hasLost returns how many were.
func (g *gate) hasLost(topic string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lost[topic]
}

// swallows tells whether the answer to a request is to be lost.
func (g *gate) swallows(request []byte) bool {
	const produce = 0 // in the first two bytes
	if len(request) < 8 || binary.BigEndian.Uint16(request) != produce {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for topic, n := range g.lose {
		if n != 0 && bytes.Contains(request, []byte(topic)) {
			g.lose[topic] = n - 1
			g.lost[topic]++
			return true
		}
	}
	return false
}

// serve passes one request after the other on, and its answer back.
func (g *gate) serve(client net.Conn) {
	defer client.Close()
	broker, err := net.Dial("tcp", g.broker)
	if err != nil {
		return
	}
	defer broker.Close()
	for {
		request, err := pass(broker, client)
		if err != nil {
			return
		}
		into := io.Writer(client)
		lost := g.swallows(request)
		if lost {
			into = io.Discard
		}
		if _, err := pass(into, broker); err != nil || lost {
			return
		}
	}
}

// pass passes on a request or an answer, which begins with its size.
func pass(to io.Writer, from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(from, message); err != nil {
		return nil, err
	}
	_, err := to.Write(append(size[:], message...))
	return message, err
}

func TestKafkaLosesAcknowledgements(t *testing.T) {
	t.Parallel()
	g, addr := openGate(t)
	cases := []struct {
		name string
		lose int
		end  func(*testing.T, *gate, *producing)
	}{
		{"1", 1, publishesAll},
		{"3", 3, publishesAll},
		{"8", 8, publishesAll},
		{"all", -1, givesUp},
		{"5 and SIGTERM", 5, isStopped(0)},
		{"all and SIGTERM", -1, isStopped(1)},
		{"all and SIGINT twice", -1, isInterrupted},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := place{t: t, broker: broker{"kafka", addr}, topic: newTopic(), dir: filepath.Join(t.TempDir(), "files")}
			w := p.produces(&outage{copies: "1"}, "1ms", 3000)
			w.inTopic(100)
			g.loses(p.topic, c.lose)
			w.producer.awaitsLonger("the first is lost", func() bool { return g.hasLost(p.topic) > 0 })
			c.end(t, g, w)
		})
	}
}

func publishesAll(t *testing.T, g *gate, w *producing) {
	want := g.remaining(w.topic) + g.hasLost(w.topic)
	all := w.isTrue(w.producer.waitLonger().must(t, 0))
	if len(all.dates) != len(w.days) {
		t.Errorf("%d days are there, want %d", len(all.dates), len(w.days))
	}
	if n := g.hasLost(w.topic); n != want {
		t.Errorf("%d acknowledgements were lost, want %d", n, want)
	}
	w.count()
	w.tally().equals(t, counted(w.days))
}

// remaining is how many are still to be lost.
func (g *gate) remaining(topic string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lose[topic]
}

func givesUp(t *testing.T, g *gate, w *producing) {
	began := time.Now()
	said := w.producer.waitLonger().must(t, 1, "hint: try `weatheractors produce --resume`")
	g.loses(w.topic, 0)
	if !givenUp.MatchString(said.stderr) {
		t.Errorf("it does not name the record, or how many were acknowledged: %v", said)
	}
	t.Logf("%d lost, gave up within %v, %d are there: %s", g.hasLost(w.topic), time.Since(began), w.isTrue(said).records, said.stderr)
	w.resumes()
}

func isStopped(code int) func(*testing.T, *gate, *producing) {
	return func(t *testing.T, g *gate, w *producing) {
		said := w.producer.stop().must(t, code)
		g.loses(w.topic, 0)
		t.Logf("%d lost, %d are there: %s", g.hasLost(w.topic), w.isTrue(said).records, said.stderr)
		w.resumes()
	}
}

func isInterrupted(t *testing.T, g *gate, w *producing) {
	w.interrupt().must(t, 130)
	g.loses(w.topic, 0)
	w.resumes()
}
