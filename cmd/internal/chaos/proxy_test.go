package chaos

import (
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

const topic = "through"

// through starts a broker and a proxy in front of it, and returns a client that
// knows the proxy alone.
func through(t *testing.T) (*proxy, *embedded.Broker, *kgo.Client) {
	t.Helper()
	broker, err := embedded.Start(embedded.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, broker.Close()) })
	p := newProxy()
	t.Cleanup(p.close)
	address, err := p.route(broker.Addr())
	must(t, err)
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(10*time.Millisecond), kgo.RetryBackoffFn(func(int) time.Duration { return time.Millisecond }))
	must(t, err)
	t.Cleanup(client.Close)
	_, err = kadm.NewClient(client).CreateTopic(t.Context(), 1, 1, nil, topic)
	must(t, err)
	return p, broker, client
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, client *kgo.Client, values ...string) {
	t.Helper()
	for _, v := range values {
		must(t, client.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr())
	}
}

// consume returns the values of the first n records.
func consume(t *testing.T, client *kgo.Client, n int) (values []string) {
	t.Helper()
	for len(values) < n {
		fetches := client.PollFetches(t.Context())
		must(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) { values = append(values, string(r.Value)) })
	}
	return values
}

func TestClientsAreToldTheProxy(t *testing.T) {
	p, broker, client := through(t)
	publish(t, client, "a")
	metadata, err := kadm.NewClient(client).BrokerMetadata(t.Context())
	must(t, err)
	coordinator := kadm.NewClient(client).FindGroupCoordinators(t.Context(), "group")["group"]
	must(t, coordinator.Err)
	for _, host := range []string{
		net.JoinHostPort(metadata.Brokers[0].Host, strconv.Itoa(int(metadata.Brokers[0].Port))),
		net.JoinHostPort(coordinator.Host, strconv.Itoa(int(coordinator.Port))),
	} {
		if host == broker.Addr() || host != p.listeners[broker.Addr()].Addr().String() {
			t.Errorf("a client was told %s, the broker has %s", host, broker.Addr())
		}
	}
}

func TestLostAcknowledgement(t *testing.T) {
	p, _, client := through(t)
	publish(t, client, "a")
	p.lose(2, 0)
	publish(t, client, "b", "c")
	if lost, _, all := p.done(); lost != 2 || !all {
		t.Errorf("%d were lost, want 2", lost)
	}
	// The broker had it each time: what came again, it knew.
	if got := consume(t, client, 3); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("in the topic: %q", got)
	}
}

func TestAnswerThatBreaksOff(t *testing.T) {
	p, _, client := through(t)
	publish(t, client, "a", "b")
	p.lose(0, 1)
	if got := consume(t, client, 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("read %q", got)
	}
	if _, cut, all := p.done(); cut != 1 || !all {
		t.Errorf("%d broke off, want 1", cut)
	}
}

func TestEveryAddressIsRewritten(t *testing.T) {
	p := newProxy()
	t.Cleanup(p.close)
	want, err := p.route("broker.example:9092")
	must(t, err)
	for _, key := range []kmsg.Key{kmsg.Metadata, kmsg.FindCoordinator, kmsg.DescribeCluster} {
		for version := range kmsg.ResponseForKey(key.Int16()).MaxVersion() + 1 {
			t.Run(fmt.Sprintf("%s v%d", key.Name(), version), func(t *testing.T) {
				frame, err := p.rewritten(question{key.Int16(), version}, frameOf(naming(key, version, "broker.example", 9092)))
				must(t, err)
				if size := binary.BigEndian.Uint32(frame); int(size) != len(frame)-4 {
					t.Errorf("size %d of %d bytes", size, len(frame)-4)
				}
				if id := binary.BigEndian.Uint32(frame[4:]); id != 77 {
					t.Errorf("correlation id %d", id)
				}
				host, port, err := net.SplitHostPort(want)
				must(t, err)
				n, err := strconv.Atoi(port)
				must(t, err)
				if asWanted := frameOf(naming(key, version, host, int32(n))); string(frame) != string(asWanted) {
					t.Errorf("got %x, want %x", frame, asWanted)
				}
			})
		}
	}
}

// naming is an answer that names one address.
func naming(key kmsg.Key, version int16, host string, port int32) kmsg.Response {
	answer := kmsg.ResponseForKey(key.Int16())
	answer.SetVersion(version)
	switch answer := answer.(type) {
	case *kmsg.MetadataResponse:
		b := kmsg.NewMetadataResponseBroker()
		b.Host, b.Port = host, port
		answer.Brokers = append(answer.Brokers, b)
	case *kmsg.FindCoordinatorResponse:
		c := kmsg.NewFindCoordinatorResponseCoordinator()
		c.Host, c.Port = host, port
		if version >= 4 {
			answer.Coordinators = append(answer.Coordinators, c)
		} else {
			answer.Host, answer.Port = host, port
		}
	case *kmsg.DescribeClusterResponse:
		b := kmsg.NewDescribeClusterResponseBroker()
		b.Host, b.Port = host, port
		answer.Brokers = append(answer.Brokers, b)
	}
	return answer
}

func frameOf(answer kmsg.Response) []byte {
	frame := binary.BigEndian.AppendUint32(make([]byte, 4), 77)
	if answer.IsFlexible() {
		frame = append(frame, 0)
	}
	frame = answer.AppendTo(frame)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

func TestWhatIsNotKafkaEndsTheConnection(t *testing.T) {
	p, _, _ := through(t)
	for _, l := range p.listeners {
		conn, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
		must(t, err)
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("answered with %d bytes", n)
		}
	}
}
