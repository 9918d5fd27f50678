package kafka

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/IBM/sarama"
	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// report is the value of a record.
func report(date string, degrees float64) []byte {
	value, err := proto.Marshal(&messages.Report{Date: date, Degrees: degrees})
	if err != nil {
		panic(err)
	}
	return value
}

// january is a record of a day in January 1990.
func january(day int, degrees float64) *sarama.Record {
	return &sarama.Record{Key: []byte("January"), Value: report(fmt.Sprintf("1990-01-%02d", day), degrees)}
}

// batchAt puts records one behind the other, from offset first on.
func batchAt(first int64, records ...*sarama.Record) *sarama.RecordBatch {
	for i, r := range records {
		r.OffsetDelta = int64(i)
	}
	return &sarama.RecordBatch{
		Version:         2,
		FirstOffset:     first,
		LastOffsetDelta: int32(max(len(records)-1, 0)),
		ProducerID:      -1,
		Records:         records,
	}
}

// transactional makes b part of a transaction of a producer.
func transactional(producer int64, b *sarama.RecordBatch) *sarama.RecordBatch {
	b.ProducerID, b.IsTransactional = producer, true
	return b
}

// marker ends a transaction of a producer.
func marker(first, producer int64, commit bool) *sarama.RecordBatch {
	key := []byte{0, 0, 0, 0}
	if commit {
		key[3] = 1
	}
	b := transactional(producer, batchAt(first, &sarama.Record{Key: key, Value: make([]byte, 6)}))
	b.Control = true
	return b
}

func days(b *messages.RecordBatch) string {
	var out []string
	for i, date := range b.Dates {
		out = append(out, fmt.Sprintf("%d:%v", weather.Date(date).Day(), b.Degrees[i]))
	}
	return strings.Join(out, " ")
}

func TestDecode(t *testing.T) {
	sparse := batchAt(10, january(1, 1), january(2, 2), january(3, 3))
	sparse.Records[1].OffsetDelta, sparse.Records[2].OffsetDelta, sparse.LastOffsetDelta = 4, 7, 9
	aborted := func(producer, first int64) *sarama.AbortedTransaction {
		return &sarama.AbortedTransaction{ProducerID: producer, FirstOffset: first}
	}
	tests := []struct {
		name    string
		base    int64
		aborted []*sarama.AbortedTransaction
		batches []*sarama.RecordBatch
		want    string
	}{
		{"records come in order, batch by batch", 0, nil,
			[]*sarama.RecordBatch{batchAt(0, january(1, 1), january(2, 2)), batchAt(2, january(3, 3))}, "1:1 2:2 3:3"},
		{"records below the base of a batch that begins earlier are skipped", 1, nil,
			[]*sarama.RecordBatch{batchAt(0, january(1, 1), january(2, 2))}, "2:2"},
		{"compaction leaves gaps in a batch", 14, nil, []*sarama.RecordBatch{sparse}, "2:2 3:3"},
		{"control records are not counted", 0, nil,
			[]*sarama.RecordBatch{transactional(7, batchAt(0, january(1, 1))), marker(1, 7, true)}, "1:1"},
		{"an aborted transaction is not counted, up to its abort marker", 0, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{
				transactional(7, batchAt(0, january(1, 1))), transactional(7, batchAt(1, january(2, 2))), marker(2, 7, false),
				transactional(7, batchAt(3, january(3, 3))), marker(4, 7, true),
			}, "3:3"},
		{"other producers are counted between an aborted transaction's records", 0, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{
				transactional(7, batchAt(0, january(1, 1))), transactional(8, batchAt(1, january(2, 2))),
				batchAt(2, january(3, 3)), transactional(7, batchAt(3, january(4, 4))), marker(4, 8, true), marker(5, 7, false),
			}, "2:2 3:3"},
		{"a commit marker of another producer ends no abort", 0, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{marker(0, 8, true), transactional(7, batchAt(1, january(1, 1))), marker(2, 7, false)}, ""},
		{"a commit marker ends no abort", 0, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{marker(0, 7, true), transactional(7, batchAt(1, january(1, 1)))}, ""},
		{"transactions begin at their first offset, in whatever order they are listed", 0,
			[]*sarama.AbortedTransaction{aborted(7, 5), aborted(8, 1)},
			[]*sarama.RecordBatch{
				transactional(7, batchAt(0, january(1, 1))), transactional(8, batchAt(1, january(2, 2))), marker(2, 7, true),
				marker(3, 8, false), transactional(8, batchAt(4, january(3, 3))), transactional(7, batchAt(5, january(4, 4))),
			}, "1:1 3:3"},
		{"a transaction that began before the fetch is aborted from its start", 5, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{transactional(7, batchAt(5, january(1, 1))), marker(6, 7, false), transactional(7, batchAt(7, january(2, 2)))}, "2:2"},
		{"an aborted producer's records outside of a transaction are counted", 0, []*sarama.AbortedTransaction{aborted(7, 0)},
			[]*sarama.RecordBatch{{FirstOffset: 0, ProducerID: 7, Records: []*sarama.Record{january(1, 1)}}}, "1:1"},
		{"nothing", 0, nil, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := decoded(3, &fetched{base: tt.base, next: 99, batches: tt.batches, aborted: tt.aborted, lastStable: 98})
			if days(got) != tt.want {
				t.Errorf("got days %q, want %q", days(got), tt.want)
			}
			if len(got.Rejects) != 0 {
				t.Errorf("got rejects %v, want none", got.Rejects)
			}
			if got.Partition != 3 || got.Base != tt.base || got.Next != 99 || got.LastStableOffset != 98 {
				t.Errorf("got %v, want partition 3, [%d, 99) and last stable offset 98", got, tt.base)
			}
		})
	}
}

