package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// Bare clients read a topic to the end that it has at their start, and throw the
// records away.

// ends opens a client and asks for the end of each partition.
func ends(j job) (sarama.Client, []int64, error) {
	conf := sarama.NewConfig()
	conf.Metadata.AllowAutoTopicCreation = false
	client, err := sarama.NewClient([]string{j.brokers}, conf)
	if err != nil {
		return nil, nil, err
	}
	all := make([]int64, j.partitions)
	for p := range all {
		if all[p], err = client.GetOffset(j.topic, int32(p), sarama.OffsetNewest); err != nil {
			return nil, nil, errors.Join(err, client.Close())
		}
	}
	return client, all, nil
}

// saramaConsumer is what most people would write: sarama's Consumer.
func saramaConsumer(_ context.Context, j job) error {
	client, all, err := ends(j)
	if err != nil {
		return err
	}
	defer client.Close()
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	return each(all, func(p int32, end int64) error {
		partition, err := consumer.ConsumePartition(j.topic, p, sarama.OffsetOldest)
		if err != nil {
			return err
		}
		defer partition.Close()
		for m := range partition.Messages() {
			if m.Offset+1 >= end {
				break
			}
		}
		return nil
	})
}

// saramaFetch is the least that sarama can be made to do: whole record sets, a
// megabyte at a time, over a connection for each partition.
func saramaFetch(_ context.Context, j job) error {
	client, all, err := ends(j)
	if err != nil {
		return err
	}
	defer client.Close()
	return each(all, func(p int32, end int64) error {
		leader, err := client.Leader(j.topic, p)
		if err != nil {
			return err
		}
		broker := sarama.NewBroker(leader.Addr())
		if err := broker.Open(client.Config()); err != nil {
			return err
		}
		defer broker.Close()
		for offset := int64(0); offset < end; {
			request := &sarama.FetchRequest{Version: 11, MaxWaitTime: 500, MinBytes: 1, MaxBytes: 1 << 20, Isolation: sarama.ReadCommitted}
			request.AddBlock(j.topic, p, offset, 1<<20, -1)
			response, err := broker.Fetch(request)
			if err != nil {
				return err
			}
			block := response.GetBlock(j.topic, p)
			if block.Err != sarama.ErrNoError {
				return block.Err
			}
			for _, set := range block.RecordsSet {
				offset = set.RecordBatch.LastOffset() + 1
			}
		}
		return nil
	})
}

// each reads all partitions that have something side by side.
func each(ends []int64, read func(p int32, end int64) error) error {
	var all sync.WaitGroup
	errs := make([]error, len(ends))
	for p, end := range ends {
		if end > 0 {
			all.Go(func() { errs[p] = read(int32(p), end) })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// saramaProducer publishes with the settings of weatheractors' own producer.
func saramaProducer(_ context.Context, j job) error {
	conf := sarama.NewConfig()
	conf.Net.MaxOpenRequests = 1
	conf.Metadata.AllowAutoTopicCreation = false
	conf.Producer.Idempotent = true
	conf.Producer.RequiredAcks = sarama.WaitForAll
	conf.Producer.Timeout = 5 * time.Second
	conf.Producer.Partitioner = sarama.NewMurmur2Partitioner
	conf.Producer.Return.Successes = true
	producer, err := sarama.NewAsyncProducer([]string{j.brokers}, conf)
	if err != nil {
		return err
	}
	go func() {
		for i := range j.records {
			r := j.record(i)
			producer.Input() <- &sarama.ProducerMessage{Topic: j.topic, Key: sarama.ByteEncoder(r.Key), Value: sarama.ByteEncoder(r.Value)}
		}
	}()
	for range j.records {
		select {
		case <-producer.Successes():
		case failed := <-producer.Errors():
			return fmt.Errorf("publish: %w", failed.Err)
		}
	}
	return producer.Close()
}
