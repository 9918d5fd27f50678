package actors_test

import (
	"log/slog"

	"github.com/asynkron/protoactor-go/actor"
)

// newSystem makes an actor system that keeps quiet. A host has one already.
func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}
