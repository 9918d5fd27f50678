package live

import (
	"context"
	"sync"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// interval is how often what is published is brought up to date.
const interval = 250 * time.Millisecond

// moment is how soon it may be published again even where something fails.
const moment = 50 * time.Millisecond

// snapshot is what is known at one moment. Nobody changes it.
type snapshot struct {
	table      *table // what was in the files when they were read last; nil if they were not
	state      *status.State
	at         time.Time
	revision   string        // of the files
	superseded chan struct{} // closed once there is a newer one
	body       func() []byte // what the API says of it, without the time
}

// model owns the state of the run: it hears the events, and publishes.
func (s *Server) model(ctx context.Context) {
	state := &status.State{}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for events := s.config.Events; ; {
		select {
		case e, open := <-events:
			if !open {
				events = nil // the run has ended; what it came to stays
				break
			}
			_, _ = state.Add(e, time.Now())
			switch {
			case e.GetCheckpointSaved() != nil || e.GetPartitionStarted() != nil:
				s.files.hint()
			case e.GetPartitionFailed() != nil && time.Since(s.latest.Load().at) >= moment:
				s.publish(state, time.Now()) // it may be mended before the next tick
			}
		case partitions := <-s.expected:
			state.Expect(partitions...)
			s.publish(state, time.Now())
		case now := <-tick.C:
			_, _ = state.Tick(now)
			s.publish(state, now)
		case <-ctx.Done():
			return
		}
	}
}

// publish makes a copy of the state what everybody sees.
func (s *Server) publish(state *status.State, now time.Time) {
	next := &snapshot{
		state: state.Clone(), at: now, table: s.files.content.Load(), revision: *s.files.revision.Load(),
		superseded: make(chan struct{}),
	}
	next.body = sync.OnceValue(func() []byte { return s.partitions(next) })
	if old := s.latest.Swap(next); old != nil {
		close(old.superseded)
	}
}
