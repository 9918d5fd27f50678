package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// Roles of the actors below a consume root, as failures name them.
const (
	roleReader     = "reader"
	roleAggregator = "aggregator"
	roleWriter     = "checkpoint-writer"
	rolePartition  = "partition"
	roleRenderer   = "renderer"
	roleOpening    = "opening"
)

// partitionActor is one incarnation of a partition: it holds the reader, the
// aggregator and the checkpoint writer together, so that they end together. It
// mends nothing: any failure goes to the root.
type partitionActor struct {
	publisher
	config      *Consume
	opened      *opened
	incarnation int64
	lastError   string // why the incarnation before ended

	// Touched only by Receive.
	reader, aggregator *actor.PID
}

func (p *partitionActor) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.start(ctx)
	case *messages.Drain:
		ctx.Send(p.reader, msg)
	case *messages.GetStats:
		ctx.Forward(p.aggregator)
	case *messages.Drained, *messages.CheckpointSaved:
		ctx.Send(ctx.Parent(), msg)
	}
}

func (p *partitionActor) start(ctx actor.Context) {
	writer := p.spawn(ctx, roleWriter, newCheckpointWriter(p.publisher, p.opened.store))
	p.aggregator = p.spawn(ctx, roleAggregator, &aggregator{
		publisher:   p.publisher,
		partition:   p.opened.partition,
		incarnation: p.incarnation,
		writer:      writer,
		rejectLimit: p.config.rejectLimit(),
		failInvalid: p.config.FailOnInvalid,
		offset:      p.opened.request.GetOffset(),
		saved:       p.opened.request.GetOffset(),
		stats:       p.opened.stats,
		topic:       p.opened.request.GetTopic(),
		rejectBytes: p.opened.rejectBytes,
		end:         p.opened.end,
		lastError:   p.lastError,
	})
	p.reader = p.spawn(ctx, roleReader, &reader{
		publisher:  p.publisher,
		source:     p.config.Source,
		request:    p.opened.request,
		aggregator: p.aggregator,
	})
}

// spawn makes a child. Each is made once and never restarted, so the actor can
// be made beforehand.
func (p *partitionActor) spawn(ctx actor.Context, role string, a actor.Actor) *actor.PID {
	pid, err := ctx.SpawnNamed(guarded(role, func() actor.Actor { return a }), role)
	if err != nil {
		panic(err) // the incarnation is in our name, so the name is free
	}
	return pid
}

// HandleFailure passes a child's failure on to the root.
func (p *partitionActor) HandleFailure(_ *actor.ActorSystem, self actor.Supervisor, _ *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	self.EscalateFailure(reason, message)
}
