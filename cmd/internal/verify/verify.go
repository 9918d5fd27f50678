package verify

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Partition recounts one partition of the topic up to the offset in
// dir/partition-N.json, and compares. progress, which may be nil, is called now
// and then with how many offsets are done and how many there are in all.
//
// An error means that there is no verdict: the partition file can't be read
// (fs.ErrNotExist where there is none), no broker answers in time, the topic or
// the partition does not exist (messages.ErrTopicMissing, ErrPartitionMissing),
// or ctx has ended. A file that is there but makes no sense is no error but
// [Differs].
func Partition(ctx context.Context, config Config, dir string, partition int32, progress func(done, total int64)) (Report, error) {
	f, err := readFiles(dir, partition)
	if err != nil {
		return Report{}, fmt.Errorf("verify partition %d: %w", partition, err)
	}
	report := Report{Partition: partition, Path: f.path}
	if f.fileErr != nil {
		report.differ("the file can't be read: " + f.fileErr.Error())
		report.conclude(false)
		return report, nil
	}
	report.Offset = f.file.offset
	if progress == nil {
		progress = func(int64, int64) {}
	}
	r, err := newReader(config, partition)
	if err == nil {
		err = r.judge(ctx, f, &report, progress)
		r.close()
	}
	if err != nil {
		return Report{}, fmt.Errorf("verify partition %d of %s at %s: %w", partition, config.Topic, strings.Join(config.Brokers, ", "), err)
	}
	return report, nil
}

// judge recounts, if the topic is the one that was counted, and compares.
func (r *reader) judge(ctx context.Context, f *files, report *Report, progress func(done, total int64)) error {
	start, end, err := r.bounds(ctx)
	if err != nil {
		return err
	}
	if !r.sameTopic(f, report) {
		report.conclude(false)
		return nil
	}
	e := newEvidence(f, start, end)
	err = r.recount(ctx, e, progress)
	switch {
	case errors.Is(err, errRecreated):
		report.unprovable("the topic was deleted and created anew while it was recounted")
		report.conclude(false)
		return nil
	case errors.Is(err, errOutOfRange):
		report.unprovable("records were deleted from the topic while it was recounted: try again")
		report.conclude(false)
		return nil
	case err != nil:
		return err
	}
	return e.compare(report)
}

// sameTopic tells whether the topic is the one that was counted, as far as that
// can be known.
func (r *reader) sameTopic(f *files, report *Report) bool {
	unknown := [16]byte{}
	switch {
	case f.topic == nil && len(f.wrong) > 0: // that is worse
	case f.topic == nil:
		report.note("there is no partition-%d.topic: whether this is the topic that was counted, its records alone can tell", r.partition)
	case f.topic.name != r.config.Topic:
		report.unprovable("the file counts the topic %q, not %q", f.topic.name, r.config.Topic)
		return false
	case f.topic.id == unknown || r.topicID == unknown:
		report.note("the topic's id is not known: whether it was created anew, its records alone can tell")
	case f.topic.id != r.topicID:
		text := base64.RawURLEncoding.EncodeToString
		report.unprovable("the topic was deleted and created anew: the file counts the one with id %s, now there is %s",
			text(f.topic.id[:]), text(r.topicID[:]))
		return false
	}
	return true
}

// recount reads what the evidence needs, and makes sure that it came from one
// topic: brokers before 3.1 answer a fetch whatever the topic's id is.
func (r *reader) recount(ctx context.Context, e *evidence, progress func(done, total int64)) error {
	total := max(0, e.read.next-e.read.base)
	progress(0, total)
	err := r.read(ctx, e.read.base, e.read.next,
		func(record *kgo.Record) { e.add(record.Offset, record.Key, record.Value) },
		func(next int64) { progress(min(next, e.read.next)-e.read.base, total) })
	if err == nil || errors.Is(err, errOutOfRange) {
		err = errors.Join(r.try(ctx, r.describe), err)
	}
	return err
}

// evidence is what the topic still says about the records that a file counts.
type evidence struct {
	files *files
	start int64  // offset of the first record that is there
	end   int64  // last stable offset
	read  span   // what the topic still holds of the records below the file's offset
	gone  []span // deleted, though the file counts them
	gaps  []span // skipped: the file does not count them
	*tally
	skipped map[span]int64 // records that are in the topic, by gap
}

// newEvidence sets out what is to be read of a log that goes from start to end.
func newEvidence(f *files, start, end int64) *evidence {
	e := &evidence{files: f, start: start, end: end, tally: newTally(), skipped: make(map[span]int64)}
	offset := f.file.offset
	if f.topic != nil {
		e.gaps = clip(f.topic.gaps, offset)
	}
	e.read = span{min(start, offset), min(end, offset)}
	e.gone = without(span{0, e.read.base}, e.gaps)
	return e
}

// add counts a record, unless it lies in a gap.
func (e *evidence) add(offset int64, key, value []byte) {
	if gap, ok := inside(e.gaps, offset); ok {
		e.skipped[gap]++
		return
	}
	e.tally.add(offset, key, value)
}

// compare compares the file with the evidence, once it is complete.
func (e *evidence) compare(report *Report) error {
	file := e.files.file
	report.Records, report.Months = e.records, len(e.months)
	if file.partition != int64(report.Partition) {
		report.differ(fmt.Sprintf("partition is %d, want %d", file.partition, report.Partition))
	}
	if file.offset > e.end {
		report.differ(fmt.Sprintf("offset is %d, topic ends at %d: another topic was counted, or the log has lost its end", file.offset, e.end))
	}
	for _, gone := range e.gone {
		report.unprovable("%v: deleted from the topic, which begins at offset %d now; what the file counts of them can't be recounted", gone, e.start)
	}
	for _, gap := range e.gaps {
		if n := e.skipped[gap]; n > 0 {
			report.differ(fmt.Sprintf("%v: skipped, as partition-%d.topic says, but %d still in the topic", gap, report.Partition, n))
		} else {
			report.unprovable("%v: skipped, as partition-%d.topic says, and in no month", gap, report.Partition)
		}
	}
	if len(e.gone) > 0 {
		report.differ(contradictions(file.months, e.tally)...)
	} else {
		report.differ(compareMonths(file.months, e.tally)...)
	}
	e.compareRejects(report)
	for _, wrong := range e.files.wrong {
		report.unprovable("%s", wrong)
	}
	bytesOfRecount, err := encode(report.Partition, file.offset, e.tally)
	if err != nil {
		return err
	}
	report.conclude(bytes.Equal(e.files.data, bytesOfRecount))
	return nil
}

// compareRejects compares the rejects that were kept with the records that can't
// be counted, as far as those are still there.
func (e *evidence) compareRejects(report *Report) {
	if !e.files.kept {
		if n := len(e.invalid); n > 0 && len(e.files.wrong) == 0 {
			report.note("%s can't be counted; there is no partition-%d.rejected.jsonl to compare with",
				plural(int64(n), "record"), report.Partition)
		}
		return
	}
	kept := slices.Clone(e.files.rejects)
	kept = slices.DeleteFunc(kept, func(offset int64) bool { return offset < e.read.base })
	report.differ(compareRejects(kept, e.invalid)...)
}
