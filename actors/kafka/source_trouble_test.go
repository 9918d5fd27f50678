package kafka

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// recreate makes c's topic anew, and tells its ids before and after.
func recreate(t *testing.T, c Config) (before, after sarama.Uuid) {
	t.Helper()
	before = sarama.Uuid(describe(t, c).TopicId)
	id, err := Recreate(t.Context(), c, TopicSpec{Partitions: 4, ReplicationFactor: 1})
	if err != nil {
		t.Fatal(err)
	}
	return before, sarama.Uuid(id)
}

func TestReadNeverGoesOnInARecreatedTopic(t *testing.T) {
	t.Parallel()
	for name, refill := range map[string]int{
		"empty": 0, "shorter": 3, "as long as what was read": 5, "longer": 50,
	} {
		t.Run("refilled "+name, func(t *testing.T) {
			_, c := startTopic(t, embedded.Config{})
			filler(t, c).numbers(0, 5)
			r := read(t, c, from(t, c, 0, -1))
			if got := r.upTo(5); !slices.Equal(got, upFrom(0, 5)) {
				t.Fatalf("got %v, want 0 to 4", got)
			}
			before, after := recreate(t, c)
			filler(t, c).numbers(1000, 1000+refill)
			err := r.end()
			if !errors.Is(err, messages.ErrTopicRecreated) {
				t.Errorf("got %v, want %v", err, messages.ErrTopicRecreated)
			}
			mustContain(t, err, "read partition 0 of temperatures: ", before, after)
			r.noMore()
		})
	}
}

func TestReadDoesNotBeginInARecreatedTopic(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	req := from(t, c, 5, -1)
	recreate(t, c)
	filler(t, c).numbers(0, 50)
	r := read(t, c, req)
	if err := r.end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("got %v, want %v", err, messages.ErrTopicRecreated)
	}
	r.noMore()
}

func TestReadNoticesATopicRecreatedWithFewerPartitions(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	req := from(t, c, 0, -1)
	req.Partition = 3
	if _, err := Recreate(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	if err := read(t, c, req).end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("got %v, want %v", err, messages.ErrTopicRecreated)
	}
	req.Topic.Id = nil
	if err := read(t, c, req).end(); !errors.Is(err, messages.ErrPartitionMissing) {
		t.Errorf("without an id: got %v, want %v", err, messages.ErrPartitionMissing)
	}
}

func TestReadWaitsForATopicThatIsAbsent(t *testing.T) {
	t.Parallel()
	_, c := startBroker(t, embedded.Config{})
	r := read(t, c, &messages.ReadRequest{Until: -1})
	err := await(t, "trouble", r.troubles)
	if !errors.Is(err, messages.ErrTopicMissing) {
		t.Errorf("got trouble %v, want %v", err, messages.ErrTopicMissing)
	}
	mustContain(t, err, "read partition 0 of temperatures: ")
	if _, err := Create(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	filler(t, c).numbers(0, 5)
	if got := r.upTo(5); !slices.Equal(got, upFrom(0, 5)) {
		t.Errorf("got %v, want 0 to 4", got)
	}
	if err := await(t, "recovery", r.troubles); err != nil {
		t.Errorf("got trouble %v, want a recovery", err)
	}
}

func TestReadTellsThatTheTopicIsDeleted(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 5)
	r := read(t, c, from(t, c, 0, -1))
	r.upTo(5)
	if err := admin(t, c).DeleteTopic(c.Topic); err != nil {
		t.Fatal(err)
	}
	for !errors.Is(await(t, "trouble", r.troubles), messages.ErrTopicMissing) {
	}
	if _, err := Create(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	if err := r.end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("got %v, want %v", err, messages.ErrTopicRecreated)
	}
}

func TestReadSaysWhichRecordsAreGone(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 100)
	if err := admin(t, c).DeleteRecords(c.Topic, map[int32]int64{0: 60}); err != nil {
		t.Fatal(err)
	}
	err := read(t, c, from(t, c, 20, -1)).end()
	if !errors.Is(err, messages.ErrOffsetGone) {
		t.Errorf("got %v, want %v", err, messages.ErrOffsetGone)
	}
	mustContain(t, err, "offsets 20 to 59", "begins at 60")
	if got := read(t, c, from(t, c, 60, 100)).upTo(100); !slices.Equal(got, upFrom(60, 100)) {
		t.Errorf("from the log's start: got %v, want 60 to 99", got)
	}
}

