package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// newSystem makes an actor system inside the caller's synctest bubble.
func newSystem(t *testing.T) *actor.ActorSystem {
	t.Helper()
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
	t.Cleanup(func() {
		time.Sleep(2 * time.Second) // virtual: the library's throttle of dead letters ends
		system.Shutdown()
	})
	return system
}

// run starts a tree and returns its end.
func run(t *testing.T, ctx context.Context, system *actor.ActorSystem, config Config) <-chan error {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- Run(ctx, system, config) }()
	return result
}

func date(t testing.TB, s string) weather.Date {
	t.Helper()
	d, err := weather.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// days returns n consecutive days with the degrees 1, 2, 3 …
func days(t testing.TB, first string, n int) []weather.Observation {
	t.Helper()
	all := make([]weather.Observation, 0, n)
	for d := date(t, first); len(all) < n; d = d.Next() {
		all = append(all, weather.Observation{Date: d, Degrees: float64(len(all) + 1)})
	}
	return all
}

func batch(partition int32, base int64, all ...weather.Observation) *messages.RecordBatch {
	b := &messages.RecordBatch{Partition: partition, Base: base, Next: base + int64(len(all)), LastStableOffset: base + int64(len(all))}
	for _, o := range all {
		b.Dates = append(b.Dates, int32(o.Date))
		b.Degrees = append(b.Degrees, o.Degrees)
	}
	return b
}

// fakeSource is a topic in memory. A record without a date is a reject.
type fakeSource struct {
	mu      sync.Mutex
	topic   string
	id      []byte
	logs    map[int32]*fakeLog
	changed chan struct{} // closed and made anew when a log changes
}

type fakeLog struct {
	start    int64 // offset of records[0]
	records  []weather.Observation
	describe error           // what Describe fails with
	fail     map[int64]error // Read fails once, when it has come to this offset
	perBatch int
}

func newFakeSource(logs map[int32][]weather.Observation) *fakeSource {
	s := &fakeSource{topic: "temperatures", id: []byte("0123456789abcdef"), logs: map[int32]*fakeLog{}, changed: make(chan struct{})}
	for p, records := range logs {
		s.logs[p] = &fakeLog{records: records, fail: map[int64]error{}, perBatch: 7}
	}
	return s
}

func (s *fakeSource) change(partition int32, f func(*fakeLog)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.logs[partition])
	close(s.changed)
	s.changed = make(chan struct{})
}

func (l *fakeLog) end() int64 { return l.start + int64(len(l.records)) }

func (s *fakeSource) Describe(_ context.Context, partition int32) (*messages.PartitionRange, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logs[partition]
	if l == nil {
		return nil, fmt.Errorf("partition %d: %w", partition, messages.ErrPartitionMissing)
	}
	if l.describe != nil {
		return nil, l.describe
	}
	return &messages.PartitionRange{Topic: s.topic, TopicId: s.id, LogStartOffset: l.start, LastStableOffset: l.end()}, nil
}

func (s *fakeSource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, _ func(error)) error {
	for offset := req.GetOffset(); req.GetUntil() < 0 || offset < req.GetUntil(); {
		b, changed, err := s.fetch(req, offset)
		if err != nil {
			return err
		}
		if b == nil {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := deliver(b); err != nil {
			return err
		}
		offset = b.GetNext()
	}
	return nil
}

func (s *fakeSource) fetch(req *messages.ReadRequest, offset int64) (*messages.RecordBatch, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logs[req.GetPartition()]
	if !slices.Equal(req.GetTopic().GetId(), s.id) {
		return nil, nil, messages.ErrTopicRecreated
	}
	if offset < l.start {
		return nil, nil, messages.ErrOffsetGone
	}
	if err := l.fail[offset]; err != nil {
		delete(l.fail, offset)
		switch err {
		case errPanic:
			panic("a bug in the source")
		case errSkips:
			return &messages.RecordBatch{Partition: req.GetPartition(), Base: offset + 1, Next: offset + 2}, nil, nil
		}
		return nil, nil, err
	}
	if offset >= l.end() {
		return nil, s.changed, nil
	}
	b := &messages.RecordBatch{Partition: req.GetPartition(), Base: offset, LastStableOffset: l.end()}
	for offset < l.end() && int(offset-b.Base) < l.perBatch && (offset == b.Base || l.fail[offset] == nil) {
		if o := l.records[offset-l.start]; o.Date == 0 {
			b.Rejects = append(b.Rejects, &messages.Reject{Offset: offset, Reason: "not a date", Preceding: int32(len(b.Dates))})
		} else {
			b.Dates = append(b.Dates, int32(o.Date))
			b.Degrees = append(b.Degrees, o.Degrees)
		}
		offset++
	}
	b.Next = offset
	return b, nil, nil
}

var (
	// errPanic makes a fake panic instead of failing.
	errPanic = errors.New("panic")
	// errSkips makes a fakeSource leave out a record.
	errSkips = errors.New("skip a record")
)

// fakeStore is the durable state of one partition in memory.
type fakeStore struct {
	mu      sync.Mutex
	durable *messages.Checkpoint
	rejects []*messages.Reject
	saves   int
	resets  int
	open    bool
	opens   int

	saveTakes time.Duration
	saveFails []error // what the next saves fail with; nil entries succeed
	loadFails error
	hang      chan struct{} // Save waits for it, if not nil
}

func (s *fakeStore) Open() (Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		return nil, messages.Permanent(errors.New("locked"))
	}
	s.open = true
	s.opens++
	return s, nil
}

func (s *fakeStore) Load() (*messages.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.loadFails != nil {
		return nil, s.loadFails
	}
	if s.durable == nil {
		return &messages.Checkpoint{}, nil
	}
	s.rejects = slices.DeleteFunc(s.rejects, func(r *messages.Reject) bool { return r.GetOffset() >= s.durable.GetOffset() })
	return &messages.Checkpoint{
		Offset: s.durable.GetOffset(), Stats: s.durable.GetStats(), Topic: s.durable.GetTopic(), RejectBytes: sizeOf(s.rejects),
	}, nil
}

func (s *fakeStore) Save(c *messages.Checkpoint) (*messages.CheckpointSaved, error) {
	s.mu.Lock()
	hang := s.hang
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
	time.Sleep(s.saveTakes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	if len(s.saveFails) > 0 {
		err := s.saveFails[0]
		s.saveFails = s.saveFails[1:]
		if err == errPanic {
			panic("a bug in the store")
		}
		if err != nil {
			return nil, err
		}
	}
	s.rejects = append(s.rejects, c.GetRejects()...)
	s.durable = c
	return &messages.CheckpointSaved{
		Partition: c.GetPartition(), Offset: c.GetOffset(), Took: durationpb.New(s.saveTakes), RejectBytes: sizeOf(s.rejects),
	}, nil
}

func (s *fakeStore) Reset([]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.durable, s.rejects = nil, nil
	s.resets++
	return nil
}

func (s *fakeStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = false
	return nil
}

// stores makes the Open of a Consume.
func stores(all map[int32]*fakeStore) func(int32) (Store, error) {
	return func(p int32) (Store, error) { return all[p].Open() }
}

// recount is what the statistics must be: those of the records below offset.
func recount(t *testing.T, records []weather.Observation, offset int64) *messages.StatsTable {
	t.Helper()
	var s weather.Stats
	for _, o := range records[:offset] {
		if o.Date != 0 {
			s.Add(o)
		}
	}
	return messages.NewStatsTable(&s)
}
