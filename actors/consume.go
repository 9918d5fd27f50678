package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
)

const (
	firstRespawn = 100 * time.Millisecond
	lastRespawn  = 5 * time.Second
)

// consumeRoot owns the life of every partition: it opens the store, spawns an
// incarnation, and after a failure, once all its actors have ended, opens again
// and spawns the next. It decides what ends the run.
//
// Invariant: at most one of opening, group and timer is set for a partition, so
// nobody but the incarnation's checkpoint writer, or the opening, uses its
// store.
type consumeRoot struct {
	publisher
	config *Consume
	done   func(error)

	// Touched only on the actor's goroutine: Receive and HandleFailure.
	self       *actor.PID
	ctx        context.Context // ends with the actor; for openings
	cancel     context.CancelFunc
	partitions []*partition
	renderer   *actor.PID
	ending     bool        // drains: nothing is spawned any more
	deadline   *time.Timer // of the drain, then of the stop
	stopping   bool        // we stop ourselves: all is done, or given up
	result     error
}

// Messages of the root to itself.
type (
	openingDone  struct{ partition *partition }
	reopen       struct{ partition *partition }
	drainTooLong struct{}
)

func (c Consume) props(done func(error)) *actor.Props {
	return rootGuarded(&consumeRoot{config: &c, done: done}, done)
}

func (r *consumeRoot) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.start(ctx)
	case openingDone:
		r.opened(ctx, msg.partition)
	case reopen:
		if p := msg.partition; p.timer != nil { // or it was too late to stop it
			p.timer = nil
			r.open(ctx, p)
		}
	case *messages.CheckpointSaved:
		r.checkpointSaved(ctx, msg)
	case *messages.Drained:
		r.drained(ctx, msg)
	case *messages.Drain:
		r.drain(ctx)
	case drainTooLong:
		r.giveUp(ctx)
	case *messages.GetStats:
		r.ask(ctx, msg)
	case *messages.Stats:
		r.relay(ctx, msg)
	case *actor.Terminated:
		r.terminated(ctx, msg.Who)
	case *actor.Stopping, *actor.Restarting:
		r.stop()
	case *actor.Stopped:
		r.stopped(ctx)
	}
}

func (r *consumeRoot) start(ctx actor.Context) {
	if r.ctx != nil { // restarted by the host's supervisor: our actors are gone
		ctx.Stop(ctx.Self())
		return
	}
	r.publisher, r.self = publisher{ctx.ActorSystem(), r.config.name()}, ctx.Self()
	r.ctx, r.cancel = context.WithCancel(context.Background())
	for _, number := range r.config.Partitions {
		p := &partition{number: number, until: -1, backoff: backoff{first: firstRespawn, limit: lastRespawn}}
		r.partitions = append(r.partitions, p)
		r.open(ctx, p)
	}
}

func (r *consumeRoot) open(ctx actor.Context, p *partition) {
	p.state = messages.State_STATE_OPENING
	p.opening = make(chan *opened, 1)
	o := &opening{config: r.config, partition: p.number, store: p.store, until: p.until, truncated: p.truncated}
	root, self, running, result := ctx.ActorSystem().Root, ctx.Self(), r.ctx, p.opening
	go func() {
		result <- o.run(running)
		root.Send(self, openingDone{p})
	}()
}

func (r *consumeRoot) opened(ctx actor.Context, p *partition) {
	if r.stopping {
		return // nobody would stop what is spawned now; stopped closes the store
	}
	o := <-p.opening
	p.opening, p.store = nil, o.store
	switch {
	case o.err != nil:
		r.failed(ctx, p, &failure{roleOpening, o.err})
	case r.ending:
		r.finished(ctx, p, messages.State_STATE_DRAINED)
	default:
		r.spawn(ctx, p, o)
	}
}

