package kafka

import (
	"context"
	"errors"
	"sync"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// errOtherTopic ends a membership: its topic is gone, or another one.
var errOtherTopic = errors.New("topic is another one")

// member is a member of a consumer group in one life of a topic, over as many
// sessions as the group has while it lasts. It is a sarama.ConsumerGroupHandler.
//
// Invariant: nothing is delivered or committed unless the topic had the
// member's id after it was fetched. A fetch does not tell: at its old offset it
// silently goes on in a topic that was created anew and filled.
type member struct {
	*follower
	id  sarama.Uuid
	ctx context.Context
	end context.CancelCauseFunc // says why; nil: Follow's own context ended

	mu      sync.Mutex // one delivery, look or commit at a time
	cluster *cluster
	session sarama.ConsumerGroupSession // nil between sessions
	dirty   bool                        // something is delivered that is not committed
}

func newMember(ctx context.Context, f *follower, cluster *cluster, id sarama.Uuid) *member {
	m := &member{follower: f, id: id, cluster: cluster}
	m.ctx, m.end = context.WithCancelCause(ctx)
	return m
}

// run returns when the membership has ended, with the error that ended it. That
// is nil if the topic is another one.
func (m *member) run(group sarama.ConsumerGroup) error {
	var helpers sync.WaitGroup
	helpers.Go(m.watch)
	go func() { // until the group is closed
		for err := range group.Errors() {
			if refused(err) {
				m.end(err)
			}
		}
	}()
	for m.ctx.Err() == nil {
		if err := group.Consume(m.ctx, []string{m.config.Topic}, m); err != nil {
			m.end(err)
		}
	}
	helpers.Wait()
	if err := context.Cause(m.ctx); !errors.Is(err, errOtherTopic) {
		return err
	}
	return nil
}

// watch commits from time to time, and notices what no fetch would tell.
func (m *member) watch() {
	for pause(m.ctx, lookEvery) == nil {
		m.look()
	}
}

func (m *member) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.same() == nil {
		m.commit()
	}
}

// commit commits what was delivered of a topic that was just seen to be the
// same.
func (m *member) commit() {
	if m.dirty && m.session != nil {
		m.session.Commit()
		m.dirty = false
	}
}

// same returns nil if the topic still is the member's. If it is not, it ends the
// membership.
func (m *member) same() error {
	answer, err := m.cluster.anyMetadata(context.WithoutCancel(m.ctx), m.config.Topic)
	if err != nil {
		return err // nothing is known
	}
	found, err := topicIn(answer, m.config.Topic)
	if errors.Is(err, messages.ErrTopicMissing) || err == nil && found.id != m.id {
		err = errOtherTopic
		m.end(err)
	}
	return err
}

// Setup is called at the start of a session.
func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.tell(nil)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session = session
	for _, partition := range session.Claims()[m.config.Topic] {
		if next, known := m.next[partition]; known {
			session.MarkOffset(m.config.Topic, partition, next, "")
		}
	}
	return nil
}

// Cleanup is called at the end of a session, after the last ConsumeClaim.
func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirty && m.same() == nil {
		m.commit()
	}
	m.session, m.dirty = nil, false
	return nil
}

// ConsumeClaim delivers one partition's records while the member has it.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	if claim.InitialOffset() == sarama.OffsetNewest {
		// Begun at the end, it must not begin at a later end the next time.
		m.mu.Lock()
		m.mark(session, claim.Partition(), claim.HighWaterMarkOffset())
		m.mu.Unlock()
	}
	for {
		select {
		case first, ok := <-claim.Messages():
			if !ok || !m.pass(session, gather(first, claim.Messages())) {
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// gather returns first, and what follows it already.
func gather(first *sarama.ConsumerMessage, more <-chan *sarama.ConsumerMessage) (records []Record) {
	for message, ok := first, true; ok && message != nil; {
		records = append(records, Record{message.Partition, message.Offset, message.Key, message.Value})
		select {
		case message, ok = <-more:
		default:
			ok = false
		}
	}
	return records
}

// pass delivers records, unless they may be of another topic. It tells whether
// to go on.
func (m *member) pass(session sarama.ConsumerGroupSession, records []Record) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil || session.Context().Err() != nil {
		return false
	}
	if err := m.same(); err != nil {
		m.end(err) // and fetch them again
		return false
	}
	if err := m.deliver(records); err != nil {
		m.failure = err
		m.end(err)
		return false
	}
	last := records[len(records)-1]
	m.mark(session, last.Partition, last.Offset+1)
	return true
}

// mark notes where to go on in a partition.
func (m *member) mark(session sarama.ConsumerGroupSession, partition int32, next int64) {
	m.next[partition] = next
	session.MarkOffset(m.config.Topic, partition, next, "")
	m.dirty = true
}
