package main

import (
	"context"
	"encoding/binary"
	"math"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partitions is how many a topic has, where nothing else is said.
const partitions = 4

// day returns the i-th day from 0001-01-01.
func day(i int) time.Time { return time.Date(1, time.January, 1+i, 0, 0, 0, 0, time.UTC) }

// report encodes a report as report.proto has it: a string in field 1 and a
// double in field 2, 21 bytes.
func report(date time.Time, degrees float64) []byte {
	value := append(make([]byte, 0, 21), 1<<3|2, 10)
	value = date.AppendFormat(value, time.DateOnly)
	return binary.LittleEndian.AppendUint64(append(value, 2<<3|1), math.Float64bits(degrees))
}

// degrees makes up a temperature with four decimals, as real ones have.
func degrees(i int) float64 { return float64((i*7919)%900000) / 10000 }

// record makes up the i-th record of a job. Its partition counts only where
// twelve months can't fill all there are.
func (j job) record(i int) *kgo.Record {
	date := day((j.first + i) % j.days())
	return &kgo.Record{Key: []byte(date.Month().String()), Value: report(date, degrees(i)), Partition: int32(i % j.partitions)}
}

// days is the number of distinct days in a job's years.
func (j job) days() int {
	const untilDay0 = 719162 // days from 0001-01-01 to 1970-01-01
	end := time.Date(1+j.years, time.January, 1, 0, 0, 0, 0, time.UTC)
	return untilDay0 + int(end.Unix()/86400)
}

// fill publishes a job's records.
func fill(ctx context.Context, j job) error {
	options := []kgo.Opt{kgo.SeedBrokers(j.brokers), kgo.DefaultProduceTopic(j.topic),
		kgo.ProducerBatchCompression(j.codec()), kgo.MaxBufferedRecords(50_000), kgo.RecordDeliveryTimeout(time.Minute)}
	if j.partitions > partitions {
		options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	first := kgo.AbortingFirstErrPromise(client)
	for i := range j.records {
		client.Produce(ctx, j.record(i), first.Promise())
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	return first.Err()
}
