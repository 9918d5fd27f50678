package kafka

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/IBM/sarama"

	"github.com/weatheractors/weatheractors/actors/kafka/embedded"
	"github.com/weatheractors/weatheractors/messages"
)

// script is what a broker says that the embedded one never does. It answers the
// fetches of partition 0 with blocks, and questions for the topic's id with ids,
// one after the other, the last one for ever.
type script struct {
	version int16 // of the newest fetch it knows
	ids     []sarama.Uuid
	blocks  []*sarama.FetchResponseBlock
}

func scripted(t *testing.T, blocks ...*sarama.FetchResponseBlock) Config {
	t.Helper()
	c, _ := script{version: 12, blocks: blocks, ids: []sarama.Uuid{{}}}.start(t)
	return c
}

func (s script) start(t *testing.T) (Config, *sarama.MockBroker) {
	t.Helper()
	const name = "temperatures"
	broker := sarama.NewMockBroker(t, 1)
	t.Cleanup(broker.Close)
	var fetches, metadata []any
	for _, b := range s.blocks {
		fetches = append(fetches, &sarama.FetchResponse{
			Version: s.version,
			Blocks:  map[string]map[int32]*sarama.FetchResponseBlock{name: {0: b}},
		})
	}
	for _, id := range s.ids {
		m := &sarama.MetadataResponse{Version: 11}
		m.AddBroker(broker.Addr(), 1)
		m.AddTopicPartition(name, 0, 1, []int32{1}, []int32{1}, nil, sarama.ErrNoError)
		m.Topics[0].Uuid = id
		metadata = append(metadata, m)
	}
	broker.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(t).SetApiKeys([]sarama.ApiVersionsResponseKey{
			{ApiKey: int16(embedded.Fetch), MaxVersion: s.version},
			{ApiKey: int16(embedded.ListOffsets), MaxVersion: 6},
			{ApiKey: int16(embedded.Metadata), MaxVersion: 11},
		}),
		"MetadataRequest": sarama.NewMockSequence(metadata...),
		"OffsetRequest": sarama.NewMockOffsetResponse(t).
			SetOffset(name, 0, sarama.OffsetOldest, 100).SetOffset(name, 0, sarama.OffsetNewest, 200),
		"FetchRequest": sarama.NewMockSequence(fetches...),
	})
	return Config{Brokers: []string{broker.Addr()}, Topic: name}, broker
}

// block is an answer with batches and no error.
func block(batches ...*sarama.RecordBatch) *sarama.FetchResponseBlock {
	b := &sarama.FetchResponseBlock{LastStableOffset: 200, HighWaterMarkOffset: 200}
	for _, batch := range batches {
		b.RecordsSet = append(b.RecordsSet, &sarama.Records{RecordBatch: batch})
	}
	return b
}

// emptied is a batch whose records compaction took.
func emptied(first, next int64) *sarama.RecordBatch {
	return &sarama.RecordBatch{Version: 2, FirstOffset: first, LastOffsetDelta: int32(next - first - 1), ProducerID: -1}
}

// claiming is a batch with more records than bytes.
func claiming(first int64) *sarama.RecordBatch {
	records := make([]*sarama.Record, 5000)
	for i := range records {
		records[i] = &sarama.Record{}
	}
	b := &sarama.RecordBatch{Version: 2, FirstOffset: first, LastOffsetDelta: 4999, ProducerID: -1, Records: records}
	b.Codec, b.CompressionLevel = sarama.CompressionGZIP, sarama.CompressionLevelDefault
	return b
}

func TestReadPassesBatchesThatCompactionEmptied(t *testing.T) {
	for _, version := range []int16{12, 11} {
		c, broker := script{version: version, ids: []sarama.Uuid{{}}, blocks: []*sarama.FetchResponseBlock{
			block(emptied(100, 150)),
			block(emptied(150, 160), emptied(160, 170)),
			block(emptied(170, 180), batchAt(180, january(1, 7)), emptied(181, 190)),
			block(emptied(181, 190)),
			block(batchAt(199, january(2, 8))),
		}}.start(t)
		r := read(t, c, &messages.ReadRequest{Offset: 100, Until: 200})
		for _, want := range []int64{150, 170} {
			if b := r.batch(); b.Next != want || len(b.Dates) != 0 {
				t.Errorf("fetch version %d: got %v, want no record up to %d", version, b, want)
			}
		}
		if got := r.upTo(200); !slices.Equal(got, []int{7, 8}) {
			t.Errorf("fetch version %d: got %v, want 7 and 8", version, got)
		}
		if err := r.end(); err != nil {
			t.Errorf("fetch version %d: %v", version, err)
		}
		for _, asked := range broker.History() {
			f, ok := asked.Request.(*sarama.FetchRequest)
			if ok && (f.Version != version || f.SessionEpoch != -1 || f.MinBytes != 1 || f.Isolation != sarama.ReadCommitted) {
				t.Errorf("asked with %+v, want version %d, no session, committed records", f, version)
			}
		}
	}
}

