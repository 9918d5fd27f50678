package verify

import (
	"encoding/base64"
	"encoding/json"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

const topicName = "temperatures"

// cluster is a broker with a topic of one partition.
type cluster struct {
	t      *testing.T
	broker *embedded.Broker
	client *kgo.Client
	admin  *kadm.Client
	config Config
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	broker := startBroker(t, embedded.Config{})
	c := &cluster{t: t, broker: broker, config: Config{Brokers: []string{broker.Addr()}, Topic: topicName, Wait: 300 * time.Millisecond}}
	c.client = c.connect()
	c.admin = kadm.NewClient(c.client)
	c.create()
	return c
}

func startBroker(t *testing.T, config embedded.Config) *embedded.Broker {
	t.Helper()
	broker, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	return broker
}

func (c *cluster) connect(opts ...kgo.Opt) *kgo.Client {
	c.t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(c.broker.Addr()), kgo.DefaultProduceTopic(topicName),
		kgo.MetadataMinAge(10*time.Millisecond))...)
	c.must(err)
	c.t.Cleanup(client.Close)
	return client
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) create() {
	c.t.Helper()
	_, err := c.admin.CreateTopic(c.t.Context(), 1, 1, nil, topicName)
	c.must(err)
}

func (c *cluster) recreate() {
	c.t.Helper()
	_, err := c.admin.DeleteTopic(c.t.Context(), topicName)
	c.must(err)
	c.create()
	c.client = c.connect() // one that knows nothing of the topic before
}

func (c *cluster) produce(records ...record) {
	c.t.Helper()
	c.must(produce(c.t, c.client, records).FirstErr())
}

func produce(t *testing.T, client *kgo.Client, records []record) kgo.ProduceResults {
	var rs []*kgo.Record
	for _, r := range records {
		rs = append(rs, &kgo.Record{Key: []byte(r.key), Value: r.value})
	}
	return client.ProduceSync(t.Context(), rs...)
}

// transaction writes records in a transaction, and begins with how it ends.
func (c *cluster) transaction(end kgo.TransactionEndTry, records ...record) {
	c.t.Helper()
	client := c.begin(records...)
	c.must(client.EndTransaction(c.t.Context(), end))
}

// begin writes records in a transaction that goes on.
func (c *cluster) begin(records ...record) *kgo.Client {
	c.t.Helper()
	client := c.connect(kgo.TransactionalID(c.t.Name()))
	c.must(client.BeginTransaction())
	c.must(produce(c.t, client, records).FirstErr())
	return client
}

// deleteBelow deletes the records below an offset, as retention does.
func (c *cluster) deleteBelow(offset int64) {
	c.t.Helper()
	offsets := make(kadm.Offsets)
	offsets.AddOffset(topicName, 0, offset, -1)
	deleted, err := c.admin.DeleteRecords(c.t.Context(), offsets)
	c.must(err)
	c.must(deleted.Error())
}

// id is the topic's, as Kafka prints it.
func (c *cluster) id() string {
	c.t.Helper()
	topics, err := c.admin.ListTopics(c.t.Context(), topicName)
	c.must(err)
	id := topics[topicName].ID
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// sidecar is a partition-0.topic for the topic as it is now.
func (c *cluster) sidecar(gaps ...span) string {
	c.t.Helper()
	type gap struct {
		Base int64 `json:"base"`
		Next int64 `json:"next"`
	}
	wire := struct {
		Name   string     `json:"name"`
		ID     string     `json:"id"`
		Epochs []struct{} `json:"epochs"`
		Gaps   []gap      `json:"gaps"`
	}{Name: topicName, ID: c.id()}
	for _, g := range gaps {
		wire.Gaps = append(wire.Gaps, gap{g.base, g.next})
	}
	data, err := json.Marshal(wire)
	c.must(err)
	return string(data)
}

// fileOf is the right file for records that were counted up to an offset.
func fileOf(t *testing.T, offset int64, records ...record) string {
	t.Helper()
	data, err := encode(0, offset, recount(records...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
