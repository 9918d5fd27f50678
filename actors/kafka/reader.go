package kafka

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// reader fetches the batches of one partition, one fetch ahead of whoever takes
// them: while one answer is decoded, the next is on its way.
//
// Invariant: everything sent to out is of the topic that was asked for. After
// each fetch the broker that answered it is asked for the topic's id, before
// the batches are sent and before the next fetch. Brokers hear of a topic's new
// life before they touch its log, so an id that is still the same now was the
// same for the fetch.
type reader struct {
	link  *link
	topic sarama.Uuid // the one wanted; zero is unknown, and never compared
	until int64       // -1 is never
	out   chan<- news

	offset  int64
	epochs  epochs
	asks    appetite
	starved int  // answers in a row without the records that are there
	wide    bool // a batch at offset was asked for with wideAppetite

	pause    backoff
	doubt    error // what the last try said and this one may confirm
	troubled bool
	missing  bool // the trouble is that the topic does not exist
}

// news is what a reader sends: one of its fields is set.
type news struct {
	fetched   *fetched
	trouble   error // an outage began, or has another reason now
	recovered bool
}

func newReader(l *link, req *messages.ReadRequest, out chan<- news) (*reader, error) {
	r := &reader{
		link:   l,
		until:  req.GetUntil(),
		out:    out,
		offset: req.GetOffset(),
		epochs: req.GetTopic().GetEpochs(),
		asks:   firstAppetite,
	}
	r.epochs = r.epochs[:len(r.epochs):len(r.epochs)] // the request stays as it is
	switch id := req.GetTopic().GetId(); len(id) {
	case 0:
	case len(r.topic):
		r.topic = sarama.Uuid(id)
	default:
		return nil, messages.Permanent(fmt.Errorf("topic id of %d bytes, want %d or none", len(id), len(r.topic)))
	}
	if r.offset < 0 {
		return nil, messages.Permanent(fmt.Errorf("offset %d is negative", r.offset))
	}
	return r, nil
}

// run reads until ctx ends, until has come, or reading can't go on.
func (r *reader) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for {
		err = r.read(ctx)
		r.link.disconnect()
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.Is(err, errAgain):
			continue
		case ends(err, r.doubt):
			return markRefused(err)
		}
		if r.doubt = doubtOf(err); r.doubt != nil {
			r.pause = 0 // to be confirmed soon
		}
		if err := r.tell(ctx, err); err != nil {
			return err
		}
		if err := r.pause.wait(ctx); err != nil {
			return err
		}
	}
}

// read connects and reads on until something fails; nil means that until has
// come.
func (r *reader) read(ctx context.Context) error {
	if err := r.connect(); err != nil {
		return err
	}
	for r.until < 0 || r.offset < r.until {
		got, err := r.fetch()
		if err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
		if got == nil {
			continue
		}
		if err := r.send(ctx, news{fetched: got}); err != nil {
			return err
		}
		r.offset, r.wide = got.next, false
		r.epochs = append(r.epochs, got.epochs...)
	}
	return nil
}

// connect connects to the leader, and makes sure that its log still is the one
// that was read so far.
func (r *reader) connect() error {
	err := r.link.connect()
	if err == nil || errors.Is(err, messages.ErrPartitionMissing) {
		// Recreated with fewer partitions, it would never be there again.
		if other := r.checkID(); other != nil {
			err = other
		}
	}
	if err != nil {
		return err
	}
	if err := r.checkTail(); err != nil {
		return err
	}
	if r.until >= 0 && r.offset >= r.until {
		return r.checkEnd() // no fetch will tell
	}
	return nil
}

func (r *reader) checkID() error {
	unknown := sarama.Uuid{}
	if id := r.link.id; r.topic != unknown && id != unknown && id != r.topic {
		return fmt.Errorf("%w: its id was %s, now it is %s", messages.ErrTopicRecreated, r.topic, id)
	}
	return nil
}

// checkTail looks at the last record read, if it is still there: a broker that
// lost the tail of its log keeps the topic's id, but writes with a new epoch.
func (r *reader) checkTail() error {
	last := r.offset - 1
	if _, known := r.epochs.at(last); !known {
		return nil
	}
	block, err := r.link.fetch(last, int32(oneBatch), 0, sarama.ReadUncommitted)
	if bad := (*undecodable)(nil); errors.As(err, &bad) {
		return corrupt(last, bad)
	}
	switch {
	case err != nil:
		return err
	case block == nil: // held back for reasons of quota
		return sarama.ErrThrottlingQuotaExceeded
	case block.Err == sarama.ErrOffsetOutOfRange:
		return r.checkEnd() // it may only be deleted
	case block.Err != sarama.ErrNoError:
		return blockError(block.Err, last)
	case len(block.RecordsSet) == 0 && block.HighWaterMarkOffset < r.offset:
		if err := r.checkEnd(); err != nil {
			return err
		}
		return sarama.ErrOffsetNotAvailable // a new leader may be behind for a moment
	}
	return r.epochs.check(block, last)
}

// checkEnd makes sure that the log reaches as far as it was read.
func (r *reader) checkEnd() error {
	block, err := r.link.fetch(r.offset, int32(oneBatch), 0, sarama.ReadUncommitted)
	if bad := (*undecodable)(nil); errors.As(err, &bad) {
		return nil // so it does
	}
	switch {
	case err != nil:
		return err
	case block == nil: // held back for reasons of quota
		return sarama.ErrThrottlingQuotaExceeded
	case block.Err == sarama.ErrOffsetOutOfRange:
		return r.outOfRange()
	case block.Err != sarama.ErrNoError:
		return blockError(block.Err, r.offset)
	}
	return nil
}
