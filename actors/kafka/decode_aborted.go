package kafka

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/IBM/sarama"
)

// abortFilter tells which batches of one fetch hold records to be counted.
// Brokers send the records of aborted transactions, too, and say in each answer
// which transactions those are: (producer id, offset of its first record). Such
// a transaction ends with that producer's next abort marker.
type abortFilter struct {
	coming []*sarama.AbortedTransaction // by first offset
	active map[int64]struct{}           // producer ids whose transaction is aborted
}

// newAbortFilter sorts aborted, which no broker promises to have done.
func newAbortFilter(aborted []*sarama.AbortedTransaction) *abortFilter {
	slices.SortFunc(aborted, func(a, b *sarama.AbortedTransaction) int {
		return cmp.Compare(a.FirstOffset, b.FirstOffset)
	})
	return &abortFilter{coming: aborted, active: make(map[int64]struct{})}
}

// keeps tells whether batch holds records to be counted, neither aborted nor
// control records. It has to be asked about each batch of a fetch, in order.
func (f *abortFilter) keeps(batch *sarama.RecordBatch) bool {
	for len(f.coming) > 0 && f.coming[0].FirstOffset <= batch.LastOffset() {
		f.active[f.coming[0].ProducerID] = struct{}{}
		f.coming = f.coming[1:]
	}
	if batch.Control {
		if isAbortMarker(batch) {
			delete(f.active, batch.ProducerID)
		}
		return false
	}
	_, aborted := f.active[batch.ProducerID]
	return !(aborted && batch.IsTransactional)
}

// isAbortMarker tells whether a control batch ends a transaction by aborting it.
// The key of its record is a version and a type, two bytes each; type 0 is abort.
func isAbortMarker(batch *sarama.RecordBatch) bool {
	if len(batch.Records) == 0 {
		return false
	}
	key := batch.Records[0].Key
	return len(key) >= 4 && binary.BigEndian.Uint16(key[2:]) == 0
}
