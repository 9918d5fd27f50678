package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// soon is a wait for tests in which no broker is reached, long one for tests in
// which the answer must not take that long.
const soon, long = 500 * time.Millisecond, time.Minute

func TestWaitForBroker(t *testing.T) {
	t.Parallel()
	_, plain := startBroker(t, embedded.Config{})
	_, secured := startBroker(t, embedded.Config{Users: []embedded.User{
		{Mechanism: "PLAIN", Name: "u", Password: "p"},
		{Mechanism: "SCRAM-SHA-256", Name: "u", Password: "p"},
		{Mechanism: "SCRAM-SHA-512", Name: "u", Password: "p"},
	}})
	pair, certFile, keyFile := newCertificate(t)
	_, encrypted := startBroker(t, embedded.Config{TLS: &tls.Config{Certificates: []tls.Certificate{pair}}})
	_, mutual := startBroker(t, embedded.Config{TLS: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert,
	}})
	mute, nobody := listenMute(t), freeAddress(t)

	with := func(c Config, change func(*Config)) Config {
		change(&c)
		return c
	}
	tests := []struct {
		rule   string
		config Config
		wait   time.Duration
		want   []string // of the error; none means no error
	}{
		{"a broker that answers is enough", plain, long, nil},
		{"one of several brokers is enough", with(plain, func(c *Config) {
			c.Brokers = []string{nobody, mute, plain.Brokers[0]}
		}), long, nil},
		{"every address is named with its cause", with(plain, func(c *Config) { c.Brokers = []string{nobody, mute} }), soon,
			[]string{"no broker can be reached within 500ms", nobody + ": connection refused", mute + ": no answer"}},
		{"TLS where the broker speaks none", with(plain, func(c *Config) { c.TLS.Enable = true }), soon,
			[]string{plain.Brokers[0], "check the TLS and SASL settings"}},
		{"no TLS where the broker wants it", with(encrypted, func(*Config) {}), soon,
			[]string{encrypted.Brokers[0], "check the TLS and SASL settings"}},
		{"SASL where the broker knows none", with(plain, func(c *Config) { c.SASL = SASL{"PLAIN", "u", "p"} }), soon,
			[]string{plain.Brokers[0], "check the TLS and SASL settings"}},
		{"no SASL where the broker wants it", secured, soon,
			[]string{secured.Brokers[0], "check the TLS and SASL settings"}},
		{"TLS with the right authority", with(encrypted, func(c *Config) {
			c.TLS = TLS{Enable: true, CAFile: certFile, ServerName: "example.com"}
		}), long, nil},
		{"TLS by the address alone", with(encrypted, func(c *Config) { c.TLS = TLS{Enable: true, CAFile: certFile} }), long, nil},
		{"an unknown authority is final", with(encrypted, func(c *Config) { c.TLS.Enable = true }), long,
			[]string{encrypted.Brokers[0], "unknown authority"}},
		{"a certificate of somebody else is final", with(encrypted, func(c *Config) {
			c.TLS = TLS{Enable: true, CAFile: certFile, ServerName: "example.org"}
		}), long, []string{"example.org"}},
		{"a certificate of our own", with(mutual, func(c *Config) {
			c.TLS = TLS{Enable: true, CAFile: certFile, CertFile: certFile, KeyFile: keyFile}
		}), long, nil},
		{"no certificate of our own where the broker wants one is final", with(mutual, func(c *Config) {
			c.TLS = TLS{Enable: true, CAFile: certFile}
		}), long, []string{"certificate required"}},
		{"PLAIN", with(secured, func(c *Config) { c.SASL = SASL{"PLAIN", "u", "p"} }), long, nil},
		{"SCRAM-SHA-256", with(secured, func(c *Config) { c.SASL = SASL{"SCRAM-SHA-256", "u", "p"} }), long, nil},
		{"SCRAM-SHA-512", with(secured, func(c *Config) { c.SASL = SASL{"SCRAM-SHA-512", "u", "p"} }), long, nil},
		{"a file that can't be read is no matter of brokers", with(plain, func(c *Config) {
			c.TLS = TLS{Enable: true, CAFile: "missing.pem"}
		}), long, []string{"read TLS authorities", "missing.pem"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			err := test.config.WaitForBroker(t.Context(), test.wait)
			checkError(t, err, test.want)
			if unreachable := test.wait == soon; errors.Is(err, ErrNoBroker) != unreachable {
				t.Errorf("%v is ErrNoBroker: %t, want %t", err, !unreachable, unreachable)
			}
		})
	}
}

