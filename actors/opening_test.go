package actors

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

func TestDecideHowToGoOn(t *testing.T) {
	const name = "temperatures"
	one, two := []byte("one-------------"), []byte("two-------------")
	epochs := []*messages.LeaderEpoch{{Epoch: 3, FirstOffset: 10}}
	counted := func(offset int64, id []byte) *messages.Checkpoint {
		return &messages.Checkpoint{Partition: 2, Offset: offset, Topic: &messages.CountedTopic{Name: name, Id: id, Epochs: epochs}}
	}
	log := func(start, end int64, id []byte) *messages.PartitionRange {
		return &messages.PartitionRange{Topic: name, TopicId: id, LogStartOffset: start, LastStableOffset: end}
	}
	topic := func(id []byte, epochs []*messages.LeaderEpoch, gaps ...*messages.Gap) *messages.CountedTopic {
		return &messages.CountedTopic{Name: name, Id: id, Epochs: epochs, Gaps: gaps}
	}
	reset, skip := Consume{ResetOnRecreate: true}, Consume{SkipGaps: true}

	for _, c := range []struct {
		name      string
		config    Consume
		truncated bool
		found     *messages.Checkpoint
		log       *messages.PartitionRange
		want      plan // without notes
		note      string
		err       error
	}{
		{"a new partition begins with the topic that is there", Consume{}, false,
			&messages.Checkpoint{}, log(0, 50, one), plan{topic: topic(one, nil), save: true}, "", nil},
		{"a file at offset 0 takes whatever topic id is there", Consume{}, false,
			counted(0, two), log(0, 50, one), plan{topic: topic(one, nil), save: true}, "", nil},
		{"a new partition begins at the log's start", Consume{}, false,
			&messages.Checkpoint{}, log(20, 50, one), plan{topic: topic(one, nil, &messages.Gap{Base: 0, Next: 20}), save: true, offset: 20}, "offsets 0 to 19", nil},
		{"a counted partition goes on", Consume{}, false,
			counted(40, one), log(0, 50, one), plan{topic: topic(one, epochs), offset: 40}, "", nil},
		{"without a note of its topic it adopts the one that is there", Consume{}, false,
			&messages.Checkpoint{Offset: 40}, log(0, 50, one), plan{topic: topic(one, nil), save: true, offset: 40}, "does not say which topic", nil},
		{"an id that was unknown is adopted", Consume{}, false,
			counted(40, nil), log(0, 50, one), plan{topic: topic(one, epochs), save: true, offset: 40}, "", nil},
		{"a broker without ids can't be compared", Consume{}, false,
			counted(40, one), log(0, 50, nil), plan{topic: topic(one, epochs), offset: 40}, "does not know topic ids", nil},
		{"a recreated topic is refused", Consume{}, false,
			counted(40, one), log(0, 50, two), plan{}, "", messages.ErrTopicRecreated},
		{"a recreated topic is counted anew if asked", reset, false,
			counted(40, one), log(0, 50, two), plan{reset: true, topic: topic(two, nil), save: true}, "put aside", nil},
		{"a truncated log is counted anew if asked", reset, true,
			counted(40, one), log(0, 50, one), plan{reset: true, topic: topic(one, nil), save: true}, "put aside", nil},
		{"a topic of another name is refused", Consume{}, false,
			&messages.Checkpoint{Offset: 40, Topic: &messages.CountedTopic{Name: "other", Id: one}}, log(0, 50, one), plan{}, "", ErrOtherTopic},
		{"a topic of another name is refused even if asked to reset", reset, false,
			&messages.Checkpoint{Offset: 40, Topic: &messages.CountedTopic{Name: "other", Id: two}}, log(0, 50, one), plan{}, "", ErrOtherTopic},
		{"a gap is refused", Consume{}, false,
			counted(40, one), log(45, 50, one), plan{}, "", messages.ErrOffsetGone},
		{"a gap is skipped if asked, and kept in mind", skip, false,
			counted(40, one), log(45, 50, one), plan{topic: topic(one, epochs, &messages.Gap{Base: 40, Next: 45}), save: true, offset: 45}, "offsets 40 to 44", nil},
		{"a log that starts where the file ends has no gap", Consume{}, false,
			counted(40, one), log(40, 50, one), plan{topic: topic(one, epochs), offset: 40}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &opening{config: &c.config, partition: 2, until: -1, truncated: c.truncated}
			got, err := o.decide(c.found, c.log)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err != nil {
				if !messages.IsPermanent(err) {
					t.Errorf("%v: want a permanent error", err)
				}
				return
			}
			if !proto.Equal(got.topic, c.want.topic) || got.save != c.want.save || got.reset != c.want.reset || got.offset != c.want.offset {
				t.Errorf("plan is %+v, want %+v", got, c.want)
			}
			if notes := strings.Join(got.notes, "\n"); (c.note == "") != (notes == "") || !strings.Contains(notes, c.note) {
				t.Errorf("notes are %q, want %q", notes, c.note)
			}
		})
	}
}

func TestPartitionIsResetWhereAsked(t *testing.T) {
	for name, cause := range map[string]error{"recreated": messages.ErrTopicRecreated, "truncated": messages.ErrLogTruncated} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				f := newFixture(t)
				f.config.ResetOnRecreate = true
				id := f.source.id
				if cause == messages.ErrTopicRecreated {
					id = []byte("another topic id")
				} else {
					f.source.logs[2].fail[50] = cause
				}
				// Other records were counted before.
				f.store.durable = &messages.Checkpoint{
					Partition: 2, Offset: 50, Stats: recount(t, days(t, "1980-01-01", 50), 50),
					Topic: &messages.CountedTopic{Name: f.source.topic, Id: id},
				}
				newSystemOf(t, f, nil)
				f.want(t, 100)
				if f.store.resets != 1 {
					t.Errorf("the store was reset %d times, want once", f.store.resets)
				}
			})
		})
	}
}

func TestGapIsSkippedWhereAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := newFixture(t)
		f.config.SkipGaps = true
		f.store.durable = &messages.Checkpoint{
			Partition: 2, Offset: 10, Stats: recount(t, f.records, 10),
			Topic: &messages.CountedTopic{Name: f.source.topic, Id: f.source.id},
		}
		f.source.change(2, func(l *fakeLog) { l.start, l.records = 40, l.records[40:] })
		newSystemOf(t, f, nil)
		gaps := f.store.durable.GetTopic().GetGaps()
		if len(gaps) != 1 || gaps[0].GetBase() != 10 || gaps[0].GetNext() != 40 {
			t.Errorf("gaps kept in mind are %v, want [10, 40)", gaps)
		}
		if got := f.store.durable.GetOffset(); got != 100 {
			t.Errorf("durable offset is %d, want 100", got)
		}
	})
}
