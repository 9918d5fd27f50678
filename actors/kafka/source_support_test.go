package kafka

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// fill is a producer of records for partition 0, number after number: the
// degrees of a record are its number.
type fill struct {
	t        testing.TB
	producer sarama.SyncProducer
	topic    string
}

// filler returns a producer for c's topic. Each of change may change its
// settings.
func filler(t testing.TB, c Config, change ...func(*sarama.Config)) *fill {
	t.Helper()
	conf, err := c.sarama()
	if err != nil {
		t.Fatal(err)
	}
	conf.Producer.Return.Successes = true
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Producer.Compression = sarama.CompressionNone
	for _, f := range change {
		f(conf)
	}
	producer, err := sarama.NewSyncProducer(c.Brokers, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close() })
	return &fill{t, producer, c.Topic}
}

// inTransactions makes a producer transactional.
func inTransactions(id string) func(*sarama.Config) {
	return func(conf *sarama.Config) {
		conf.Producer.Idempotent = true
		conf.Producer.Transaction.ID = id
		conf.Net.MaxOpenRequests = 1
	}
}

func (f *fill) send(records ...*sarama.Record) {
	f.t.Helper()
	batch := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		batch[i] = &sarama.ProducerMessage{Topic: f.topic, Key: sarama.ByteEncoder(r.Key), Value: sarama.ByteEncoder(r.Value)}
	}
	if err := f.producer.SendMessages(batch); err != nil {
		f.t.Fatal(err)
	}
}

// numbers sends the numbers [from, to).
func (f *fill) numbers(from, to int) {
	f.t.Helper()
	var records []*sarama.Record
	for i := from; i < to; i++ {
		records = append(records, january(i%31+1, float64(i)))
	}
	f.send(records...)
}

// transaction sends the numbers [from, to) in one transaction.
func (f *fill) transaction(from, to int, commit bool) {
	f.t.Helper()
	f.begin()
	f.numbers(from, to)
	end := f.producer.CommitTxn
	if !commit {
		end = f.producer.AbortTxn
	}
	if err := end(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fill) begin() {
	f.t.Helper()
	if err := f.producer.BeginTxn(); err != nil {
		f.t.Fatal(err)
	}
}

// reading is a Read under way.
type reading struct {
	t        testing.TB
	batches  chan *messages.RecordBatch
	troubles chan error
	ended    chan error
	cancel   func()
	next     int64
}

// read begins to read.
func read(t testing.TB, c Config, req *messages.ReadRequest) *reading {
	return readWith(t, req, NewSource(c).Read)
}

func readWith(t testing.TB, req *messages.ReadRequest,
	do func(context.Context, *messages.ReadRequest, func(*messages.RecordBatch) error, func(error)) error) *reading {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reading{
		t:        t,
		batches:  make(chan *messages.RecordBatch, 10_000),
		troubles: make(chan error, 100),
		ended:    make(chan error, 1),
		cancel:   cancel,
		next:     req.Offset,
	}
	deliver := func(b *messages.RecordBatch) error { r.batches <- b; return nil }
	trouble := func(err error) { r.troubles <- err }
	go func() { r.ended <- do(ctx, req, deliver, trouble) }()
	t.Cleanup(cancel)
	return r
}

// await receives, or fails the test.
func await[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

// batch waits for the next batch, and checks that it follows the one before.
func (r *reading) batch() *messages.RecordBatch {
	r.t.Helper()
	select {
	case b := <-r.batches:
		return r.follow(b)
	case err := <-r.ended:
		r.ended <- err
		select {
		case b := <-r.batches: // it was there first
			return r.follow(b)
		default:
			r.t.Fatalf("reading ended: %v", err)
		}
	case <-time.After(patience):
		r.t.Fatalf("no batch after %v", patience)
	}
	panic("unreachable")
}

func (r *reading) follow(b *messages.RecordBatch) *messages.RecordBatch {
	r.t.Helper()
	if b.Base != r.next || b.Next <= b.Base || len(b.Dates) != len(b.Degrees) {
		r.t.Fatalf("batch [%d, %d) with %d dates and %d degrees does not follow offset %d", b.Base, b.Next, len(b.Dates), len(b.Degrees), r.next)
	}
	r.next = b.Next
	return b
}

// upTo reads up to an offset and returns the numbers read.
func (r *reading) upTo(offset int64) (numbers []int) {
	r.t.Helper()
	for r.next < offset {
		for _, n := range r.batch().Degrees {
			numbers = append(numbers, int(n))
		}
	}
	return numbers
}

// end waits until reading ends, and returns its error.
func (r *reading) end() error {
	r.t.Helper()
	return await(r.t, "end of reading", r.ended)
}

// noMore checks that nothing was delivered that the test has not seen.
func (r *reading) noMore() {
	r.t.Helper()
	if n := len(r.batches); n > 0 {
		r.t.Errorf("%d batches more than expected, the first is %v", n, <-r.batches)
	}
}

func upFrom(from, to int) (numbers []int) {
	for i := from; i < to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

// describe asks for partition 0.
func describe(t testing.TB, c Config) *messages.PartitionRange {
	t.Helper()
	got, err := NewSource(c).Describe(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// from is a request for partition 0 of the topic as it is now.
func from(t testing.TB, c Config, offset, until int64) *messages.ReadRequest {
	t.Helper()
	return &messages.ReadRequest{
		Offset: offset,
		Until:  until,
		Topic:  &messages.CountedTopic{Name: c.Topic, Id: describe(t, c).TopicId},
	}
}

func mustContain(t testing.TB, err error, parts ...any) {
	t.Helper()
	for _, part := range parts {
		if text := fmt.Sprint(part); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got error %q, want it to say %q", err, text)
		}
	}
}

// admin returns a client for what tests do to topics.
func admin(t testing.TB, c Config) sarama.ClusterAdmin {
	t.Helper()
	conf, err := c.sarama()
	if err != nil {
		t.Fatal(err)
	}
	conf.Metadata.Full = true
	admin, err := sarama.NewClusterAdmin(c.Brokers, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	return admin
}