// checkError checks that err has all of the texts, or is nil if there are none.
func checkError(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil && want != nil {
		t.Fatalf("no error, want one with %q", want)
	}
	if err != nil && want == nil {
		t.Fatalf("error %v, want none", err)
	}
	for _, text := range want {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// versions says that a broker takes SASL requests, and metadata requests up to a
// version.
func versions(t *testing.T, most int16) sarama.MockResponse {
	const metadata, handshake, authenticate = 3, 17, 36
	return sarama.NewMockApiVersionsResponse(t).SetApiKeys([]sarama.ApiVersionsResponseKey{
		{ApiKey: metadata, MaxVersion: most}, {ApiKey: handshake, MaxVersion: 1}, {ApiKey: authenticate, MaxVersion: 1},
	})
}

// The embedded broker hangs up on a wrong password; Kafka says what is wrong.
func TestWrongPasswordIsReportedAtOnce(t *testing.T) {
	broker := sarama.NewMockBroker(t, 1)
	defer broker.Close()
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest":      versions(t, 9),
		"SaslHandshakeRequest":    sarama.NewMockSaslHandshakeResponse(t).SetEnabledMechanisms([]string{"PLAIN"}),
		"SaslAuthenticateRequest": sarama.NewMockSaslAuthenticateResponse(t).SetError(sarama.ErrSASLAuthenticationFailed),
	})
	c := Config{Brokers: []string{broker.Addr(), listenMute(t)}, Topic: "t", SASL: SASL{"PLAIN", "u", "wrong"}}
	err := c.WaitForBroker(t.Context(), long)
	if !errors.Is(err, sarama.ErrSASLAuthenticationFailed) || errors.Is(err, ErrNoBroker) {
		t.Errorf("got %v, want ErrSASLAuthenticationFailed", err)
	}
	if !messages.IsPermanent(err) {
		t.Errorf("%v is not permanent", err)
	}
	if err != nil && !strings.Contains(err.Error(), broker.Addr()) {
		t.Errorf("%v does not name %s", err, broker.Addr())
	}
}

// Kafka answers a SASL handshake that it did not expect, as with any that comes
// at the wrong moment.
func TestSASLThatTheBrokerDoesNotExpect(t *testing.T) {
	broker := sarama.NewMockBroker(t, 1)
	defer broker.Close()
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest":   versions(t, 9),
		"SaslHandshakeRequest": sarama.NewMockSaslHandshakeResponse(t).SetError(sarama.ErrIllegalSASLState),
	})
	c := Config{Brokers: []string{broker.Addr()}, Topic: "t", SASL: SASL{"PLAIN", "u", "p"}}
	checkError(t, c.WaitForBroker(t.Context(), long), []string{broker.Addr(), "check the TLS and SASL settings"})
}

func TestAddressForClientsMustBeReachable(t *testing.T) {
	t.Parallel()
	nobody := freeAddress(t)
	broker := sarama.NewMockBroker(t, 1)
	defer broker.Close()
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": versions(t, 9),
		"MetadataRequest":    sarama.NewMockMetadataResponse(t).SetBroker(nobody, 7),
	})
	c := Config{Brokers: []string{broker.Addr()}, Topic: "t"}
	checkError(t, c.WaitForBroker(t.Context(), soon), []string{broker.Addr(), "gives its clients", nobody})
}

func TestBrokerThatComesLaterIsFound(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Brokers: []string{listener.Addr().String()}, Topic: "t"}
	found := make(chan error, 1)
	go func() { found <- c.WaitForBroker(t.Context(), long) }()
	conn, err := listener.Accept() // the first attempt, which fails
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	conn.Close()
	startBroker(t, embedded.Config{Listen: c.Brokers[0]})
	if err := <-found; err != nil {
		t.Error(err)
	}
}

func TestWaitForBrokerEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if conn, err := listener.Accept(); err == nil {
			defer conn.Close()
			cancel()
			<-t.Context().Done()
		}
	}()
	c := Config{Brokers: []string{listener.Addr().String()}, Topic: "t"}
	if err := c.WaitForBroker(ctx, long); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
