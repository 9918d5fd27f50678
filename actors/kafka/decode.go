package kafka

import (
	"bytes"
	"strings"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// maxRejectBytes is how much is kept of a reject's key, and of its value.
const maxRejectBytes = 4 << 10

// decode turns what was fetched into a message of its own memory: nothing in it
// aliases f.
//
// This is the hot path: it allocates once per column, not per record.
func decode(partition int32, f *fetched) *messages.RecordBatch {
	counted, n := countedBatches(f)
	out := &messages.RecordBatch{
		Partition:        partition,
		Base:             f.base,
		Next:             f.next,
		Epochs:           f.epochs,
		LastStableOffset: f.lastStable,
	}
	if n == 0 {
		return out
	}
	dates, degrees := make([]int32, 0, n), make([]float64, 0, n)
	for _, batch := range counted {
		for _, record := range batch.Records {
			offset := batch.FirstOffset + record.OffsetDelta
			if offset < f.base {
				continue // a batch comes whole, however late in it one begins
			}
			o, err := messages.DecodeReport(record.Key, record.Value)
			if err != nil {
				out.Rejects = append(out.Rejects, reject(offset, record, err, len(dates)))
				continue
			}
			dates = append(dates, int32(o.Date))
			degrees = append(degrees, o.Degrees)
		}
	}
	out.Dates, out.Degrees = dates, degrees
	return out
}

// countedBatches leaves out control batches and aborted ones, and returns how
// many records are in the others.
func countedBatches(f *fetched) (counted []*sarama.RecordBatch, records int) {
	filter := newAbortFilter(f.aborted)
	counted = make([]*sarama.RecordBatch, 0, len(f.batches))
	for _, batch := range f.batches {
		if filter.keeps(batch) {
			counted = append(counted, batch)
			records += len(batch.Records)
		}
	}
	return counted, records
}

func reject(offset int64, record *sarama.Record, reason error, preceding int) *messages.Reject {
	return &messages.Reject{
		Offset: offset,
		// A field of type string must be UTF-8, or nobody can unmarshal it.
		Reason:    strings.ToValidUTF8(reason.Error(), "\uFFFD"),
		Key:       cut(record.Key),
		Value:     cut(record.Value),
		Preceding: int32(preceding),
	}
}

// cut copies: a slice of the answer would keep the whole answer in memory.
func cut(b []byte) []byte {
	return bytes.Clone(b[:min(len(b), maxRejectBytes)])
}
