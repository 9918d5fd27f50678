package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if runtime.GOMAXPROCS(0) == flag.Lookup("test.parallel").Value.(flag.Getter).Get() {
		// Nobody has asked for another number. The tests wait for brokers most of
		// the time, so that many can do so at once.
		if err := flag.Set("test.parallel", "16"); err != nil {
			panic(err)
		}
	}
	Setup(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// startBroker starts an embedded broker that ends with the test, and returns a
// Config for its topic "temperatures", which it does not have yet.
func startBroker(t testing.TB, config embedded.Config) (*embedded.Broker, Config) {
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
	return broker, Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
}

// startTopic starts an embedded broker that has the topic, with 4 partitions.
func startTopic(t testing.TB, config embedded.Config) (*embedded.Broker, Config) {
	t.Helper()
	broker, c := startBroker(t, config)
	if _, err := Create(t.Context(), c, TopicSpec{Partitions: 4, ReplicationFactor: 1}); err != nil {
		t.Fatal(err)
	}
	return broker, c
}

// listenMute returns an address where a connection is taken, and no more.
func listenMute(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// freeAddress returns an address where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// newCertificate returns a certificate for 127.0.0.1 and example.com, that signs
// itself, and the files that hold it and its key.
func newCertificate(t *testing.T) (pair tls.Certificate, certFile, keyFile string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	pair = server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writePEM(t, certFile, "CERTIFICATE", pair.Certificate[0])
	writePEM(t, keyFile, "PRIVATE KEY", key)
	return pair, certFile, keyFile
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fetchAll returns the batches of one partition, as the broker has them.
func fetchAll(t *testing.T, c Config, partition int32) (batches []*sarama.RecordBatch) {
	t.Helper()
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	for offset, end := int64(0), endOf(t, c, partition); offset < end; {
		request := &sarama.FetchRequest{Version: 11, MinBytes: 1, MaxBytes: 50 << 20, Isolation: sarama.ReadCommitted}
		request.AddBlock(c.Topic, partition, offset, 50<<20, -1)
		answer, err := ask(cluster, c.Brokers[0], func(b *sarama.Broker) (*sarama.FetchResponse, error) { return b.Fetch(request) })
		if err != nil {
			t.Fatal(err)
		}
		block := answer.GetBlock(c.Topic, partition)
		if block == nil || block.Err != sarama.ErrNoError || len(block.RecordsSet) == 0 {
			t.Fatalf("fetch partition %d from offset %d: %+v", partition, offset, block)
		}
		for _, set := range block.RecordsSet {
			batches = append(batches, set.RecordBatch)
			offset = set.RecordBatch.LastOffset() + 1
		}
	}
	return batches
}

// endOf returns the high watermark of a partition.
func endOf(t *testing.T, c Config, partition int32) int64 {
	t.Helper()
	cluster, err := c.cluster(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.close()
	request := sarama.NewOffsetRequest(cluster.conf.Version)
	request.AddBlock(c.Topic, partition, sarama.OffsetNewest, 1)
	answer, err := ask(cluster, c.Brokers[0], func(b *sarama.Broker) (*sarama.OffsetResponse, error) {
		return b.GetAvailableOffsets(request)
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.GetBlock(c.Topic, partition).Offset
}

// awaitRecords asks the broker until the topic holds that many records.
func awaitRecords(t *testing.T, c Config, records int64) {
	t.Helper()
	partitions, err := Partitions(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for sum := int64(0); sum < records; {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
		sum = 0
		for _, p := range partitions {
			sum += endOf(t, c, p)
		}
	}
}

// readLog returns the records of each partition, in order.
func readLog(t *testing.T, c Config) (log [][]*sarama.Record) {
	t.Helper()
	partitions, err := Partitions(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions {
		var records []*sarama.Record
		for _, batch := range fetchAll(t, c, p) {
			records = append(records, batch.Records...)
		}
		log = append(log, records)
	}
	return log
}

// write writes records to the partitions that they name, as another program may,
// and waits until they are in the log.
func write(t *testing.T, c Config, records ...*sarama.ProducerMessage) {
	t.Helper()
	conf, err := c.sarama()
	if err != nil {
		t.Fatal(err)
	}
	conf.Producer.Return.Successes = true
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer(c.Brokers, conf)
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for _, r := range records {
		r.Topic = c.Topic
	}
	if err := producer.SendMessages(records); err != nil {
		t.Fatal(err)
	}
}
