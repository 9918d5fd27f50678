package kafka

import (
	"bytes"
	"iter"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// maxRejectBytes is how much is kept of a reject's key, and of its value.
const maxRejectBytes = 4 << 10

// maxRejects is how many rejects a message holds: each takes some hundred bytes,
// and what was fetched may hold nothing else.
const maxRejects = 4096

// decode turns what was fetched into messages of their own memory: nothing in
// them aliases f. It is one message, unless there are too many rejects for one.
//
// This is the hot path: it allocates once per column, not per record.
func decode(partition int32, f *fetched) iter.Seq[*messages.RecordBatch] {
	return func(yield func(*messages.RecordBatch) bool) {
		counted, left := countedBatches(f)
		d := decoder{partition: partition, fetched: f, reasons: map[string]string{}}
		d.begin(f.base)
		for _, batch := range counted {
			d.latest = max(d.latest, milliseconds(batch.MaxTimestamp))
			for _, record := range batch.Records {
				left--
				offset := batch.FirstOffset + record.OffsetDelta
				if offset < f.base {
					continue // a batch comes whole, however late in it one begins
				}
				o, err := messages.DecodeReport(record.Key, record.Value)
				if err == nil {
					d.add(o, left)
					continue
				}
				d.reject(offset, record, err)
				if len(d.out.Rejects) == maxRejects {
					if !yield(d.end(offset + 1)) {
						return
					}
					d.begin(offset + 1)
				}
			}
		}
		if d.out.Base < f.next {
			yield(d.end(f.next))
		}
	}
}

// decoder makes one message after the other.
type decoder struct {
	partition int32
	fetched   *fetched
	out       *messages.RecordBatch
	reasons   map[string]string // mostly the same few, kept once
	latest    int64             // time of the batches so far, in ms since 1970
}

func (d *decoder) begin(base int64) {
	d.out = &messages.RecordBatch{Partition: d.partition, Base: base, LastStableOffset: d.fetched.lastStable}
}

// add adds an observation behind which there are at most so many more.
func (d *decoder) add(o weather.Observation, left int) {
	if d.out.Dates == nil {
		d.out.Dates, d.out.Degrees = make([]int32, 0, left+1), make([]float64, 0, left+1)
	}
	d.out.Dates = append(d.out.Dates, int32(o.Date))
	d.out.Degrees = append(d.out.Degrees, o.Degrees)
}

func (d *decoder) reject(offset int64, record *sarama.Record, cause error) {
	// A field of type string must be UTF-8, or nobody can unmarshal it.
	reason := strings.ToValidUTF8(cause.Error(), "\uFFFD")
	if known, found := d.reasons[reason]; found {
		reason = known
	} else if len(d.reasons) < maxRejects {
		d.reasons[reason] = reason
	}
	d.out.Rejects = append(d.out.Rejects, &messages.Reject{
		Offset:    offset,
		Reason:    reason,
		Key:       cut(record.Key),
		Value:     cut(record.Value),
		Preceding: int32(len(d.out.Dates)),
	})
}

// end finishes the message, which covers the offsets up to next.
func (d *decoder) end(next int64) *messages.RecordBatch {
	d.out.Next, d.out.LastTimestamp = next, d.latest
	for _, e := range d.fetched.epochs {
		if d.out.Base <= e.GetFirstOffset() && e.GetFirstOffset() < next {
			d.out.Epochs = append(d.out.Epochs, e)
		}
	}
	return d.out
}

// milliseconds since 1970; 0 where a batch holds no time.
func milliseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(0, t.UnixMilli())
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

// cut copies: a slice of the answer would keep the whole answer in memory.
func cut(b []byte) []byte {
	return bytes.Clone(b[:min(len(b), maxRejectBytes)])
}
