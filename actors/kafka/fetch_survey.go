package kafka

import (
	"errors"
	"reflect"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// fetched is what one fetch brought: whole batches, whose records nobody has
// looked at yet. It covers the offsets [base, next).
type fetched struct {
	base, next int64
	batches    []*sarama.RecordBatch
	aborted    []*sarama.AbortedTransaction
	epochs     []*messages.LeaderEpoch // that begin in it
	lastStable int64
}

var (
	errCut       = errors.New("batch does not fit into an answer, or claims more records than it holds")
	errOldFormat = errors.New("records in the format of Kafka before 0.11")
)

// survey lists the batches in block that a fetch from offset brought, and the
// offset behind them. There may be none, and next > offset all the same:
// compaction can empty a batch and keep it. There are none and next == offset if
// the log has nothing there. Errors: errCut and errOldFormat, if it is the very
// first batch that can't be used.
//
// sarama drops a batch without records, and says of a batch that it takes for
// cut off only that there is something: see its FetchResponseBlock.decode.
func survey(block *sarama.FetchResponseBlock, offset int64) (batches []*sarama.RecordBatch, next int64, err error) {
	next = offset
	batches = make([]*sarama.RecordBatch, 0, len(block.RecordsSet))
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil {
			err = errOldFormat
			break
		}
		if batch.PartialTrailingRecord {
			// Whatever came before it was empty.
			if len(batches) == 0 {
				next = max(next, batch.FirstOffset)
			}
			err = errCut
			break
		}
		batches = append(batches, batch)
		next = max(next, batch.LastOffset()+1)
	}
	if len(block.RecordsSet) == 0 {
		next = max(next, behindEmptied(block))
		if block.Partial {
			err = errCut
		}
	}
	if next > offset {
		err = nil // what can't be used comes first in the next fetch
	}
	return batches, next, err
}

// behindEmptied returns the offset behind the last whole batch of a block
// without records, or -1 if it has no batch at all. Only an unexported field
// tells the two apart; a test pins it.
func behindEmptied(block *sarama.FetchResponseBlock) int64 {
	field := reflect.ValueOf(block).Elem().FieldByName("recordsNextOffset")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*int64]() || field.IsNil() {
		return -1
	}
	return field.Elem().Int()
}
