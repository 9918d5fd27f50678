package embedded

import (
	"context"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// API is a kind of request, by its number in Kafka's protocol.
type API int16

// The kinds of requests that tests mostly disturb. Any other number of the
// protocol works as well.
const (
	Produce     API = 0
	Fetch       API = 1
	ListOffsets API = 2
	Metadata    API = 3
)

// faults is what tests told the broker to do wrong.
type faults struct {
	ctx  context.Context // ends with the broker
	stop context.CancelFunc

	mu     sync.Mutex
	conns  map[*guardedConn]struct{}
	losing map[API][]*loss
	paused chan struct{} // closed when answers flow again; nil while they flow
}

// loss is a number of answers still to be lost.
type loss struct {
	left int
	done chan struct{} // closed at 0
}

func newFaults() *faults {
	f := &faults{conns: make(map[*guardedConn]struct{}), losing: make(map[API][]*loss)}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

// LoseAnswers makes the broker act on each of the next n requests of one kind,
// and then close the connection instead of answering, as a network does that
// fails at the wrong moment. The channel is closed once n answers are lost.
func (b *Broker) LoseAnswers(api API, n int) (lost <-chan struct{}) {
	l := &loss{left: n, done: make(chan struct{})}
	if n <= 0 {
		close(l.done)
		return l.done
	}
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	b.faults.losing[api] = append(b.faults.losing[api], l)
	return l.done
}

// Fail makes the broker refuse the next n requests of one kind with an error
// code of Kafka's protocol. It does not act on them, except where code is 7
// (request timed out): then it acts and answers with the error all the same. The
// channel is closed once n requests were refused; it never is if the broker is
// closed before. A fetch that is waiting for records already is not refused.
func (b *Broker) Fail(api API, code int16, n int) (failed <-chan struct{}) {
	done := make(chan struct{})
	if n <= 0 {
		close(done)
		return done
	}
	handle := b.cluster.Fault(kfake.Fault{
		Keys:  []kmsg.Key{kmsg.Key(api)},
		Err:   kerr.TypedErrorForCode(code),
		Count: n,
	})
	go func() {
		if handle.Wait(b.faults.ctx, n) == nil {
			close(done)
		}
	}()
	return done
}

// Pause holds back every answer, on connections made later too, until resume is
// called or the broker is closed: a broker that hangs. resume may be called more
// than once.
func (b *Broker) Pause() (resume func()) {
	b.faults.mu.Lock()
	defer b.faults.mu.Unlock()
	if b.faults.paused == nil {
		b.faults.paused = make(chan struct{})
	}
	return b.faults.resume
}

// Disconnect closes every connection. Clients may connect again at once.
func (b *Broker) Disconnect() {
	b.faults.mu.Lock()
	conns := make([]*guardedConn, 0, len(b.faults.conns))
	for c := range b.faults.conns {
		conns = append(conns, c)
	}
	b.faults.mu.Unlock()
	for _, c := range conns {
		_ = c.Close() // what the client had not been told is lost, as intended
	}
}

// MoveLeader begins a new leader epoch of a partition, as after a change of
// leaders; the new leader is this broker again. The error is that the partition
// does not exist.
func (b *Broker) MoveLeader(topic string, partition int32) error {
	leader := b.cluster.LeaderFor(topic, partition)
	if leader < 0 {
		return fmt.Errorf("move leader of %s, partition %d: no such partition", topic, partition)
	}
	return b.cluster.MoveTopicPartition(topic, partition, leader)
}

func (f *faults) add(c *guardedConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = struct{}{}
}

func (f *faults) remove(c *guardedConn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}

// loses tells whether an answer to a request of that kind is to be lost, and
// counts it.
func (f *faults) loses(api API) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := f.losing[api]
	if len(queue) == 0 {
		return false
	}
	queue[0].left--
	if queue[0].left == 0 {
		close(queue[0].done)
		f.losing[api] = queue[1:]
	}
	return true
}

func (f *faults) waitUnpaused() {
	f.mu.Lock()
	paused := f.paused
	f.mu.Unlock()
	if paused == nil {
		return
	}
	select {
	case <-paused:
	case <-f.ctx.Done():
	}
}

func (f *faults) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.paused != nil {
		close(f.paused)
		f.paused = nil
	}
}

// close lets every answer that is held back go, so that the broker can end.
func (f *faults) close() { f.stop() }
