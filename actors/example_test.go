package actors_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// A host brings its actor system, and joins the actors with Kafka and with
// files. Here the days of a winter are published and counted.
func ExampleRun() {
	ctx, system := context.Background(), newSystem()
	broker, dir := startBroker(), tempDir()
	defer os.RemoveAll(dir)
	defer broker.Close()
	cluster := kafka.Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	_, err := kafka.Create(ctx, cluster, kafka.TopicSpec{Partitions: 4, ReplicationFactor: 1})
	check(err)

	sink, err := kafka.NewSink(ctx, cluster, kafka.SinkOptions{})
	check(err)
	check(actors.Run(ctx, system, actors.Produce{Days: winter(), Sink: sink}))

	check(actors.Run(ctx, system, actors.Consume{
		Partitions: []int32{0, 1, 2, 3},
		Source:     kafka.NewSource(cluster),
		Open:       func(p int32) (actors.Store, error) { return checkpoint.Open(dir, p) },
		UntilEnd:   true,
	}))
	file, err := os.ReadFile(checkpoint.Path(dir, 1))
	check(err)
	fmt.Print(string(file))
	// Output:
	// {"partition": 1, "offset": 28,
	// "February": {
	// "2001": {"count": 28, "sum": 560, "avg": 20, "end": "2001-02-28", "start": "2001-02-01"}}}
}

// Whoever knows the root may ask for a partition's statistics at any moment, and
// hear of what happens. No Kafka here: any Source and Store will do.
func ExampleSubscribe() {
	ctx, cancel := context.WithCancel(context.Background())
	system := newSystem()
	events, unsubscribe := actors.Subscribe(system, "winter", 100)
	defer unsubscribe()

	ended := make(chan error)
	go func() {
		ended <- actors.Run(ctx, system, actors.Consume{
			Name:       "winter",
			Partitions: []int32{0},
			Source:     memorySource{slices.Collect(winter())},
			Open:       func(int32) (actors.Store, error) { return new(memoryStore), nil },
		})
	}()
	for e := range events {
		if saved := e.GetCheckpointSaved(); saved != nil {
			fmt.Println("saved up to offset", saved.GetOffset())
			break
		}
	}
	root := actor.NewPID(system.Address(), "winter")
	answer, err := system.Root.RequestFuture(root, &messages.GetStats{Partition: 0}, time.Minute).Result()
	check(err)
	stats := answer.(*messages.Stats)
	fmt.Println("counted", stats.GetOffset(), "records of", stats.GetTable().Len(), "months")
	cancel()
	fmt.Println(<-ended)
	// Output:
	// saved up to offset 90
	// counted 90 records of 3 months
	// <nil>
}

// winter is 90 days of 20 °F.
func winter() iter.Seq[weather.Observation] {
	return func(yield func(weather.Observation) bool) {
		first, err := weather.NewDate(2000, time.December, 1)
		check(err)
		for d, n := first, 0; n < 90; d, n = d.Next(), n+1 {
			if !yield(weather.Observation{Date: d, Degrees: 20}) {
				return
			}
		}
	}
}

// memorySource is a topic with one partition.
type memorySource struct{ records []weather.Observation }

func (s memorySource) Describe(context.Context, int32) (*messages.PartitionRange, error) {
	return &messages.PartitionRange{Topic: "temperatures", TopicId: []byte("0123456789abcdef"), LastStableOffset: int64(len(s.records))}, nil
}

func (s memorySource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, _ func(error)) error {
	b := &messages.RecordBatch{Partition: req.GetPartition(), Base: req.GetOffset(), Next: int64(len(s.records))}
	for _, o := range s.records[b.GetBase():] {
		b.Dates = append(b.Dates, int32(o.Date))
		b.Degrees = append(b.Degrees, o.Degrees)
	}
	if err := deliver(b); err != nil {
		return err
	}
	<-ctx.Done() // nothing new comes
	return ctx.Err()
}

// memoryStore forgets everything at the end of the process.
type memoryStore struct{}

func (s *memoryStore) Load() (*messages.Checkpoint, error) { return &messages.Checkpoint{}, nil }
func (s *memoryStore) Reset([]byte) error                  { return nil }
func (s *memoryStore) Close() error                        { return nil }

func (s *memoryStore) Save(c *messages.Checkpoint) (*messages.CheckpointSaved, error) {
	return &messages.CheckpointSaved{Partition: c.GetPartition(), Offset: c.GetOffset()}, nil
}

func startBroker() *embedded.Broker {
	broker, err := embedded.Start(embedded.Config{})
	check(err)
	return broker
}

func tempDir() string {
	dir, err := os.MkdirTemp("", "weatheractors")
	check(err)
	return dir
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
