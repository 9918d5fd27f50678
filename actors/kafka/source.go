package kafka

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// Source reads the committed records of single partitions. It holds no state and
// no connection: each call makes its own and closes it. It is safe for
// concurrent use.
type Source struct{ config Config }

// NewSource returns a source of the records of c's topic. It connects to nobody;
// a c that can't be used makes every call fail with a permanent error.
func NewSource(c Config) *Source { return &Source{config: c} }

// settleTime is how long a partition that was just created, or has just changed
// its leader, may refuse to answer: 0.16 s were seen.
const settleTime = 3 * time.Second

// Describe asks the leader of a partition for the topic's id and the range of
// the partition's log, up to its last stable offset. It returns
// messages.ErrTopicMissing quickly, and messages.ErrPartitionMissing naming the
// partitions that exist. An error is permanent (messages.IsPermanent) if asking
// again can't mend it.
func (s *Source) Describe(ctx context.Context, partition int32) (described *messages.PartitionRange, err error) {
	err = s.ask(ctx, partition, func(l *link) (err error) {
		described, err = l.describe()
		return err
	})
	return described, err
}

// ask puts a question to the leader of a partition, again if it may know better
// in a moment.
func (s *Source) ask(ctx context.Context, partition int32, question func(*link) error) error {
	wrap := func(err error) error {
		return fmt.Errorf("describe partition %d of %s: %w", partition, s.config.Topic, err)
	}
	l, err := newLink(ctx, s.config, partition)
	if err != nil {
		return wrap(err)
	}
	defer l.close()
	patience, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for pause := (backoff(0)); ; {
		err := question(l)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !unsettled(err) || pause.wait(patience) != nil:
			return wrap(markRefused(err))
		}
	}
}

// describe asks once. The topic's id is asked for before and after, so that the
// offsets are certain to be of its log.
func (l *link) describe() (*messages.PartitionRange, error) {
	if err := l.connect(); err != nil {
		return nil, err
	}
	id := l.id
	first, err := l.listOffset(sarama.OffsetOldest, sarama.ReadUncommitted)
	if err != nil {
		return nil, err
	}
	end, err := l.listOffset(sarama.OffsetNewest, sarama.ReadCommitted)
	if err != nil {
		return nil, err
	}
	if err := l.askID(); err != nil {
		return nil, err
	}
	if l.id != id {
		return nil, sarama.ErrUnknownTopicOrPartition // it was just made anew
	}
	return &messages.PartitionRange{
		Topic:            l.topic,
		TopicId:          topic{id: id}.idBytes(),
		LogStartOffset:   first,
		LastStableOffset: end,
	}, nil
}

// Read delivers the committed records of req's partition from req's offset on,
// in batches that follow each other without a gap. It returns nil once it has
// come to req.Until, which it may pass by some records, ctx's error once that
// ends (at once, whatever it waits for), deliver's error if there is one, or why
// reading can't go on. Both functions are called by the goroutine that called
// Read, never after it returned.
//
// No batch of another topic id than req.Topic's is delivered, and none from a
// log that lost what was read before; without an id, or epochs, there is nothing
// to compare. deliver may block: at most one more fetch is held meanwhile. It
// keeps the batch.
//
// Read waits for brokers that are away and for a topic that does not exist, and
// tries again with a back-off of 0.1 to 2 s. It calls trouble with the cause
// when that begins, again if the cause becomes, or is no longer,
// messages.ErrTopicMissing, and with nil as soon as it reads again.
//
// Errors that end reading, each confirmed on a second connection:
// messages.ErrTopicRecreated (naming both ids), ErrLogTruncated, ErrOffsetGone
// (naming the offsets), ErrCorruptBatch and ErrPartitionMissing. A refusal by
// the brokers (password, permission) is permanent and ends it at once.
func (s *Source) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	l, err := newLink(ctx, s.config, req.GetPartition())
	if err != nil {
		return fmt.Errorf("read partition %d of %s: %w", req.GetPartition(), s.config.Topic, err)
	}
	return l.read(ctx, req, deliver, trouble)
}

// read is Read over l, which was made with ctx, and which it closes.
func (l *link) read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	wrap := func(err error) error {
		return fmt.Errorf("read partition %d of %s: %w", l.partition, l.topic, err)
	}
	out := make(chan news)
	r, err := newReader(l, req, out)
	if err != nil {
		l.close()
		return wrap(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := func() {
		cancel()
		l.cluster.conns.close()
	}
	defer stop()
	var failure error // of the reader, once ended is closed
	ended := make(chan struct{})
	go func() {
		failure = r.run(ctx)
		l.close()
		close(ended)
	}()
	for {
		select {
		case n := <-out:
			if err := pass(n, l.partition, deliver, trouble, wrap); err != nil {
				stop()
				awaitReader(ended)
				return err
			}
		case <-ended:
			if failure == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			return wrap(failure)
		case <-ctx.Done():
			awaitReader(ended)
			return ctx.Err()
		}
	}
}

// pass hands n to one of the two functions.
func pass(n news, partition int32, deliver func(*messages.RecordBatch) error, trouble func(error), wrap func(error) error) error {
	switch {
	case n.fetched != nil:
		for batch := range decode(partition, n.fetched) {
			if err := deliver(batch); err != nil {
				return err
			}
		}
	case n.trouble != nil:
		trouble(wrap(n.trouble))
	case n.recovered:
		trouble(nil)
	}
	return nil
}

// awaitReader waits for a reader whose connections are closed. Only a pause that
// the brokers asked for (a quota) can't be cut short: then the reader is left
// to end by itself, with nothing to read from.
func awaitReader(ended <-chan struct{}) {
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case <-ended:
	case <-grace.C:
	}
}
