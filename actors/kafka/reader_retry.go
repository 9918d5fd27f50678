package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// What a reader does about an error:
//
//	a refusal             ends reading, marked as permanent
//	a doubt               ends reading if the next connection says the same
//	errAgain              asked again at once, in another way
//	everything else       asked again on a new connection, after a back-off

// doubts are the answers that end reading, but may be those of a broker that
// has not heard the latest.
var doubts = []error{
	messages.ErrTopicRecreated,
	messages.ErrLogTruncated,
	messages.ErrOffsetGone,
	messages.ErrCorruptBatch,
	messages.ErrPartitionMissing,
}

// errAgain says that the next try will differ from this one.
var errAgain = errors.New("ask again")

// doubtOf returns which of doubts err is, nil if none.
func doubtOf(err error) error {
	for _, doubt := range doubts {
		if errors.Is(err, doubt) {
			return doubt
		}
	}
	return nil
}

// ends tells whether err ends reading, where doubt is what the connection before
// said.
func ends(err, doubt error) bool {
	if refused(err) || messages.IsPermanent(err) && doubtOf(err) == nil {
		return true
	}
	said := doubtOf(err)
	return said != nil && errors.Is(doubt, said)
}

// unsettled tells whether err is what brokers say of a partition that was made,
// or has changed its leader, a moment ago.
func unsettled(err error) bool {
	for _, code := range []error{
		sarama.ErrUnknownTopicOrPartition,
		sarama.ErrLeaderNotAvailable,
		sarama.ErrNotLeaderForPartition,
		sarama.ErrReplicaNotAvailable,
		sarama.ErrFencedLeaderEpoch,
		sarama.ErrUnknownLeaderEpoch,
		sarama.ErrOffsetNotAvailable,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
)

// backoff doubles the pause between tries, from firstPause to lastPause. Its
// zero value is the start.
type backoff time.Duration

func (b *backoff) next() time.Duration {
	pause := max(time.Duration(*b), firstPause)
	*b = backoff(min(2*pause, lastPause))
	return pause
}

// wait pauses, or returns ctx's error as soon as it ends.
func (b *backoff) wait(ctx context.Context) error {
	timer := time.NewTimer(b.next())
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
