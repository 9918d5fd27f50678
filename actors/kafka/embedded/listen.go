package embedded

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// ErrAddressInUse says that another program listens on an address already.
var ErrAddressInUse = errors.New("address already in use")

// errWindowsInUse is WSAEADDRINUSE; syscall.EADDRINUSE is another number on
// Windows, which the system never returns.
const errWindowsInUse = syscall.Errno(10048)

// listen listens on address. The listener's Addr is what clients are told to
// connect to, so it never is a wildcard: that becomes this machine's host name,
// as with Apache Kafka.
func listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, listenError(address, err)
	}
	tcp, ok := ln.Addr().(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return ln, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen %s: find the host name to tell clients: %w", address, err), ln.Close())
	}
	return advertised{ln, hostPort(net.JoinHostPort(host, fmt.Sprint(tcp.Port)))}, nil
}

// listenError cuts net's "listen tcp …: bind: " down to the cause.
func listenError(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, errWindowsInUse) {
		return fmt.Errorf("listen %s: %w", address, ErrAddressInUse)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	return fmt.Errorf("listen %s: %w", address, err)
}

// advertised is a listener that gives another address than its own.
type advertised struct {
	net.Listener
	addr net.Addr
}

func (a advertised) Addr() net.Addr { return a.addr }

// hostPort is a network address by name.
type hostPort string

func (hostPort) Network() string  { return "tcp" }
func (h hostPort) String() string { return string(h) }
