package kafka

import (
	"bytes"
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// generate returns n reports from 1990-01-01 on, of ever the same 20 years.
func generate(n int) *messages.ReportBatch {
	first, err := weather.NewDate(1990, time.January, 1)
	if err != nil {
		panic(err)
	}
	generator := weather.NewGenerator(1)
	batch := &messages.ReportBatch{First: 1}
	for i, date := 0, first; i < n; i++ {
		batch.Dates = append(batch.Dates, int32(date))
		batch.Degrees = append(batch.Degrees, generator.Degrees(date))
		if date = date.Next(); date.Year() == 2010 {
			date = first
		}
	}
	return batch
}

// part returns the reports at positions [from, to) of a batch.
func part(b *messages.ReportBatch, from, to int) *messages.ReportBatch {
	return &messages.ReportBatch{First: b.GetFirst() + int64(from), Dates: b.GetDates()[from:to], Degrees: b.GetDegrees()[from:to]}
}

func openSink(t *testing.T, c Config, options SinkOptions) *Sink {
	t.Helper()
	sink, err := NewSink(t.Context(), c, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sink.Abort()
		<-sink.ended
	})
	return sink
}

// publish hands reports over in batches of a size, never more than the window,
// and calls midway once when half of them are handed over. It returns the
// numbers that were acknowledged, and how often.
func publish(t *testing.T, sink *Sink, reports *messages.ReportBatch, size int, midway func()) map[int64]int {
	t.Helper()
	acked := make(map[int64]int)
	take := func(acks *messages.ReportsAcknowledged) {
		for _, number := range acks.GetNumbers() {
			acked[number]++
		}
	}
	n := len(reports.GetDates())
	for from := 0; from < n; from += size {
		to := min(from+size, n)
		if midway != nil && from >= n/2 {
			midway()
			midway = nil
		}
		for to-len(acked) > sink.Window() {
			take(<-sink.Acknowledged())
		}
		if err := sink.Publish(part(reports, from, to)); err != nil {
			t.Fatal(err)
		}
	}
	sink.Close()
	for acks := range sink.Acknowledged() {
		take(acks)
	}
	return acked
}

// checkAllAcked checks that each of n reports was acknowledged once.
func checkAllAcked(t *testing.T, acked map[int64]int, n int) {
	t.Helper()
	for number, times := range acked {
		if times != 1 || number < 1 || number > int64(n) {
			t.Errorf("report %d was acknowledged %d times", number, times)
		}
	}
	if len(acked) != n {
		t.Errorf("%d reports were acknowledged, want %d", len(acked), n)
	}
}

// checkLog checks that the topic holds the reports, each once, with its month as
// key, in the partition that PartitionOf names, in order, as proto.Marshal
// writes them.
func checkLog(t *testing.T, c Config, reports *messages.ReportBatch) {
	t.Helper()
	log := readLog(t, c)
	next := make([]int, len(log))
	for i, packed := range reports.GetDates() {
		date := weather.Date(packed)
		p := PartitionOf(date.Month(), int32(len(log)))
		if next[p] == len(log[p]) {
			t.Fatalf("report %d is not in partition %d, which has %d records", i+1, p, len(log[p]))
		}
		got := log[p][next[p]]
		next[p]++
		want, err := proto.MarshalOptions{Deterministic: true}.Marshal(&messages.Report{Date: date.String(), Degrees: reports.GetDegrees()[i]})
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Key) != date.Month().String() || !bytes.Equal(got.Value, want) {
			t.Fatalf("partition %d, record %d: %q %x, want report %d, %s %x", p, next[p]-1, got.Key, got.Value, i+1, date.Month(), want)
		}
	}
	for p := range log {
		if next[p] != len(log[p]) {
			t.Errorf("partition %d has %d records, want %d", p, len(log[p]), next[p])
		}
	}
}

func TestSinkPublishesExactlyOnceInOrder(t *testing.T) {
	tests := []struct {
		rule   string
		size   int // reports in a batch
		midway func(*embedded.Broker)
	}{
		{"reports one by one", 1, nil},
		{"reports in batches", 777, nil},
		{"more than the window holds", window, nil},
		{"answers are lost", 100, func(b *embedded.Broker) { b.LoseAnswers(embedded.Produce, 3) }},
		{"connections break", 100, func(b *embedded.Broker) { b.Disconnect() }},
		{"the leader moves", 100, func(b *embedded.Broker) {
			b.Fail(embedded.Produce, int16(sarama.ErrNotLeaderForPartition), 2)
		}},
		{"records are written, but not yet replicated", 100, func(b *embedded.Broker) {
			b.Fail(embedded.Produce, int16(sarama.ErrRequestTimedOut), 2)
		}},
		{"metadata can't be had for a while", 100, func(b *embedded.Broker) {
			b.LoseAnswers(embedded.Metadata, 5)
			b.LoseAnswers(embedded.Produce, 1)
		}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			t.Parallel()
			broker, c := startTopic(t, embedded.Config{})
			sink := openSink(t, c, SinkOptions{})
			reports := generate(3000)
			if test.size == window {
				reports = generate(window + 1)
			}
			var midway func()
			if test.midway != nil {
				midway = func() { test.midway(broker) }
			}
			acked := publish(t, sink, reports, test.size, midway)
			if err := sink.Err(); err != nil {
				t.Error(err)
			}
			checkAllAcked(t, acked, len(reports.GetDates()))
			checkLog(t, c, reports)
			<-sink.ended
		})
	}
}

