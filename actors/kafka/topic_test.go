package kafka

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// Kinds of requests, by their numbers in Kafka's protocol.
const (
	listOffsets  embedded.API = 2
	createTopics embedded.API = 19
	deleteTopics embedded.API = 20
)

var four = TopicSpec{Partitions: 4, ReplicationFactor: 1}

func TestPartitions(t *testing.T) {
	_, c := startBroker(t, embedded.Config{})
	if _, err := Partitions(t.Context(), c); !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("no topic: got %v, want ErrTopicMissing", err)
	}
	if _, err := Create(t.Context(), c, TopicSpec{Partitions: 3, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	if got, err := Partitions(t.Context(), c); err != nil || !slices.Equal(got, []int32{0, 1, 2}) {
		t.Errorf("got %v, %v, want 0 1 2", got, err)
	}
	c.Brokers = []string{freeAddress(t), c.Brokers[0]}
	if got, err := Partitions(t.Context(), c); err != nil || len(got) != 3 {
		t.Errorf("one broker down: got %v, %v, want 3 partitions", got, err)
	}
}

func TestPartitionsOfABrokerThatStartsAnew(t *testing.T) {
	config := embedded.Config{Listen: freeAddress(t), DataDir: t.TempDir()}
	broker, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", config.Listen)
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		partitions []int32
		err        error
	}
	answered := make(chan answer, 1)
	go func() {
		partitions, err := Partitions(t.Context(), c)
		answered <- answer{partitions, err}
	}()
	first, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	listener.Close()
	startBroker(t, config)
	if got := <-answered; got.err != nil || len(got.partitions) != 4 {
		t.Errorf("got %v, %v, want 4 partitions", got.partitions, got.err)
	}
}

func TestPartitionsEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := Partitions(ctx, Config{Brokers: []string{freeAddress(t)}, Topic: "temperatures"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was canceled", err)
	}
}

func TestCreate(t *testing.T) {
	tests := []struct {
		rule  string
		fault func(*embedded.Broker) (over <-chan struct{})
	}{
		{"a broker without trouble", func(b *embedded.Broker) <-chan struct{} { return b.LoseAnswers(createTopics, 0) }},
		{"a lost answer does not fail it", func(b *embedded.Broker) <-chan struct{} { return b.LoseAnswers(createTopics, 1) }},
		{"a broker that is not the controller any more is asked again", func(b *embedded.Broker) <-chan struct{} {
			return b.Fail(createTopics, int16(sarama.ErrNotController), 1)
		}},
		{"leaders that are not ready yet are waited for", func(b *embedded.Broker) <-chan struct{} {
			return b.Fail(embedded.ListOffsets, int16(sarama.ErrNotLeaderForPartition), 6)
		}},
		{"a topic of before that still goes away is waited for", func(b *embedded.Broker) <-chan struct{} {
			return b.Fail(createTopics, int16(sarama.ErrTopicAlreadyExists), 2)
		}},
		{"a connection that breaks is made anew", func(b *embedded.Broker) <-chan struct{} { return b.LoseAnswers(embedded.ListOffsets, 1) }},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			broker, c := startBroker(t, embedded.Config{})
			over := test.fault(broker)
			id, err := Create(t.Context(), c, four)
			if err != nil {
				t.Fatal(err)
			}
			<-over // else it has returned too early
			checkTopic(t, c, id, 4)
			if _, err := Create(t.Context(), c, four); !errors.Is(err, ErrTopicExists) {
				t.Errorf("second time: got %v, want ErrTopicExists", err)
			}
		})
	}
}

// checkTopic checks what the broker knows of c's topic.
func checkTopic(t *testing.T, c Config, id []byte, partitions int) {
	t.Helper()
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	answer, err := cluster.anyMetadata(t.Context(), c.Topic)
	if err != nil {
		t.Fatal(err)
	}
	found, err := topicIn(answer, c.Topic)
	if err != nil {
		t.Fatal(err)
	}
	if len(id) != 16 || !bytes.Equal(found.idBytes(), id) || len(found.leaders) != partitions || !found.ready() {
		t.Errorf("topic %x with leaders %q, want %x with %d", found.id, found.leaders, id, partitions)
	}
}

func TestRecreate(t *testing.T) {
	tests := []struct {
		rule  string
		old   int32 // partitions of the topic before; 0 means no topic
		fault func(*embedded.Broker)
	}{
		{"a topic that is not there is created", 0, func(*embedded.Broker) {}},
		{"a topic that is there is replaced", 4, func(*embedded.Broker) {}},
		{"a topic with another number of partitions is replaced", 7, func(*embedded.Broker) {}},
		{"a lost answer to the deletion", 4, func(b *embedded.Broker) { b.LoseAnswers(deleteTopics, 1) }},
		{"a lost answer to the creation", 4, func(b *embedded.Broker) { b.LoseAnswers(createTopics, 2) }},
		{"lost answers to questions", 4, func(b *embedded.Broker) { b.LoseAnswers(embedded.Metadata, 3) }},
		{"a topic that goes away late", 4, func(b *embedded.Broker) {
			b.Fail(createTopics, int16(sarama.ErrTopicAlreadyExists), 3)
		}},
		{"a deletion that takes longer than the request", 4, func(b *embedded.Broker) {
			b.Fail(deleteTopics, int16(sarama.ErrRequestTimedOut), 1)
		}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			broker, c := startBroker(t, embedded.Config{})
			var old []byte
			if test.old > 0 {
				var err error
				if old, err = Create(t.Context(), c, TopicSpec{Partitions: test.old, ReplicationFactor: 1}); err != nil {
					t.Fatal(err)
				}
			}
			test.fault(broker)
			id, err := Recreate(t.Context(), c, four)
			if err != nil {
				t.Fatal(err)
			}
			checkTopic(t, c, id, 4)
			if bytes.Equal(id, old) {
				t.Errorf("topic still has id %x", id)
			}
		})
	}
}

func TestTopicIsKeptWhereItCouldNotBeMadeAgain(t *testing.T) {
	_, c := startBroker(t, embedded.Config{})
	id, err := Create(t.Context(), c, four)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range []TopicSpec{
		{Partitions: 4, ReplicationFactor: 3},
		{Partitions: 0, ReplicationFactor: 1},
		{Partitions: 4, ReplicationFactor: 0},
		{Partitions: -1, ReplicationFactor: -1},
	} {
		if _, err := Recreate(t.Context(), c, spec); err == nil {
			t.Errorf("%+v: no error", spec)
		}
		checkTopic(t, c, id, 4)
	}
}

func TestErrorsOfCreateAreFinal(t *testing.T) {
	broker, c := startBroker(t, embedded.Config{})
	broker.Fail(createTopics, int16(sarama.ErrTopicAuthorizationFailed), 1)
	_, err := Create(t.Context(), c, four)
	if !messages.IsPermanent(err) || !errors.Is(err, sarama.ErrTopicAuthorizationFailed) {
		t.Errorf("got %v, want a permanent ErrTopicAuthorizationFailed", err)
	}
	_, err = Create(t.Context(), c, TopicSpec{Partitions: 4, ReplicationFactor: 3})
	if !errors.Is(err, sarama.ErrInvalidReplicationFactor) || !strings.Contains(err.Error(), "create topic temperatures") {
		t.Errorf("got %v, want ErrInvalidReplicationFactor of create topic temperatures", err)
	}
}

func TestRecreateEndsWithItsContext(t *testing.T) {
	broker, c := startBroker(t, embedded.Config{})
	resume := broker.Pause()
	defer resume()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := Recreate(ctx, c, four)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
