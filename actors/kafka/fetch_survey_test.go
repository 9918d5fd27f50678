package kafka

import (
	"errors"
	"reflect"
	"testing"
	"unsafe"

	"github.com/IBM/sarama"
)

// The rule of behindEmptied hangs on a field that sarama does not export.
func TestSaramaStillKeepsTheOffsetBehindEmptiedBatches(t *testing.T) {
	field, ok := reflect.TypeFor[sarama.FetchResponseBlock]().FieldByName("recordsNextOffset")
	if !ok || field.Type != reflect.TypeFor[*int64]() {
		t.Fatal("sarama.FetchResponseBlock has no recordsNextOffset *int64 any more: find another way to behindEmptied")
	}
}

func TestSurvey(t *testing.T) {
	sets := func(batches ...*sarama.RecordBatch) []*sarama.Records {
		var out []*sarama.Records
		for _, b := range batches {
			out = append(out, &sarama.Records{RecordBatch: b})
		}
		return out
	}
	cutAt := func(first int64) *sarama.RecordBatch {
		return &sarama.RecordBatch{FirstOffset: first, LastOffsetDelta: 9, PartialTrailingRecord: true}
	}
	one := func(first int64) *sarama.RecordBatch { return batchAt(first, january(1, 1)) }
	wideGap := one(10)
	wideGap.LastOffsetDelta = 9
	old := []*sarama.Records{{MsgSet: &sarama.MessageSet{}}}
	tests := []struct {
		name    string
		sets    []*sarama.Records
		partial bool
		behind  int64 // what sarama keeps for itself; -1 is nothing
		batches int
		next    int64
		err     error
	}{
		{"no bytes: the end of the log", nil, false, -1, 0, 10, nil},
		{"batches: behind the last one", sets(one(10), one(15)), false, 16, 2, 16, nil},
		{"the offset behind a batch counts what compaction took from its end", sets(wideGap), false, 20, 1, 20, nil},
		{"a batch that began earlier", sets(batchAt(8, january(1, 1), january(2, 2), january(3, 3))), false, 11, 1, 11, nil},
		{"a batch emptied by compaction is passed", nil, false, 14, 0, 14, nil},
		{"an emptied batch before one that is cut is passed", nil, true, 14, 0, 14, nil},
		{"an emptied batch before one whose end is missing is passed", sets(cutAt(14)), false, 24, 0, 14, nil},
		{"a cut batch alone", nil, true, -1, 0, 10, errCut},
		{"a batch whose end is missing, alone", sets(cutAt(10)), false, 20, 0, 10, errCut},
		{"a cut batch behind others comes with the next fetch", sets(one(10), cutAt(11)), false, 21, 1, 11, nil},
		{"old records alone", old, false, -1, 0, 10, errOldFormat},
		{"old records behind others come with the next fetch", append(sets(one(10)), old...), false, -1, 1, 11, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block := &sarama.FetchResponseBlock{RecordsSet: tt.sets, Partial: tt.partial}
			if tt.behind >= 0 {
				field := reflect.ValueOf(block).Elem().FieldByName("recordsNextOffset")
				*(**int64)(unsafe.Pointer(field.UnsafeAddr())) = &tt.behind
			}
			batches, next, err := survey(block, 10)
			if len(batches) != tt.batches || next != tt.next || !errors.Is(err, tt.err) {
				t.Errorf("got %d batches, next %d, %v, want %d, %d, %v", len(batches), next, err, tt.batches, tt.next, tt.err)
			}
		})
	}
}