func TestSinkOutlastsABroker(t *testing.T) {
	config := embedded.Config{Listen: freeAddress(t), DataDir: t.TempDir()}
	broker, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	sink := openSink(t, c, SinkOptions{})
	reports := generate(1000)
	acked := publish(t, sink, reports, 10, func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
		if broker, err = embedded.Start(config); err != nil {
			t.Fatal(err)
		}
	})
	if err := sink.Err(); err != nil {
		t.Error(err)
	}
	checkAllAcked(t, acked, 1000)
	checkLog(t, c, reports)
	if err := broker.Close(); err != nil {
		t.Error(err)
	}
}

// Closed while a retry is under way, sarama itself reports failures of records
// that are in the log.
func TestCloseWaitsForRetries(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	sink := openSink(t, c, SinkOptions{})
	lost := broker.LoseAnswers(embedded.Produce, 2)
	reports := generate(400)
	if err := sink.Publish(reports); err != nil {
		t.Fatal(err)
	}
	<-lost
	sink.Close()
	acked := make(map[int64]int)
	retries := int64(0)
	for acks := range sink.Acknowledged() {
		retries = acks.GetRetries()
		for _, number := range acks.GetNumbers() {
			acked[number]++
		}
	}
	if err := sink.Err(); err != nil {
		t.Error(err)
	}
	if retries < 2 {
		t.Errorf("%d retries were told of, want one for each of 2 lost answers", retries)
	}
	checkAllAcked(t, acked, 400)
	checkLog(t, c, reports)
}

// A receiver that is busy must not keep the producer from going on.
func TestAcknowledgementsAreGathered(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	sink := openSink(t, c, SinkOptions{})
	reports := generate(window)
	if err := sink.Publish(reports); err != nil {
		t.Fatal(err)
	}
	sink.Close()
	// Nobody receives until everything is in the log.
	awaitRecords(t, c, window)
	told, acked := 0, 0
	for acks := range sink.Acknowledged() {
		told++
		acked += len(acks.GetNumbers())
	}
	if acked != window || told > window/10 {
		t.Errorf("%d reports acknowledged in %d messages, want %d in few", acked, told, window)
	}
}

func TestSinkRefuses(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	sink := openSink(t, c, SinkOptions{})
	day := generate(1).GetDates()
	tests := []struct {
		rule  string
		batch *messages.ReportBatch
		want  []string // of the error; none means no error
	}{
		{"nothing is nothing", &messages.ReportBatch{Last: true}, nil},
		{"no date", &messages.ReportBatch{First: 7, Dates: []int32{0}, Degrees: []float64{1}}, []string{"report 7"}},
		{"no number", &messages.ReportBatch{First: 8, Dates: day, Degrees: []float64{math.NaN()}}, []string{"report 8"}},
		{"columns of different length", &messages.ReportBatch{First: 9, Dates: day}, []string{"1 dates", "0 degrees"}},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) { checkError(t, sink.Publish(test.batch), test.want) })
	}
	sink.Close()
	if err := sink.Publish(generate(1)); !errors.Is(err, ErrSinkClosed) {
		t.Errorf("publish after Close: got %v, want ErrSinkClosed", err)
	}
	if acks, open := <-sink.Acknowledged(); open {
		t.Errorf("%v acknowledged, want nothing", acks)
	}
}

func TestNewSink(t *testing.T) {
	broker, c := startBroker(t, embedded.Config{})
	if _, err := NewSink(t.Context(), c, SinkOptions{}); !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("no topic: got %v, want ErrTopicMissing", err)
	}
	if _, err := NewSink(t.Context(), c, SinkOptions{Compression: "zip"}); err == nil || !strings.Contains(err.Error(), `"zip"`) {
		t.Errorf("compression zip: got %v, want it refused", err)
	}
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	defer broker.Pause()()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewSink(ctx, c, SinkOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ctx ended: got %v, want context.Canceled", err)
	}
}

func TestCompression(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	for i, name := range append(compressions, "") {
		t.Run("compression "+name, func(t *testing.T) {
			if _, err := Recreate(t.Context(), c, four); err != nil {
				t.Fatal(err)
			}
			reports := generate(300)
			checkAllAcked(t, publish(t, openSink(t, c, SinkOptions{Compression: name}), reports, 300, nil), 300)
			checkLog(t, c, reports)
			for _, batch := range fetchAll(t, c, PartitionOf(time.January, 4)) {
				if want := sarama.CompressionCodec(i % len(compressions)); batch.Codec != want {
					t.Errorf("compression %q: a batch has %v, want %v", name, batch.Codec, want)
				}
			}
		})
	}
}
