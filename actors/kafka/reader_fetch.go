package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// fetch asks for what follows offset. It returns nil if there is nothing yet.
func (r *reader) fetch() (*fetched, error) {
	block, err := r.link.fetch(r.offset, int32(r.asks), fetchWait, sarama.ReadCommitted)
	if bad := (*undecodable)(nil); errors.As(err, &bad) {
		return nil, r.narrow(bad)
	}
	if err != nil {
		r.asks = max(r.asks/8, oneBatch) // in case the answer was too much for the network
		return nil, err
	}
	if err := r.link.askID(); err != nil {
		return nil, err
	}
	if err := r.checkID(); err != nil {
		return nil, err
	}
	switch {
	case block == nil: // held back for reasons of quota
		return nil, nil
	case block.Err == sarama.ErrOffsetOutOfRange:
		return nil, r.outOfRange()
	case block.Err != sarama.ErrNoError:
		return nil, blockError(block.Err, r.offset)
	}
	return r.digest(block)
}

// digest turns a block without an error into what was fetched, and adapts the
// appetite to it.
func (r *reader) digest(block *sarama.FetchResponseBlock) (*fetched, error) {
	batches, next, err := survey(block, r.offset)
	switch {
	case errors.Is(err, errCut) && !r.wide:
		r.asks, r.wide = wideAppetite, true
		return nil, errAgain
	case err != nil:
		return nil, corrupt(r.offset, err)
	}
	begun, err := r.epochs.begin(batches, r.offset)
	if err != nil {
		return nil, err
	}
	r.asks = r.asks.after(held(batches))
	if next == r.offset {
		return nil, r.starve(block)
	}
	r.starved = 0
	return &fetched{
		base:       r.offset,
		next:       next,
		batches:    batches,
		aborted:    block.AbortedTransactions,
		epochs:     begun,
		lastStable: block.LastStableOffset,
	}, nil
}

// errStarved says that a broker knows of more records and sends none, which it
// should never do.
var errStarved = errors.New("the broker sends none of the records that it has")

// starve counts answers without a batch where there should be one.
func (r *reader) starve(block *sarama.FetchResponseBlock) error {
	if block.LastStableOffset <= r.offset {
		r.starved = 0
		return nil
	}
	if r.starved++; r.starved < 3 {
		return nil
	}
	r.starved = 0
	return fmt.Errorf("%w: up to offset %d", errStarved, block.LastStableOffset)
}

// narrow says what to do about an answer that can't be decoded: one bad batch
// spoils the whole answer, so the next fetch asks for the first batch alone.
func (r *reader) narrow(bad *undecodable) error {
	if r.asks > oneBatch {
		r.asks = oneBatch
		return errAgain
	}
	return corrupt(r.offset, bad)
}

// blockError says what the error in the answer to a fetch from offset means.
func blockError(code sarama.KError, offset int64) error {
	switch code {
	case sarama.ErrInvalidMessage, sarama.ErrUnsupportedCompressionType:
		return corrupt(offset, code)
	}
	return code
}

func corrupt(offset int64, cause error) error {
	return fmt.Errorf("%w: offset %d: %w", messages.ErrCorruptBatch, offset, inWords(cause))
}

// outOfRange asks the leader for the range of its log, since the answer to a
// fetch does not tell, and says on which side of it offset is.
func (r *reader) outOfRange() error {
	first, err := r.link.listOffset(sarama.OffsetOldest, sarama.ReadUncommitted)
	if err != nil {
		return err
	}
	end, err := r.link.listOffset(sarama.OffsetNewest, sarama.ReadUncommitted)
	switch {
	case err != nil:
		return err
	case r.offset < first:
		return fmt.Errorf("%w: offsets %d to %d; the log begins at %d", messages.ErrOffsetGone, r.offset, first-1, first)
	case r.offset > end:
		return fmt.Errorf("%w: offset %d is beyond its end, %d", messages.ErrLogTruncated, r.offset, end)
	}
	return sarama.ErrOffsetOutOfRange // not any more
}

// settle notes that reading works again.
func (r *reader) settle(ctx context.Context) error {
	r.pause, r.doubt = 0, nil
	if !r.troubled {
		return nil
	}
	r.troubled, r.missing = false, false
	return r.send(ctx, news{recovered: true})
}

// tell reports the begin of an outage, and that its reason is the topic's
// absence, or no more.
func (r *reader) tell(ctx context.Context, err error) error {
	missing := errors.Is(err, messages.ErrTopicMissing)
	if r.troubled && missing == r.missing || r.doubt != nil {
		return nil
	}
	r.troubled, r.missing = true, missing
	return r.send(ctx, news{trouble: err})
}

func (r *reader) send(ctx context.Context, n news) error {
	select {
	case r.out <- n:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
