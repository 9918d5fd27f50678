package live

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/files"
	"github.com/weatheractors/weatheractors/messages"
)

var (
	// ErrConfig says that a Config makes no sense.
	ErrConfig = errors.New("live: config")
	// ErrExposed says that others than this machine could read along.
	ErrExposed = errors.New("reachable from other machines, without TLS")
	// ErrAddressInUse says that somebody else listens there.
	ErrAddressInUse = errors.New("address already in use")
)

// Config says what to show, and to whom.
type Config struct {
	// Addr is the address to listen on, host:port; port 0 is any that is free.
	// Without a host, or with one that is not this machine's loopback, others can
	// connect: that wants CertFile and KeyFile, or Insecure.
	Addr string
	// CertFile and KeyFile are PEM files; with them the server speaks TLS alone.
	CertFile, KeyFile string
	// Insecure allows others to connect without TLS.
	Insecure bool
	// Hosts are names that browsers may know the server by, beside that in Addr
	// and those of the loopback. Requests for any other name are refused.
	Hosts []string
	// Origin is the one whose pages may read the API: https://example.org. Empty
	// means that none but our own may.
	Origin string

	// Events is what the actors tell; nil where none are at work.
	Events <-chan *messages.Event
	// Files are what was counted.
	Files files.Folder
	// Changed hints that a file may have changed. Without it they are looked at
	// every 2 seconds, and after each checkpoint that the events tell of.
	Changed <-chan struct{}
	// Probe asks the actors for an answer; its error says which of them gave
	// none. nil where none are at work.
	Probe func(context.Context) error
	// ReadyLag is up to how many records a partition may lag, and be ready although
	// it is not live.
	ReadyLag int64

	// Metrics answers /metrics; nil where there are none.
	Metrics http.Handler
	// Pprof serves what Go's profiler has to say.
	Pprof bool
	// Version is the program's.
	Version string
	// Log takes what goes wrong; nil means nobody wants to know.
	Log *slog.Logger
}

func (c *Config) validate() error {
	host, _, err := net.SplitHostPort(c.Addr)
	switch {
	case err != nil:
		return fmt.Errorf("%w: address %q: want host:port", ErrConfig, c.Addr)
	case (c.CertFile == "") != (c.KeyFile == ""):
		return fmt.Errorf("%w: TLS wants both a certificate and a key", ErrConfig)
	case c.CertFile == "" && !c.Insecure && !loopback(host):
		return fmt.Errorf("listen on %s: %w", c.Addr, ErrExposed)
	case c.ReadyLag < 0:
		return fmt.Errorf("%w: a lag of %d records, want 0 or more", ErrConfig, c.ReadyLag)
	case c.Files.List == nil || c.Files.Path == nil || c.Files.Read == nil:
		return fmt.Errorf("%w: nobody to read the files", ErrConfig)
	}
	for _, name := range c.Hosts {
		if name == "" || strings.ContainsAny(name, "/@ ") {
			return fmt.Errorf("%w: host %q: want a name, without a port", ErrConfig, name)
		}
	}
	if c.Origin != "" && !origin(c.Origin) {
		return fmt.Errorf("%w: origin %q: want one such as https://example.org", ErrConfig, c.Origin)
	}
	return nil
}

// origin says whether a text is one, as browsers write it.
func origin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Scheme+"://"+u.Host == text
}

// loopback says whether only this machine can reach a host.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// tls returns nil where the server does without.
func (c *Config) tls() (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil //nolint:nilnil // no TLS is not an error
	}
	certificate, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("load the certificate of the page: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}, nil
}

// limits of the server. Nothing that a client does takes longer, or more.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second // for a whole answer
	idleTimeout    = 30 * time.Second
	streamTimeout  = 5 * time.Second        // for one event
	diskWait       = 500 * time.Millisecond // at the end
	maxHeaderBytes = 16 << 10
	maxConnections = 256
	maxStreams     = 64
)
