package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/messages"
)

// SinkOptions say how reports are sent.
type SinkOptions struct {
	// Compression is none, gzip, snappy, lz4 or zstd. Empty means none, which
	// every client can read.
	Compression string
}

var compressions = []string{"none", "gzip", "snappy", "lz4", "zstd"}

// Validate returns an error that quotes a value that can't be used.
func (o SinkOptions) Validate() error {
	if o.Compression != "" && !slices.Contains(compressions, o.Compression) {
		return fmt.Errorf("compression %q: want one of %s", o.Compression, strings.Join(compressions, ", "))
	}
	return nil
}

// NewSink connects to the brokers of c and returns a sink for its topic, or
// messages.ErrTopicMissing if there is no such topic. ctx bounds the connecting
// only. The caller ends the sink with Close or Abort.
func NewSink(ctx context.Context, c Config, options SinkOptions) (*Sink, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	// Asked for an absent topic, a producer would try for half a minute.
	if _, err := Partitions(ctx, c); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	s := &Sink{
		topic: c.Topic,
		queue: make(chan *messages.ReportBatch, window),
		fed:   make(chan int64, 1),
		acks:  make(chan *messages.ReportsAcknowledged, 1),
		ended: make(chan struct{}),
		dead:  make(chan struct{}),
	}
	conf, err := c.sarama()
	if err != nil {
		return nil, err
	}
	s.configure(conf, options)
	s.conns = keepConnections(conf)
	stop := context.AfterFunc(ctx, s.Abort)
	err = s.connect(c.Brokers, conf)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		s.disconnect()
		return nil, fmt.Errorf("publish to %s: %w", c.Topic, markRefused(err))
	}
	go s.feed()
	go s.collect()
	return s, nil
}

// connect refreshes the metadata first, which tries every broker; the producer
// would ask only one for its id.
func (s *Sink) connect(brokers []string, conf *sarama.Config) (err error) {
	if s.client, err = sarama.NewClient(brokers, conf); err != nil {
		return err
	}
	if err = s.client.RefreshMetadata(s.topic); err != nil {
		return err
	}
	s.producer, err = sarama.NewAsyncProducerFromClient(&patientClient{
		Client: s.client, dead: s.dead, pause: s.backoff(firstPause, time.Second),
	})
	return err
}

func (s *Sink) disconnect() {
	s.Abort()
	if s.producer != nil {
		_ = s.producer.Close()
	}
	if s.client != nil {
		_ = s.client.Close()
	}
}

func (s *Sink) configure(conf *sarama.Config, options SinkOptions) {
	// With one request under way to each broker, a retry can't overtake.
	conf.Net.MaxOpenRequests = 1
	conf.Producer.Idempotent = true
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Producer.Timeout = 5 * time.Second // must be below Net.ReadTimeout
	conf.Producer.Partitioner = newPartitioner
	conf.Producer.Compression = sarama.CompressionNone
	if options.Compression != "" {
		if err := conf.Producer.Compression.UnmarshalText([]byte(options.Compression)); err != nil {
			panic(err) // Validate knows what sarama knows
		}
	}
	conf.Producer.Return.Successes = true
	conf.Producer.Return.Errors = true
	// No Flush settings: what comes while a request is under way makes the next
	// one. A report that comes alone leaves at once (with a frequency of 5 ms it
	// takes 6 ms), and many at a time are no faster with them.

	// Where a metadata refresh fails, the batch has failed, whatever retries are
	// left to it: so the refresh must last as long as an outage may.
	conf.Producer.Retry.Max = 10
	conf.Producer.Retry.BackoffFunc = s.backoff(firstPause, 2*time.Second)
	conf.Metadata.Retry.Max = 30
	conf.Metadata.Retry.BackoffFunc = s.backoff(firstPause, time.Second)
}

// backoff doubles from first to longest. A sink that is dead does not wait: that
// is how sarama's retries come to their end.
func (s *Sink) backoff(first, longest time.Duration) func(retries, most int) time.Duration {
	wait := sarama.NewExponentialBackoff(first, longest)
	return func(retries, most int) time.Duration {
		if s.aborted.Load() {
			return 0
		}
		s.retries.Add(1)
		return wait(retries, most)
	}
}
