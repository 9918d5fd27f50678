package actors

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// frailSource delivers one batch, and fails: each time for another reason. Every
// so many incarnations, as pauses says, it says so and waits to go on.
type frailSource struct {
	incarnations int64
	store        *fakeStore
	pauses       int64
	paused, goOn chan struct{}
}

func (s *frailSource) Describe(context.Context, int32) (*messages.PartitionRange, error) {
	return &messages.PartitionRange{Topic: "temperatures", TopicId: []byte("0123456789abcdef"), LastStableOffset: 1 << 40}, nil
}

func (s *frailSource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	s.incarnations++
	// The same day again and again: the offset moves, the statistics do not grow.
	b := &messages.RecordBatch{Partition: req.GetPartition(), Base: req.GetOffset(), Next: req.GetOffset() + 1, Dates: []int32{1990<<9 | 1<<5 | 1}, Degrees: []float64{1}}
	if err := deliver(b); err != nil {
		return err
	}
	if s.incarnations%s.pauses == 0 {
		s.paused <- struct{}{}
		<-s.goOn
	}
	switch s.incarnations % 4 {
	case 0:
		panic("a bug in the source")
	case 1:
		if err := deliver(b); err != nil { // refused: the aggregator panics
			return err
		}
	case 2:
		s.store.mu.Lock()
		s.store.saveFails = []error{errPanic}
		s.store.mu.Unlock()
		if err := deliver(&messages.RecordBatch{Partition: req.GetPartition(), Base: b.Next, Next: b.Next + 1}); err != nil {
			return err
		}
	default:
		trouble(errors.New("connection lost"))
		return errors.New("connection lost")
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestRestartsLeakNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const restarts, looks = 1000, 4
		store := &fakeStore{}
		source := &frailSource{store: store, pauses: restarts / looks, paused: make(chan struct{}), goOn: make(chan struct{})}
		system := newSystem(t)
		ctx, cancel := context.WithCancel(t.Context())
		result := run(t, ctx, system, Consume{
			Partitions: []int32{2}, Source: source, Open: stores(map[int32]*fakeStore{2: store}), Draw: func() error { return nil },
		})
		var goroutines []int
		var registered [][]string
		var heap []uint64 // bytes
		for range looks {
			<-source.paused
			time.Sleep(10 * time.Second) // for timers and dead letters
			for range 10 {
				_, err := system.Root.RequestFuture(actor.NewPID(system.Address(), "consume"), &messages.GetStats{Partition: 2}, time.Minute).Result()
				if err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			goroutines = append(goroutines, runtime.NumGoroutine())
			registered = append(registered, processes(system))
			var m runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&m)
			heap = append(heap, m.HeapAlloc)
			source.goOn <- struct{}{}
		}
		t.Logf("after each %d restarts: %d goroutines, %d bytes, and at last these processes: %v", source.pauses, goroutines, heap, registered[len(registered)-1])
		first, last := 0, looks-1
		if goroutines[last] > goroutines[first]+10 { // some are the runtime's
			t.Errorf("goroutines: %d", goroutines)
		}
		if len(registered[last]) > len(registered[first]) {
			t.Errorf("processes at first and at last: %v, %v", registered[first], registered[last])
		}
		// The library's registry is made of 32,768 maps, each of which takes 270
		// bytes when a name first falls to it, and an incarnation has four names.
		// If it were left behind itself it would take 7,000 bytes.
		if grown := (int64(heap[last]) - int64(heap[first])) / (restarts - restarts/looks); grown > 2500 {
			t.Errorf("memory grows by %d bytes with each restart: %d", grown, heap)
		}
		cancel()
		<-result // whichever failure comes first
	})
}
