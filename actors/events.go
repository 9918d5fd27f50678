package actors

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/messages"
)

// Subscribe delivers the events of one run, or of all runs of the system if run
// is "", to the returned channel. The channel holds size events; while it is
// full, events are dropped: a slow listener misses some and delays nobody.
// cancel ends the subscription and closes the channel. Subscribe before Run to
// miss nothing.
func Subscribe(system *actor.ActorSystem, run string, size int) (events <-chan *messages.Event, cancel func()) {
	s := &subscription{events: make(chan *messages.Event, size)}
	stream := system.EventStream.Subscribe(func(event any) {
		if e, ok := event.(*messages.Event); ok && (run == "" || e.GetRun() == run) {
			s.offer(e)
		}
	})
	return s.events, func() {
		system.EventStream.Unsubscribe(stream)
		s.close()
	}
}

// subscription is written to by the goroutines of many actors, and closed by the
// listener's, which is no actor: hence the lock.
type subscription struct {
	mu     sync.Mutex
	closed bool
	events chan *messages.Event
}

func (s *subscription) offer(e *messages.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	select {
	case s.events <- e:
	default:
	}
}

func (s *subscription) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.events)
	}
}

// publisher tags the events of one run.
type publisher struct {
	system *actor.ActorSystem
	run    string
}

func (p publisher) publish(e *messages.Event) {
	e.Run = p.run
	p.system.EventStream.Publish(e)
}
