package kafka

import (
	"bytes"
	"errors"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

// otherBroker is broker 1 or 2 of a cluster that has the other one at an address,
// if that is not empty. It answers each question for the topic with the next of
// answers, and from then on with the last.
func otherBroker(t *testing.T, id int32, other string, answers ...topic) *sarama.MockBroker {
	t.Helper()
	broker := sarama.NewMockBroker(t, id)
	var sequence []any
	for _, answer := range answers {
		response := &sarama.MetadataResponse{Version: 11, ControllerID: 1}
		response.AddBroker(broker.Addr(), id)
		if other != "" {
			response.AddBroker(other, 3-id)
		}
		if answer.id == (sarama.Uuid{}) {
			response.AddTopic("temperatures", sarama.ErrUnknownTopicOrPartition)
		}
		for p, leader := range answer.leaders {
			leaderID, err := id, sarama.ErrNoError
			if leader == "" {
				leaderID, err = -1, sarama.ErrLeaderNotAvailable
			}
			response.AddTopicPartition("temperatures", int32(p), leaderID, nil, nil, nil, err)
		}
		response.Topics[0].Uuid = answer.id
		sequence = append(sequence, sarama.NewMockWrapper(response))
	}
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": versions(t, 11),
		"MetadataRequest":    sarama.NewMockSequence(sequence...),
	})
	t.Cleanup(broker.Close)
	return broker
}

func TestEveryBrokerIsAskedUntilItKnows(t *testing.T) {
	gone, old, leaderless, done := topic{}, topic{sarama.Uuid{1}, []string{"x"}}, topic{sarama.Uuid{2}, []string{""}}, topic{sarama.Uuid{2}, []string{"x"}}
	tests := []struct {
		rule          string
		first, second []topic
		step          func(*topicMaker) error
		want          int // questions to the second broker
	}{
		{"a deleted topic is gone when nobody knows it", []topic{gone}, []topic{old, old, gone},
			func(m *topicMaker) error { return m.awaitGone(old) }, 3},
		{"a deleted topic is gone when it has another id", []topic{gone}, []topic{old, done},
			func(m *topicMaker) error { return m.awaitGone(old) }, 2},
		{"a topic is there when everybody knows all leaders", []topic{done}, []topic{gone, old, leaderless, done},
			func(m *topicMaker) error { _, err := m.awaitLeaders(done); return err }, 4},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			second := otherBroker(t, 2, "", test.second...)
			first := otherBroker(t, 1, second.Addr(), test.first...)
			cluster, err := Config{Brokers: []string{first.Addr()}, Topic: "temperatures"}.cluster(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.close()
			maker := &topicMaker{ctx: t.Context(), cluster: cluster, name: "temperatures", spec: TopicSpec{1, 1}}
			if err := test.step(maker); err != nil {
				t.Error(err)
			}
			if got := questions(t, second); got != test.want {
				t.Errorf("the second broker was asked %d times, want %d", got, test.want)
			}
		})
	}
}

// questions returns how often a broker was asked for metadata, and checks that
// no question would have created the topic.
func questions(t *testing.T, broker *sarama.MockBroker) (n int) {
	t.Helper()
	for _, exchange := range broker.History() {
		if request, ok := exchange.Request.(*sarama.MetadataRequest); ok {
			n++
			if request.AllowAutoTopicCreation {
				t.Error("asking creates the topic")
			}
		}
	}
	return n
}

// A client of somebody else may bring a topic back between its deletion and its
// creation, with what the broker makes topics with.
func TestTopicMadeByOthersIsChecked(t *testing.T) {
	_, c := startBroker(t, embedded.Config{})
	id, err := Create(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1})
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	maker := &topicMaker{ctx: t.Context(), cluster: cluster, name: c.Topic, spec: four}
	if _, err := maker.create(topic{}); !errors.Is(err, ErrPartitionCount) {
		t.Errorf("1 partition, want 4: got %v, want ErrPartitionCount", err)
	}
	maker.spec = TopicSpec{Partitions: 1, ReplicationFactor: 1}
	made, err := maker.create(topic{})
	if err != nil || !bytes.Equal(made.idBytes(), id) {
		t.Errorf("as wanted: got %x, %v, want it accepted", made.id, err)
	}
}