func (r *consumeRoot) spawn(ctx actor.Context, p *partition, o *opened) {
	p.incarnation++
	p.until, p.truncated = o.request.GetUntil(), false
	p.offset, p.end = o.request.GetOffset(), o.end
	group, err := ctx.SpawnNamed(guarded(rolePartition, func() actor.Actor {
		return &partitionActor{publisher: r.publisher, config: r.config, opened: o, incarnation: p.incarnation, lastError: p.lastError}
	}), fmt.Sprintf("partition-%d.%d", p.number, p.incarnation))
	if err != nil {
		panic(err) // incarnations are never reused, so the name is free
	}
	p.group, p.state = group, messages.State_STATE_RUNNING
	for _, text := range o.notes {
		r.publish(&messages.Event{Event: &messages.Event_PartitionNote{PartitionNote: &messages.PartitionNote{Partition: p.number, Text: text}}})
	}
	r.publish(&messages.Event{Event: &messages.Event_PartitionStarted{PartitionStarted: &messages.PartitionStarted{
		Partition: p.number, Incarnation: p.incarnation, Offset: p.offset, LastStableOffset: o.end, Topic: o.request.GetTopic(),
	}}})
	r.draw(ctx)
}

// HandleFailure stops what has failed; terminated decides what comes next. It is
// called on the root's goroutine.
func (r *consumeRoot) HandleFailure(_ *actor.ActorSystem, self actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	if p := r.byGroup(child); p != nil && p.failure == nil {
		p.failure = asFailure(r.system.Logger(), rolePartition, reason)
		if r.permanent(p.failure) { // now: a disk that hangs may keep the actors from stopping
			r.fail(p.failure.err)
			r.system.Root.Send(r.self, &messages.Drain{})
		}
	}
	self.StopChildren(child)
}

func (r *consumeRoot) terminated(ctx actor.Context, who *actor.PID) {
	if r.stopping {
		return
	}
	if r.renderer != nil && who.Equal(r.renderer) {
		r.renderer = nil
		if r.ending {
			r.maybeDone(ctx)
		}
		return
	}
	p := r.byGroup(who)
	if p == nil {
		return
	}
	f := p.failure
	if f == nil {
		f = &failure{rolePartition, ErrStopped}
	}
	p.group, p.failure = nil, nil
	if !p.done() {
		r.failed(ctx, p, f)
	}
	p.answerAll(ctx)
}

// failed decides whether a respawn can mend a failure. The partition has no
// actors now.
func (r *consumeRoot) failed(ctx actor.Context, p *partition, f *failure) {
	p.lastError = f.Error()
	permanent := r.permanent(f)
	event := &messages.PartitionFailed{
		Partition: p.number, Incarnation: p.incarnation, Role: f.role, Error: f.err.Error(), Permanent: permanent,
	}
	switch {
	case permanent:
		r.fail(f.err)
		r.finished(ctx, p, messages.State_STATE_FAILED)
		r.drain(ctx)
	case r.ending:
		if f.role != roleOpening {
			r.fail(fmt.Errorf("partition %d: stopped before everything counted was saved; what is above offset %d will be counted again: %w", p.number, p.offset, f.err))
		}
		r.finished(ctx, p, messages.State_STATE_FAILED)
	default:
		wait := p.backoff.wait()
		event.RetryIn = durationpb.New(wait)
		p.state = messages.State_STATE_BACKING_OFF
		p.truncated = p.truncated || errors.Is(f.err, messages.ErrLogTruncated)
		p.timer = sendAfter(ctx, wait, reopen{p})
	}
	r.publish(&messages.Event{Event: &messages.Event_PartitionFailed{PartitionFailed: event}})
}

func (r *consumeRoot) permanent(err error) bool {
	switch {
	case errors.Is(err, messages.ErrTopicRecreated), errors.Is(err, messages.ErrLogTruncated):
		return !r.config.ResetOnRecreate || messages.IsPermanent(err)
	case errors.Is(err, messages.ErrOffsetGone):
		return !r.config.SkipGaps || messages.IsPermanent(err)
	default:
		return messages.IsPermanent(err)
	}
}

// fail notes the first error: it is what the run ends with.
func (r *consumeRoot) fail(err error) {
	if r.result == nil {
		r.result = err
	}
}

func (r *consumeRoot) checkpointSaved(ctx actor.Context, msg *messages.CheckpointSaved) {
	p := r.partition(msg.GetPartition())
	p.offset = msg.GetOffset()
	p.backoff.reset()
	r.draw(ctx)
}
