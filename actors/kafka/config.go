package kafka

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/IBM/sarama"
)

// DefaultClientID is the client id where a [Config] names none.
const DefaultClientID = "weatheractors"

// Config says which topic of which cluster is meant, and how to connect to it.
// Everything in this package starts from it; nothing in it changes once it is
// in use, and a copy is as good as the original.
type Config struct {
	// Brokers are the addresses to begin with, each host:port (an IPv6 host in
	// brackets). At least one; the cluster names the others by itself.
	Brokers []string
	// Topic is the name of the topic, 1 to 249 of a-z A-Z 0-9 . _ - (but not
	// "." or ".."). There is no default.
	Topic string
	// ClientID is how the brokers name this program in logs, metrics and
	// quotas. Empty means [DefaultClientID].
	ClientID string
	// TLS encrypts the connections. Off by default: then everything, a PLAIN
	// password included, travels in the clear.
	TLS TLS
	// SASL authenticates this program to the brokers. Off by default.
	SASL SASL
}

// TLS says how connections are encrypted and how each side proves who it is.
// Certificates are always verified, and nothing older than TLS 1.2 is spoken.
type TLS struct {
	// Enable turns TLS on. Off, any other field is refused as a mistake.
	Enable bool
	// CAFile holds the certificates, PEM, of the authorities that may sign a
	// broker's. Empty means those of the operating system.
	CAFile string
	// CertFile and KeyFile hold this program's own certificate and its private
	// key, PEM, for brokers that ask for one. Both or neither.
	CertFile, KeyFile string
	// ServerName is the name that the brokers' certificates must carry. Empty
	// means the host of each address.
	ServerName string
}

// SASL says who this program is.
type SASL struct {
	// Mechanism is one of PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. Empty means
	// that the brokers ask for none; then User and Password must be empty, too.
	Mechanism string
	// User and Password are required with a mechanism. The password belongs in
	// the environment or in a file: the arguments of a process are public.
	User, Password string
}

// String leaves the password out, so that a printed Config betrays nothing.
func (s SASL) String() string {
	if s == (SASL{}) {
		return "none"
	}
	return fmt.Sprintf("%s user %q", s.Mechanism, s.User)
}

// GoString is String, for %#v.
func (s SASL) GoString() string { return s.String() }

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// Validate returns an error that quotes the first value that can't be used. It
// reads no file and asks no broker.
func (c Config) Validate() error {
	if len(c.Brokers) == 0 {
		return errors.New("brokers: want at least one host:port, got none")
	}
	for _, address := range c.Brokers {
		if err := checkAddress(address); err != nil {
			return err
		}
	}
	if !topicName.MatchString(c.Topic) || c.Topic == "." || c.Topic == ".." {
		return fmt.Errorf("topic %q: want 1 to 249 of the characters a-z, A-Z, 0-9, dot, underscore and hyphen", c.Topic)
	}
	if err := c.TLS.validate(); err != nil {
		return err
	}
	return c.SASL.validate()
}

func checkAddress(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return fmt.Errorf("brokers %q: want host:port", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("brokers %q: want a port from 1 to 65535", address)
	}
	return nil
}

func (t TLS) validate() error {
	given := cmp.Or(t.CAFile, t.CertFile, t.KeyFile, t.ServerName)
	switch {
	case !t.Enable && given != "":
		return fmt.Errorf("tls: %q is given, but TLS is off", given)
	case (t.CertFile == "") != (t.KeyFile == ""):
		return fmt.Errorf("tls: a certificate needs its key: got certificate file %q and key file %q", t.CertFile, t.KeyFile)
	}
	return nil
}

func (s SASL) validate() error {
	switch s.Mechanism {
	case "":
		if s != (SASL{}) {
			return fmt.Errorf("sasl: user %q or a password is given, but no mechanism", s.User)
		}
		return nil
	case sarama.SASLTypePlaintext, sarama.SASLTypeSCRAMSHA256, sarama.SASLTypeSCRAMSHA512:
	default:
		return fmt.Errorf("sasl: want mechanism PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, got %q", s.Mechanism)
	}
	if s.User == "" || s.Password == "" {
		return fmt.Errorf("sasl: %s wants a user and a password, got user %q and a password of %d bytes", s.Mechanism, s.User, len(s.Password))
	}
	return nil
}

// TLSConfig reads the files that TLS names, and returns what another client
// needs in order to connect in the same way: nil if TLS is off. The caller owns
// the result.
func (c Config) TLSConfig() (*tls.Config, error) {
	if !c.TLS.Enable {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLS.ServerName}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read TLS authorities: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read TLS authorities %s: want a certificate in PEM form, got none", c.TLS.CAFile)
		}
	}
	if c.TLS.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read TLS certificate %s and key %s: %w", c.TLS.CertFile, c.TLS.KeyFile, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

// sarama returns a configuration that the caller may change, with what every
// client of ours needs. Version stays at sarama's default, 2.8: it serves
// brokers from 2.1 to 4.3, and asks for topic ids.
func (c Config) sarama() (*sarama.Config, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	conf := sarama.NewConfig()
	conf.ClientID = cmp.Or(c.ClientID, DefaultClientID)
	conf.ApiVersionsRequest = true

	// A broker that is mute is given up after 10 s, so MaxWaitTime and
	// Producer.Timeout must stay below that.
	conf.Net.DialTimeout = 5 * time.Second
	conf.Net.ReadTimeout = 10 * time.Second
	conf.Net.WriteTimeout = 10 * time.Second

	// Asking for a topic must never make it: otherwise a refresh brings the
	// topic back that was just deleted, with one partition.
	conf.Metadata.AllowAutoTopicCreation = false
	conf.Metadata.Full = false
	conf.Metadata.Retry.Backoff = 100 * time.Millisecond

	conf.Consumer.IsolationLevel = sarama.ReadCommitted

	tlsConfig, err := c.TLSConfig()
	if err != nil {
		return nil, err
	}
	conf.Net.TLS.Enable, conf.Net.TLS.Config = c.TLS.Enable, tlsConfig
	c.SASL.apply(conf)
	if err := conf.Validate(); err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return conf, nil
}

func (s SASL) apply(conf *sarama.Config) {
	if s.Mechanism == "" {
		return
	}
	sasl := &conf.Net.SASL
	sasl.Enable = true
	sasl.Mechanism = sarama.SASLMechanism(s.Mechanism)
	sasl.User, sasl.Password = s.User, s.Password
	switch s.Mechanism {
	case sarama.SASLTypeSCRAMSHA256:
		sasl.SCRAMClientGeneratorFunc = newSCRAM256
	case sarama.SASLTypeSCRAMSHA512:
		sasl.SCRAMClientGeneratorFunc = newSCRAM512
	}
}
