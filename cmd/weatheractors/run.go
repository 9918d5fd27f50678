package main

import (
	"context"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/weatheractors/weatheractors/actors"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// eventsAhead is how many events a listener may be behind.
const eventsAhead = 4096

// run runs a tree of actors, tells what it has to say, and returns what all of it
// came to.
func (a *app) run(ctx context.Context, system *actor.ActorSystem, config actors.Config) (*status.State, error) {
	stop := listen(system, status.Listener{Log: a.log, Screen: a.screen})
	err := actors.Run(ctx, system, config)
	state := stop()
	if a.screen != nil {
		a.screen.Show(nil) // the log says how it ended
	}
	return state, err
}

// listen tells what the actors of a system have to say, until stop is called.
func listen(system *actor.ActorSystem, listener status.Listener) (stop func() *status.State) {
	events, cancel := actors.Subscribe(system, "", eventsAhead)
	state := make(chan *status.State)
	go func() { state <- listener.Listen(events) }()
	return func() *status.State {
		cancel()
		return <-state
	}
}