func TestReadBeyondTheEnd(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 10)
	err := read(t, c, from(t, c, 11, -1)).end()
	if !errors.Is(err, messages.ErrLogTruncated) {
		t.Errorf("got %v, want %v", err, messages.ErrLogTruncated)
	}
	mustContain(t, err, "offset 11 is beyond its end, 10")
}

func TestReadReportsLeaderEpochs(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	f := filler(t, c)
	f.numbers(0, 5)
	r := read(t, c, from(t, c, 2, -1))
	first := r.batch()
	if len(first.Epochs) != 1 || first.Epochs[0].FirstOffset != 2 {
		t.Fatalf("got epochs %v, want one that begins at 2, the first record read", first.Epochs)
	}
	if err := broker.MoveLeader(c.Topic, 0); err != nil {
		t.Fatal(err)
	}
	f.numbers(5, 10)
	if err := await(t, "trouble", r.troubles); !errors.Is(err, sarama.ErrFencedLeaderEpoch) {
		t.Errorf("got %v, want the broker to notice the old epoch", err)
	}
	second := r.batch()
	if len(second.Epochs) != 1 || second.Epochs[0].FirstOffset != 5 || second.Epochs[0].Epoch != first.Epochs[0].Epoch+1 {
		t.Errorf("got epochs %v after %v, want the next one from 5 on", second.Epochs, first.Epochs)
	}
	f.numbers(10, 11)
	if third := r.batch(); len(third.Epochs) != 0 {
		t.Errorf("got epochs %v, want none", third.Epochs)
	}
}