func TestReadEndsAtWhatItCanNotDecode(t *testing.T) {
	t.Parallel()
	old := &sarama.FetchResponseBlock{}
	old.RecordsSet = []*sarama.Records{{MsgSet: &sarama.MessageSet{Messages: []*sarama.MessageBlock{
		{Offset: 101, Msg: &sarama.Message{Version: 1, Value: []byte("x"), CompressionLevel: sarama.CompressionLevelDefault}},
	}}}}
	for name, bad := range map[string]*sarama.FetchResponseBlock{
		"a batch that claims more records than it has bytes": block(claiming(101)),
		"the format of Kafka before 0.11":                    old,
		"a batch that the broker can't read":                 {Err: sarama.ErrInvalidMessage},
		"a compression that this fetch can't have":           {Err: sarama.ErrUnsupportedCompressionType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := batchAt(100, january(1, 7))
			good.PartitionLeaderEpoch = -1 // so that nobody asks for it again
			r := read(t, scripted(t, block(good), bad), &messages.ReadRequest{Offset: 100, Until: -1})
			if got := r.upTo(101); !slices.Equal(got, []int{7}) {
				t.Errorf("got %v, want what comes before it", got)
			}
			err := r.end()
			if !errors.Is(err, messages.ErrCorruptBatch) || !messages.IsPermanent(err) {
				t.Errorf("got %v, want permanently %v", err, messages.ErrCorruptBatch)
			}
			mustContain(t, err, "read partition 0 of temperatures: ", "offset 101")
			r.noMore()
		})
	}
}

// Apache Kafka does not tell the log's range in a fetch that is out of it, and
// answers with -1.
func TestReadAsksForTheRangeThatAFetchIsOutOf(t *testing.T) {
	t.Parallel()
	out := &sarama.FetchResponseBlock{Err: sarama.ErrOffsetOutOfRange, HighWaterMarkOffset: -1, LastStableOffset: -1, LogStartOffset: -1}
	err := read(t, scripted(t, out), &messages.ReadRequest{Offset: 50, Until: -1}).end()
	if !errors.Is(err, messages.ErrOffsetGone) {
		t.Errorf("got %v, want %v", err, messages.ErrOffsetGone)
	}
	mustContain(t, err, "offsets 50 to 99", "begins at 100")

	err = read(t, scripted(t, out), &messages.ReadRequest{Offset: 201, Until: -1}).end()
	if !errors.Is(err, messages.ErrLogTruncated) {
		t.Errorf("got %v, want %v", err, messages.ErrLogTruncated)
	}
	mustContain(t, err, "offset 201 is beyond its end, 200")
}

func TestReadDoesNotBelieveOneStaleAnswer(t *testing.T) {
	t.Parallel()
	out := &sarama.FetchResponseBlock{Err: sarama.ErrOffsetOutOfRange, HighWaterMarkOffset: -1, LastStableOffset: -1, LogStartOffset: -1}
	c := scripted(t, out, block(batchAt(201, january(1, 7))), out, block(batchAt(202, january(2, 8))))
	r := read(t, c, &messages.ReadRequest{Offset: 201, Until: 203})
	if got := r.upTo(203); !slices.Equal(got, []int{7, 8}) {
		t.Errorf("got %v, want 7 and 8", got)
	}
}

// The order of questions is: metadata to find the leader, the leader for the
// id, a fetch, the leader for the id again.
func TestReadChecksTheTopicAfterEachFetch(t *testing.T) {
	t.Parallel()
	ours, other := sarama.Uuid{1}, sarama.Uuid{2}
	wanted := &messages.ReadRequest{Offset: 100, Until: 102, Topic: &messages.CountedTopic{Id: ours[:]}}
	blocks := []*sarama.FetchResponseBlock{block(batchAt(100, january(1, 7))), block(batchAt(101, january(2, 8)))}

	readOf := func(ids ...sarama.Uuid) *reading {
		c, _ := script{version: 12, ids: ids, blocks: blocks}.start(t)
		return read(t, c, wanted)
	}
	r := readOf(ours, ours, ours, other)
	if got := r.upTo(101); !slices.Equal(got, []int{7}) {
		t.Errorf("got %v, want what was fetched before the id changed", got)
	}
	if err := r.end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("got %v, want %v", err, messages.ErrTopicRecreated)
	}
	r.noMore()

	blocks = []*sarama.FetchResponseBlock{{LastStableOffset: 100, HighWaterMarkOffset: 100}}
	r = readOf(ours, ours, other)
	if err := r.end(); !errors.Is(err, messages.ErrTopicRecreated) {
		t.Errorf("after an empty fetch: got %v, want %v", err, messages.ErrTopicRecreated)
	}

	// A broker that has not heard the latest: what it sent is fetched again.
	blocks = []*sarama.FetchResponseBlock{block(batchAt(100, january(1, 6))), block(batchAt(100, january(1, 7), january(2, 8)))}
	r = readOf(ours, ours, other, ours)
	if got := r.upTo(102); !slices.Equal(got, []int{7, 8}) {
		t.Errorf("after one stale answer: got %v, want 7 and 8", got)
	}
}

