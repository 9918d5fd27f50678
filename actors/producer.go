package actors

import (
	"cmp"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// producer hands days over to the sink, and some of them once more after they
// were acknowledged. It demands of the generator only what the sink's window
// has room for.
//
// Invariant: handed over and not acknowledged + demanded + waiting to be
// repeated <= window.
type producer struct {
	publisher
	sink      Sink
	generator *actor.PID

	// Touched only by Receive.
	number   int64  // of the last report handed over
	sent     []sent // batches with reports that are not acknowledged, by number
	inFlight int    // reports handed over and not acknowledged
	demanded int
	progress messages.Published // counts only; copied to be sent
	last     bool               // the generator has no more
	draining bool
	closed   bool  // the sink was told to close
	refused  error // why the sink did not take a batch
}

// sent is a batch that was handed over.
type sent struct {
	first   int64
	dates   []int32
	repeats []int32 // positions of the days to be repeated
	repeat  bool    // these are repeats themselves
	left    int     // reports not acknowledged
}

// published is the end of a producer: everything demanded was published, or why
// not.
type published struct{ err error }

// sinkEnded says that the sink acknowledges nothing more.
type sinkEnded struct{ err error }

func (p *producer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		p.start(ctx)
	case *messages.ReportBatch:
		p.demanded -= len(msg.GetDates())
		p.last = p.last || msg.GetLast()
		if !p.draining {
			p.handOver(msg, false)
			p.report(ctx)
		}
		p.goOn(ctx)
	case *messages.ReportsAcknowledged:
		p.acknowledged(ctx, msg)
		p.goOn(ctx)
	case *messages.Drain:
		p.draining = true
		p.goOn(ctx)
	case sinkEnded:
		p.closed = true
		p.report(ctx)
		ctx.Send(ctx.Parent(), published{cmp.Or(msg.err, p.refused)})
	case *actor.Stopping:
		// After an orderly end this does nothing; otherwise what is in flight
		// must not be tried any more.
		p.sink.Abort()
	}
}

func (p *producer) start(ctx actor.Context) {
	root, self, sink := ctx.ActorSystem().Root, ctx.Self(), p.sink
	go func() {
		for acks := range sink.Acknowledged() {
			root.Send(self, acks)
		}
		root.Send(self, sinkEnded{sink.Err()})
	}()
	p.goOn(ctx)
}

// handOver gives reports to the sink. After the first error it is given nothing
// more: sinkEnded is under way.
func (p *producer) handOver(b *messages.ReportBatch, repeat bool) {
	n := len(b.GetDates())
	if n == 0 || p.closed {
		return
	}
	out := &messages.ReportBatch{First: p.number + 1, Dates: b.GetDates(), Degrees: b.GetDegrees()}
	if err := p.sink.Publish(out); err != nil {
		p.closed, p.refused = true, err
		p.sink.Abort()
		return
	}
	p.number += int64(n)
	p.inFlight += n
	p.progress.HandedOver += int64(n)
	p.sent = append(p.sent, sent{first: out.First, dates: out.Dates, repeats: b.GetRepeats(), repeat: repeat, left: n})
}

// acknowledged counts what is in the log, and hands over the repeats of days
// whose originals are.
func (p *producer) acknowledged(ctx actor.Context, acks *messages.ReportsAcknowledged) {
	again := &messages.ReportBatch{}
	for _, number := range acks.GetNumbers() {
		s := p.find(number)
		position := int32(number - s.first)
		s.left--
		p.progress.LastDate = max(p.progress.LastDate, s.dates[position])
		if s.repeat {
			p.progress.Repeats++
		}
		if _, found := slices.BinarySearch(s.repeats, position); found {
			again.Dates = append(again.Dates, s.dates[position])
			again.Degrees = append(again.Degrees, weather.RepeatDegrees)
		}
	}
	p.inFlight -= len(acks.GetNumbers())
	p.progress.Acknowledged += int64(len(acks.GetNumbers()))
	p.progress.Retries = acks.GetRetries()
	for len(p.sent) > 0 && p.sent[0].left == 0 {
		p.sent = p.sent[1:]
	}
	if !p.draining {
		p.handOver(again, true)
	}
	p.report(ctx)
}

// find returns the batch that holds a report. The sink names only reports that
// it was given.
func (p *producer) find(number int64) *sent {
	i, found := slices.BinarySearchFunc(p.sent, number, func(s sent, number int64) int {
		switch {
		case number < s.first:
			return 1
		case number >= s.first+int64(len(s.dates)):
			return -1
		}
		return 0
	})
	if !found {
		panic("the sink acknowledged a report that is not in flight")
	}
	return &p.sent[i]
}

// goOn demands more days, or closes the sink when nothing is left to do.
func (p *producer) goOn(ctx actor.Context) {
	if p.closed {
		return
	}
	if p.draining || p.last {
		if p.inFlight == 0 {
			p.closed = true
			p.sink.Close()
		}
		return
	}
	room := p.sink.Window() - p.inFlight - p.demanded
	if room > 0 && (room >= p.sink.Window()/4 || p.demanded == 0) {
		p.demanded += room
		ctx.Request(p.generator, &messages.Demand{Reports: int32(room)})
	}
}

// report tells the root and whoever listens how far the run has come.
func (p *producer) report(ctx actor.Context) {
	progress := &messages.Published{
		HandedOver:   p.progress.GetHandedOver(),
		Acknowledged: p.progress.GetAcknowledged(),
		Repeats:      p.progress.GetRepeats(),
		LastDate:     p.progress.GetLastDate(),
		Retries:      p.progress.GetRetries(),
	}
	ctx.Send(ctx.Parent(), progress)
	p.publish(&messages.Event{Event: &messages.Event_Published{Published: progress}})
}
