package kafka

import (
	"fmt"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// epochs are the leader epochs of what was read so far, ascending both in epoch
// and in first offset. A log that lost its tail and was refilled has another
// epoch than before at an offset that was read already.
type epochs []*messages.LeaderEpoch

// at returns the epoch of the record before or at offset, if it is known.
func (e epochs) at(offset int64) (epoch int32, known bool) {
	for i := len(e) - 1; i >= 0; i-- {
		if e[i].FirstOffset <= offset {
			return e[i].Epoch, true
		}
	}
	return 0, false
}

// begin returns the epochs that begin in batches, read from base on. A broker's
// epochs never step back within a log, so one that does is
// messages.ErrLogTruncated.
func (e epochs) begin(batches []*sarama.RecordBatch, base int64) (epochs, error) {
	last := int32(-1)
	if len(e) > 0 {
		last = e[len(e)-1].Epoch
	}
	var begun epochs
	for _, batch := range batches {
		first := max(batch.FirstOffset, base)
		switch epoch := batch.PartitionLeaderEpoch; {
		case epoch < 0: // the broker does not tell
		case epoch < last:
			return nil, fmt.Errorf("%w: the leader epoch of offset %d is %d, after %d", messages.ErrLogTruncated, first, epoch, last)
		case epoch > last:
			begun = append(begun, &messages.LeaderEpoch{Epoch: epoch, FirstOffset: first})
			last = epoch
		}
	}
	return begun, nil
}

// check compares the batch that holds offset, if block has it, with what is
// known of its epoch.
func (e epochs) check(block *sarama.FetchResponseBlock, offset int64) error {
	want, known := e.at(offset)
	if !known {
		return nil
	}
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil || batch.FirstOffset > offset || batch.LastOffset() < offset {
			continue
		}
		if got := batch.PartitionLeaderEpoch; got >= 0 && got != want {
			return fmt.Errorf("%w: the leader epoch of offset %d was %d, now it is %d", messages.ErrLogTruncated, offset, want, got)
		}
	}
	return nil
}
