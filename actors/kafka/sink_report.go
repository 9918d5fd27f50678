package kafka

import (
	"fmt"

	"github.com/IBM/sarama"

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
	value   [messages.MaxReportSize]byte
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
		r.size = int8(len(messages.AppendReport(r.value[:0], weather.Observation{Date: r.date, Degrees: degrees[i]})))
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

// failure says which report was given up, and why.
func failure(failed *sarama.ProducerError) error {
	r := failed.Msg.Metadata.(*outgoing)
	where := failed.Msg.Topic
	if p := failed.Msg.Partition; p != unassigned {
		where = fmt.Sprintf("partition %d of %s", p, where)
	}
	return fmt.Errorf("publish report %d (%s) to %s: %w: %w; this report and later ones may be in the log all the same",
		r.number, r.date, where, ErrGivenUp, markRefused(failed.Err))
}
