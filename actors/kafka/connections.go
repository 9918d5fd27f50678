package kafka

import (
	"context"
	"net"
	"sync"

	"github.com/IBM/sarama"
)

// connections are the network connections made under one sarama.Config. To
// close them is the only way to end a call of sarama that waits for a broker:
// Broker.Close itself waits for the answer that is under way.
//
// It is safe for concurrent use.
type connections struct {
	dialer net.Dialer
	ctx    context.Context // ends with close, and ends the dials under way
	cancel context.CancelFunc

	mu   sync.Mutex
	open map[*connection]struct{}
}

// keepConnections makes conf dial through the connections that it returns. Of
// one conf it may be asked once.
func keepConnections(conf *sarama.Config) *connections {
	c := &connections{
		dialer: net.Dialer{Timeout: conf.Net.DialTimeout, KeepAlive: conf.Net.KeepAlive},
		open:   make(map[*connection]struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	conf.Net.Proxy.Enable = true
	conf.Net.Proxy.Dialer = c
	return c
}

// Dial is what sarama calls. After close it always fails.
func (c *connections) Dial(network, address string) (net.Conn, error) {
	raw, err := c.dialer.DialContext(c.ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &connection{Conn: raw, owner: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		_ = raw.Close()
		return nil, net.ErrClosed
	}
	c.open[conn] = struct{}{}
	return conn, nil
}

// close closes every connection and refuses new ones. It may be called again.
func (c *connections) close() {
	c.cancel()
	c.closeOpen()
}

// closeOpen closes the connections that are open now; new ones may follow.
func (c *connections) closeOpen() {
	c.mu.Lock()
	open := c.open
	c.open = make(map[*connection]struct{})
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Conn.Close() // whoever reads from it hears of the failure
	}
}

// connection leaves its owner's set when it is closed.
type connection struct {
	net.Conn
	owner *connections
}

func (c *connection) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}
