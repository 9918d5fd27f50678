package kafka

import (
	"testing"

	"github.com/IBM/sarama"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// BenchmarkSink publishes as fast as the sink acknowledges, through actors'
// eyes: a quarter of the window at a time. One operation is one report.
func BenchmarkSink(b *testing.B) {
	_, c := startTopic(b, embedded.Config{})
	sink, err := NewSink(b.Context(), c, SinkOptions{})
	if err != nil {
		b.Fatal(err)
	}
	reports := generate(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	outstanding, sent, told := 0, 0, 0
	for acked := 0; acked < b.N; {
		if room := min(sink.Window()-outstanding, b.N-sent); room > 0 && (room >= sink.Window()/4 || sent+room == b.N) {
			if err := sink.Publish(part(reports, sent, sent+room)); err != nil {
				b.Fatal(err)
			}
			sent += room
			outstanding += room
			continue
		}
		acks := <-sink.Acknowledged()
		told++
		acked += len(acks.GetNumbers())
		outstanding -= len(acks.GetNumbers())
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(float64(b.N)/float64(told), "reports/ack")
	sink.Close()
	<-sink.ended
}

// BenchmarkAsyncProducer is what BenchmarkSink is compared with: the same
// settings and reports, and nothing else.
func BenchmarkAsyncProducer(b *testing.B) {
	_, c := startTopic(b, embedded.Config{})
	conf, err := c.sarama()
	if err != nil {
		b.Fatal(err)
	}
	new(Sink).configure(conf, SinkOptions{})
	producer, err := sarama.NewAsyncProducer(c.Brokers, conf)
	if err != nil {
		b.Fatal(err)
	}
	reports := generate(b.N)
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range b.N {
			<-producer.Successes()
		}
	}()
	for i, date := range reports.GetDates() {
		date := weather.Date(date)
		value, err := proto.Marshal(&messages.Report{Date: date.String(), Degrees: reports.GetDegrees()[i]})
		if err != nil {
			b.Fatal(err)
		}
		producer.Input() <- &sarama.ProducerMessage{
			Topic: c.Topic, Key: sarama.StringEncoder(date.Month().String()), Value: sarama.ByteEncoder(value),
		}
	}
	<-done
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	if err := producer.Close(); err != nil {
		b.Error(err)
	}
}
