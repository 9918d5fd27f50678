package chaos

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// biggestFrame is what a request or an answer may have, in bytes.
const biggestFrame = 256 << 20

// proxy stands between the processes and the brokers, and loses what it is asked
// to lose. Each broker has a listener of its own, so that clients that are told
// the brokers' addresses can be told the proxy's instead.
type proxy struct {
	wg sync.WaitGroup

	mu                   sync.Mutex
	closed               bool
	listeners            map[string]net.Listener // by the broker's address
	conns                map[net.Conn]struct{}
	loseAcks, cutAnswers int // still to do
	lost, cut            int // done
}

func newProxy() *proxy {
	return &proxy{listeners: map[string]net.Listener{}, conns: map[net.Conn]struct{}{}}
}

// route returns the address that leads to a broker.
func (p *proxy) route(broker string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, found := p.listeners[broker]; found {
		return l.Addr().String(), nil
	}
	if p.closed {
		return "", net.ErrClosed
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen for %s: %w", broker, err)
	}
	p.listeners[broker] = l
	p.wg.Go(func() { p.accept(l, broker) })
	return l.Addr().String(), nil
}

// lose has the next acknowledgements lost and the next answers to consumers
// break off.
func (p *proxy) lose(acks, answers int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loseAcks += acks
	p.cutAnswers += answers
}

// done says how many faults there were, and whether all that were asked for.
func (p *proxy) done() (lost, cut int, all bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost, p.cut, p.loseAcks+p.cutAnswers == 0
}

// close ends every connection.
func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for _, l := range p.listeners {
		_ = l.Close() // as good as closed
	}
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *proxy) accept(l net.Listener, broker string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return // closed
		}
		p.wg.Go(func() { p.serve(client, broker) })
	}
}

// serve connects a client with a broker until one of them ends it, or a fault.
// Where the broker is away, the client is told so by the end of its connection.
func (p *proxy) serve(client net.Conn, broker string) {
	defer p.forget(client)
	if !p.track(client) {
		return
	}
	server, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	defer p.forget(server)
	if !p.track(server) {
		return
	}
	l := &link{proxy: p, asked: map[int32]question{}}
	requests := make(chan struct{})
	go func() {
		defer close(requests)
		l.requests(client, server)
		_ = server.Close() // that ends the answers, too
	}()
	l.answers(server, client)
	_, _ = client.Close(), server.Close() // that ends the requests, too
	<-requests
}

func (p *proxy) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = struct{}{}
	return !p.closed
}

func (p *proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	_ = c.Close()
}

// link is a connection of a client with a broker.
type link struct {
	proxy *proxy

	mu    sync.Mutex
	asked map[int32]question // by correlation id
}

// question is what has to be known of a request in order to read its answer.
type question struct{ key, version int16 }

var errFrame = errors.New("not Kafka's protocol")

// readFrame reads a request or an answer, with its size in front.
func readFrame(r io.Reader, least int) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < uint32(least) || n > biggestFrame {
		return nil, errFrame
	}
	frame := make([]byte, 4+n)
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// requests passes requests on, and remembers what they ask for. One that is not
// whole is not passed on.
func (l *link) requests(client io.Reader, server io.Writer) {
	for {
		frame, err := readFrame(client, 8)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.asked[int32(binary.BigEndian.Uint32(frame[8:]))] = question{
			key: int16(binary.BigEndian.Uint16(frame[4:])), version: int16(binary.BigEndian.Uint16(frame[6:])),
		}
		l.mu.Unlock()
		if _, err := server.Write(frame); err != nil {
			return
		}
	}
}

// answers passes answers on until one is to be lost. The broker has done by then
// what it was asked for.
func (l *link) answers(server io.Reader, client io.Writer) {
	for {
		frame, err := readFrame(server, 4)
		if err != nil {
			return
		}
		q := l.question(int32(binary.BigEndian.Uint32(frame[4:])))
		if l.proxy.isLost(q.key) {
			return
		}
		if l.proxy.isCut(q.key) {
			_, _ = client.Write(frame[:len(frame)/2]) // the client may have gone
			return
		}
		if frame, err = l.proxy.rewritten(q, frame); err != nil {
			return
		}
		if _, err := client.Write(frame); err != nil {
			return
		}
	}
}

func (l *link) question(id int32) question {
	l.mu.Lock()
	defer l.mu.Unlock()
	q, found := l.asked[id]
	if !found {
		return question{key: -1}
	}
	delete(l.asked, id)
	return q
}

func (p *proxy) isLost(key int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kmsg.Key(key) != kmsg.Produce || p.loseAcks == 0 {
		return false
	}
	p.loseAcks--
	p.lost++
	return true
}

func (p *proxy) isCut(key int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kmsg.Key(key) != kmsg.Fetch || p.cutAnswers == 0 {
		return false
	}
	p.cutAnswers--
	p.cut++
	return true
}
