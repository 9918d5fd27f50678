package actors

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// ErrOtherTopic refuses to add a topic's records to the statistics of another.
var ErrOtherTopic = errors.New("statistics were counted from another topic")

// opening brings a partition from its store to the state in which its actors
// can be spawned. It runs on a goroutine of its own, since disks and brokers
// can hang; root starts one at a time for each partition.
type opening struct {
	config    *Consume
	partition int32
	store     Store // nil until it was opened once
	until     int64 // where the run ends for this partition; unknown if < 0
	truncated bool  // the log lost counted records, and that is to be mended by a reset
}

// opened is what an opening has come to.
type opened struct {
	partition   int32
	store       Store // also after an error, if it was opened
	err         error
	stats       *weather.Stats
	request     *messages.ReadRequest // what the reader asks for
	rejectBytes int64
	end         int64 // last stable offset at the time
	notes       []string
}

func (o *opening) run(ctx context.Context) (result *opened) {
	result = &opened{partition: o.partition, store: o.store}
	defer func() {
		if reason := recover(); reason != nil {
			result.err = fmt.Errorf("open partition %d: panic: %v\n%s", o.partition, reason, debug.Stack())
		}
	}()
	if result.store == nil {
		if result.store, result.err = o.config.Open(o.partition); result.err != nil {
			result.store = nil
			return result
		}
	}
	result.err = o.load(ctx, result)
	return result
}

func (o *opening) load(ctx context.Context, result *opened) error {
	found, err := result.store.Load()
	if err != nil {
		return err
	}
	log, err := o.config.Source.Describe(ctx, o.partition)
	if err != nil {
		return err
	}
	plan, err := o.decide(found, log)
	if err != nil {
		return err
	}
	result.notes = plan.notes
	if plan.reset {
		if err := result.store.Reset(found.GetTopic().GetId()); err != nil {
			return err
		}
		found = &messages.Checkpoint{Partition: o.partition}
	}
	if result.stats, err = found.GetStats().Stats(); err != nil {
		return messages.Permanent(fmt.Errorf("partition %d: %w", o.partition, err))
	}
	if plan.save {
		if _, err := result.store.Save(&messages.Checkpoint{
			Partition: o.partition, Offset: found.GetOffset(), Stats: messages.NewStatsTable(result.stats), Topic: plan.topic,
		}); err != nil {
			return err
		}
	}
	result.rejectBytes = found.GetRejectBytes()
	result.end = log.GetLastStableOffset()
	result.request = &messages.ReadRequest{Partition: o.partition, Offset: plan.offset, Topic: plan.topic, Until: o.endOf(log, found.GetOffset() == 0)}
	return nil
}

// endOf returns where the run ends for the partition: at the end that the log
// had when it was first opened. A partition that is begun anew may have another
// log since then.
func (o *opening) endOf(log *messages.PartitionRange, anew bool) int64 {
	switch {
	case !o.config.UntilEnd:
		return -1
	case o.until >= 0 && !anew:
		return o.until
	default:
		return log.GetLastStableOffset()
	}
}

// plan says how to go on with a partition.
type plan struct {
	reset  bool                   // put aside what was counted
	topic  *messages.CountedTopic // to be saved beside the checkpoint
	save   bool                   // the store does not have that yet
	offset int64                  // where to read on
	notes  []string               // what the owner should know
}

// decide compares what was counted with what the brokers have. It does no I/O.
func (o *opening) decide(found *messages.Checkpoint, log *messages.PartitionRange) (*plan, error) {
	p := &plan{topic: found.GetTopic(), offset: found.GetOffset()}
	if found.GetTopic() != nil && found.GetTopic().GetName() != log.GetTopic() {
		return nil, messages.Permanent(fmt.Errorf("partition %d: %w: %s, not %s", o.partition, ErrOtherTopic, found.GetTopic().GetName(), log.GetTopic()))
	}
	switch {
	case found.GetOffset() == 0:
		p.begin(log)
	case found.GetTopic() == nil:
		p.begin(log)
		p.note("partition %d: its file does not say which topic it counts; taking it for this one (topic id %s)", o.partition, formatID(log.GetTopicId()))
	default:
		if err := o.compare(p, found, log); err != nil {
			return nil, err
		}
	}
	if len(log.GetTopicId()) == 0 {
		p.note("partition %d: the broker does not know topic ids, so a topic that is deleted and created anew can't be told from this one", o.partition)
	}
	return p, o.skipGap(p, log)
}

// compare checks that the statistics found belong to the log.
func (o *opening) compare(p *plan, found *messages.Checkpoint, log *messages.PartitionRange) error {
	known, now := found.GetTopic().GetId(), log.GetTopicId()
	recreated := len(known) > 0 && len(now) > 0 && !slices.Equal(known, now)
	switch {
	case !recreated && !o.truncated:
		if len(known) == 0 && len(now) > 0 {
			p.begin(log)
			p.topic.Epochs, p.topic.Gaps = found.GetTopic().GetEpochs(), found.GetTopic().GetGaps()
		}
		return nil
	case !o.config.ResetOnRecreate:
		return messages.Permanent(fmt.Errorf("partition %d: %w: topic %s had id %s when offset %d was counted, and has id %s now",
			o.partition, messages.ErrTopicRecreated, log.GetTopic(), formatID(known), found.GetOffset(), formatID(now)))
	}
	p.reset, p.offset = true, 0
	p.begin(log)
	p.note("partition %d: what was counted of the topic with id %s is put aside; counting anew", o.partition, formatID(known))
	return nil
}

// begin notes which topic is counted from now on.
func (p *plan) begin(log *messages.PartitionRange) {
	p.topic = &messages.CountedTopic{Name: log.GetTopic(), Id: log.GetTopicId()}
	p.save = true
}

// skipGap moves the offset over records that were deleted. Where nothing was
// begun, nothing is missed that could have been counted: it only warns.
func (o *opening) skipGap(p *plan, log *messages.PartitionRange) error {
	gap := &messages.Gap{Base: p.offset, Next: log.GetLogStartOffset()}
	if gap.GetBase() >= gap.GetNext() {
		return nil
	}
	if p.offset > 0 && !o.config.SkipGaps {
		return messages.Permanent(fmt.Errorf("partition %d: %w: offsets %d to %d", o.partition, messages.ErrOffsetGone, gap.GetBase(), gap.GetNext()-1))
	}
	p.topic = &messages.CountedTopic{
		Name: p.topic.GetName(), Id: p.topic.GetId(), Epochs: p.topic.GetEpochs(),
		Gaps: append(slices.Clone(p.topic.GetGaps()), gap),
	}
	p.save = true
	p.offset = gap.GetNext()
	p.note("partition %d: offsets %d to %d were deleted before they could be counted; they are missing in the statistics",
		o.partition, gap.GetBase(), gap.GetNext()-1)
	return nil
}

func (p *plan) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

// formatID prints a topic id as Kafka's own tools do.
func formatID(id []byte) string {
	if len(id) == 0 {
		return "unknown"
	}
	return base64.RawURLEncoding.EncodeToString(id)
}