func TestDecodeKeepsRejectsAside(t *testing.T) {
	long := bytes.Repeat([]byte{0xff}, 5<<10)
	batch := batchAt(20,
		january(1, 1),
		&sarama.Record{Key: long, Value: long},
		january(2, 2),
		&sarama.Record{Key: []byte("March"), Value: report("1990-01-03", 3)},
		&sarama.Record{},
	)
	got := decoded(0, &fetched{base: 20, next: 25, batches: []*sarama.RecordBatch{batch}})
	if days(got) != "1:1 2:2" {
		t.Errorf("got days %q, want those of the valid records", days(got))
	}
	if len(got.Rejects) != 3 {
		t.Fatalf("got %d rejects, want 3", len(got.Rejects))
	}
	for i, want := range []struct {
		offset     int64
		preceding  int32
		key, value []byte
	}{{21, 1, long[:4<<10], long[:4<<10]}, {23, 2, []byte("March"), report("1990-01-03", 3)}, {24, 2, nil, nil}} {
		r := got.Rejects[i]
		if r.Offset != want.offset || r.Preceding != want.preceding || !bytes.Equal(r.Key, want.key) || !bytes.Equal(r.Value, want.value) {
			t.Errorf("reject %d: got offset %d after %d records, key of %d bytes, value of %d; want %d after %d, %d and %d",
				i, r.Offset, r.Preceding, len(r.Key), len(r.Value), want.offset, want.preceding, len(want.key), len(want.value))
		}
		if r.Reason == "" || !utf8.ValidString(r.Reason) {
			t.Errorf("reject %d: reason %q, want UTF-8", i, r.Reason)
		}
	}
	clear(long)
	if got.Rejects[0].Value[0] != 0xff {
		t.Error("a reject aliases the answer's buffer")
	}
	if _, err := proto.Marshal(got); err != nil {
		t.Error(err)
	}
}

// Whatever stands in a record, it is either counted or kept aside, and the
// batch can be sent.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("January"), report("1990-01-31", 31.5))
	f.Add([]byte("July"), report("1990-01-31", 31.5))
	f.Add([]byte(nil), []byte(nil))
	f.Add([]byte("\xff"), []byte("\x0a\x0a1990-13-01"))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		batch := batchAt(5, january(1, 1), &sarama.Record{Key: key, Value: value}, january(2, 2))
		got := decoded(0, &fetched{base: 5, next: 8, batches: []*sarama.RecordBatch{batch}})
		if len(got.Dates) != len(got.Degrees) || len(got.Dates)+len(got.Rejects) != 3 || len(got.Rejects) > 1 {
			t.Fatalf("got %v, want each of 3 records either counted or rejected", got)
		}
		for _, r := range got.Rejects {
			if r.Offset != 6 || r.Preceding != 1 || len(r.Key) > maxRejectBytes || len(r.Value) > maxRejectBytes {
				t.Errorf("got reject %v, want that of offset 6 after 1 record, cut to 4 KiB", r)
			}
		}
		if _, err := proto.Marshal(got); err != nil {
			t.Error(err)
		}
	})
}

