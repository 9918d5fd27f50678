package weather

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// ErrUnmendable says that a topic misses dates that can't be published behind
// later ones of their partition: consumers would take them for duplicates.
var ErrUnmendable = errors.New("dates are missing before later ones of their partition")

// Resume says where to go on with publishing to a topic that has dates already.
type Resume struct {
	// Start is the first date to publish. It is 0 if the topic has all.
	Start Date

	// through is how far the partition of each month has come: of that month,
	// later dates are to be published and no others.
	through [time.December + 1]Date
}

// Skip tells whether d, which is wanted and after Start, must not be published:
// its partition has come to d or beyond it.
func (r *Resume) Skip(d Date) bool { return d <= r.through[d.Month()] }

// PlanResume says where to go on so that a topic comes to hold all wanted dates.
//
// have holds the valid, committed dates of each partition; a partition without
// any may be nil or absent. partitionOf tells the partition of a month's
// records. wanted yields valid dates in ascending order, each time that it is
// ranged over; it is read no further than needed, to the latest date of the topic
// and one more at most.
//
// A partition has come to its greatest date, and where it has none to the day
// before the topic began. What is wanted after that is to be published. What is
// wanted before must be there: else PlanResume returns ErrUnmendable, naming the
// first such dates. Only dates before the topic began are nobody's loss: it was
// begun later than wanted, and they are skipped.
//
// A topic began with the first wanted date if that explains what each of its
// partitions begins with: a producer that was killed early may have left the
// first dates' partitions empty. Otherwise it began with the first date that it
// has.
func PlanResume(have map[int32]*DateSet, partitionOf func(time.Month) int32, wanted iter.Seq[Date]) (*Resume, error) {
	var partitions monthPartitions // partitionOf may be slow
	for m := time.January; m <= time.December; m++ {
		partitions[m] = partitionOf(m)
	}
	first := beginning(have, partitions, wanted)
	r := &Resume{}
	var end Date // the latest date that a partition of a month has come to
	for m := time.January; m <= time.December; m++ {
		r.through[m] = first.Prev()
		if dates := have[partitions[m]]; dates.Len() > 0 {
			r.through[m] = dates.Max()
		}
		end = max(end, r.through[m])
	}

	var lost lostDates
	var before Date
	for d := range wanted {
		if !d.Valid() || d <= before {
			return nil, fmt.Errorf("resume: wanted dates must ascend: %v after %v", d, before)
		}
		before = d
		if partition := partitions[d.Month()]; !r.Skip(d) {
			if r.Start == 0 {
				r.Start = d
			}
		} else if d >= first && !have[partition].Has(d) {
			lost.add(d, partition)
		}
		if d > end {
			break
		}
	}
	if lost.count > 0 {
		return nil, lost.err()
	}
	return r, nil
}

// monthPartitions are the partitions of each month's records.
type monthPartitions [time.December + 1]int32

// beginning returns the date that a topic began with; 0 if it is empty, or began
// with the first wanted date: then nothing wanted is before it.
func beginning(have map[int32]*DateSet, partitions monthPartitions, wanted iter.Seq[Date]) Date {
	var first, last Date // of the dates that a partition begins with
	begins := map[int32]Date{}
	for p, dates := range have {
		if d := dates.Min(); d != 0 {
			begins[p], last = d, max(last, d)
			if first == 0 || d < first {
				first = d
			}
		}
	}
	for d := range wanted {
		if len(begins) == 0 || d > last || !d.Valid() {
			break
		}
		p := partitions[d.Month()]
		if begin, unexplained := begins[p]; unexplained && begin != d {
			break
		}
		delete(begins, p)
	}
	if len(begins) == 0 {
		return 0
	}
	return first
}

// lostDates notes dates that can't be mended: the first few by name.
type lostDates struct {
	names []string
	count int
}

func (l *lostDates) add(d Date, partition int32) {
	if len(l.names) < 3 {
		l.names = append(l.names, fmt.Sprintf("%v (partition %d)", d, partition))
	}
	l.count++
}

func (l *lostDates) err() error {
	names := strings.Join(l.names, ", ")
	if more := l.count - len(l.names); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Errorf("%w: %s", ErrUnmendable, names)
}
