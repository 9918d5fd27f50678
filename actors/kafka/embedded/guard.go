package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guardedListener puts every connection under a guard.
type guardedListener struct {
	net.Listener
	faults *faults
}

func (l guardedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &guardedConn{Conn: conn, faults: l.faults}
	l.faults.add(c)
	return c, nil
}

// maxRequest is the size of the largest request that is read, in bytes:
// Apache Kafka's socket.request.max.bytes.
const maxRequest = 100 << 20

// requestHead is what of a request the guard looks at: size (4 bytes), kind (2),
// version (2), correlation id (4).
const requestHead = 12

// guardedConn is one client's connection. It ends the connection of a client
// that does not speak Kafka's protocol (a browser, a port scanner), for which
// the broker would reserve a gigabyte or panic, and it knows which request each
// answer belongs to, so that faults can pick them.
//
// Read is called by one goroutine, Write by another.
type guardedConn struct {
	net.Conn
	faults *faults

	// Touched only by Read.
	head [requestHead]byte
	have int // bytes of head
	left int // bytes of the request behind head

	mu      sync.Mutex
	pending []request // oldest first
}

type request struct {
	correlation uint32
	api         API
}

// maxPending is more than the broker ever reads ahead on one connection. Some
// requests have no answer, so the list would grow without it.
const maxPending = 16

func (c *guardedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bad := c.inspect(p[:n]); bad != nil {
		return 0, bad // not n: the caller would use what it has got
	}
	return n, err
}

// inspect follows the requests in what the client sent.
func (c *guardedConn) inspect(p []byte) error {
	for len(p) > 0 {
		if c.have == requestHead {
			skip := min(c.left, len(p))
			c.left -= skip
			p = p[skip:]
			if c.left == 0 {
				c.have = 0
			}
			continue
		}
		n := copy(c.head[c.have:], p)
		c.have += n
		p = p[n:]
		if err := c.checkHead(); err != nil {
			return err
		}
	}
	return nil
}

var errNotKafka = errors.New("not a Kafka client")

// checkHead checks as much of the request's head as has come.
func (c *guardedConn) checkHead() error {
	if c.have >= 4 {
		size := binary.BigEndian.Uint32(c.head[:])
		if size < requestHead-4 || size > maxRequest {
			return fmt.Errorf("%w: request of %d bytes", errNotKafka, size)
		}
		c.left = int(size) - (requestHead - 4)
	}
	if c.have >= 6 {
		if key := int16(binary.BigEndian.Uint16(c.head[4:])); kmsg.RequestForKey(key) == nil {
			return fmt.Errorf("%w: request of kind %d", errNotKafka, key)
		}
	}
	if c.have == requestHead {
		c.asked(request{
			correlation: binary.BigEndian.Uint32(c.head[8:]),
			api:         API(binary.BigEndian.Uint16(c.head[4:])),
		})
		if c.left == 0 {
			c.have = 0
		}
	}
	return nil
}

func (c *guardedConn) asked(r request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == maxPending {
		c.pending = c.pending[1:]
	}
	c.pending = append(c.pending, r)
}

// answered forgets the requests up to the one that is answered, and tells its
// kind. Answers come in the order of the requests.
func (c *guardedConn) answered(correlation uint32) (API, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, r := range c.pending {
		if r.correlation == correlation {
			c.pending = c.pending[i+1:]
			return r.api, true
		}
	}
	return 0, false
}

// Write sends one whole answer, unless a fault has other plans for it.
func (c *guardedConn) Write(p []byte) (int, error) {
	const answerHead = 8 // size, correlation id
	if len(p) >= answerHead {
		api, known := c.answered(binary.BigEndian.Uint32(p[4:]))
		c.faults.waitUnpaused()
		if known && c.faults.loses(api) {
			return 0, errors.Join(net.ErrClosed, c.Close())
		}
	}
	return c.Conn.Write(p)
}

func (c *guardedConn) Close() error {
	c.faults.remove(c)
	return c.Conn.Close()
}
