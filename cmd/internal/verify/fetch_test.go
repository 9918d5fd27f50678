package verify

import (
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var errOutage = errors.New("no answer")

func TestWalk(t *testing.T) {
	at := func(offsets ...int64) (records []*kgo.Record) {
		for _, o := range offsets {
			records = append(records, &kgo.Record{Offset: o})
		}
		return records
	}
	cases := []struct {
		name    string
		log     map[int64]fetched // by the offset that is asked for; absent: errOutage
		visited []int64
		asked   []int64
		err     error
	}{
		{"ends at the offset wanted, though there is more", map[int64]fetched{0: {at(0, 1), 2, 9}, 2: {at(2, 3, 4, 5), 6, 9}},
			[]int64{0, 1, 2, 3, 4}, []int64{0, 2}, nil},
		{"fetches without records move on", map[int64]fetched{0: {nil, 3, 9}, 3: {at(3, 4), 5, 9}},
			[]int64{3, 4}, []int64{0, 3}, nil},
		{"holes between records", map[int64]fetched{0: {at(2), 3, 9}, 3: {at(8), 9, 9}},
			[]int64{2}, []int64{0, 3}, nil},
		{"a hole up to the end is believed the third time", map[int64]fetched{0: {at(0), 1, 9}, 1: {nil, 1, 9}},
			[]int64{0}, []int64{0, 1, 1, 1}, nil},
		{"a hole ends where a broker that is behind ends", map[int64]fetched{0: {nil, 0, 3}, 3: {at(3, 4), 5, 9}},
			[]int64{3, 4}, []int64{0, 0, 0, 3}, nil},
		{"an error ends it", map[int64]fetched{0: {at(0, 1), 2, 9}}, []int64{0, 1}, []int64{0, 2}, errOutage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var visited, asked []int64
			var last int64
			err := walk(0, 5, func(offset int64) (fetched, error) {
				asked = append(asked, offset)
				f, ok := c.log[offset]
				if !ok {
					return f, errOutage
				}
				return f, nil
			}, func(r *kgo.Record) { visited = append(visited, r.Offset) }, func(next int64) { last = next })
			if !errors.Is(err, c.err) || !slices.Equal(visited, c.visited) || !slices.Equal(asked, c.asked) {
				t.Errorf("visited %v, asked for %v, error %v\nwant %v, %v, %v", visited, asked, err, c.visited, c.asked, c.err)
			}
			if err == nil && last < 5 {
				t.Errorf("progress ended at %d, want 5", last)
			}
		})
	}
}

func TestUnpack(t *testing.T) {
	// An empty batch, kept by compaction for its last offset 7: length, crc and
	// the like are right.
	empty := kmsg.RecordBatch{FirstOffset: 5, Magic: 2, LastOffsetDelta: 2, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1}
	emptyBatch := sealed(empty)
	cases := []struct {
		name   string
		answer kmsg.FetchResponseTopicPartition
		next   int64
		err    string
		final  bool
	}{
		{"nothing up to the last stable offset", kmsg.FetchResponseTopicPartition{LastStableOffset: 9}, 5, "", false},
		{"batch that compaction emptied", kmsg.FetchResponseTopicPartition{LastStableOffset: 9, RecordBatches: emptyBatch}, 8, "", false},
		{"beyond the last stable offset", kmsg.FetchResponseTopicPartition{LastStableOffset: 5}, 0, "the broker has lost records, or is behind", false},
		{"batch that is cut short", kmsg.FetchResponseTopicPartition{LastStableOffset: 9, RecordBatches: emptyBatch[:40]}, 0,
			"batch can't be decoded: it is cut short", true},
		{"batch with a wrong checksum", kmsg.FetchResponseTopicPartition{LastStableOffset: 9, RecordBatches: flipped(emptyBatch)}, 0,
			"batch can't be decoded: encoded crc", true},
		{"not the leader", kmsg.FetchResponseTopicPartition{ErrorCode: kerr.NotLeaderForPartition.Code}, 0, kerr.NotLeaderForPartition.Error(), false},
		{"deleted meanwhile", kmsg.FetchResponseTopicPartition{ErrorCode: kerr.OffsetOutOfRange.Code}, 0, errOutOfRange.Error(), true},
		{"forbidden", kmsg.FetchResponseTopicPartition{ErrorCode: kerr.TopicAuthorizationFailed.Code}, 0, kerr.TopicAuthorizationFailed.Error(), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := unpack(&c.answer, 5, kgo.DefaultDecompressor())
			if c.err == "" {
				if err != nil || got.next != c.next || got.lastStableOffset != 9 {
					t.Errorf("got %+v, %v, want next offset %d", got, err, c.next)
				}
				return
			}
			if err == nil || len(err.Error()) < len(c.err) || err.Error()[:len(c.err)] != c.err || isFinal(err) != c.final {
				t.Errorf("got error %v, final %t; want %s, %t", err, isFinal(err), c.err, c.final)
			}
		})
	}
}

// sealed encodes a batch with the length and the checksum that belong to it.
func sealed(batch kmsg.RecordBatch) []byte {
	const lengthEnd, checksumEnd = 12, 21
	batch.Length = int32(len(batch.AppendTo(nil)) - lengthEnd)
	checked := batch.AppendTo(nil)[checksumEnd:]
	batch.CRC = int32(crc32.Checksum(checked, crc32.MakeTable(crc32.Castagnoli)))
	return batch.AppendTo(nil)
}

// flipped returns the batch with another last bit.
func flipped(batch []byte) []byte {
	batch = slices.Clone(batch)
	batch[len(batch)-1] ^= 1
	return batch
}
