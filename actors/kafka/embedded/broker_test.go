package embedded

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func TestRecordsAreReadAsWritten(t *testing.T) {
	client := connect(t, start(t, Config{}))
	createTopic(t, client)
	produce(t, client, "a")
	produce(t, client, "b")
	if got := values(consume(t, client, 2)); got != "a b" {
		t.Errorf("read %q, want %q", got, "a b")
	}
}

func TestTopicIsNeverMadeUnasked(t *testing.T) {
	client := connect(t, start(t, Config{}), kgo.AllowAutoTopicCreation())
	_, err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic}).First()
	if !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("producing to an absent topic: %v, want %v", err, kerr.UnknownTopicOrPartition)
	}
}

func TestNothingIsDeletedUnasked(t *testing.T) {
	broker := start(t, Config{})
	client := connect(t, broker)
	createTopic(t, client)
	old := &kgo.Record{Topic: topic, Value: []byte("old"), Timestamp: time.Unix(0, 0)}
	if _, err := client.ProduceSync(t.Context(), old).First(); err != nil {
		t.Fatal(err)
	}
	broker.cluster.ApplyRetention()
	broker.cluster.Compact()
	starts, err := kadm.NewClient(client).ListStartOffsets(t.Context(), topic)
	if first, _ := starts.Lookup(topic, 0); err != nil || first.Offset != 0 {
		t.Errorf("log starts at %d (error %v) after retention ran, want 0", first.Offset, err)
	}
	configs, err := kadm.NewClient(client).DescribeBrokerConfigs(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range configs[0].Configs {
		if c.Key == "offsets.retention.minutes" && c.MaybeValue() != "2147483647" {
			t.Errorf("a group's offsets are deleted after %s minutes", c.MaybeValue())
		}
	}
}

func TestDataDirKeepsTopicsRecordsAndOffsets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "absent")
	broker, err := Start(Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	client := connect(t, broker)
	id := createTopic(t, client)
	produce(t, client, "kept")
	commits := make(kadm.Offsets)
	commits.AddOffset(topic, 0, 1, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "group", commits); err != nil {
		t.Fatal(err)
	}
	client.Close()
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}

	client = connect(t, start(t, Config{DataDir: dir}))
	if got := values(consume(t, client, 1)); got != "kept" {
		t.Errorf("read %q, want %q", got, "kept")
	}
	topics, err := kadm.NewClient(client).ListTopics(t.Context(), topic)
	if err != nil || topics[topic].ID != id {
		t.Errorf("topic id %v (error %v), want %v", topics[topic].ID, err, id)
	}
	offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), "group")
	if err != nil || offsets[topic][0].At != 1 {
		t.Errorf("committed offset %d (error %v), want 1", offsets[topic][0].At, err)
	}
}

// A broker that is killed knows less than at its last clean end, and not what was
// true then.
func TestProducersGoOnAfterACleanEndAndAKill(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir, killed := t.TempDir(), filepath.Join(t.TempDir(), "killed")
	again := func(dir string) *Broker {
		broker, err := Start(Config{Listen: address, DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return broker
	}
	broker := again(dir)
	client := connect(t, broker, kgo.StopProducerOnDataLossDetected())
	createTopic(t, client)
	write := func(value string) {
		for {
			err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte(value)}).FirstErr()
			if err == nil {
				return
			}
			// A connection that the old broker took and did not answer.
			if errors.Is(err, kerr.OutOfOrderSequenceNumber) || t.Context().Err() != nil {
				t.Fatalf("write %q: %v", value, err)
			}
		}
	}
	write("before")
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	broker = again(dir)
	write("between")
	// What a kill leaves is what there is before the end.
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	broker = again(killed)
	defer broker.Close()
	write("after")
	if got := values(consume(t, client, 3)); got != "before between after" {
		t.Errorf("the topic holds %q", got)
	}
}

func TestDataDirBelongsToOneBroker(t *testing.T) {
	dir := t.TempDir()
	broker, err := Start(Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(Config{DataDir: dir})
	if want := "open data folder " + dir + ": in use by another broker"; err == nil || err.Error() != want {
		t.Errorf("second broker: %v, want %s", err, want)
	}
	if !errors.Is(err, ErrDataDirLocked) {
		t.Errorf("%v is not ErrDataDirLocked", err)
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, Config{DataDir: dir})
}

func TestAddressInUseIsNamedAndFreesTheFolder(t *testing.T) {
	broker, dir := start(t, Config{}), t.TempDir()
	_, err := Start(Config{Listen: broker.Addr(), DataDir: dir})
	if want := "listen " + broker.Addr() + ": address already in use"; err == nil || err.Error() != want {
		t.Errorf("second broker: %v, want %s", err, want)
	}
	if !errors.Is(err, ErrAddressInUse) {
		t.Errorf("%v is not ErrAddressInUse", err)
	}
	start(t, Config{DataDir: dir})
}

func TestListenNamesWhatItCannotUse(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000"} {
		if _, err := Start(Config{Listen: address}); err == nil || !strings.HasPrefix(err.Error(), "listen "+address+": ") {
			t.Errorf("Listen %q: %v", address, err)
		}
	}
}

func TestDataDirThatIsAFileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{DataDir: file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v does not name %s", err, file)
	}
}

func TestWildcardIsAdvertisedByName(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := net.SplitHostPort(start(t, Config{Listen: ":0"}).Addr())
	if err != nil || got != host {
		t.Errorf("advertised host %q (error %v), want %q", got, err, host)
	}
}

func TestUsersMustAuthenticate(t *testing.T) {
	broker := start(t, Config{Users: []User{{"SCRAM-SHA-256", "ann", "secret"}}})
	auth := scram.Auth{User: "ann", Pass: "secret"}
	if err := connect(t, broker, kgo.SASL(auth.AsSha256Mechanism())).Ping(t.Context()); err != nil {
		t.Error("right password:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if connect(t, broker).Ping(ctx) == nil {
		t.Error("no password is let in")
	}
	ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	auth.Pass = "wrong"
	if connect(t, broker, kgo.SASL(auth.AsSha256Mechanism())).Ping(ctx) == nil {
		t.Error("a wrong password is let in")
	}
	if _, err := Start(Config{Users: []User{{"MD5", "ann", "secret"}}}); err == nil || !strings.Contains(err.Error(), "MD5") {
		t.Errorf("unknown mechanism: %v", err)
	}
}

func TestTLS(t *testing.T) {
	certificate, roots := selfSigned(t)
	broker := start(t, Config{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}})
	client := connect(t, broker, kgo.DialTLSConfig(&tls.Config{RootCAs: roots}))
	createTopic(t, client)
	produce(t, client, "a")
	if got := values(consume(t, client, 1)); got != "a" {
		t.Errorf("read %q", got)
	}
}

func TestLoggerGetsWhatGoesWrong(t *testing.T) {
	var out bytes.Buffer
	l := newLogger(slog.New(slog.NewTextHandler(&out, nil)))
	l.Logf(3, "note %d", 1)
	l.Logf(2, "warning %d", 2)
	l.Logf(1, "error %d", 3)
	if got := out.String(); strings.Contains(got, "note 1") || !strings.Contains(got, "warning 2") || !strings.Contains(got, "error 3") {
		t.Errorf("logged:\n%s", got)
	}
	if err := l.failure(); err != nil {
		t.Error("error from before closing:", err)
	}
	l.closing.Store(true)
	l.Logf(1, "persist to disk: %v", "no space")
	if err := l.failure(); err == nil || err.Error() != "persist to disk: no space" {
		t.Error("error of closing:", err)
	}
}
