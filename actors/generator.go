package actors

import (
	"iter"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// daysPerBatch bounds what one ReportBatch of the generator holds.
const daysPerBatch = 512

// generator pulls days of weather, at its pace, and never more than the producer
// demanded.
type generator struct {
	days   iter.Seq[weather.Observation]
	repeat func(weather.Date) bool // nil: no day is repeated
	delay  time.Duration

	// Touched only by Receive.
	next     func() (weather.Observation, bool)
	stop     func()
	ahead    weather.Observation // the next day, so that the last one is known
	more     bool                // there is one
	producer *actor.PID          // who demands
	demand   int                 // days demanded and not sent yet
	due      time.Time           // when the next day is, if there is a delay
	timer    *time.Timer
	ended    bool // the last batch was sent
}

// dayDue tells the generator that its delay is over.
type dayDue struct{}

func (g *generator) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		g.next, g.stop = iter.Pull(g.days)
		g.ahead, g.more = g.next()
	case *messages.Demand:
		g.producer = ctx.Sender()
		g.demand += int(msg.GetReports())
		g.generate(ctx)
	case dayDue:
		g.timer = nil
		g.generate(ctx)
	case *actor.Stopping:
		if g.timer != nil {
			g.timer.Stop()
		}
		g.stop()
	}
}

// generate sends what was demanded and is due.
func (g *generator) generate(ctx actor.Context) {
	for g.demand > 0 && g.timer == nil && !g.ended {
		size := min(g.demand, daysPerBatch)
		if g.delay > 0 {
			size = 1
		}
		ctx.Send(g.producer, g.batch(size))
		g.demand -= size
		g.ended = !g.more
		if g.delay > 0 && !g.ended {
			g.timer = sendAfter(ctx, g.untilNext(time.Now()), dayDue{})
		}
	}
}

func (g *generator) batch(size int) *messages.ReportBatch {
	b := &messages.ReportBatch{Dates: make([]int32, 0, size), Degrees: make([]float64, 0, size)}
	for g.more && len(b.Dates) < size {
		if g.repeat != nil && g.repeat(g.ahead.Date) {
			b.Repeats = append(b.Repeats, int32(len(b.Dates)))
		}
		b.Dates = append(b.Dates, int32(g.ahead.Date))
		b.Degrees = append(b.Degrees, g.ahead.Degrees)
		g.ahead, g.more = g.next()
	}
	b.Last = !g.more
	return b
}

// untilNext keeps to a schedule, so that the delays don't add up to less than a
// day per delay; but what was missed (no demand, a machine that slept) is not
// made up for in a burst.
func (g *generator) untilNext(now time.Time) time.Duration {
	g.due = g.due.Add(g.delay)
	if g.due.Before(now) {
		g.due = now.Add(g.delay)
	}
	return g.due.Sub(now)
}
