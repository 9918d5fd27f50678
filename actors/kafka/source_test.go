package kafka

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

func TestReadDeliversEachRecordOnceInOrder(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	const n = 3000
	var all []int
	for _, codec := range []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
	} {
		f := filler(t, c, func(conf *sarama.Config) { conf.Producer.Compression = codec })
		f.numbers(len(all), len(all)+n)
		all = append(all, upFrom(len(all), len(all)+n)...)
	}
	r := read(t, c, from(t, c, 0, int64(len(all))))
	if got := r.upTo(int64(len(all))); !slices.Equal(got, all) {
		t.Errorf("got %d records, want the numbers from 0 to %d in order", len(got), len(all)-1)
	}
	if err := r.end(); err != nil {
		t.Errorf("got %v, want an end at the offset asked for", err)
	}
	r.noMore()
}

func TestReadBeginsWithinABatch(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 100)
	r := read(t, c, from(t, c, 42, 100))
	if got := r.upTo(100); !slices.Equal(got, upFrom(42, 100)) {
		t.Errorf("got %v, want 42 to 99", got)
	}
}

func TestReadWaitsForNewRecords(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	f := filler(t, c)
	r := read(t, c, from(t, c, 0, -1))
	for i := range 20 {
		f.numbers(i, i+1)
		b := r.batch()
		if len(b.Degrees) != 1 || b.Degrees[0] != float64(i) || b.LastStableOffset != int64(i+1) {
			t.Fatalf("got %v, want number %d and last stable offset %d", b, i, i+1)
		}
	}
	r.noMore()
}

func TestReadSkipsAbortedTransactions(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	plain := filler(t, c)
	producers := []*fill{filler(t, c, inTransactions("a")), filler(t, c, inTransactions("b"))}
	var want []int
	for number := range 60 {
		to := number*10 + 1 + random.IntN(9)
		from := number * 10
		switch choice := random.IntN(3); choice {
		case 2:
			plain.numbers(from, to)
		default:
			commit := random.IntN(2) == 0
			producers[choice].transaction(from, to, commit)
			if !commit {
				continue
			}
		}
		want = append(want, upFrom(from, to)...)
	}
	end := describe(t, c).LastStableOffset
	got := read(t, c, from(t, c, 0, end)).upTo(end)
	if !slices.Equal(got, want) {
		t.Errorf("seed %d: got %v, want %v", seed, got, want)
	}
	if got := readLittleByLittle(t, c, end); !slices.Equal(got, want) {
		t.Errorf("seed %d: batch by batch: got %v, want %v", seed, got, want)
	}
}

// readLittleByLittle reads partition 0 up to an offset, a batch at a time.
func readLittleByLittle(t *testing.T, c Config, end int64) (numbers []int) {
	t.Helper()
	l, err := newLink(t.Context(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.connect(); err != nil {
		t.Fatal(err)
	}
	r := &reader{link: l, asks: oneBatch}
	for r.offset < end {
		r.asks = oneBatch
		got, err := r.fetch()
		if err != nil || got == nil {
			t.Fatalf("offset %d: got %v, %v, want a batch", r.offset, got, err)
		}
		for _, n := range decoded(0, got).Degrees {
			numbers = append(numbers, int(n))
		}
		r.offset = got.next
	}
	return numbers
}

func TestReadPassesWhatHoldsNoRecords(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	f := filler(t, c, inTransactions("a"))
	r := read(t, c, from(t, c, 0, -1))
	f.transaction(0, 3, false)
	if got := r.upTo(4); got != nil {
		t.Errorf("got %v, want no records of an aborted transaction", got)
	}
	r.noMore()
}

func TestReadStopsBeforeAnOpenTransaction(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 2)
	f := filler(t, c, inTransactions("a"))
	f.begin()
	f.numbers(2, 5)
	filler(t, c).numbers(5, 7) // behind the open transaction
	if got := describe(t, c).LastStableOffset; got != 2 {
		t.Errorf("last stable offset is %d, want 2", got)
	}
	r := read(t, c, from(t, c, 0, -1))
	if got := r.upTo(2); !slices.Equal(got, upFrom(0, 2)) {
		t.Errorf("got %v, want 0 and 1", got)
	}
	r.noMore()
	if err := f.producer.CommitTxn(); err != nil {
		t.Fatal(err)
	}
	if got := r.upTo(8); !slices.Equal(got, upFrom(2, 7)) {
		t.Errorf("got %v, want 2 to 6", got)
	}
}

func TestReadDeliversRejectsApart(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	f := filler(t, c)
	f.send(january(1, 0), &sarama.Record{Key: []byte("January"), Value: []byte("junk")}, january(3, 1), &sarama.Record{})
	r := read(t, c, from(t, c, 0, 4))
	b := r.batch()
	if len(b.Dates) != 2 || len(b.Rejects) != 2 || b.Next != 4 {
		t.Fatalf("got %v, want 2 records and 2 rejects up to offset 4", b)
	}
	if x := b.Rejects[0]; x.Offset != 1 || x.Preceding != 1 || string(x.Key) != "January" || string(x.Value) != "junk" {
		t.Errorf("got %v, want the record at offset 1", x)
	}
	if x := b.Rejects[1]; x.Offset != 3 || x.Preceding != 2 || len(x.Key)+len(x.Value) != 0 {
		t.Errorf("got %v, want the empty record at offset 3", x)
	}
}

func TestReadReturnsWhatDeliverReturns(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 10)
	refusal, calls := errors.New("refused"), 0
	err := NewSource(c).Read(t.Context(), from(t, c, 0, -1), func(*messages.RecordBatch) error { calls++; return refusal }, func(error) {})
	if err != refusal || calls != 1 {
		t.Errorf("got %v after %d calls, want deliver's error after one", err, calls)
	}
}

