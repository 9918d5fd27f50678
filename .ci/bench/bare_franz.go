package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franz reads a topic to its end with franz-go, the fastest of the Go clients.
func franz(ctx context.Context, j job) error {
	admin, err := kgo.NewClient(kgo.SeedBrokers(j.brokers))
	if err != nil {
		return err
	}
	ends, err := kadm.NewClient(admin).ListEndOffsets(ctx, j.topic)
	admin.Close()
	if err != nil {
		return err
	}
	begin := map[int32]kgo.Offset{}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			begin[o.Partition] = kgo.NewOffset().AtStart()
			left[o.Partition] = o.Offset
		}
	})
	client, err := kgo.NewClient(kgo.SeedBrokers(j.brokers), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{j.topic: begin}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if n := len(p.Records); n > 0 && p.Records[n-1].Offset+1 >= left[p.Partition] {
				delete(left, p.Partition)
			}
		})
	}
	return nil
}

func admin(j job, do func(context.Context, *kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(j.brokers))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return do(ctx, kadm.NewClient(client))
}

// create makes the topic of a job.
func create(_ context.Context, j job) error {
	return admin(j, func(ctx context.Context, c *kadm.Client) error {
		_, err := c.CreateTopic(ctx, int32(j.partitions), 1, nil, j.topic)
		return err
	})
}

// remove deletes it.
func remove(_ context.Context, j job) error {
	return admin(j, func(ctx context.Context, c *kadm.Client) error {
		_, err := c.DeleteTopic(ctx, j.topic)
		return err
	})
}