func TestReadTellsOfABrokerThatKeepsRecordsBack(t *testing.T) {
	t.Parallel()
	c := scripted(t, block(), block(), block(), block(batchAt(100, january(1, 7))))
	r := read(t, c, &messages.ReadRequest{Offset: 100, Until: 101})
	if err := await(t, "trouble", r.troubles); !errors.Is(err, errStarved) {
		t.Errorf("got %v, want %v", err, errStarved)
	}
	if got := r.upTo(101); !slices.Equal(got, []int{7}) {
		t.Errorf("got %v, want 7", got)
	}
}

func TestReadWaitsForANewLeaderToCatchUp(t *testing.T) {
	t.Parallel()
	behind := &sarama.FetchResponseBlock{HighWaterMarkOffset: 99}
	c := scripted(t, behind, block(batchAt(99, january(1, 6))), block(batchAt(100, january(1, 7))))
	r := read(t, c, &messages.ReadRequest{Offset: 100, Until: 101, Topic: &messages.CountedTopic{Epochs: epochs{{}}}})
	if err := await(t, "trouble", r.troubles); !errors.Is(err, sarama.ErrOffsetNotAvailable) {
		t.Errorf("got %v, want %v", err, sarama.ErrOffsetNotAvailable)
	}
	if got := r.upTo(101); !slices.Equal(got, []int{7}) {
		t.Errorf("got %v, want 7", got)
	}
}

// flipping turns a bit of what it reads, if that holds needle, as many times as
// are left.
type flipping struct {
	net.Conn
	needle []byte
	left   *atomic.Int32
}

func (c flipping) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if i := bytes.Index(p[:n], c.needle); i >= 0 && c.left.Add(-1) >= 0 {
		p[i] ^= 1
	}
	return n, err
}

type dial func(network, address string) (net.Conn, error)

func (d dial) Dial(network, address string) (net.Conn, error) { return d(network, address) }

func TestReadOfBrokenBytes(t *testing.T) {
	_, c := startTopic(t, embedded.Config{})
	f := filler(t, c)
	for i := range 9 {
		f.numbers(i, i+1)
	}
	flip := func(times int32) *reading {
		req := from(t, c, 0, 9)
		return readWith(t, req, func(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
			l, err := newLink(ctx, c, 0)
			if err != nil {
				return err
			}
			var left atomic.Int32
			left.Store(times)
			through := l.witness.dialer
			l.witness.dialer = dial(func(network, address string) (net.Conn, error) {
				conn, err := through.Dial(network, address)
				return flipping{conn, []byte("1990-01-06"), &left}, err
			})
			return l.read(ctx, req, deliver, trouble)
		})
	}
	r := flip(1)
	if got := r.upTo(9); !slices.Equal(got, upFrom(0, 9)) {
		t.Errorf("broken once on its way: got %v, want 0 to 8", got)
	}
	if err := r.end(); err != nil {
		t.Errorf("broken once on its way: %v", err)
	}
	r = flip(1000)
	if got := r.upTo(5); !slices.Equal(got, upFrom(0, 5)) {
		t.Errorf("broken in the log: got %v, want 0 to 4", got)
	}
	err := r.end()
	if !errors.Is(err, messages.ErrCorruptBatch) || !messages.IsPermanent(err) {
		t.Errorf("got %v, want permanently %v", err, messages.ErrCorruptBatch)
	}
	mustContain(t, err, "offset 5", "CRC")
	r.noMore()
}

func TestReadEndsAtADecompressionBomb(t *testing.T) {
	limit := sarama.MaxDecompressedBatchSize
	defer func() { sarama.MaxDecompressedBatchSize = limit }()
	sarama.MaxDecompressedBatchSize = 100_000
	_, c := startTopic(t, embedded.Config{})
	filler(t, c).numbers(0, 5)
	filler(t, c, func(conf *sarama.Config) { conf.Producer.Compression = sarama.CompressionZSTD }).
		send(&sarama.Record{Value: make([]byte, 200_000)})
	r := read(t, c, from(t, c, 0, -1))
	if got := r.upTo(5); !slices.Equal(got, upFrom(0, 5)) {
		t.Errorf("got %v, want 0 to 4", got)
	}
	err := r.end()
	if !errors.Is(err, messages.ErrCorruptBatch) || !errors.Is(err, sarama.ErrDecompressedBatchTooLarge) {
		t.Errorf("got %v, want %v", err, sarama.ErrDecompressedBatchTooLarge)
	}
	mustContain(t, err, "offset 5")
}
