package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// Record is one record as it stands in the topic.
type Record struct {
	Partition int32
	Offset    int64 // of this record
	// Key and Value belong to whoever got the record; nil where it has none.
	Key, Value []byte
}

// Follow reads c's topic as a member of a consumer group, which shares the
// partitions among its members, until ctx ends (and returns its error) or
// deliver returns an error (and returns that). Only committed records are read.
//
// In a partition for which the group has committed nothing, it starts at the
// end. It waits for a topic that does not exist, and goes on when the topic is
// deleted and created anew; what is written to a topic that was created
// meanwhile is read from its first record on.
//
// deliver gets the records that are there, at least one, of one partition, in
// order; it is never called twice at a time. They are committed to the group
// soon after it has returned nil. After a crash, or when a
// partition changes hands, some may be delivered again; none is left out.
//
// trouble, which may be nil, is called with the reason when nothing can be read
// (messages.ErrTopicMissing, or a broker that is away), again if that changes
// from the one to the other, and with nil when reading goes on.
//
// A refusal by the brokers (password, permission) is permanent and ends it.
func Follow(ctx context.Context, c Config, group string, deliver func([]Record) error, trouble func(error)) error {
	if _, err := c.sarama(); err != nil {
		return err
	}
	if group == "" {
		return errors.New("consumer group: want a name, got none")
	}
	f := &follower{config: c, group: group, deliver: deliver, report: trouble, initial: sarama.OffsetNewest, next: make(map[int32]int64)}
	for wait := firstRetry; ; wait = min(2*wait, longestRetry) {
		id, err := f.awaitTopic(ctx)
		if err == nil {
			var lasted time.Duration
			lasted, err = f.join(ctx, id)
			if lasted > longestRetry {
				wait = firstRetry
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.failure != nil {
			return f.failure
		}
		if refused(err) {
			return fmt.Errorf("follow %s as %s: %w", c.Topic, group, markRefused(err))
		}
		if err != nil {
			f.tell(err)
		}
		if pause(ctx, wait) != nil {
			return ctx.Err()
		}
	}
}

const (
	// firstRetry is the pause before a failed member joins again; it doubles.
	firstRetry, longestRetry = 100 * time.Millisecond, 2 * time.Second
	// lookEvery is how often a topic is looked at, and offsets are committed.
	lookEvery = 250 * time.Millisecond
	// leaveTimeout is how long a member may take to say goodbye.
	leaveTimeout = 2 * time.Second
)

// follower is one Follow under way.
type follower struct {
	config  Config
	group   string
	deliver func([]Record) error
	report  func(error)
	told    error // what report was last told

	id      sarama.Uuid     // of the topic that was last followed
	initial int64           // where to start where nothing is committed
	next    map[int32]int64 // where to go on, by partition: a commit may be lost
	failure error           // of deliver
}

// tell reports trouble, or its end, once.
func (f *follower) tell(trouble error) {
	missing := func(err error) bool { return errors.Is(err, messages.ErrTopicMissing) }
	same := (trouble == nil) == (f.told == nil) && missing(trouble) == missing(f.told)
	f.told = trouble
	if !same && f.report != nil {
		f.report(trouble)
	}
}

// awaitTopic returns the topic's id once it exists. Whatever stands in a topic
// that is another one than before, or was not there, is new to the group.
func (f *follower) awaitTopic(ctx context.Context) (sarama.Uuid, error) {
	cluster, err := f.config.cluster(ctx)
	if err != nil {
		return sarama.Uuid{}, err
	}
	defer cluster.close()
	for {
		found, err := look(ctx, cluster, f.config.Topic)
		if err == nil {
			if f.id != (sarama.Uuid{}) && f.id != found.id {
				f.initial = sarama.OffsetOldest
				clear(f.next)
			}
			f.id = found.id
			return found.id, nil
		}
		if !errors.Is(err, messages.ErrTopicMissing) {
			return sarama.Uuid{}, err
		}
		f.initial = sarama.OffsetOldest
		f.tell(err)
		if err := pause(ctx, lookEvery); err != nil {
			return sarama.Uuid{}, err
		}
	}
}

// look asks any broker for a topic, which must have its leaders.
func look(ctx context.Context, cluster *cluster, name string) (topic, error) {
	answer, err := cluster.anyMetadata(ctx, name)
	if err != nil {
		return topic{}, err
	}
	found, err := topicIn(answer, name)
	if err == nil && !found.ready() {
		err = sarama.ErrLeaderNotAvailable
	}
	return found, err
}

// join is one membership in the group, in one life of the topic. It returns why
// it ended: nil means that the topic is another one now, or gone.
func (f *follower) join(ctx context.Context, id sarama.Uuid) (lasted time.Duration, err error) {
	conf, err := f.config.sarama()
	if err != nil {
		return 0, err
	}
	f.configure(conf)
	conns := keepConnections(conf)
	defer conns.close()
	group, err := sarama.NewConsumerGroup(f.config.Brokers, f.group, conf)
	if err != nil {
		return 0, err
	}
	cluster, err := f.config.cluster(context.WithoutCancel(ctx))
	if err != nil {
		return 0, err
	}
	defer cluster.close()
	// Nobody waits for a broker that is away.
	release := context.AfterFunc(ctx, func() {
		time.AfterFunc(leaveTimeout, func() {
			conns.close()
			cluster.conns.close()
		})
	})
	defer release()

	m := newMember(ctx, f, cluster, id)
	begin := time.Now()
	err = m.run(group)
	// It leaves the group, so that the others need not wait for it. If it can't,
	// they will notice.
	_ = group.Close()
	return time.Since(begin), err
}

func (f *follower) configure(conf *sarama.Config) {
	offsets := &conf.Consumer.Offsets
	offsets.Initial = f.initial
	// Offsets are committed by the member, which first makes sure that the topic
	// is still the one that they are of.
	offsets.AutoCommit.Enable = false
	conf.Consumer.Return.Errors = true
	conf.Consumer.Retry.Backoff = firstRetry
	conf.Consumer.Group.Rebalance.Retry.Backoff = 5 * firstRetry
	conf.Consumer.Group.Heartbeat.Interval = time.Second
}
