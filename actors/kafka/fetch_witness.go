package kafka

import (
	"net"
	"sync/atomic"

	"github.com/IBM/sarama"
)

// witness remembers whether reading from or writing to a connection went wrong.
// sarama reports a broken connection and an answer that can't be decoded in the
// same way (both may be io.ErrUnexpectedEOF), and only the first may be mended
// by trying again.
type witness struct {
	dialer interface {
		Dial(network, address string) (net.Conn, error)
	}
	failed atomic.Bool
}

// witnessConnections puts a witness between conf and its dialer.
func witnessConnections(conf *sarama.Config) *witness {
	w := &witness{dialer: conf.Net.Proxy.Dialer}
	conf.Net.Proxy.Dialer = w
	return w
}

func (w *witness) Dial(network, address string) (net.Conn, error) {
	conn, err := w.dialer.Dial(network, address)
	if err != nil {
		w.failed.Store(true)
		return nil, err
	}
	return &witnessed{Conn: conn, failed: &w.failed}, nil
}

type witnessed struct {
	net.Conn
	failed *atomic.Bool
}

func (c *witnessed) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.failed.Store(true)
	}
	return n, err
}

func (c *witnessed) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.failed.Store(true)
	}
	return n, err
}
