package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

var (
	// ErrStopped ends a run whose root was stopped by its host, or failed.
	ErrStopped = errors.New("actors were stopped before they were done")
	// ErrDrain ends a run that could not finish in time what was in flight.
	ErrDrain = errors.New("could not finish what was in flight")
)

// lastResort is how long Run waits, after a tree should have ended, for a tree
// that hangs (in a system call of a dead disk, say).
const lastResort = 500 * time.Millisecond

// Run spawns the tree that config describes, as config's Name, and returns when
// it has ended: nil if it came to its end, or if ctx ended and everything in
// flight was finished; otherwise why not. It takes at most the drain timeout
// after ctx has ended. Where a disk hangs longer than that, actors of the tree
// may outlive Run; they keep the lock of their partition.
func Run(ctx context.Context, system *actor.ActorSystem, config Config) error {
	result := make(chan error, 1)
	props, err := Props(config, func(err error) { result <- err })
	if err != nil {
		return err
	}
	root, err := system.Root.SpawnNamed(props, config.name())
	if err != nil {
		return fmt.Errorf("spawn %s: %w", config.name(), err)
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
	}
	system.Root.Send(root, &messages.Drain{})
	deadline := time.NewTimer(config.drainTimeout())
	defer deadline.Stop()
	select {
	case err := <-result:
		return err
	case <-deadline.C:
		return noAnswer(config)
	}
}

// Props makes the root of the tree that config describes, for a host that
// spawns it where it likes. done is called exactly once, by a goroutine
// of the tree, with what Run would return; it must not block. The root takes
// messages.Drain, as an end of Run's context, and messages.GetStats.
func Props(config Config, done func(error)) (*actor.Props, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	if done == nil {
		return nil, fmt.Errorf("%w: nobody to be told how it ends", errConfig)
	}
	var once sync.Once
	return config.props(func(err error) { once.Do(func() { done(err) }) }), nil
}

// lastWord says how a run has ended, after a while, in case the actors of its
// tree can't stop. The root stops the timer when they have.
func lastWord(config Config, done func(error), result error) *time.Timer {
	if result == nil {
		result = noAnswer(config)
	}
	return time.AfterFunc(config.drainTimeout(), func() { done(result) })
}

func noAnswer(config Config) error {
	return fmt.Errorf("%s: %w within %v: its actors do not answer", config.name(), ErrDrain, config.drainTimeout())
}

// drainDeadline is when a root gives up on a drain: before Run does, so that the
// error can say what is left.
func drainDeadline(config Config) time.Duration {
	return max(config.drainTimeout()-lastResort, config.drainTimeout()/2)
}
