// Package live shows a run to browsers and programs, by HTTP: a page that updates
// itself, an API in JSON, pictures, a stream of events, metrics and health.
//
// It hears of the run by events alone, and reads the partition files as anyone
// may. One goroutine owns the model and publishes copies that never change; each
// request reads the latest, so that no reader, however slow, delays what it reads
// about.
//
// All of it is read-only. Only this machine can connect unless told otherwise; a
// request for a host of another name is refused, since a name may be made to
// point here (DNS rebinding); the page may load nothing from anywhere else, and
// runs no script but its own file.
package live

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// Server shows one run.
type Server struct {
	config   Config
	listener net.Listener
	scheme   string
	latest   atomic.Pointer[snapshot]
	expected chan []int32
	files    *follower
	streams  atomic.Int32
	ending   chan struct{} // closed when nobody hears what is expected any more
	end      func()
	probe    prober
}

// errWindowsInUse is WSAEADDRINUSE; syscall.EADDRINUSE is another number on
// Windows.
const errWindowsInUse = syscall.Errno(10048)

// New listens, so that whoever wants to know can connect; Run answers them. A
// Server that is not run is to be closed by running it with a context that has
// ended.
func New(config Config) (*Server, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	secure, err := config.tls()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", config.Addr)
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, errWindowsInUse) {
		return nil, fmt.Errorf("listen on %s for the page: %w", config.Addr, ErrAddressInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("listen for the page: %w", err)
	}
	s := newServer(config)
	s.over(listener)
	if secure != nil {
		secure.NextProtos = []string{"h2", "http/1.1"}
		s.listener, s.scheme = tls.NewListener(s.listener, secure), "https"
	}
	return s, nil
}

func newServer(config Config) *Server {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{
		config:   config,
		scheme:   "http",
		expected: make(chan []int32),
		files:    newFollower(config.Files, config.Changed, config.Events == nil),
		ending:   make(chan struct{}),
		probe:    prober{ask: config.Probe},
	}
	s.end = sync.OnceFunc(func() { close(s.ending) })
	s.publish(&status.State{}, time.Now())
	return s
}

// over has the server listen to a listener, to so many at once.
func (s *Server) over(l net.Listener) { s.listener = newLimited(l, maxConnections) }

// URL is where a browser finds the page.
func (s *Server) URL() string {
	address := s.listener.Addr().String()
	if host, port, err := net.SplitHostPort(address); err == nil && everywhere(host) {
		address = net.JoinHostPort("localhost", port)
	}
	return s.scheme + "://" + address + "/"
}

// Expect makes partitions known that are going to be counted.
func (s *Server) Expect(partitions []int32) {
	select {
	case s.expected <- partitions:
	case <-s.ending:
	}
}

// Run answers until ctx ends, then closes all connections at once.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.config.Log.Handler(), slog.LevelDebug),
	}
	var own sync.WaitGroup
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		s.files.follow(ctx)
	}()
	own.Go(func() { s.model(ctx) })
	own.Go(func() {
		<-ctx.Done()
		s.end()
		_ = server.Close() // what is not read yet nobody waits for
	})
	err := server.Serve(s.listener)
	ended := ctx.Err() != nil
	cancel()
	own.Wait()
	select {
	case <-followed:
	case <-time.After(diskWait): // it may hang for ever
	}
	if ended && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve the page: %w", err)
}
