package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/messages"
)

// errFault is why an actor fails that has nothing else to fail of.
var errFault = errors.New("a fault, as --faults wants it")

// Who fails next.
type victim int

const (
	faultyReader victim = iota
	faultyAggregator
	faultyWriter
	victims
)

// faults make actors of a demo panic, one after the other, each a while after the
// one before was mended. They come by what the actors use, a source and stores,
// as those of real life do. A nil one makes none.
type faults struct {
	every time.Duration

	mu       sync.Mutex // several actors ask
	next     victim
	due      time.Time
	mending  chan struct{} // closed once the partition that failed begins again; nil if none did
	failed   int32         // that partition
	finished bool
}

func newFaults(every time.Duration) *faults {
	return &faults{every: every, due: time.Now().Add(every)}
}

// strike says whether an actor of a partition is to fail now.
func (f *faults) strike(v victim, partition int32) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.finished || f.mending != nil || v != f.next || time.Now().Before(f.due) {
		return false
	}
	f.next, f.failed, f.mending = (f.next+1)%victims, partition, make(chan struct{})
	return true
}

// mended says that a partition begins again.
func (f *faults) mended(partition int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mending != nil && f.failed == partition {
		close(f.mending)
		f.mending, f.due = nil, time.Now().Add(f.every)
	}
}

// finish makes no more faults, and waits until the last one is mended: a
// partition that fails while it drains can't be.
func (f *faults) finish(ctx context.Context) {
	if f == nil {
		return
	}
	f.mu.Lock()
	f.finished = true
	mending := f.mending
	f.mu.Unlock()
	if mending != nil {
		select {
		case <-mending:
		case <-ctx.Done():
		}
	}
}

// into makes a consumer suffer from the faults.
func (f *faults) into(config *actors.Consume) {
	if f == nil {
		return
	}
	config.Source = faultySource{config.Source, f}
	open := config.Open
	config.Open = func(partition int32) (actors.Store, error) {
		store, err := open(partition)
		if err != nil {
			return nil, err
		}
		return faultyStore{store, f, partition}, nil
	}
}

type faultySource struct {
	actors.Source
	faults *faults
}

func (s faultySource) Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error {
	return s.Source.Read(ctx, req, func(b *messages.RecordBatch) error {
		switch {
		case s.faults.strike(faultyReader, b.GetPartition()):
			return errFault
		case s.faults.strike(faultyAggregator, b.GetPartition()):
			// As if a record had been lost: the aggregator refuses to go on.
			b = &messages.RecordBatch{Partition: b.GetPartition(), Base: b.GetBase() + 1, Next: b.GetNext() + 1}
		}
		return deliver(b)
	}, trouble)
}

type faultyStore struct {
	actors.Store
	faults    *faults
	partition int32
}

func (s faultyStore) Load() (*messages.Checkpoint, error) {
	defer s.faults.mended(s.partition)
	return s.Store.Load()
}

func (s faultyStore) Save(c *messages.Checkpoint) (*messages.CheckpointSaved, error) {
	if s.faults.strike(faultyWriter, s.partition) {
		panic(errFault)
	}
	return s.Store.Save(c)
}
