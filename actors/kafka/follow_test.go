package kafka

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// Kinds of requests, by their numbers in Kafka's protocol.
const (
	joinGroup embedded.API = 11
	heartbeat embedded.API = 12
)

// following is a Follow under way. What it is told comes out of its channels.
type following struct {
	records chan Record
	trouble chan error
	stop    context.CancelFunc
	ended   chan error
}

func follow(t *testing.T, c Config) *following {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	f := &following{make(chan Record, 10000), make(chan error, 100), cancel, make(chan error, 1)}
	go func() {
		f.ended <- Follow(ctx, c, "debug", func(records []Record) error {
			for _, r := range records {
				f.records <- r
			}
			return nil
		}, func(err error) { f.trouble <- err })
	}()
	t.Cleanup(cancel)
	return f
}

// take returns the next record that is delivered.
func (f *following) take(t *testing.T) Record {
	t.Helper()
	select {
	case r := <-f.records:
		return r
	case err := <-f.ended:
		t.Fatalf("ended: %v", err)
	}
	return Record{}
}

// numbered publishes records whose values are numbers, from from to to, to
// partition 0, and waits until they are in the log.
func numbered(t *testing.T, c Config, from, to int) {
	t.Helper()
	records := make([]*sarama.ProducerMessage, 0, to-from)
	for n := from; n < to; n++ {
		records = append(records, &sarama.ProducerMessage{Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder(fmt.Sprint(n))})
	}
	write(t, c, records...)
}

// joined publishes numbered records, from from on, until the first is delivered,
// and takes all of them. It returns the first that was delivered, and the number
// of the next to be published.
func (f *following) joined(t *testing.T, c Config, from int) (first Record, next int) {
	t.Helper()
	for next = from; len(f.records) == 0; next++ {
		select {
		case err := <-f.ended:
			t.Fatalf("ended: %v", err)
		default:
			numbered(t, c, next, next+1)
		}
	}
	first = f.take(t)
	for last := first; string(last.Value) != fmt.Sprint(next-1); {
		r := f.take(t)
		if r.Offset != last.Offset+1 {
			t.Fatalf("record %d follows %d", r.Offset, last.Offset)
		}
		last = r
	}
	return first, next
}

// expect takes records and checks that their values are the numbers from from to
// to.
func (f *following) expect(t *testing.T, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if r := f.take(t); string(r.Value) != fmt.Sprint(n) || string(r.Key) != "k" || r.Partition != 0 {
			t.Fatalf("got %q %q at offset %d of partition %d, want %d", r.Key, r.Value, r.Offset, r.Partition, n)
		}
	}
}

func TestFollowStartsAtTheEndAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	numbered(t, c, 0, 10)
	f := follow(t, c)
	first, next := f.joined(t, c, 10)
	if first.Offset < 10 {
		t.Errorf("record %d was delivered, which was there before", first.Offset)
	}
	f.stop()
	if err := <-f.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v, want context.Canceled", err)
	}
	numbered(t, c, next, next+5) // while nobody follows
	again := follow(t, c)
	again.expect(t, next, next+5)
}

// What is written between two sessions is not left out, even where nothing was
// read in the first.
func TestFollowGoesOnWhereItBegan(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	f := follow(t, c)
	f.joined(t, c, 0)
	const loading, unknownMember = 14, 25
	rejoining := broker.Fail(joinGroup, loading, 1)
	broker.Fail(heartbeat, unknownMember, 1)
	<-rejoining
	write(t, c, &sarama.ProducerMessage{Partition: 1, Value: sarama.StringEncoder("1")})
	if r := f.take(t); r.Partition != 1 || r.Offset != 0 {
		t.Errorf("got record %d of partition %d", r.Offset, r.Partition)
	}
}

func TestFollowWaitsForTheTopic(t *testing.T) {
	t.Parallel()
	_, c := startBroker(t, embedded.Config{})
	f := follow(t, c)
	if err := <-f.trouble; !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("got %v, want ErrTopicMissing", err)
	}
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	numbered(t, c, 0, 20)
	f.expect(t, 0, 20)
	if err := <-f.trouble; err != nil {
		t.Errorf("got %v, want nil: it reads again", err)
	}
}

func TestFollowGoesOnWhenTheTopicIsCreatedAnew(t *testing.T) {
	for _, records := range []int{3, 100} { // fewer, and more, than there were before
		t.Run(fmt.Sprintf("with %d records", records), func(t *testing.T) {
			t.Parallel()
			_, c := startTopic(t, embedded.Config{})
			numbered(t, c, 0, 20)
			f := follow(t, c)
			f.joined(t, c, 20)
			if _, err := Recreate(t.Context(), c, four); err != nil {
				t.Fatal(err)
			}
			numbered(t, c, 1000, 1000+records)
			f.expect(t, 1000, 1000+records)
		})
	}
}

func TestFollowSharesPartitions(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	one, two := follow(t, c), follow(t, c)
	sink := openSink(t, c, SinkOptions{})
	reports := generate(365)
	for got := [2]int{}; got[0] == 0 || got[1] == 0; {
		if err := sink.Publish(reports); err != nil {
			t.Fatal(err)
		}
		for acked := 0; acked < 365; {
			acked += len((<-sink.Acknowledged()).GetNumbers())
		}
		for i, f := range []*following{one, two} {
			for len(f.records) > 0 {
				<-f.records
				got[i]++
			}
		}
	}
}

func TestFollowEndsWithTheErrorOfDeliver(t *testing.T) {
	t.Parallel()
	_, c := startBroker(t, embedded.Config{})
	enough := errors.New("enough")
	missing := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- Follow(t.Context(), c, "debug", func([]Record) error { return enough }, func(err error) {
			if err != nil {
				close(missing)
			}
		})
	}()
	<-missing
	if _, err := Create(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	numbered(t, c, 0, 1)
	if err := <-ended; !errors.Is(err, enough) {
		t.Errorf("got %v, want deliver's error", err)
	}
}

func TestFollowEndsAtARefusal(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	broker.Fail(joinGroup, int16(sarama.ErrGroupAuthorizationFailed), 100)
	f := follow(t, c)
	if err := <-f.ended; !errors.Is(err, sarama.ErrGroupAuthorizationFailed) || !messages.IsPermanent(err) {
		t.Errorf("got %v, want a permanent ErrGroupAuthorizationFailed", err)
	}
}

func TestFollowRefuses(t *testing.T) {
	c := Config{Brokers: []string{"localhost:9092"}, Topic: "t"}
	checkError(t, Follow(t.Context(), c, "", nil, nil), []string{"consumer group"})
	c.Topic = "a/b"
	checkError(t, Follow(t.Context(), c, "g", nil, nil), []string{`"a/b"`})
}

func TestFollowReportsABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	f := follow(t, Config{Brokers: []string{address}, Topic: "temperatures"})
	if err := <-f.trouble; err == nil || errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("got %v, want why the broker can't be reached", err)
	}
	startBroker(t, embedded.Config{Listen: address})
	if err := <-f.trouble; !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("got %v, want ErrTopicMissing", err)
	}
	f.stop()
	<-f.ended
}
