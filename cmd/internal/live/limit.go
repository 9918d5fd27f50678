package live

import (
	"net"
	"sync"
)

// limited is a listener that has so many connections at most; others wait to be
// accepted until one of them is closed.
type limited struct {
	net.Listener
	free   chan struct{}
	closed chan struct{}
	close  func() error
}

func newLimited(l net.Listener, most int) *limited {
	closed := make(chan struct{})
	return &limited{l, make(chan struct{}, most), closed, sync.OnceValue(func() error { close(closed); return l.Close() })}
}

func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &counted{conn, sync.OnceFunc(func() { <-l.free })}, nil
}

func (l *limited) Close() error { return l.close() }

// counted is a connection that gives its place back.
type counted struct {
	net.Conn
	release func()
}

func (c *counted) Close() error {
	c.release()
	return c.Conn.Close()
}
