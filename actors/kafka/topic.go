package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// TopicSpec says what a topic is created with; the broker's defaults decide the
// rest.
type TopicSpec struct {
	// Partitions is the number of partitions, at least 1. Months are spread over
	// them by [PartitionOf], so that more than 12 are of no use.
	Partitions int32
	// ReplicationFactor is the number of brokers that keep each partition, from 1
	// to the number of brokers.
	ReplicationFactor int16
}

// Validate returns an error that quotes the first value that can't be used.
func (s TopicSpec) Validate() error {
	if s.Partitions < 1 {
		return fmt.Errorf("partitions %d: want at least 1", s.Partitions)
	}
	if s.ReplicationFactor < 1 {
		return fmt.Errorf("replication-factor %d: want at least 1", s.ReplicationFactor)
	}
	return nil
}

var (
	// ErrTopicExists: the topic exists already, and it was not said that it may
	// be deleted.
	ErrTopicExists = errors.New("topic exists already")
	// ErrPartitionCount: the topic has another number of partitions.
	ErrPartitionCount = errors.New("topic has another number of partitions")
	// ErrReplicationFactor: the cluster has fewer brokers than a partition is to have.
	ErrReplicationFactor = errors.New("replication factor is not possible")
)

// Partitions returns the partitions that c's topic has, 0 to n-1. It returns
// messages.ErrTopicMissing, quickly, if there is no such topic; a broker may
// still say so for a moment after the topic was created. Brokers that can't be
// reached are tried again for 4.5 s: they may be starting anew.
func Partitions(ctx context.Context, c Config) ([]int32, error) {
	if _, err := c.sarama(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(defaultWait)
	for wait := probePause; ; wait = min(2*wait, longestProbePause) {
		partitions, err := c.partitions(ctx)
		if !away(err) || time.Now().Add(wait).After(deadline) {
			return partitions, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// away tells whether an error says no more than that a broker can't be reached at
// the moment.
func away(err error) bool {
	_, answered := errors.AsType[sarama.KError](err)
	return err != nil && !answered && !final(err) && !messages.IsPermanent(err) &&
		!errors.Is(err, messages.ErrTopicMissing) && !errors.Is(err, messages.ErrPartitionMissing)
}

// partitions asks once.
func (c Config) partitions(ctx context.Context) ([]int32, error) {
	cluster, err := c.cluster(ctx)
	if err != nil {
		return nil, err
	}
	defer cluster.close()
	answer, err := cluster.anyMetadata(ctx, c.Topic)
	if err != nil {
		return nil, err
	}
	found, err := topicIn(answer, c.Topic)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, len(found.leaders))
	for i := range partitions {
		partitions[i] = int32(i)
	}
	return partitions, nil
}

// Create creates c's topic and returns its id (16 bytes; nil from brokers before
// 2.8) once it can be used: every broker knows it, and the leader of every
// partition answers.
//
// It returns [ErrTopicExists] if there was such a topic before, and
// [ErrPartitionCount] if another program created it at the same moment, with
// another number of partitions.
func Create(ctx context.Context, c Config, spec TopicSpec) (id []byte, err error) {
	return c.makeTopic(ctx, spec, "create", func(m *topicMaker) (topic, error) {
		_, err := m.describe()
		if err == nil {
			return topic{}, ErrTopicExists
		}
		if !errors.Is(err, messages.ErrTopicMissing) {
			return topic{}, err
		}
		made, err := m.create(topic{})
		if err != nil {
			return topic{}, err
		}
		return made, m.awaitReady(made)
	})
}

// Recreate deletes c's topic, if it exists, with all its records, and creates
// it anew. It returns the new id as [Create] does. A topic that another program
// brings back meanwhile, with another number of partitions, is deleted again.
//
// What can be known to be wrong with spec is found out before anything is
// deleted.
func Recreate(ctx context.Context, c Config, spec TopicSpec) (id []byte, err error) {
	return c.makeTopic(ctx, spec, "recreate", func(m *topicMaker) (made topic, err error) {
		if err := m.rehearse(); err != nil {
			return topic{}, err
		}
		err = m.poll("create it as wanted", func() (bool, error) {
			made, err = m.recreateOnce()
			return !errors.Is(err, ErrPartitionCount), err
		})
		return made, err
	})
}

func (m *topicMaker) recreateOnce() (topic, error) {
	old, err := m.delete()
	if err != nil {
		return topic{}, err
	}
	made, err := m.create(old)
	if err != nil {
		return topic{}, err
	}
	return made, m.awaitReady(made)
}

// topicTimeout bounds the making of a topic where ctx does not: a lone broker
// that was killed is back after 12 s.
const topicTimeout = 30 * time.Second

func (c Config) makeTopic(ctx context.Context, spec TopicSpec, verb string, work func(*topicMaker) (topic, error)) ([]byte, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, topicTimeout)
	defer cancel()
	cluster, err := c.cluster(limited)
	if err != nil {
		return nil, err
	}
	defer cluster.close()
	maker := &topicMaker{ctx: limited, cluster: cluster, name: c.Topic, spec: spec}
	made, err := work(maker)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("%s topic %s: %w", verb, c.Topic, err)
	}
	return made.idBytes(), nil
}

func newCreateRequest(conf *sarama.Config, name string, spec TopicSpec, rehearsal bool) *sarama.CreateTopicsRequest {
	return sarama.NewCreateTopicsRequest(conf.Version, map[string]*sarama.TopicDetail{
		name: {NumPartitions: spec.Partitions, ReplicationFactor: spec.ReplicationFactor},
	}, askTimeout/2, rehearsal)
}
