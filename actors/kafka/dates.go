package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// ErrPending: records at the end of a log can't be read yet, since replicas are
// behind, or a transaction is open.
var ErrPending = errors.New("waiting for records that are not committed yet")

// ScanProgress says how far [ReadDates] has come.
type ScanProgress struct {
	// Read and Total are offsets, summed over the partitions that were begun. Where
	// offsets have gaps there are fewer records than that.
	Read, Total int64
	// Trouble is why a partition can't be read at the moment; nil if it can.
	// Reading goes on by itself.
	Trouble error
}

// partitionsAtOnce is how many partitions ReadDates reads side by side.
const partitionsAtOnce = 4

// ReadDates reads all committed records of c's topic, from the start of each log
// to the end that it has when its turn comes, and returns the dates of those that
// can be counted, by partition. Every partition of the topic is there, if only
// with an empty set.
//
// Of records at the end that can't be read yet, because replicas are behind or a
// transaction is open, it waits to hear whether they are to stay: a producer that
// was killed a moment ago leaves such records.
//
// It calls progress, which may be nil, after each fetch, never twice at a time.
// It waits for brokers that are away, until ctx ends; its errors are those of
// [Partitions] and [Source].
func ReadDates(ctx context.Context, c Config, progress func(ScanProgress)) (map[int32]*weather.DateSet, error) {
	partitions, err := Partitions(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("read the dates: %w", err)
	}
	scan := scan{source: NewSource(c), report: progress}
	dates := make(map[int32]*weather.DateSet, len(partitions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(partitionsAtOnce)
	for _, p := range partitions {
		set := new(weather.DateSet)
		dates[p] = set
		group.Go(func() error { return scan.partition(ctx, p, set) })
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("read the dates: %w", err)
	}
	return dates, nil
}

// scan is one ReadDates under way.
type scan struct {
	source *Source
	report func(ScanProgress)

	mu       sync.Mutex
	progress ScanProgress
}

func (s *scan) update(change func(*ScanProgress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.progress)
	if s.report != nil {
		s.report(s.progress)
	}
}

// describe returns the range of a partition's log and its end, committed or not.
// It waits for brokers that are away, and for a leader.
func (s *scan) describe(ctx context.Context, partition int32) (log *messages.PartitionRange, end int64, err error) {
	troubled := false
	for wait := backoff(0); ; {
		err = s.source.ask(ctx, partition, func(l *link) (err error) {
			if log, err = l.describe(); err == nil {
				end, err = l.logEnd()
			}
			return err
		})
		if !away(err) && !unsettled(err) || ctx.Err() != nil {
			if troubled {
				s.update(func(p *ScanProgress) { p.Trouble = nil })
			}
			return log, end, err
		}
		troubled = true
		s.update(func(p *ScanProgress) { p.Trouble = err })
		if err := wait.wait(ctx); err != nil {
			return nil, 0, err
		}
	}
}

// partition adds the dates of one partition to set.
func (s *scan) partition(ctx context.Context, partition int32, set *weather.DateSet) error {
	log, end, err := s.describe(ctx, partition)
	if err != nil {
		return err
	}
	pending := end > log.GetLastStableOffset()
	s.update(func(p *ScanProgress) {
		p.Total += end - log.GetLogStartOffset()
		if pending {
			p.Trouble = fmt.Errorf("%w: partition %d of %s from offset %d to %d",
				ErrPending, partition, log.GetTopic(), log.GetLastStableOffset(), end-1)
		}
	})
	request := &messages.ReadRequest{
		Partition: partition,
		Offset:    log.GetLogStartOffset(),
		Topic:     &messages.CountedTopic{Name: log.GetTopic(), Id: log.GetTopicId()},
		Until:     end,
	}
	err = s.source.Read(ctx, request, func(batch *messages.RecordBatch) error {
		for _, date := range batch.GetDates() {
			set.Add(weather.Date(date))
		}
		s.update(func(p *ScanProgress) { p.Read += batch.GetNext() - batch.GetBase() })
		return nil
	}, func(trouble error) {
		s.update(func(p *ScanProgress) { p.Trouble = trouble })
	})
	if err == nil && pending {
		s.update(func(p *ScanProgress) { p.Trouble = nil })
	}
	return err
}
