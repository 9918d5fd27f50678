package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"
)

func TestStrangersAreCutOff(t *testing.T) {
	broker := start(t, Config{})
	for name, sent := range map[string]string{
		"a browser":               "GET / HTTP/1.1\r\n\r\n",
		"request of no size":      "\x00\x00\x00\x00",
		"request of 100 MiB + 1":  "\x06\x40\x00\x01",
		"request of unknown kind": "\x00\x00\x00\x08\x7f\xff\x00\x00\x00\x00\x00\x01",
	} {
		conn, err := net.Dial("tcp", broker.Addr())
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := conn.Write([]byte(sent)); err != nil {
			t.Error(name, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Error(name, err)
		}
		// A reset is as good as an end.
		if answer, err := io.ReadAll(conn); len(answer) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: answer %q, error %v", name, answer, err)
		}
		_ = conn.Close()
	}
	if err := connect(t, broker).Ping(t.Context()); err != nil {
		t.Error("afterwards:", err)
	}
}

// readOnce is a connection from which one chunk after the other is read.
type readOnce struct {
	net.Conn
	chunks [][]byte
}

func (r *readOnce) Read(p []byte) (int, error) {
	n := copy(p, r.chunks[0])
	r.chunks = r.chunks[1:]
	return n, nil
}

func TestGuardKnowsRequestsHoweverTheyAreCut(t *testing.T) {
	var stream []byte
	for i := range 8 {
		size := 8 + i*5
		stream = binary.BigEndian.AppendUint32(stream, uint32(size))
		stream = binary.BigEndian.AppendUint16(stream, uint16(i%4))
		stream = binary.BigEndian.AppendUint16(stream, 0)
		stream = binary.BigEndian.AppendUint32(stream, uint32(100+i))
		stream = append(stream, bytes.Repeat([]byte{0xff}, size-8)...)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		source := &readOnce{}
		for rest := stream; len(rest) > 0; {
			n := 1 + random.IntN(min(30, len(rest)))
			source.chunks = append(source.chunks, rest[:n])
			rest = rest[n:]
		}
		c := &guardedConn{Conn: source, faults: newFaults()}
		for len(source.chunks) > 0 {
			if _, err := c.Read(make([]byte, 64)); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for i := range 8 {
			if api, ok := c.answered(uint32(100 + i)); !ok || api != API(i%4) {
				t.Fatalf("seed %d: request %d is of kind %d (known: %v)", seed, i, api, ok)
			}
		}
	}
}

func TestGuardForgetsRequestsWithoutAnswer(t *testing.T) {
	c := &guardedConn{}
	for i := range 1000 {
		c.asked(request{uint32(i), Produce})
	}
	if len(c.pending) > maxPending {
		t.Errorf("%d requests pending", len(c.pending))
	}
	if _, ok := c.answered(999); !ok || len(c.pending) != 0 {
		t.Errorf("last request known: %v, still pending: %d", ok, len(c.pending))
	}
}

func FuzzGuard(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), 1)
	f.Add([]byte("\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\x00\x00"), 3)
	f.Fuzz(func(t *testing.T, sent []byte, cut int) {
		cut = max(1, min(cut, len(sent)))
		whole, parts := &guardedConn{}, &guardedConn{}
		want := whole.inspect(sent)
		var got error
		for rest := sent; len(rest) > 0 && got == nil; rest = rest[min(cut, len(rest)):] {
			got = parts.inspect(rest[:min(cut, len(rest))])
		}
		if (got == nil) != (want == nil) {
			t.Errorf("in parts of %d bytes: %v; at once: %v", cut, got, want)
		}
		if len(whole.pending) > maxPending {
			t.Errorf("%d requests pending", len(whole.pending))
		}
	})
}
