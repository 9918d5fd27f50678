package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// renderer keeps a picture of the checkpoints up to date, without spending more
// than about a tenth of the time on it. A picture that can't be drawn is
// reported; the next checkpoint is the next try.
type renderer struct {
	publisher
	draw func() error

	// Touched only by Receive.
	stale   bool // checkpoints were saved since the last drawing
	resting *time.Timer
	pace    pace
}

// redraw says that there are new checkpoints.
type redraw struct{}

func (r *renderer) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case redraw:
		r.stale = true
		r.drawIfDue(ctx)
	case rested:
		r.resting = nil
		r.drawIfDue(ctx)
	case *messages.Drain:
		r.stopResting()
		r.drawIfDue(ctx)
		ctx.Stop(ctx.Self())
	case *actor.Stopping:
		r.stopResting()
	}
}

func (r *renderer) drawIfDue(ctx actor.Context) {
	if !r.stale || r.resting != nil {
		return
	}
	r.stale = false
	begun := time.Now()
	err := r.drawSafely()
	event := &messages.PictureDrawn{}
	if err != nil {
		event.Error = err.Error()
	}
	r.publish(&messages.Event{Event: &messages.Event_PictureDrawn{PictureDrawn: event}})
	r.resting = sendAfter(ctx, r.pace.rest(time.Since(begun)), rested{})
}

// drawSafely makes a panic an error: what draws is the host's.
func (r *renderer) drawSafely() (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("draw the picture: panic: %v", reason)
		}
	}()
	return r.draw()
}

func (r *renderer) stopResting() {
	if r.resting != nil {
		r.resting.Stop()
		r.resting = nil
	}
}
