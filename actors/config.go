package actors

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// defaultDrainTimeout is how long a tree may take to finish what is in flight
// after it was asked to end, unless its Config says otherwise.
const defaultDrainTimeout = 8 * time.Second

// A Source reads the partitions of one topic. Its methods are called by several
// goroutines at once. Errors that starting over can't mend say so with a method
// Permanent() bool (messages.Permanent).
type Source interface {
	// Describe asks for the topic's identity and the range of one partition. It
	// fails with messages.ErrTopicMissing, which waiting may mend, or
	// ErrPartitionMissing.
	Describe(ctx context.Context, partition int32) (*messages.PartitionRange, error)

	// Read delivers the records of a partition from req.Offset on, in order,
	// each batch starting where the one before ended. It returns nil once it
	// has come to req.Until, ctx's error once ctx has ended, deliver's error if
	// that fails, or why it can't go on: messages.ErrTopicRecreated,
	// ErrLogTruncated, ErrOffsetGone, ErrCorruptBatch. What passes (a broker
	// that is away) it retries by itself, after telling trouble once; a nil
	// trouble says that it reads again. It keeps no goroutine and no
	// connection after it has returned.
	Read(ctx context.Context, req *messages.ReadRequest, deliver func(*messages.RecordBatch) error, trouble func(error)) error
}

// A Store keeps the checkpoint of one partition. Who has it, has the partition:
// nobody else can open it until Close. Its methods are called by one goroutine
// at a time.
type Store interface {
	// Load returns the last durable checkpoint: offset 0 and no topic if there
	// is none.
	Load() (*messages.Checkpoint, error)
	// Save makes a checkpoint durable: first its rejects, then its topic, then
	// offset and statistics in one step. After an error it may be called again
	// with the same checkpoint.
	Save(*messages.Checkpoint) (*messages.CheckpointSaved, error)
	// Reset puts what was counted of the topic with this id aside, so that Load
	// finds nothing.
	Reset(topicID []byte) error
	Close() error
}

// A Sink publishes reports. Publish, Close and Abort are called by one
// goroutine.
type Sink interface {
	// Window is the most reports that may be handed over and not yet
	// acknowledged; up to there Publish does not block.
	Window() int
	// Publish hands reports over, in order, without waiting for them. An error
	// says that it took none of the batch, and ends the run.
	Publish(*messages.ReportBatch) error
	// Acknowledged tells which reports are in the log. The channel is closed
	// when no more can come: after Close, Abort, or the first final error.
	Acknowledged() <-chan *messages.ReportsAcknowledged
	// Err says, once that channel is closed, which report could not be
	// published, and why; nil if all were.
	Err() error
	// Close ends the sink in order: everything was acknowledged.
	Close()
	// Abort ends it at once: what is not acknowledged may or may not be in the log.
	Abort()
}

// Config describes a tree of actors: Consume or Produce.
type Config interface {
	validate() error
	name() string
	drainTimeout() time.Duration
	props(done func(error)) *actor.Props
}

// Consume configures a tree that keeps the statistics of partitions.
type Consume struct {
	// Name of the root actor and tag of its events; unique among the trees of
	// an actor system. "" means "consume".
	Name string
	// Partitions to count, each once, 0 <= number. At least one.
	Partitions []int32
	// Source of the records. The caller owns it. Statistics that were counted
	// from another topic than the Source describes are refused.
	Source Source
	// Open locks and opens the store of a partition. The tree closes it.
	Open func(partition int32) (Store, error)

	// UntilEnd ends the run once every partition has come to the end that its
	// log had when it was first opened. Otherwise the run goes on until its
	// context ends.
	UntilEnd bool
	// FailOnInvalid ends the run at a record that can't be counted, once all
	// before it is saved. Otherwise such records are kept aside.
	FailOnInvalid bool
	// RejectLimit is the most bytes of rejected records kept beside a
	// partition's checkpoint; past it the run ends as with FailOnInvalid.
	// 0 means 64 MiB.
	RejectLimit int64
	// ResetOnRecreate starts over, from nothing, where the topic was deleted
	// and created anew or its log lost counted records. Otherwise that ends
	// the run.
	ResetOnRecreate bool
	// SkipGaps goes on behind records that were deleted before they were
	// counted, and records the gap. Otherwise that ends the run.
	SkipGaps bool

	// Draw brings a picture of the checkpoints up to date. It is called after
	// checkpoints were saved, never twice at once, and for at most about a
	// tenth of the time. nil: no picture.
	Draw func() error
	// DrainTimeout is how long the end may take: 0 means 8 s.
	DrainTimeout time.Duration
}

// Produce configures a tree that publishes days of weather.
type Produce struct {
	// Name of the root actor and tag of its events; unique among the trees of
	// an actor system. "" means "produce".
	Name string
	// Days to publish, in this order. The sequence is pulled by one goroutine
	// at a time, at its own pace; it may be endless.
	Days iter.Seq[weather.Observation]
	// Repeat tells whether a day is published once more with the value
	// weather.RepeatDegrees after it was acknowledged, as a lost
	// acknowledgement would repeat it. nil: never.
	Repeat func(weather.Date) bool
	// Delay between a day and the next; 0 means as fast as they are
	// acknowledged.
	Delay time.Duration
	// Sink takes the reports. The tree ends it, once it is spawned.
	Sink Sink
	// DrainTimeout is how long the end may take: 0 means 8 s.
	DrainTimeout time.Duration
}

const defaultRejectLimit = 64 << 20

var errConfig = errors.New("actors: config")

func (c Consume) validate() error {
	switch {
	case len(c.Partitions) == 0:
		return fmt.Errorf("%w: no partitions", errConfig)
	case c.Source == nil || c.Open == nil:
		return fmt.Errorf("%w: Consume needs a Source and Open", errConfig)
	case c.RejectLimit < 0:
		return fmt.Errorf("%w: RejectLimit is %d bytes, want 0 or more", errConfig, c.RejectLimit)
	case c.DrainTimeout < 0:
		return fmt.Errorf("%w: DrainTimeout is %v, want 0 or more", errConfig, c.DrainTimeout)
	}
	seen := make(map[int32]bool, len(c.Partitions))
	for _, p := range c.Partitions {
		if p < 0 || seen[p] {
			return fmt.Errorf("%w: partition %d is negative or named twice", errConfig, p)
		}
		seen[p] = true
	}
	return nil
}

func (c Consume) name() string                { return orDefault(c.Name, "consume") }
func (c Consume) drainTimeout() time.Duration { return orDefault(c.DrainTimeout, defaultDrainTimeout) }
func (c Consume) rejectLimit() int64          { return orDefault(c.RejectLimit, defaultRejectLimit) }

func (c Produce) validate() error {
	switch {
	case c.Days == nil || c.Sink == nil:
		return fmt.Errorf("%w: Produce needs Days and a Sink", errConfig)
	case c.Sink.Window() < 1:
		return fmt.Errorf("%w: the Sink's window is %d reports, want 1 or more", errConfig, c.Sink.Window())
	case c.Delay < 0:
		return fmt.Errorf("%w: Delay is %v, want 0 or more", errConfig, c.Delay)
	case c.DrainTimeout < 0:
		return fmt.Errorf("%w: DrainTimeout is %v, want 0 or more", errConfig, c.DrainTimeout)
	}
	return nil
}

func (c Produce) name() string                { return orDefault(c.Name, "produce") }
func (c Produce) drainTimeout() time.Duration { return orDefault(c.DrainTimeout, defaultDrainTimeout) }

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