func TestDecodeAllocatesPerColumnNotPerRecord(t *testing.T) {
	f := benchmarkFetch(10_000)
	if n := testing.AllocsPerRun(10, func() { decoded(0, f) }); n > 10 {
		t.Errorf("%v allocations for 10,000 records, want at most 10", n)
	}
}

func benchmarkFetch(n int) *fetched {
	records := make([]*sarama.Record, n)
	for i := range records {
		records[i] = january(i%31+1, float64(i)/8)
	}
	return &fetched{next: int64(n), batches: []*sarama.RecordBatch{batchAt(0, records...)}}
}

func BenchmarkDecode(b *testing.B) {
	const n = 25_000 // about 1 MiB
	f := benchmarkFetch(n)
	b.ReportAllocs()
	for b.Loop() {
		decoded(0, f)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}

// decoded is what f is decoded to, if that is one message.
func decoded(partition int32, f *fetched) *messages.RecordBatch {
	var only *messages.RecordBatch
	for b := range decode(partition, f) {
		if only != nil {
			panic("more than one message")
		}
		only = b
	}
	return only
}

func TestBatchesTellTheTimeOfTheirLatestRecord(t *testing.T) {
	at := func(ms int64, b *sarama.RecordBatch) *sarama.RecordBatch {
		b.MaxTimestamp = time.UnixMilli(ms)
		return b
	}
	for _, tt := range []struct {
		name    string
		batches []*sarama.RecordBatch
		want    int64
	}{
		{"the latest of all batches", []*sarama.RecordBatch{at(5000, batchAt(0, january(1, 1))), at(4000, batchAt(1, january(2, 2)))}, 5000},
		{"control records have none that counts", []*sarama.RecordBatch{at(5000, batchAt(0, january(1, 1))), at(6000, marker(1, 7, true))}, 5000},
		{"a time before 1970 is none", []*sarama.RecordBatch{at(-5000, batchAt(0, january(1, 1)))}, 0},
		{"no time", []*sarama.RecordBatch{batchAt(0, january(1, 1))}, 0},
	} {
		if got := decoded(0, &fetched{next: 2, batches: tt.batches}).GetLastTimestamp(); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestManyRejectsComeInSeveralMessages(t *testing.T) {
	const n = 2*maxRejects + 100
	records := make([]*sarama.Record, 0, 2*n)
	for range n { // a good one before each bad one
		records = append(records, january(1, 1), &sarama.Record{Value: []byte("rubbish")})
	}
	f := &fetched{base: 10, next: 10 + 2*n, batches: []*sarama.RecordBatch{batchAt(10, records...)},
		epochs: epochs{{Epoch: 1, FirstOffset: 10}, {Epoch: 2, FirstOffset: 10 + 2*n - 1}}}
	base, dates, rejects, begun := f.base, 0, 0, 0
	for b := range decode(0, f) {
		if b.Base != base || b.Next <= b.Base || len(b.Rejects) > maxRejects {
			t.Fatalf("a message of [%d, %d) with %d rejects follows offset %d", b.Base, b.Next, len(b.Rejects), base)
		}
		for i, r := range b.Rejects {
			if want := b.Base + int64(2*i+1); r.Offset != want || int(r.Preceding) != i+1 {
				t.Fatalf("reject %d is of offset %d after %d records, want %d after %d", i, r.Offset, r.Preceding, want, i+1)
			}
		}
		base, dates, rejects, begun = b.Next, dates+len(b.Dates), rejects+len(b.Rejects), begun+len(b.Epochs)
	}
	if base != f.next || dates != n || rejects != n || begun != 2 {
		t.Errorf("got %d records, %d rejects and %d epochs up to offset %d, want %d, %d and 2 up to %d", dates, rejects, begun, base, n, n, f.next)
	}
}

func TestTheLastRejectOfAMessageMayBeTheLastOfAll(t *testing.T) {
	records := make([]*sarama.Record, maxRejects)
	for i := range records {
		records[i] = &sarama.Record{}
	}
	b := decoded(0, &fetched{next: maxRejects, batches: []*sarama.RecordBatch{batchAt(0, records...)}})
	if b.Next != maxRejects || len(b.Rejects) != maxRejects {
		t.Errorf("got %d rejects up to offset %d, want %d", len(b.Rejects), b.Next, maxRejects)
	}
}
