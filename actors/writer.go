package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

const (
	firstSaveRetry = 100 * time.Millisecond
	lastSaveRetry  = 5 * time.Second
)

// checkpointWriter makes the checkpoints of one partition durable, one at a
// time. What fails it tries again (a full disk may be emptied), until the
// checkpoint is durable or the partition is stopped. It is the only user of
// the store while it lives.
type checkpointWriter struct {
	publisher
	store Store

	// Touched only by Receive.
	pending  *messages.Checkpoint // not durable yet
	asker    *actor.PID           // who wants to hear when it is
	attempts int32
	retry    *time.Timer
	backoff  backoff
}

type retrySave struct{}

func newCheckpointWriter(p publisher, store Store) *checkpointWriter {
	return &checkpointWriter{publisher: p, store: store, backoff: backoff{first: firstSaveRetry, limit: lastSaveRetry}}
}

func (w *checkpointWriter) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *messages.Checkpoint:
		w.pending, w.asker, w.attempts = msg, ctx.Sender(), 0
		w.save(ctx)
	case retrySave:
		w.save(ctx)
	case *actor.Stopping:
		if w.retry != nil {
			w.retry.Stop()
		}
	}
}

func (w *checkpointWriter) save(ctx actor.Context) {
	saved, err := w.store.Save(w.pending)
	if messages.IsPermanent(err) {
		panic(err)
	}
	if err != nil {
		w.attempts++
		w.publish(&messages.Event{Event: &messages.Event_SaveFailed{SaveFailed: &messages.SaveFailed{
			Partition: w.pending.GetPartition(), Offset: w.pending.GetOffset(), Error: err.Error(), Attempts: w.attempts,
		}}})
		w.retry = sendAfter(ctx, w.backoff.wait(), retrySave{})
		return
	}
	w.backoff.reset()
	w.pending = nil
	w.publish(&messages.Event{Event: &messages.Event_CheckpointSaved{CheckpointSaved: saved}})
	ctx.Send(ctx.Parent(), saved) // first: the root is to hear of it before it hears Drained
	ctx.Send(w.asker, saved)
}
