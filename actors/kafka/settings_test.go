package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// What is easily lost, since nothing looks different without it on a good day.

func newConf(t *testing.T) *sarama.Config {
	t.Helper()
	conf, err := Config{Brokers: []string{"a:1"}, Topic: "t"}.sarama()
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestProducerLosesAndRepeatsNothing(t *testing.T) {
	conf := newConf(t)
	new(Sink).configure(conf, SinkOptions{})
	if err := conf.Validate(); err != nil {
		t.Fatal(err)
	}
	if !conf.Producer.Idempotent {
		t.Error("a record that is sent again may be in the log twice")
	}
	if conf.Producer.RequiredAcks != sarama.WaitForAll {
		t.Error("an acknowledged record may be lost with its leader")
	}
	if conf.Net.MaxOpenRequests != 1 {
		t.Error("a retry may be overtaken")
	}
	if conf.Producer.Retry.Max != 10 || conf.Metadata.Retry.Max != 30 {
		t.Errorf("%d retries, %d of the metadata: want 10 and 30, which outlast a broker's restart", conf.Producer.Retry.Max, conf.Metadata.Retry.Max)
	}
	if conf.Producer.Timeout >= conf.Net.ReadTimeout {
		t.Error("a broker may answer after it was given up")
	}
	if conf.Metadata.AllowAutoTopicCreation {
		t.Error("a topic that was just deleted may come back")
	}
	message := sarama.ProducerMessage{Key: sarama.StringEncoder("February")}
	if got, err := conf.Producer.Partitioner("t").Partition(&message, 4); err != nil || got != 1 {
		t.Errorf("February goes to partition %d, error %v: want 1, as with Kafka's own clients", got, err)
	}
}

func TestMuteBrokerIsGivenUp(t *testing.T) {
	conf := newConf(t)
	if conf.Net.ReadTimeout != 10*time.Second || conf.Net.WriteTimeout != 10*time.Second || conf.Net.DialTimeout != 5*time.Second {
		t.Errorf("time-outs are %v, %v and %v", conf.Net.ReadTimeout, conf.Net.WriteTimeout, conf.Net.DialTimeout)
	}
	if fetchWait >= answerTimeout {
		t.Error("a broker may be given up that only has nothing new")
	}
}

func TestRefusalsArePermanent(t *testing.T) {
	for _, refusal := range []sarama.KError{
		sarama.ErrSASLAuthenticationFailed, sarama.ErrUnsupportedSASLMechanism, sarama.ErrIllegalSASLState,
		sarama.ErrTopicAuthorizationFailed, sarama.ErrGroupAuthorizationFailed, sarama.ErrClusterAuthorizationFailed,
		sarama.ErrTransactionalIDAuthorizationFailed,
	} {
		if err := markRefused(refusal); !messages.IsPermanent(err) || !errors.Is(err, refusal) {
			t.Errorf("%v is not permanent", refusal)
		}
	}
	if err := markRefused(sarama.ErrNotLeaderForPartition); messages.IsPermanent(err) {
		t.Errorf("%v is permanent", err)
	}
}

func TestTopicIDsAreComparedWhereBothAreKnown(t *testing.T) {
	one, two, unknown := sarama.Uuid{1}, sarama.Uuid{2}, sarama.Uuid{}
	for name, c := range map[string]struct {
		wanted, there sarama.Uuid
		want          error
	}{
		"the same":                 {one, one, nil},
		"another":                  {one, two, messages.ErrTopicRecreated},
		"none to compare with":     {unknown, two, nil},
		"a broker that knows none": {one, unknown, nil},
	} {
		r := &reader{topic: c.wanted, link: &link{id: c.there}}
		if err := r.checkID(); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func TestReadingThatWorksForgetsItsTroubles(t *testing.T) {
	r := &reader{doubt: messages.ErrLogTruncated, pause: backoff(lastPause)}
	if err := r.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.doubt != nil {
		t.Error("a doubt of long ago would be confirmed by one of now")
	}
	if wait := r.pause.next(); wait != firstPause {
		t.Errorf("the next pause is %v, want %v", wait, firstPause)
	}
}

func TestDoubtIsNoTroubleYet(t *testing.T) {
	out := make(chan news, 1)
	r := &reader{out: out, doubt: messages.ErrLogTruncated}
	if err := r.tell(t.Context(), messages.ErrLogTruncated); err != nil {
		t.Fatal(err)
	}
	if len(out) > 0 {
		t.Errorf("told %+v", <-out)
	}
}

func TestRequestStaysAsItIs(t *testing.T) {
	epochs := make([]*messages.LeaderEpoch, 1, 2)
	epochs[0] = &messages.LeaderEpoch{Epoch: 3}
	r, err := newReader(nil, &messages.ReadRequest{Topic: &messages.CountedTopic{Epochs: epochs}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.epochs = append(r.epochs, &messages.LeaderEpoch{Epoch: 4})
	if epochs[:2][1] != nil {
		t.Error("what the reader appends gets into the request's memory")
	}
}

func TestBrokersAreAskedInTurn(t *testing.T) {
	l, err := newLink(t.Context(), Config{Brokers: []string{"a:1", "b:1"}, Topic: "t"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.timed("a:1", func() error { return net.ErrClosed }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if want := []string{"b:1", "a:1"}; !slices.Equal(l.addresses, want) {
		t.Errorf("after a has failed, they are asked in the order %v, want %v", l.addresses, want)
	}
	if err := l.timed("b:1", func() error { return nil }); err != nil || l.addresses[0] != "b:1" {
		t.Errorf("after b has answered, they are asked in the order %v (error %v)", l.addresses, err)
	}
	l.learn([]*sarama.Broker{sarama.NewBroker("c:1"), sarama.NewBroker("a:1")})
	if want := []string{"b:1", "a:1", "c:1"}; !slices.Equal(l.addresses, want) {
		t.Errorf("after the cluster has named c, there are %v, want %v", l.addresses, want)
	}
}

func TestRejectsDoNotKeepTheAnswer(t *testing.T) {
	answer := []byte("a value within a megabyte")
	if kept := cut(answer[2:7]); string(kept) != "value" || &kept[0] == &answer[2] {
		t.Errorf("%q is a part of the answer", kept)
	}
}

func TestEpochGoesWithTheMessageThatHoldsItsFirstRecord(t *testing.T) {
	var records []*sarama.Record
	for i := range maxRejects + 10 {
		records = append(records, &sarama.Record{OffsetDelta: int64(i)}) // an empty value
	}
	f := &fetched{next: int64(len(records)), batches: []*sarama.RecordBatch{batchAt(0, records...)}, epochs: []*messages.LeaderEpoch{
		{Epoch: 1, FirstOffset: 0}, {Epoch: 2, FirstOffset: maxRejects + 3},
	}}
	var got []int
	for b := range decode(0, f) {
		for _, e := range b.Epochs {
			got = append(got, int(b.Base), int(e.Epoch))
		}
	}
	if want := []int{0, 1, maxRejects, 2}; !slices.Equal(got, want) {
		t.Errorf("base and epoch of the messages are %v, want %v", got, want)
	}
}

func TestClosedSinkTakesNothing(t *testing.T) {
	for name, end := range map[string]func(*Sink){
		"closed":  (*Sink).Close,
		"aborted": (*Sink).Abort,
	} {
		s := &Sink{conns: keepConnections(newConf(t)), queue: make(chan *messages.ReportBatch, 1), dead: make(chan struct{})}
		end(s)
		func() {
			defer func() {
				if reason := recover(); reason != nil {
					t.Errorf("%s: panic: %v", name, reason)
				}
			}()
			if err := s.Publish(generate(1)); !errors.Is(err, ErrSinkClosed) {
				t.Errorf("%s: Publish = %v, want %v", name, err, ErrSinkClosed)
			}
		}()
	}
}

func TestAbortClosesTheConnections(t *testing.T) {
	listener := listenMute(t)
	s := &Sink{conns: keepConnections(newConf(t)), dead: make(chan struct{})}
	conn, err := s.conns.Dial("tcp", listener)
	if err != nil {
		t.Fatal(err)
	}
	s.Abort()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the connection is open: %v", err)
	}
	if _, err := s.conns.Dial("tcp", listener); err == nil || !errors.Is(s.conns.ctx.Err(), context.Canceled) {
		t.Errorf("a new connection was made: %v", err)
	}
}

func TestPanicOfTheReaderIsAnError(t *testing.T) {
	// Without a cluster it can't even connect.
	err := (&reader{link: &link{}}).runSafely(t)
	if err == nil {
		t.Error("no error")
	}
}

// runSafely fails the test in place of the process.
func (r *reader) runSafely(t *testing.T) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			t.Errorf("it panics: %v", reason)
		}
	}()
	return r.run(t.Context())
}
