package embedded

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestLostAnswersWereActedOn(t *testing.T) {
	broker := start(t, Config{})
	client := connect(t, broker)
	createTopic(t, client)
	lost := broker.LoseAnswers(Produce, 3)
	produce(t, client, "once") // the client repeats it; it counts as a duplicate
	<-lost
	produce(t, client, "next")
	records := consume(t, client, 2)
	if got := values(records); got != "once next" || records[1].Offset != 1 {
		t.Errorf("log holds %q up to offset %d, want %q up to 1", got, records[1].Offset, "once next")
	}
}

func TestLostAnswersWithoutIdempotenceAreDuplicates(t *testing.T) {
	broker := start(t, Config{})
	client := connect(t, broker, kgo.DisableIdempotentWrite())
	createTopic(t, client)
	broker.LoseAnswers(Produce, 2)
	if got := produce(t, client, "thrice"); got != 2 {
		t.Errorf("offset of the acknowledged record is %d, want 2", got)
	}
}

func TestFailRefusesWithTheCode(t *testing.T) {
	broker := start(t, Config{})
	client := connect(t, broker)
	createTopic(t, client)
	failed := broker.Fail(Produce, kerr.MessageTooLarge.Code, 1)
	_, err := client.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("refused")}).First()
	if !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("error %v, want %v", err, kerr.MessageTooLarge)
	}
	<-failed
	if got := produce(t, client, "taken"); got != 0 {
		t.Errorf("offset %d after a refused record, want 0", got)
	}
}

func TestNoFaultsAreOverAtOnce(t *testing.T) {
	broker := start(t, Config{})
	<-broker.LoseAnswers(Produce, 0)
	<-broker.Fail(Produce, kerr.MessageTooLarge.Code, 0)
}

// ask sends a request whose answer is small: which versions are known.
func ask(t *testing.T, broker *Broker) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const apiVersions = "\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\x00\x00"
	if _, err := conn.Write([]byte(apiVersions)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestPausedBrokerAnswersNobody(t *testing.T) {
	broker := start(t, Config{})
	resume := broker.Pause()
	conn := ask(t, broker)
	if err := conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading an answer of a paused broker: %v", err)
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	resume()
	resume()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		t.Error("after it went on:", err)
	}
}

func TestPausedBrokerCloses(t *testing.T) {
	broker, err := Start(Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	broker.Pause()
	conn := ask(t, broker)
	if err := broker.Close(); err != nil {
		t.Error(err)
	}
	_, _ = io.ReadAll(conn) // ends only if the connection was closed
}

func TestDisconnectClosesEveryConnection(t *testing.T) {
	broker := start(t, Config{})
	conn, err := net.Dial("tcp", broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := connect(t, broker).Ping(t.Context()); err != nil { // so conn was accepted before
		t.Fatal(err)
	}
	broker.Disconnect()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is open")
	}
	if err := connect(t, broker).Ping(t.Context()); err != nil {
		t.Error("a new connection:", err)
	}
}

func TestMoveLeaderBeginsAnEpoch(t *testing.T) {
	broker := start(t, Config{})
	client := connect(t, broker)
	createTopic(t, client)
	produce(t, client, "a")
	if err := broker.MoveLeader(topic, 0); err != nil {
		t.Fatal(err)
	}
	produce(t, client, "b")
	records := consume(t, client, 2)
	if before, after := records[0].LeaderEpoch, records[1].LeaderEpoch; after != before+1 {
		t.Errorf("leader epochs %d, then %d", before, after)
	}
	if err := broker.MoveLeader(topic, 1); err == nil {
		t.Error("a partition that does not exist has a leader")
	}
}