func TestReadOfNothingStillChecksTheTopic(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	if err := read(t, c, from(t, c, 0, 0)).end(); err != nil {
		t.Errorf("empty log: got %v, want an end at once", err)
	}
	other := from(t, c, 0, 0)
	other.Topic.Id = slices.Clone(other.Topic.Id)
	other.Topic.Id[0]++
	if err := read(t, c, other).end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("another topic id: got %v, want %v", err, messages.ErrTopicRecreated)
	}
	other.Topic.Id = nil
	if err := read(t, c, other).end(); err != nil {
		t.Errorf("unknown topic id: got %v, want nothing compared", err)
	}
}

func TestReadRefusesARequestThatMakesNoSense(t *testing.T) {
	for name, req := range map[string]*messages.ReadRequest{
		"topic id of 3 bytes": {Topic: &messages.CountedTopic{Id: []byte("abc")}},
		"offset -2":           {Offset: -2},
	} {
		err := read(t, Config{Brokers: []string{"127.0.0.1:1"}, Topic: "t"}, req).end()
		if !messages.IsPermanent(err) {
			t.Errorf("%s: got %v, want a permanent error", name, err)
		}
		mustContain(t, err, name)
	}
	if err := read(t, Config{}, &messages.ReadRequest{}).end(); !messages.IsPermanent(err) {
		t.Errorf("config without brokers: got %v, want a permanent error", err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 10)
	if err := admin(t, c).DeleteRecords(c.Topic, map[int32]int64{0: 4}); err != nil {
		t.Fatal(err)
	}
	for _, code := range []sarama.KError{
		sarama.ErrUnknownTopicOrPartition, sarama.ErrLeaderNotAvailable, sarama.ErrNotLeaderForPartition,
		sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch,
	} {
		broker.Fail(embedded.ListOffsets, int16(code), 1) // as a partition does that was just created
		got := describe(t, c)
		if got.Topic != c.Topic || len(got.TopicId) != 16 || got.LogStartOffset != 4 || got.LastStableOffset != 10 {
			t.Errorf("after %v: got %v, want a topic with an id and offsets 4 to 10", code, got)
		}
	}
}

func TestDescribeSaysWhatIsMissing(t *testing.T) {
	broker, c := startTopic(t, embedded.Config{})
	absent := c
	absent.Topic = "absent"
	_, err := NewSource(absent).Describe(t.Context(), 0)
	if !errors.Is(err, messages.ErrTopicMissing) || messages.IsPermanent(err) {
		t.Errorf("got %v, want %v, which waiting may mend", err, messages.ErrTopicMissing)
	}
	mustContain(t, err, "describe partition 0 of absent: ")
	for _, partition := range []int32{4, -1} {
		_, err = NewSource(c).Describe(t.Context(), partition)
		if !errors.Is(err, messages.ErrPartitionMissing) || !messages.IsPermanent(err) {
			t.Errorf("got %v, want permanently %v", err, messages.ErrPartitionMissing)
		}
		mustContain(t, err, fmt.Sprintf("describe partition %d of temperatures: ", partition), "partitions 0 to 3")
	}
	broker.Fail(embedded.ListOffsets, int16(sarama.ErrTopicAuthorizationFailed), 1)
	if _, err = NewSource(c).Describe(t.Context(), 0); !errors.Is(err, sarama.ErrTopicAuthorizationFailed) || !messages.IsPermanent(err) {
		t.Errorf("got %v, want a permanent refusal", err)
	}
}
