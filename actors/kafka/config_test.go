package kafka

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/IBM/sarama"
)

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		rule   string
		change func(*Config)
		want   []string // of the error; none means no error
	}{
		{"brokers and a topic are enough", func(*Config) {}, nil},
		{"several brokers, one of them IPv6", func(c *Config) { c.Brokers = []string{"a:1", "[::1]:65535"} }, nil},
		{"no broker", func(c *Config) { c.Brokers = nil }, []string{"brokers", "got none"}},
		{"an address without port", func(c *Config) { c.Brokers = []string{"a:1", "b"} }, []string{"host:port", `"b"`}},
		{"an address without host", func(c *Config) { c.Brokers = []string{":9092"} }, []string{"host:port", `":9092"`}},
		{"an empty address", func(c *Config) { c.Brokers = []string{""} }, []string{"host:port", `""`}},
		{"port 0", func(c *Config) { c.Brokers = []string{"a:0"} }, []string{"1 to 65535", `"a:0"`}},
		{"a port too large", func(c *Config) { c.Brokers = []string{"a:65536"} }, []string{"1 to 65535", `"a:65536"`}},
		{"a port by name", func(c *Config) { c.Brokers = []string{"a:kafka"} }, []string{"1 to 65535", `"a:kafka"`}},
		{"no topic", func(c *Config) { c.Topic = "" }, []string{"topic", `""`}},
		{"a topic with a slash", func(c *Config) { c.Topic = "a/b" }, []string{"topic", `"a/b"`}},
		{"a topic of two dots", func(c *Config) { c.Topic = ".." }, []string{"topic", `".."`}},
		{"a topic of a line", func(c *Config) { c.Topic = "a\n" }, []string{"topic", `"a\n"`}},
		{"the longest topic", func(c *Config) { c.Topic = strings.Repeat("a", 249) }, nil},
		{"a topic too long", func(c *Config) { c.Topic = strings.Repeat("a", 250) }, []string{"1 to 249"}},
		{"TLS", func(c *Config) { c.TLS = TLS{Enable: true, CAFile: "ca", CertFile: "c", KeyFile: "k"} }, nil},
		{"TLS files without TLS", func(c *Config) { c.TLS.CAFile = "ca.pem" }, []string{`"ca.pem"`, "TLS is off"}},
		{"a server name without TLS", func(c *Config) { c.TLS.ServerName = "b" }, []string{`"b"`, "TLS is off"}},
		{"a certificate without key", func(c *Config) { c.TLS = TLS{Enable: true, CertFile: "c.pem"} }, []string{`"c.pem"`, "key"}},
		{"PLAIN", func(c *Config) { c.SASL = SASL{"PLAIN", "u", "p"} }, nil},
		{"SCRAM-SHA-512", func(c *Config) { c.SASL = SASL{"SCRAM-SHA-512", "u", "p"} }, nil},
		{"a mechanism that we don't speak", func(c *Config) { c.SASL = SASL{"GSSAPI", "u", "p"} }, []string{"sasl", `"GSSAPI"`}},
		{"a user without mechanism", func(c *Config) { c.SASL = SASL{User: "u"} }, []string{`"u"`, "no mechanism"}},
		{"a mechanism without user", func(c *Config) { c.SASL = SASL{"PLAIN", "", "p"} }, []string{`user ""`}},
		{"a mechanism without password", func(c *Config) { c.SASL = SASL{"PLAIN", "u", ""} }, []string{"password of 0 bytes"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			c := Config{Brokers: []string{"localhost:9092"}, Topic: "temperatures"}
			test.change(&c)
			checkError(t, c.Validate(), test.want)
			if _, err := c.sarama(); test.want != nil {
				checkError(t, err, test.want)
			}
		})
	}
}

func TestPasswordIsNeverPrinted(t *testing.T) {
	c := Config{Brokers: []string{"a:1"}, Topic: "t", SASL: SASL{"PLAIN", "me", "secret"}}
	bad := c
	bad.SASL.Mechanism = "GSSAPI"
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), bad.Validate().Error()} {
		if strings.Contains(text, "secret") {
			t.Errorf("%s betrays the password", text)
		}
	}
	if got, want := fmt.Sprint(c.SASL), `PLAIN user "me"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEveryClientIsSafe(t *testing.T) {
	c := Config{Brokers: []string{"a:1"}, Topic: "t"}
	conf, err := c.sarama()
	if err != nil {
		t.Fatal(err)
	}
	if conf.Metadata.AllowAutoTopicCreation {
		t.Error("asking for a topic creates it")
	}
	if conf.Consumer.IsolationLevel != sarama.ReadCommitted {
		t.Error("records of aborted transactions are read")
	}
	if conf.ClientID != DefaultClientID {
		t.Errorf("client id %q, want %q", conf.ClientID, DefaultClientID)
	}
	if conf.Version != sarama.DefaultVersion || !conf.ApiVersionsRequest {
		t.Errorf("version %v, asking for versions %t: want the default and true", conf.Version, conf.ApiVersionsRequest)
	}
	if other, _ := c.sarama(); other == conf {
		t.Error("two clients share a configuration")
	}
	c.ClientID = "mine"
	if conf, _ := c.sarama(); conf.ClientID != "mine" {
		t.Errorf("client id %q, want mine", conf.ClientID)
	}
}

func TestTLSConfig(t *testing.T) {
	_, certFile, keyFile := newCertificate(t)
	noPEM := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(noPEM, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		rule string
		tls  TLS
		want []string // of the error; none means no error
	}{
		{"no TLS", TLS{}, nil},
		{"authority and certificate", TLS{Enable: true, CAFile: certFile, CertFile: certFile, KeyFile: keyFile}, nil},
		{"no such authority", TLS{Enable: true, CAFile: "missing.pem"}, []string{"read TLS authorities", "missing.pem"}},
		{"an authority that is none", TLS{Enable: true, CAFile: noPEM}, []string{noPEM, "want a certificate in PEM form"}},
		{"a key that is none", TLS{Enable: true, CertFile: certFile, KeyFile: noPEM}, []string{certFile, noPEM}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			got, err := Config{Brokers: []string{"a:1"}, Topic: "t", TLS: test.tls}.TLSConfig()
			checkError(t, err, test.want)
			if wanted := test.tls.Enable && err == nil; (got != nil) != wanted {
				t.Errorf("got %v, want one: %t", got, wanted)
			}
			if got != nil && (got.RootCAs == nil || len(got.Certificates) != 1 || got.InsecureSkipVerify) {
				t.Error("authority or certificate is missing, or nothing is verified")
			}
		})
	}
}

// TestMain has called Setup; no test may change what it set while others run.
func TestSetup(t *testing.T) {
	if sarama.MaxDecompressedBatchSize != 64<<20 {
		t.Errorf("a batch may unpack to %d bytes, want 64 MiB", sarama.MaxDecompressedBatchSize)
	}
	if _, ours := sarama.Logger.(saramaLogger); !ours {
		t.Errorf("sarama logs to a %T", sarama.Logger)
	}
}

func TestSaramaLogsAtDebug(t *testing.T) {
	var out bytes.Buffer
	logger := saramaLogger{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	logger.Println("using proxy")
	logger.Print("from", " broker")
	logger.Printf("to broker %d\n", 7)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, text := range []string{"from broker", "to broker 7"} {
		if want := `level=DEBUG msg="kafka client" text="` + text + `"`; len(lines) != 2 || !strings.Contains(lines[i], want) {
			t.Errorf("got %q, want two lines at DEBUG, one with %s", lines, want)
		}
	}
}
