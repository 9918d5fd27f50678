package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// partition is what the root knows of one partition.
type partition struct {
	number      int32
	state       messages.State
	store       Store // locked once, before the first load; nil until then
	incarnation int64 // of the actors that run or ran last; 0: none yet
	until       int64 // where the run ends for it; unknown if < 0
	truncated   bool  // the next opening is to mend a log that lost counted records
	offset      int64 // of the last durable checkpoint
	end         int64 // last stable offset, as of the last opening

	opening chan *opened // the result of the opening that has the store, nil if none does
	group   *actor.PID   // the incarnation that runs, nil if none does
	timer   *time.Timer  // until the next opening
	failure *failure     // why group is being stopped
	backoff backoff

	lastError string
	askers    []*actor.PID // whose GetStats went to group, in order
}

// done tells whether nothing more will happen to the partition's file.
func (p *partition) done() bool {
	return p.state == messages.State_STATE_DRAINED || p.state == messages.State_STATE_FAILED
}

func (p *partition) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// answer is the root's own, while no aggregator can give one.
func (p *partition) answer() *messages.Stats {
	return &messages.Stats{
		Partition: p.number, State: p.state, Incarnation: p.incarnation,
		Offset: p.offset, SavedOffset: p.offset, LastStableOffset: p.end, LastError: p.lastError,
	}
}

// answerAll answers those whose question went down with the actors.
func (p *partition) answerAll(ctx actor.Context) {
	for _, asker := range p.askers {
		ctx.Send(asker, p.answer())
	}
	p.askers = nil
}

// ask answers GetStats, or passes it on. The aggregator's answer comes back
// here, so that every question has exactly one answer even if the aggregator
// fails on the way.
func (r *consumeRoot) ask(ctx actor.Context, msg *messages.GetStats) {
	asker := ctx.Sender()
	if asker == nil {
		return
	}
	p := r.partition(msg.GetPartition())
	switch {
	case p == nil:
		ctx.Respond(&messages.Stats{Partition: msg.GetPartition(), State: messages.State_STATE_NOT_ASSIGNED})
	case p.group == nil:
		ctx.Respond(p.answer())
	default:
		p.askers = append(p.askers, asker)
		ctx.Request(p.group, msg)
	}
}

func (r *consumeRoot) relay(ctx actor.Context, msg *messages.Stats) {
	p := r.partition(msg.GetPartition())
	if p == nil || len(p.askers) == 0 || msg.GetIncarnation() != p.incarnation {
		return // answered already, when that incarnation failed
	}
	ctx.Send(p.askers[0], msg)
	p.askers = p.askers[1:]
}

// partition returns what is known of a partition, nil if it is not ours.
func (r *consumeRoot) partition(number int32) *partition {
	for _, p := range r.partitions {
		if p.number == number {
			return p
		}
	}
	return nil
}

func (r *consumeRoot) byGroup(group *actor.PID) *partition {
	for _, p := range r.partitions {
		if p.group != nil && p.group.Equal(group) {
			return p
		}
	}
	return nil
}
