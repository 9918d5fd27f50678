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
// records. wanted yields valid dates in ascending order; it is read no further
// than needed, to the latest date of the topic and one more at most.
//
// A partition has come to its greatest date, and where it has none to the day
// before the topic's first date. What is wanted after that is to be published.
// What is wanted before must be there: else PlanResume returns ErrUnmendable,
// naming the first such dates. Only dates before the topic's first are nobody's
// loss: the topic was begun later than wanted, and they are skipped.
func PlanResume(have map[int32]*DateSet, partitionOf func(time.Month) int32, wanted iter.Seq[Date]) (*Resume, error) {
	var first Date // of the topic; 0 if it is empty: then all is to be published
	for _, dates := range have {
		if dates.Len() > 0 && (first == 0 || dates.Min() < first) {
			first = dates.Min()
		}
	}
	r := &Resume{}
	var partitions [time.December + 1]int32 // of each month: partitionOf may be slow
	var end Date                            // the latest date that a partition of a month has come to
	for m := time.January; m <= time.December; m++ {
		partitions[m] = partitionOf(m)
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
	return fmt.Errorf("resume: %w: %s", ErrUnmendable, names)
}
