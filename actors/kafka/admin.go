package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// topicMaker makes one topic, in steps that each ask the brokers until it is so,
// instead of trusting that it soon will be: an answer to "create" or "delete"
// says what one broker, the controller, has decided. The others hear of it when
// they can, and their logs follow later still.
type topicMaker struct {
	ctx     context.Context // bounds all of it
	cluster *cluster
	name    string
	spec    TopicSpec
}

const (
	// firstPoll is the pause between two polls, which doubles up to longestPoll.
	// Topics mostly are there after 10 to 100 ms.
	firstPoll, longestPoll = 5 * time.Millisecond, 100 * time.Millisecond
)

// poll calls try until it is done, with or without an error, or fails in a way
// that can't change. Another error is told only if the time is up.
func (m *topicMaker) poll(what string, try func() (done bool, err error)) error {
	for wait := firstPoll; ; wait = min(2*wait, longestPoll) {
		done, err := try()
		if done || err != nil && !passing(err) {
			return err
		}
		if pause(m.ctx, wait) != nil {
			if err == nil {
				err = m.ctx.Err()
			}
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// passingErrors are the answers of a broker that is about to know better.
var passingErrors = []sarama.KError{
	sarama.ErrUnknownTopicOrPartition, sarama.ErrLeaderNotAvailable, sarama.ErrNotLeaderForPartition,
	sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch, sarama.ErrReplicaNotAvailable,
	sarama.ErrNotController, sarama.ErrBrokerNotAvailable, sarama.ErrRequestTimedOut,
	sarama.ErrNetworkException, sarama.ErrKafkaStorageError, sarama.ErrThrottlingQuotaExceeded,
	sarama.ErrOffsetNotAvailable,
}

// passing tells whether it makes sense to ask again: a connection failed, or a
// broker is behind.
func passing(err error) bool {
	answer, answered := errors.AsType[sarama.KError](err)
	if !answered {
		return !final(err)
	}
	return slices.Contains(passingErrors, answer)
}

// describe asks any broker.
func (m *topicMaker) describe() (topic, error) {
	answer, err := m.cluster.anyMetadata(m.ctx, m.name)
	if err != nil {
		return topic{}, err
	}
	return topicIn(answer, m.name)
}

// everyBroker polls until each broker of the cluster, asked itself, says what is
// wanted of the topic. An error together with true ends it.
func (m *topicMaker) everyBroker(what string, wanted func(topic, error) (bool, error)) error {
	return m.poll(what, func() (bool, error) {
		answer, err := m.cluster.anyMetadata(m.ctx, m.name)
		if err != nil {
			return false, err
		}
		for _, b := range answer.Brokers {
			said, err := m.cluster.metadata(b.Addr(), m.name)
			if err != nil {
				return false, err
			}
			if ok, err := wanted(topicIn(said, m.name)); !ok || err != nil {
				return ok, err
			}
		}
		return true, nil
	})
}

// controller puts a command to the broker that decides about topics. (With
// KRaft any broker will do; it passes the command on.)
func controller[Answer any](m *topicMaker, command func(*sarama.Broker) (Answer, error)) (Answer, error) {
	var none Answer
	answer, err := m.cluster.anyMetadata(m.ctx, m.name)
	if err != nil {
		return none, err
	}
	for _, b := range answer.Brokers {
		if b.ID() == answer.ControllerID {
			return ask(m.cluster, b.Addr(), command)
		}
	}
	return none, fmt.Errorf("find the controller: %w", sarama.ErrNotController)
}

// delete deletes the topic, whatever it is, and returns it, once no broker knows
// it any more. It returns the zero topic if there was none.
func (m *topicMaker) delete() (old topic, err error) {
	request := sarama.NewDeleteTopicsRequest(m.cluster.conf.Version, []string{m.name}, askTimeout/2)
	err = m.poll("delete it", func() (bool, error) {
		found, err := m.describe()
		if errors.Is(err, messages.ErrTopicMissing) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		old = found
		answer, err := controller(m, func(b *sarama.Broker) (*sarama.DeleteTopicsResponse, error) {
			return b.DeleteTopics(request)
		})
		if err != nil {
			return false, err
		}
		if code := answer.TopicErrorCodes[m.name]; code != sarama.ErrNoError && code != sarama.ErrUnknownTopicOrPartition {
			return false, markRefused(code)
		}
		return true, nil
	})
	if err != nil {
		return topic{}, err
	}
	return old, m.awaitGone(old)
}

// awaitGone waits until no broker knows the topic any more.
func (m *topicMaker) awaitGone(old topic) error {
	return m.everyBroker("wait until no broker knows the deleted one", func(found topic, err error) (bool, error) {
		if errors.Is(err, messages.ErrTopicMissing) {
			return true, nil
		}
		return err == nil && found.id != old.id, err
	})
}

// create creates the topic. One that exists already is taken for the result, if
// it is not old and has as many partitions as wanted: somebody else wanted the
// same, or the answer to our own command was lost.
func (m *topicMaker) create(old topic) (made topic, err error) {
	request := newCreateRequest(m.cluster.conf, m.name, m.spec, false)
	err = m.poll("create it", func() (bool, error) {
		answer, err := controller(m, func(b *sarama.Broker) (*sarama.CreateTopicsResponse, error) {
			return b.CreateTopics(request)
		})
		if err != nil {
			return false, err
		}
		refusal := answer.TopicErrors[m.name]
		if refusal == nil || refusal.Err == sarama.ErrNoError {
			if result := answer.TopicResults[m.name]; result != nil {
				made.id = result.TopicID
			}
			return true, nil
		}
		if refusal.Err != sarama.ErrTopicAlreadyExists {
			if refusal.Err == sarama.ErrInvalidReplicationFactor {
				return false, fmt.Errorf("%w: %d: %w", ErrReplicationFactor, m.spec.ReplicationFactor, inWords(refusal))
			}
			return false, markRefused(refusal)
		}
		made, err = m.describe()
		if errors.Is(err, messages.ErrTopicMissing) || err == nil && made.id == old.id && old.id != (sarama.Uuid{}) {
			return false, nil // still being deleted
		}
		if err == nil && len(made.leaders) != int(m.spec.Partitions) {
			return true, m.wrongCount(made)
		}
		return err == nil, err
	})
	return made, err
}

func (m *topicMaker) wrongCount(found topic) error {
	return fmt.Errorf("%w: it has %d, want %d", ErrPartitionCount, len(found.leaders), m.spec.Partitions)
}

// awaitReady waits until the topic can be used: every broker knows it, and the
// leaders answer. For some 100 ms after the metadata is complete, they refuse.
func (m *topicMaker) awaitReady(made topic) error {
	known, err := m.awaitLeaders(made)
	for p := int32(0); err == nil && p < m.spec.Partitions; p++ {
		err = m.awaitAnswer(known, p)
	}
	return err
}

// awaitLeaders waits until every broker knows the topic with a leader of every
// partition.
func (m *topicMaker) awaitLeaders(made topic) (known topic, err error) {
	err = m.everyBroker("wait until every broker knows it", func(found topic, err error) (bool, error) {
		if errors.Is(err, messages.ErrTopicMissing) {
			return false, nil
		}
		if err != nil || found.id != made.id {
			return false, err
		}
		if len(found.leaders) != int(m.spec.Partitions) {
			// Without ids it can only be another one, made at the wrong moment.
			return found.id == (sarama.Uuid{}), m.wrongCount(found)
		}
		known = found
		return found.ready(), nil
	})
	return known, err
}

// awaitAnswer waits until the leader of a partition answers as such.
func (m *topicMaker) awaitAnswer(known topic, partition int32) error {
	return m.poll(fmt.Sprintf("wait for the leader of partition %d", partition), func() (bool, error) {
		request := sarama.NewOffsetRequest(m.cluster.conf.Version)
		request.AddBlock(m.name, partition, sarama.OffsetNewest, 1)
		answer, err := ask(m.cluster, known.leaders[partition], func(b *sarama.Broker) (*sarama.OffsetResponse, error) {
			return b.GetAvailableOffsets(request)
		})
		if err == nil {
			block := answer.GetBlock(m.name, partition)
			if block != nil && block.Err == sarama.ErrNoError {
				return true, nil
			}
			if block != nil && !passing(block.Err) {
				return false, markRefused(block.Err)
			}
		} else if !passing(err) {
			return false, err
		}
		if found, unknown := m.describe(); unknown == nil && found.ready() && len(found.leaders) == len(known.leaders) {
			known = found // another leader, perhaps
		}
		return false, err
	})
}

// rehearse has the controller check the spec, with a topic of another name that
// is not created: refused only after the deletion, a replication factor too
// large would cost the topic.
func (m *topicMaker) rehearse() error {
	name := m.name[:min(len(m.name), 230)] + "-rehearsal"
	request := newCreateRequest(m.cluster.conf, name, m.spec, true)
	return m.poll("check what it is to be created with", func() (bool, error) {
		answer, err := controller(m, func(b *sarama.Broker) (*sarama.CreateTopicsResponse, error) {
			return b.CreateTopics(request)
		})
		if err != nil {
			return false, err
		}
		refusal := answer.TopicErrors[name]
		if refusal != nil && (refusal.Err == sarama.ErrInvalidReplicationFactor || refusal.Err == sarama.ErrInvalidPartitions) {
			return true, refusal
		}
		return refusal == nil || refusal.Err != sarama.ErrNotController, nil
	})
}
