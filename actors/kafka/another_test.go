package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// What must not be taken for the topic, and what must not come into being.

func TestRehearsalCreatesNothing(t *testing.T) {
	t.Parallel()
	_, c := startTopic(t, embedded.Config{})
	if _, err := Recreate(t.Context(), c, four); err != nil {
		t.Fatal(err)
	}
	topics, err := admin(t, c).ListTopics()
	if err != nil {
		t.Fatal(err)
	}
	for name := range topics {
		if strings.Contains(name, "rehearsal") {
			t.Errorf("there is a topic %s", name)
		}
	}
}

func TestDatesAreThoseOfOneTopic(t *testing.T) {
	t.Parallel()
	ours, other := sarama.Uuid{1}, sarama.Uuid{2}
	// It is asked for the partitions once, then before and after the offsets,
	// then to begin to read; it is recreated during the first fetch.
	ids := append(slices.Repeat([]sarama.Uuid{ours}, 6), other)
	c, _ := script{version: 12, ids: ids, blocks: []*sarama.FetchResponseBlock{block(emptied(100, 200))}}.start(t)
	if _, err := ReadDates(t.Context(), c, nil); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("error %v, want %v", err, messages.ErrTopicRecreated)
	}
}

func TestNothingIsConnectedAfterTheEnd(t *testing.T) {
	conns := keepConnections(newConf(t))
	conns.close()
	if _, err := conns.Dial("tcp", listenMute(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v: not even tried", err, context.Canceled)
	}
}

// oneSession is a session in which nothing happens.
type oneSession struct {
	sarama.ConsumerGroupSession
	ctx    context.Context
	marked int64
}

func (s *oneSession) Context() context.Context { return s.ctx }

func (s *oneSession) MarkOffset(_ string, _ int32, offset int64, _ string) { s.marked = offset }

func TestFollowShowsNothingOfAnotherTopic(t *testing.T) {
	ours, other := topic{sarama.Uuid{1}, []string{"x"}}, topic{sarama.Uuid{2}, []string{"x"}}
	broker := otherBroker(t, 1, "", ours, other)
	c := Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	var shown []Record
	f := &follower{config: c, next: map[int32]int64{}, deliver: func(all []Record) error { shown = append(shown, all...); return nil }}
	m := newMember(t.Context(), f, cluster, ours.id)
	session := &oneSession{ctx: t.Context()}
	if !m.pass(session, []Record{{Offset: 4}, {Offset: 5}}) || len(shown) != 2 || session.marked != 6 {
		t.Errorf("shown are %v, and it goes on at %d: want both, and 6", shown, session.marked)
	}
	if m.pass(session, []Record{{Offset: 6}}) || len(shown) != 2 || session.marked != 6 {
		t.Errorf("shown are %v, and it goes on at %d: want nothing of another topic", shown, session.marked)
	}
	if m.ctx.Err() == nil {
		t.Error("it goes on in another topic")
	}
}

func TestRefusalOfOneBrokerIsToldAtOnce(t *testing.T) {
	t.Parallel()
	const wait = 30 * time.Second
	broker := sarama.NewMockBroker(t, 1)
	defer broker.Close()
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest":      versions(t, 9),
		"SaslHandshakeRequest":    sarama.NewMockSaslHandshakeResponse(t).SetEnabledMechanisms([]string{"PLAIN"}),
		"SaslAuthenticateRequest": sarama.NewMockSaslAuthenticateResponse(t).SetError(sarama.ErrSASLAuthenticationFailed),
	})
	// The other one is tried for as long as may be.
	c := Config{Brokers: []string{broker.Addr(), freeAddress(t)}, Topic: "t", SASL: SASL{"PLAIN", "me", "wrong"}}
	began := time.Now()
	if err := c.WaitForBroker(t.Context(), wait); !messages.IsPermanent(err) {
		t.Errorf("error %v, want the refusal", err)
	}
	if took := time.Since(began); took >= wait {
		t.Errorf("it took %v", took)
	}
}

func TestUnknownFieldIsNotTakenForDegrees(t *testing.T) {
	record := january(1, 50)
	const tag, three = 12, 3<<3 | 1 // where the tag of degrees is; field 3, 8 bytes
	if record.Value[tag] != 2<<3|1 {
		t.Fatalf("no tag of degrees at %d of %x", tag, record.Value)
	}
	record.Value[tag] = three
	got := decoded(0, &fetched{next: 1, batches: []*sarama.RecordBatch{batchAt(0, record)}})
	if len(got.Degrees) != 1 || got.Degrees[0] != 0 {
		t.Errorf("degrees are %v, rejects %v: want 0, as where there are none", got.Degrees, got.Rejects)
	}
}
