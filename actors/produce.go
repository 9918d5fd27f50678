package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// produceRoot holds a generator and a producer. Neither is ever restarted: what
// was handed over, and not acknowledged, can't be told from what was lost. Any
// failure ends the run.
type produceRoot struct {
	publisher
	config *Produce
	done   func(error)

	// Touched only on the actor's goroutine.
	started  bool
	producer *actor.PID
	deadline *time.Timer         // of the drain, then of the stop
	progress *messages.Published // what the producer last said
	stopping bool                // we stop ourselves
	result   error
}

func (c Produce) props(done func(error)) *actor.Props {
	return rootGuarded(&produceRoot{config: &c, done: done}, done)
}

func (r *produceRoot) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.start(ctx)
	case *messages.Drain:
		r.drain(ctx)
	case *messages.Published:
		r.progress = msg
	case published:
		r.end(ctx, msg.err)
	case drainTooLong:
		r.giveUp(ctx)
	case *actor.Terminated:
		r.end(ctx, fmt.Errorf("%s: %w", r.config.name(), ErrStopped))
	case *actor.Stopping, *actor.Restarting:
		r.stop()
	case *actor.Stopped:
		r.deadline.Stop()
		r.done(r.result)
	}
}

func (r *produceRoot) start(ctx actor.Context) {
	if r.started { // restarted by the host's supervisor: our actors are gone
		ctx.Stop(ctx.Self())
		return
	}
	r.started = true
	r.publisher = publisher{ctx.ActorSystem(), r.config.name()}
	generator := r.spawn(ctx, "generator", &generator{days: r.config.Days, repeat: r.config.Repeat, delay: r.config.Delay})
	r.producer = r.spawn(ctx, "producer", &producer{publisher: r.publisher, sink: r.config.Sink, generator: generator})
}

func (r *produceRoot) spawn(ctx actor.Context, role string, a actor.Actor) *actor.PID {
	pid, err := ctx.SpawnNamed(guarded(role, func() actor.Actor { return a }), role)
	if err != nil {
		panic(err) // our name is unique, so the name is free
	}
	return pid
}

// HandleFailure ends the run.
func (r *produceRoot) HandleFailure(system *actor.ActorSystem, self actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	if r.result == nil {
		r.result = asFailure(system.Logger(), "producer", reason)
	}
	self.StopChildren(child)
}

func (r *produceRoot) drain(ctx actor.Context) {
	if r.deadline != nil {
		return
	}
	r.deadline = sendAfter(ctx, drainDeadline(r.config), drainTooLong{})
	ctx.Send(r.producer, &messages.Drain{})
}

// giveUp ends a drain that takes too long. Whoever waits for the run hears of it
// now: the actors may be unable to stop (days that hang).
func (r *produceRoot) giveUp(ctx actor.Context) {
	handed, acked := r.progress.GetHandedOver(), r.progress.GetAcknowledged()
	r.end(ctx, fmt.Errorf("%s: %w within %v: %d of %d reports handed over are not acknowledged and may or may not be in the log",
		r.config.name(), ErrDrain, r.config.drainTimeout(), handed-acked, handed))
	r.done(r.result)
}

// end stops the tree, with the first error there was.
func (r *produceRoot) end(ctx actor.Context, err error) {
	if r.stopping {
		return
	}
	r.stopping = true
	if r.result == nil {
		r.result = err
	}
	ctx.Stop(ctx.Self())
}

func (r *produceRoot) stop() {
	if !r.stopping && r.result == nil {
		r.result = fmt.Errorf("%s: %w", r.config.name(), ErrStopped)
	}
	if r.deadline != nil {
		r.deadline.Stop()
	}
	r.deadline = lastWord(r.config, r.done, r.result)
}
