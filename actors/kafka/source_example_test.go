package kafka_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// A partition's range is asked for first: with the topic's id in the request, no
// record of a topic that was made anew is ever delivered.
func ExampleSource_Read() {
	broker, err := embedded.Start(embedded.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Close()
	config := kafka.Config{Brokers: []string{broker.Addr()}, Topic: "temperatures"}
	if err := publishThreeDays(config); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	source := kafka.NewSource(config)
	partition := kafka.PartitionOf(time.January, 1)
	described, err := source.Describe(ctx, partition)
	if err != nil {
		log.Fatal(err)
	}
	request := &messages.ReadRequest{
		Partition: partition,
		Offset:    described.LogStartOffset,
		Until:     described.LastStableOffset,
		Topic:     &messages.CountedTopic{Name: described.Topic, Id: described.TopicId},
	}
	deliver := func(batch *messages.RecordBatch) error {
		for i, date := range batch.Dates {
			fmt.Println(weather.Date(date), batch.Degrees[i])
		}
		return nil
	}
	trouble := func(err error) { fmt.Println("trouble:", err) }
	fmt.Println("end:", source.Read(ctx, request, deliver, trouble))
	// Output:
	// 1990-01-01 25.5
	// 1990-01-02 31
	// 1990-01-03 28.25
	// end: <nil>
}

func publishThreeDays(config kafka.Config) error {
	ctx := context.Background()
	if _, err := kafka.Create(ctx, config, kafka.TopicSpec{Partitions: 1, ReplicationFactor: 1}); err != nil {
		return err
	}
	sink, err := kafka.NewSink(ctx, config, kafka.SinkOptions{})
	if err != nil {
		return err
	}
	reports := &messages.ReportBatch{Degrees: []float64{25.5, 31, 28.25}}
	for day := 1; day <= 3; day++ {
		date, err := weather.NewDate(1990, time.January, day)
		if err != nil {
			return err
		}
		reports.Dates = append(reports.Dates, int32(date))
	}
	if err := sink.Publish(reports); err != nil {
		return err
	}
	sink.Close()
	for range sink.Acknowledged() {
	}
	return sink.Err()
}