// A broker whose log lost its tail is one that was started from an older copy
// of its folder: same topic id, other records, a higher epoch.
func TestReadNoticesALostTail(t *testing.T) {
	t.Parallel()
	dir, copied := t.TempDir(), t.TempDir()
	withBroker := func(dir string, do func(*embedded.Broker, Config)) {
		t.Helper()
		broker, err := embedded.Start(embedded.Config{DataDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		do(broker, Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"})
		if err := broker.Close(); err != nil {
			t.Fatal(err)
		}
	}
	withBroker(dir, func(_ *embedded.Broker, c Config) {
		if _, err := Create(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
			t.Fatal(err)
		}
		filler(t, c).numbers(0, 5)
	})
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	var req *messages.ReadRequest
	withBroker(dir, func(_ *embedded.Broker, c Config) {
		filler(t, c).numbers(5, 10)
		req = from(t, c, 0, -1)
		r := read(t, c, req)
		for r.next < 10 {
			req.Topic.Epochs = append(req.Topic.Epochs, r.batch().Epochs...)
		}
		r.cancel()
		_ = r.end()
		req.Offset = 10
	})
	withBroker(copied, func(broker *embedded.Broker, c Config) {
		if err := broker.MoveLeader(c.Topic, 0); err != nil {
			t.Fatal(err)
		}
		filler(t, c).numbers(100, 120)
		r := read(t, c, req)
		err := r.end()
		if !errors.Is(err, messages.ErrLogTruncated) {
			t.Errorf("got %v, want %v", err, messages.ErrLogTruncated)
		}
		mustContain(t, err, "leader epoch of offset 9 was 0, now it is 1")
		r.noMore()

		req.Topic.Epochs, req.Until = nil, 25
		if got := read(t, c, req).upTo(25); len(got) != 15 {
			t.Errorf("without epochs: got %d records, want 15: nothing can be compared", len(got))
		}
	})
}

func TestReadNoticesThatTheLastRecordReadIsLost(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*messages.ReadRequest){
		"while waiting for more":            func(*messages.ReadRequest) {},
		"while waiting, and without epochs": func(req *messages.ReadRequest) { req.Topic.Epochs = nil },
		"with nothing to be read":           func(req *messages.ReadRequest) { req.Until = 9 },
		"with nothing, and without epochs":  func(req *messages.ReadRequest) { req.Until, req.Topic.Epochs = 9, nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := startTopic(t, embedded.Config{})
			filler(t, c).numbers(0, 9)
			req := from(t, c, 10, -1)
			req.Topic.Epochs = []*messages.LeaderEpoch{{Epoch: 0, FirstOffset: 0}}
			change(req)
			r := read(t, c, req)
			if err := r.end(); !errors.Is(err, messages.ErrLogTruncated) {
				t.Errorf("got %v, want %v", err, messages.ErrLogTruncated)
			}
			r.noMore()
		})
	}
}

func TestReadSurvivesARestartOfTheBroker(t *testing.T) {
	t.Parallel()
	config := embedded.Config{DataDir: t.TempDir()}
	start := func() (*embedded.Broker, Config) {
		t.Helper()
		broker, err := embedded.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		config.Listen = broker.Addr()
		return broker, Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	}
	broker, c := start()
	if _, err := Create(t.Context(), c, TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	filler(t, c).numbers(0, 10)
	r := read(t, c, from(t, c, 0, -1))
	r.upTo(10)
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	if err := await(t, "trouble", r.troubles); err == nil {
		t.Error("got a recovery, want trouble")
	}
	broker, c = start()
	defer broker.Close()
	filler(t, c).numbers(10, 20)
	if got := r.upTo(20); !slices.Equal(got, upFrom(10, 20)) {
		t.Errorf("got %v, want 10 to 19", got)
	}
	if err := await(t, "recovery", r.troubles); err != nil {
		t.Errorf("got trouble %v, want it told once, and then a recovery", err)
	}
	r.noMore()
}

func TestReadAsksAgain(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	f := filler(t, c)
	r := read(t, c, from(t, c, 0, -1))
	at := 0
	more := func(why string) {
		t.Helper()
		f.numbers(at, at+10)
		if got := r.upTo(int64(at + 10)); !slices.Equal(got, upFrom(at, at+10)) {
			t.Errorf("%s: got %v, want the numbers from %d on", why, got, at)
		}
		at += 10
	}
	for _, code := range []sarama.KError{
		sarama.ErrUnknown, sarama.ErrUnknownTopicOrPartition, sarama.ErrLeaderNotAvailable, sarama.ErrNotLeaderForPartition,
		sarama.ErrKafkaStorageError, sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch,
	} {
		refused := broker.Fail(embedded.Fetch, int16(code), 1)
		more(code.Error()) // which ends a long poll that was under way
		await(t, "refusal", refused)
	}
	refused := broker.Fail(embedded.Metadata, int16(sarama.ErrLeaderNotAvailable), 1)
	more("leader not available")
	await(t, "refusal", refused)
	for _, api := range []embedded.API{embedded.Fetch, embedded.Metadata} {
		lost := broker.LoseAnswers(api, 3) // more than an answer that can't be decoded is asked for
		more("answers lost")
		await(t, "loss", lost)
	}
	broker.Disconnect()
	more("connection closed")
	r.noMore()
}

func TestReadEndsWithARefusal(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	for _, api := range []embedded.API{embedded.Fetch, embedded.Metadata} {
		req := from(t, c, 0, -1)
		broker.Fail(api, int16(sarama.ErrTopicAuthorizationFailed), 1)
		r := read(t, c, req)
		if err := r.end(); !errors.Is(err, sarama.ErrTopicAuthorizationFailed) || !messages.IsPermanent(err) {
			t.Errorf("got %v, want a permanent refusal", err)
		}
	}
}

func TestReadEndsWithItsContextAtOnce(t *testing.T) {
	t.Parallel()
	broker, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 10)
	mute := c
	mute.Brokers = []string{listenMute(t)}
	// Long before any time-out: those are 10 s.
	endsSoon := func(what string, r *reading) {
		t.Helper()
		r.cancel()
		select {
		case err := <-r.ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v, want %v", what, err, context.Canceled)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("%s: reading goes on 5 s after its context ended", what)
		}
	}
	r := read(t, c, from(t, c, 0, -1))
	r.upTo(10)
	endsSoon("in a long poll", r)

	req := from(t, c, 0, -1)
	resume := broker.Pause()
	defer resume()
	endsSoon("while a broker hangs", read(t, c, req))
	endsSoon("while a broker that is new is mute", read(t, mute, req))

	nobody := c
	nobody.Brokers = []string{freeAddress(t)}
	r = read(t, nobody, req)
	if err := await(t, "trouble", r.troubles); err == nil {
		t.Error("got a recovery, want trouble")
	}
	endsSoon("in a pause", r)
}
