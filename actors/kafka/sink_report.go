package kafka

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/IBM/sarama"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// outgoing is a report on its way through the producer. It is its message's
// value and metadata, so that all that a batch of reports takes is allocated at
// once.
type outgoing struct {
	message sarama.ProducerMessage
	number  int64
	date    weather.Date
	size    int8 // bytes of value
	value   [maxReportSize]byte
}

// unassigned is the partition of a report before the producer has chosen one.
const unassigned = -1

// outgoing returns the reports of a batch that was checked.
func (s *Sink) outgoing(batch *messages.ReportBatch) []outgoing {
	reports := make([]outgoing, len(batch.GetDates()))
	degrees := batch.GetDegrees()
	for i, date := range batch.GetDates() {
		r := &reports[i]
		r.number = batch.GetFirst() + int64(i)
		r.date = weather.Date(date)
		r.size = int8(len(appendReport(r.value[:0], weather.Observation{Date: r.date, Degrees: degrees[i]})))
		r.message = sarama.ProducerMessage{
			Topic:     s.topic,
			Key:       monthKeys[r.date.Month()],
			Value:     r,
			Metadata:  r,
			Partition: unassigned,
		}
	}
	return reports
}

// Encode is the value, for sarama, which does not change it.
func (r *outgoing) Encode() ([]byte, error) { return r.value[:r.size], nil }

// Length is the value's length in bytes, for sarama.
func (r *outgoing) Length() int { return int(r.size) }

// A messages.Report as proto.Marshal writes it: tag, length, YYYY-MM-DD, tag,
// double. Degrees of 0 are left out.
const (
	dateTag       = 1<<3 | byte(protowire.BytesType)
	degreesTag    = 2<<3 | byte(protowire.Fixed64Type)
	dateSize      = len("YYYY-MM-DD")
	maxReportSize = 1 + 1 + dateSize + 1 + 8
)

// appendReport appends a valid observation as a messages.Report.
func appendReport(b []byte, o weather.Observation) []byte {
	b = append(b, dateTag, byte(dateSize))
	b, err := o.Date.AppendText(b)
	if err != nil {
		panic(err) // Publish has checked it
	}
	if bits := math.Float64bits(o.Degrees); bits != 0 {
		b = append(b, degreesTag)
		b = binary.LittleEndian.AppendUint64(b, bits)
	}
	return b
}

// failure says which report was given up, and why.
func failure(failed *sarama.ProducerError) error {
	r := failed.Msg.Metadata.(*outgoing)
	where := failed.Msg.Topic
	if p := failed.Msg.Partition; p != unassigned {
		where = fmt.Sprintf("partition %d of %s", p, where)
	}
	return fmt.Errorf("publish report %d (%s) to %s: %w: %w; it and later ones may be in the log all the same, more than were acknowledged",
		r.number, r.date, where, ErrGivenUp, markRefused(failed.Err))
}
