package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func TestErrorForAWholeAnswerIsOne(t *testing.T) {
	t.Parallel()
	c, broker := script{version: 12, ids: []sarama.Uuid{{}}, blocks: []*sarama.FetchResponseBlock{block()}}.start(t)
	l, err := newLink(t.Context(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.connect(); err != nil {
		t.Fatal(err)
	}
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"FetchRequest": sarama.NewMockWrapper(&sarama.FetchResponse{Version: 12, ErrorCode: int16(sarama.ErrClusterAuthorizationFailed)}),
	})
	if _, err := l.fetch(100, int32(oneBatch), 0, sarama.ReadCommitted); !errors.Is(err, sarama.ErrClusterAuthorizationFailed) {
		t.Errorf("error %v, want %v", err, sarama.ErrClusterAuthorizationFailed)
	}
}

func TestDescribeIsOfOneLifeOfTheTopic(t *testing.T) {
	t.Parallel()
	before, after := sarama.Uuid{1}, sarama.Uuid{2}
	// It is recreated between the question for the id and that for the offsets,
	// which are of the new life then.
	c, _ := script{version: 12, ids: []sarama.Uuid{before, before, after}, blocks: []*sarama.FetchResponseBlock{block()}}.start(t)
	if got := describe(t, c); !slices.Equal(got.GetTopicId(), after[:]) {
		t.Errorf("the offsets are said to be of the topic with id %x, want %x", got.GetTopicId(), after)
	}
}

func TestPanicOfTheDecoderIsAnError(t *testing.T) {
	// Without a broker, asking panics within sarama.
	_, err := (&link{witness: new(witness)}).fetch(0, 1, 0, sarama.ReadCommitted)
	bad := (*undecodable)(nil)
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "panic: ") || !strings.Contains(err.Error(), "fetch.go") {
		t.Errorf("error %v, want the panic and its stack", err)
	}
}

func TestBrokerThatIsMuteIsGivenUpAfter10Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := newLink(t.Context(), Config{Brokers: []string{"a:1"}, Topic: "t"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		ours, theirs := net.Pipe()
		defer theirs.Close()
		l.cluster.conns.open[&connection{Conn: ours, owner: l.cluster.conns}] = struct{}{}
		began := time.Now()
		err = l.timed("a:1", func() error {
			_, err := ours.Read(make([]byte, 1))
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "connect to broker a:1: no answer within 10s") {
			t.Errorf("error %v, want that a:1 does not answer", err)
		}
		if took := time.Since(began); took != answerTimeout {
			t.Errorf("it took %v", took)
		}
	})
}

func TestPartitionCountIsCheckedOnEveryBroker(t *testing.T) {
	made := topic{sarama.Uuid{2}, []string{"x"}} // with one partition
	broker := otherBroker(t, 1, "", made)
	cluster, err := Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	maker := &topicMaker{ctx: ctx, cluster: cluster, name: "temperatures", spec: four}
	if _, err := maker.awaitLeaders(made); !errors.Is(err, ErrPartitionCount) {
		t.Errorf("1 partition, want 4: got %v, want %v", err, ErrPartitionCount)
	}
}

func TestOldTopicIsNotTakenForTheNewOne(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{}) // as if it were being deleted, for ever
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	maker := &topicMaker{ctx: ctx, cluster: cluster, name: c.Topic, spec: four}
	old, err := maker.describe()
	if err != nil {
		t.Fatal(err)
	}
	if made, err := maker.create(old); err == nil {
		t.Errorf("made the topic %x, which is the old one", made.id)
	}
}
