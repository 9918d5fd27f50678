package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weatheractors/weatheractors/messages"
)

// reader reads one partition of a topic, fetch by fetch. It asks by itself
// instead of polling a consumer: only so does it know the offset that it has
// come to where a fetch holds nothing but control records, aborted ones or holes
// that compaction left, and is told, not carried on, when records are gone.
type reader struct {
	config       Config
	partition    int32
	client       *kgo.Client
	decompressor kgo.Decompressor // the client's, which is bounded
	patience     time.Duration    // how long to go on without an answer

	// What the cluster last said.
	topicID [16]byte // zero: none yet, or the brokers know no ids
	known   bool     // whether leader and epoch are known
	leader  int32    // id of the broker
	epoch   int32
}

// Errors that asking again can't mend, of a topic that changes while it is read.
var (
	errRecreated  = errors.New("the topic was deleted and created anew")
	errOutOfRange = errors.New("offset is not in the log")
)

// Answers that are worth asking again.
var (
	errNotDescribed = errors.New("the broker's answer leaves out the topic")
	errNotAnswered  = errors.New("the broker's answer leaves out the partition")
)

// final marks an error that asking again can't mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

func isFinal(err error) bool {
	var mark final
	var answer *kerr.Error
	return errors.As(err, &mark) || errors.As(err, &answer) && !answer.Retriable
}

func newReader(config Config, partition int32) (*reader, error) {
	client, err := config.client()
	if err != nil {
		return nil, err
	}
	patience := config.Wait
	if patience <= 0 {
		patience = defaultWait
	}
	decompressor := client.OptValue(kgo.WithDecompressor).(kgo.Decompressor)
	return &reader{config: config, partition: partition, client: client, decompressor: decompressor, patience: patience}, nil
}

func (r *reader) close() { r.client.Close() }

// try asks until there is an answer, with back-off from 100 ms doubling to 2 s.
// It ends with ctx, with a final error, or with patience.
func (r *reader) try(ctx context.Context, ask func(context.Context) error) error {
	attempts, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	var last error // the last one that says more than that time was up
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		// One mute broker must not use up all the time.
		attempt, done := context.WithTimeout(attempts, r.patience/2)
		err := ask(attempt)
		done()
		if err == nil || isFinal(err) {
			return err
		}
		r.known = false // ask for the leader first
		if attempts.Err() == nil || last == nil {
			last = err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-attempts.Done():
			timer.Stop()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("no answer within %v: %w", r.patience, last)
		}
	}
}

// describe asks for the topic's id and for the partition's leader.
func (r *reader) describe(ctx context.Context) error {
	request := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(r.config.Topic)
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, r.client)
	if err != nil {
		return err
	}
	for _, t := range response.Topics {
		if t.Topic == nil || *t.Topic != r.config.Topic {
			continue
		}
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case errors.Is(err, kerr.UnknownTopicOrPartition):
			return final{messages.ErrTopicMissing}
		case err != nil:
			return err
		case r.topicID != [16]byte{} && r.topicID != t.TopicID:
			return final{errRecreated}
		}
		r.topicID = t.TopicID
		return r.find(t.Partitions)
	}
	return errNotDescribed
}

// find takes leader and epoch from a description of the topic's partitions.
func (r *reader) find(partitions []kmsg.MetadataResponseTopicPartition) error {
	for _, p := range partitions {
		if p.Partition != r.partition {
			continue
		}
		if p.Leader < 0 {
			return kerr.LeaderNotAvailable
		}
		r.known, r.leader, r.epoch = true, p.Leader, p.LeaderEpoch
		return nil
	}
	return final{fmt.Errorf("%w: the topic has %d of them", messages.ErrPartitionMissing, len(partitions))}
}

// locate returns the partition's leader.
func (r *reader) locate(ctx context.Context) (*kgo.Broker, error) {
	if !r.known {
		if err := r.describe(ctx); err != nil {
			return nil, err
		}
	}
	return r.client.Broker(int(r.leader)), nil
}

// bounds asks for the first offset that is still in the log, and for the last
// stable one. From then on, an outage may last longer.
func (r *reader) bounds(ctx context.Context) (start, end int64, err error) {
	const earliest, latest = -2, -1
	err = r.try(ctx, func(ctx context.Context) (err error) {
		if start, err = r.offsetAt(ctx, earliest); err != nil {
			return err
		}
		end, err = r.offsetAt(ctx, latest)
		return err
	})
	r.patience = max(r.patience, outage)
	return start, end, err
}

func (r *reader) offsetAt(ctx context.Context, timestamp int64) (int64, error) {
	broker, err := r.locate(ctx)
	if err != nil {
		return 0, err
	}
	request := kmsg.NewPtrListOffsetsRequest()
	request.IsolationLevel = 1 // the end is the last stable offset
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = r.config.Topic
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Partition, partition.Timestamp = r.partition, timestamp
	topic.Partitions = append(topic.Partitions, partition)
	request.Topics = append(request.Topics, topic)
	answer, err := broker.Request(ctx, request)
	if err != nil {
		return 0, err
	}
	response := answer.(*kmsg.ListOffsetsResponse)
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return 0, errNotAnswered
	}
	p := response.Topics[0].Partitions[0]
	return p.Offset, kerr.ErrorForCode(p.ErrorCode)
}
