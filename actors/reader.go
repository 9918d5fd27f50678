package actors

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// batchesInFlight bounds what the aggregator's mailbox can hold.
const batchesInFlight = 4

// reader owns the pump of one partition: the goroutine that blocks on the
// source. The pump sends batches straight to the aggregator, at most
// batchesInFlight that are not yet applied.
type reader struct {
	publisher
	source     Source
	request    *messages.ReadRequest
	aggregator *actor.PID

	// Touched only by Receive.
	cancel  context.CancelFunc
	credits chan struct{} // a token per batch in flight; filled by the pump
	pumped  chan struct{} // closed when the pump is gone
	drain   bool
}

// pumpEnded is the pump's last word: where it had come to, and why it ended.
type pumpEnded struct {
	next int64
	err  error // nil: it came to the end it was asked to read to
}

func (r *reader) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		r.start(ctx)
	case *messages.BatchApplied:
		select {
		case <-r.credits:
		default: // not an answer to a batch of ours
		}
	case *messages.Drain:
		r.drain = true
		r.cancel()
	case pumpEnded:
		if msg.err != nil && !r.drain {
			panic(msg.err)
		}
		ctx.Send(r.aggregator, &messages.EndOfInput{Next: msg.next})
	case *actor.Stopping:
		r.cancel()
		<-r.pumped
	}
}

func (r *reader) start(ctx actor.Context) {
	r.credits = make(chan struct{}, batchesInFlight)
	r.pumped = make(chan struct{})
	var pumping context.Context
	pumping, r.cancel = context.WithCancel(context.Background())
	// ctx must not leave Receive; these may.
	root, self, aggregator := ctx.ActorSystem().Root, ctx.Self(), r.aggregator
	p := &pump{
		request: r.request,
		publish: r.publish,
		credits: r.credits,
		send:    func(b *messages.RecordBatch) { root.RequestWithCustomSender(aggregator, b, self) },
		next:    r.request.GetOffset(),
	}
	source, pumped := r.source, r.pumped
	go func() {
		defer close(pumped)
		err := p.run(pumping, source)
		root.Send(self, pumpEnded{p.next, err})
	}()
}

// pump reads for a reader, on a goroutine of its own. It never panics: that
// would end the process.
type pump struct {
	request *messages.ReadRequest
	publish func(*messages.Event)
	credits chan struct{}
	send    func(*messages.RecordBatch)
	next    int64 // next of the last batch sent
}

func (p *pump) run(ctx context.Context, source Source) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("read partition %d: panic: %v\n%s", p.request.GetPartition(), reason, debug.Stack())
		}
	}()
	return source.Read(ctx, p.request, func(b *messages.RecordBatch) error { return p.deliver(ctx, b) }, p.trouble)
}

func (p *pump) deliver(ctx context.Context, b *messages.RecordBatch) error {
	select {
	case p.credits <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.send(b)
	p.next = b.GetNext()
	if len(b.GetRejects()) == 0 {
		return nil
	}
	return p.settle(ctx)
}

// settle waits until nothing is in flight. Rejects are large, and are answered
// only once they are durable: so there is one batch of them at a time.
func (p *pump) settle(ctx context.Context) error {
	for range batchesInFlight {
		select {
		case p.credits <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for range batchesInFlight {
		select {
		case <-p.credits:
		default: // an answer that came twice has taken it
		}
	}
	return nil
}

func (p *pump) trouble(err error) {
	event := &messages.SourceTrouble{Partition: p.request.GetPartition()}
	if err != nil {
		event.Error = err.Error()
	}
	p.publish(&messages.Event{Event: &messages.Event_SourceTrouble{SourceTrouble: event}})
}
