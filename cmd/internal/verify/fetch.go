package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	fetchBytes = 4 << 20 // of one fetch; the first batch comes whole whatever its size
	fetchWait  = 250     // milliseconds that a broker waits for records

	// A fetch below the last stable offset that brings nothing means that there
	// is nothing: compaction left a hole. So many in a row are believed.
	emptyFetches = 3
)

// read visits the committed records of [from, until) in offset order. until must
// not be above the last stable offset. progress is told the offset to read next,
// after each fetch.
func (r *reader) read(ctx context.Context, from, until int64, visit func(*kgo.Record), progress func(next int64)) error {
	return walk(from, until, func(offset int64) (f fetched, err error) {
		err = r.try(ctx, func(ctx context.Context) (err error) {
			f, err = r.fetch(ctx, offset)
			return err
		})
		return f, err
	}, visit, progress)
}

// fetched is what one fetch brought.
type fetched struct {
	records          []*kgo.Record // committed ones, and control records
	next             int64         // the offset to read next; never below the one asked for
	lastStableOffset int64         // above the offset that was asked for
}

// walk reads with fetch, which ends with an error after some time. So walk ends
// in every case: a fetch moves the offset, or is one of the few that make sure
// that there is nothing up to the last stable offset.
func walk(from, until int64, fetch func(offset int64) (fetched, error), visit func(*kgo.Record), progress func(next int64)) error {
	for next, empty := from, 0; next < until; progress(next) {
		f, err := fetch(next)
		if err != nil {
			return fmt.Errorf("read from offset %d: %w", next, err)
		}
		for _, record := range f.records {
			if record.Offset < until && !record.Attrs.IsControl() {
				visit(record)
			}
		}
		if f.next == next {
			empty++
		} else {
			next, empty = f.next, 0
		}
		if empty == emptyFetches {
			next, empty = f.lastStableOffset, 0
		}
	}
	return nil
}

// fetch asks once for records from an offset on.
func (r *reader) fetch(ctx context.Context, offset int64) (fetched, error) {
	broker, err := r.locate(ctx)
	if err != nil {
		return fetched{}, err
	}
	answer, err := broker.Request(ctx, r.fetchRequest(offset))
	if err != nil {
		return fetched{}, err
	}
	response := answer.(*kmsg.FetchResponse)
	if err := kerr.ErrorForCode(response.ErrorCode); err != nil {
		return fetched{}, err
	}
	// A broker that throttles its clients leaves everything out.
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return fetched{}, errNotAnswered
	}
	return unpack(&response.Topics[0].Partitions[0], offset, r.decompressor)
}

// unpack takes the records from an offset on out of an answer. No records and no
// error mean that the log holds none up to the last stable offset.
func unpack(answer *kmsg.FetchResponseTopicPartition, offset int64, decompressor kgo.Decompressor) (fetched, error) {
	switch err := kerr.ErrorForCode(answer.ErrorCode); {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return fetched{}, final{errOutOfRange}
	case err != nil:
		return fetched{}, err
	}
	options := kgo.ProcessFetchPartitionOpts{Offset: offset, IsolationLevel: kgo.ReadCommitted(), KeepControlRecords: true}
	partition, next := kgo.ProcessFetchPartition(options, answer, decompressor, nil)
	n := len(partition.Records)
	switch {
	case partition.Err != nil && n == 0:
		return fetched{}, final{fmt.Errorf("batch can't be decoded: %w", partition.Err)}
	case partition.Err != nil: // it comes again, if it matters
		next = partition.Records[n-1].Offset + 1
	case next > offset:
	case len(answer.RecordBatches) > 0:
		return fetched{}, final{errors.New("batch can't be decoded: it is cut short")}
	case answer.LastStableOffset <= offset:
		return fetched{}, errors.New("the broker has lost records, or is behind")
	}
	return fetched{partition.Records, next, answer.LastStableOffset}, nil
}

// fetchRequest names the topic both ways: brokers that know ids (3.1 and later)
// refuse the fetch if the topic has another one now.
func (r *reader) fetchRequest(offset int64) *kmsg.FetchRequest {
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition = r.partition
	partition.FetchOffset = offset
	partition.CurrentLeaderEpoch = r.epoch
	partition.PartitionMaxBytes = fetchBytes
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.TopicID = r.config.Topic, r.topicID
	topic.Partitions = append(topic.Partitions, partition)
	request := kmsg.NewPtrFetchRequest()
	request.MaxWaitMillis = fetchWait
	request.MinBytes = 1
	request.MaxBytes = fetchBytes
	request.IsolationLevel = 1
	request.Topics = append(request.Topics, topic)
	return request
}
