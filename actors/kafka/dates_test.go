package kafka

import (
	"context"
	"errors"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

func TestReadDates(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	reports := generate(1000)
	checkAllAcked(t, publish(t, openSink(t, c, SinkOptions{}), reports, 100, nil), 1000)
	june, err := weather.ParseDate("2024-06-30")
	if err != nil {
		t.Fatal(err)
	}
	good := sarama.ByteEncoder(messages.AppendReport(nil, weather.Observation{Date: june, Degrees: 80}))
	write(t, c,
		&sarama.ProducerMessage{Partition: 3, Key: sarama.StringEncoder("June"), Value: good},                            // not where its month belongs
		&sarama.ProducerMessage{Partition: 2, Key: sarama.StringEncoder("July"), Value: good},                            // not its month
		&sarama.ProducerMessage{Partition: 2, Key: sarama.StringEncoder("June"), Value: sarama.StringEncoder("no date")}, // not a report
		&sarama.ProducerMessage{Partition: 2, Key: sarama.StringEncoder("June")},                                         // nothing
	)
	broker.LoseAnswers(embedded.Fetch, 2) // which must not matter
	broker.LoseAnswers(listOffsets, 2)

	var last ScanProgress
	got, err := ReadDates(t.Context(), c, func(p ScanProgress) {
		if p.Read < last.Read || p.Total < last.Total {
			t.Errorf("%+v follows %+v", p, last)
		}
		last = p
	})
	if err != nil {
		t.Fatal(err)
	}
	if last.Read != 1004 || last.Total != 1004 || last.Trouble != nil {
		t.Errorf("last progress is %+v, want 1004 of 1004", last)
	}
	want := map[int32]int{3: 1}
	for i, packed := range reports.GetDates() {
		date := weather.Date(packed)
		p := PartitionOf(date.Month(), 4)
		want[p]++
		if !got[p].Has(date) {
			t.Errorf("report %d, %s, is missing in partition %d", i+1, date, p)
		}
	}
	for p := range int32(4) {
		if n := got[p].Len(); n != want[p] {
			t.Errorf("partition %d has %d dates, want %d", p, n, want[p])
		}
	}
	if !got[3].Has(june) || got[2].Has(june) {
		t.Error("a date counts where its record stands, if that is valid")
	}
}

func TestReadDatesOfAnEmptyTopic(t *testing.T) {
	_, c := startBroker(t, embedded.Config{})
	if _, err := ReadDates(t.Context(), c, nil); !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("no topic: got %v, want ErrTopicMissing", err)
	}
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	got, err := ReadDates(t.Context(), c, nil)
	if err != nil || len(got) != 4 {
		t.Fatalf("got %v, %v, want 4 partitions", got, err)
	}
	for p, dates := range got {
		if dates.Len() != 0 {
			t.Errorf("partition %d has %d dates", p, dates.Len())
		}
	}
}

// A broker that was killed says for a while after its start that it leads nothing.
func TestReadDatesWaitsForALeader(t *testing.T) {
	t.Parallel()
	const listOffsets, notLeader = 2, 6
	broker, c := startTopic(t, embedded.Config{})
	broker.Fail(listOffsets, notLeader, 4*8) // longer than Describe is patient with one
	waited := false
	_, err := ReadDates(t.Context(), c, func(p ScanProgress) {
		waited = waited || errors.Is(p.Trouble, sarama.ErrNotLeaderForPartition)
	})
	if err != nil || !waited {
		t.Errorf("got %v, and that it waited: %v", err, waited)
	}
}

func TestReadDatesEndsWithItsContext(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	checkAllAcked(t, publish(t, openSink(t, c, SinkOptions{}), generate(1000), 100, nil), 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer broker.Pause()()
	ended := make(chan error, 1)
	go func() {
		_, err := ReadDates(ctx, c, nil)
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// A producer that was killed may leave a transaction open, and behind it records
// that nobody can read yet. Whoever takes them for missing publishes them again.
func TestReadDatesWaitsForWhatIsNotCommitted(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	client := openTransactions(t, c)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(client.BeginTxn())
	june, err := weather.ParseDate("2024-06-30")
	must(err)
	_, _, err = client.SendMessage(&sarama.ProducerMessage{
		Topic: c.Topic, Partition: 2, Key: sarama.StringEncoder("June"),
		Value: sarama.ByteEncoder(messages.AppendReport(nil, weather.Observation{Date: june, Degrees: 80})),
	})
	must(err)

	var troubles []error
	got, err := ReadDates(t.Context(), c, func(p ScanProgress) {
		if n := len(troubles); n == 0 && p.Trouble != nil || n > 0 && !errors.Is(p.Trouble, troubles[n-1]) {
			if troubles = append(troubles, p.Trouble); n == 0 {
				if err := client.CommitTxn(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	must(err)
	if !got[2].Has(june) {
		t.Error("what was committed meanwhile is missing")
	}
	if len(troubles) != 2 || !errors.Is(troubles[0], ErrPending) || troubles[1] != nil {
		t.Errorf("it said %v, want that it waits, and that it is over", troubles)
	}
}

func openTransactions(t *testing.T, c Config) sarama.SyncProducer {
	t.Helper()
	conf, err := c.sarama()
	if err != nil {
		t.Fatal(err)
	}
	conf.Producer.Idempotent, conf.Net.MaxOpenRequests = true, 1
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Producer.Return.Successes = true
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	conf.Producer.Transaction.ID = t.Name()
	producer, err := sarama.NewSyncProducer(c.Brokers, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { producer.Close() })
	return producer
}
