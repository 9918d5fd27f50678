package actors

import (
	"errors"
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// How a consume tree ends: every partition is drained, has failed, or never
// ran; the picture is drawn once more; then the root stops itself.

// drain asks every partition to finish what is in flight.
func (r *consumeRoot) drain(ctx actor.Context) {
	if r.ending {
		return
	}
	r.ending = true
	r.cancel() // openings may wait for a broker
	r.setDeadline(ctx)
	for _, p := range r.partitions {
		switch {
		case p.group != nil:
			ctx.Send(p.group, &messages.Drain{})
		case p.timer != nil:
			p.stopTimer()
			p.state = messages.State_STATE_DRAINED
		}
	}
	r.maybeDone(ctx)
}

func (r *consumeRoot) setDeadline(ctx actor.Context) {
	if r.deadline == nil {
		r.deadline = sendAfter(ctx, drainDeadline(r.config), drainTooLong{})
	}
}

func (r *consumeRoot) drained(ctx actor.Context, msg *messages.Drained) {
	p := r.partition(msg.GetPartition())
	if p.state != messages.State_STATE_RUNNING {
		return
	}
	p.offset = msg.GetOffset()
	r.publish(&messages.Event{Event: &messages.Event_Drained{Drained: msg}})
	r.finished(ctx, p, messages.State_STATE_DRAINED)
}

func (r *consumeRoot) finished(ctx actor.Context, p *partition, state messages.State) {
	p.state = state
	r.draw(ctx) // a CheckpointSaved may have gone down with the actors
	r.maybeDone(ctx)
}

// maybeDone stops the tree once nothing is left to do.
func (r *consumeRoot) maybeDone(ctx actor.Context) {
	if r.stopping {
		return
	}
	for _, p := range r.partitions {
		if !p.done() {
			return
		}
	}
	r.ending = true
	if r.renderer != nil {
		ctx.Send(r.renderer, &messages.Drain{}) // it stops once it has drawn
		r.setDeadline(ctx)
		return
	}
	r.stopSelf(ctx)
}

// giveUp ends a drain that takes too long. Whoever waits for the run hears of it
// now: the actors may be unable to stop (a disk that hangs).
func (r *consumeRoot) giveUp(ctx actor.Context) {
	var left []string
	for _, p := range r.partitions {
		switch {
		case p.done():
		case p.opening != nil:
			left = append(left, fmt.Sprintf("partition %d was still being opened", p.number))
		default:
			left = append(left, fmt.Sprintf("partition %d above offset %d is to be counted again at the next start", p.number, p.offset))
		}
	}
	if len(left) > 0 {
		r.result = errors.Join(r.result, fmt.Errorf("%s: %w within %v: %s",
			r.config.name(), ErrDrain, r.config.drainTimeout(), strings.Join(left, ", ")))
	}
	r.done(r.result)
	r.stopSelf(ctx)
}

func (r *consumeRoot) stopSelf(ctx actor.Context) {
	r.stopping = true
	ctx.Stop(ctx.Self())
}

func (r *consumeRoot) stop() {
	if !r.stopping {
		r.stopping = true
		r.fail(fmt.Errorf("%s: %w", r.config.name(), ErrStopped))
	}
	r.cancel()
	if r.deadline != nil {
		r.deadline.Stop()
	}
	r.deadline = lastWord(r.config, r.done, r.result)
	for _, p := range r.partitions {
		p.stopTimer()
	}
}

// stopped comes after every child has stopped: nobody uses the stores any more,
// but for an opening that hangs. Its store is closed if it ever returns.
func (r *consumeRoot) stopped(ctx actor.Context) {
	for _, p := range r.partitions {
		p.answerAll(ctx)
		switch {
		case p.opening != nil:
			go func() { _ = closeStore((<-p.opening).store) }()
		default:
			if err := closeStore(p.store); err != nil {
				r.fail(err)
			}
		}
	}
	r.deadline.Stop()
	r.done(r.result)
}

func closeStore(s Store) error {
	if s == nil {
		return nil
	}
	return s.Close()
}

// draw tells the renderer that there is something new, and spawns it if need
// be: it draws nothing but what is in the files, so a new one is as good.
func (r *consumeRoot) draw(ctx actor.Context) {
	if r.config.Draw == nil || r.ending && r.renderer == nil {
		return
	}
	if r.renderer == nil {
		r.renderer = ctx.SpawnPrefix(guarded(roleRenderer, func() actor.Actor {
			return &renderer{publisher: r.publisher, draw: r.config.Draw}
		}), roleRenderer)
	}
	ctx.Send(r.renderer, redraw{})
}
