package verify

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Config says where the topic is. It is not the configuration of those who
// count: a witness asks on its own.
type Config struct {
	// Brokers are the addresses to begin with, host:port each. At least one.
	Brokers []string
	// Topic is the name of the topic. Not empty.
	Topic string
	// TLS encrypts the connections. Nil means that they are plain.
	TLS *tls.Config
	// Mechanism is PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, and says who asks, with
	// User and Password. Empty means that the brokers don't want to know.
	Mechanism      string
	User, Password string
	// Wait is how long to wait for a broker's first answer. 0 means 5 s. Once
	// there was one, an outage may last that long or 30 s, whichever is longer.
	Wait time.Duration
}

const (
	defaultWait = 5 * time.Second
	outage      = 30 * time.Second

	// biggestBatch is what a batch of records may unpack to, in bytes.
	biggestBatch = 64 << 20
)

// client returns a client that is not connected yet.
func (c Config) client() (*kgo.Client, error) {
	if len(c.Brokers) == 0 || c.Topic == "" {
		return nil, errors.New("want the address of a broker, and the name of a topic")
	}
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID("weatheractors-verify"),
		kgo.RequestRetries(0), // the reader does it, and remembers why
		kgo.MaxDecompressBatchBytes(biggestBatch),
	}
	if c.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(c.TLS))
	}
	switch c.Mechanism {
	case "":
	case "PLAIN":
		opts = append(opts, kgo.SASL(plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()))
	default:
		return nil, fmt.Errorf("sasl mechanism: want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, got %q", c.Mechanism)
	}
	return kgo.NewClient(opts...)
}
