package actors

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
)

// failure is the reason with which an actor of ours fails: who it was, and why.
type failure struct {
	role string
	err  error
}

func (f *failure) Error() string { return f.role + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// guard stands between the library and one of our actors. It makes every panic
// a *failure that names the actor's role, logs the stack of those that are
// bugs, and swallows panics in the handlers of the end of life: there the
// library would resurrect the actor, or leave its parent waiting for ever.
type guard struct {
	actor.Actor
	role string
}

// guarded makes the Props of an actor with a role.
func guarded(role string, producer func() actor.Actor) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor {
		inner := producer()
		if s, ok := inner.(actor.SupervisorStrategy); ok {
			// The library looks for this method on the outermost value.
			return &supervisor{guard{inner, role}, s}
		}
		return &guard{inner, role}
	})
}

type supervisor struct {
	guard
	actor.SupervisorStrategy
}

func (g *guard) Receive(ctx actor.Context) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		f := asFailure(ctx.Logger(), g.role, reason)
		switch ctx.Message().(type) {
		case *actor.Stopping, *actor.Stopped, *actor.Restarting:
			ctx.Logger().Error("actor failed while it stopped", slog.Any("error", f))
			return
		}
		panic(f)
	}()
	g.Actor.Receive(ctx)
}

func asFailure(log *slog.Logger, role string, reason any) *failure {
	if f, ok := reason.(*failure); ok {
		return f // of an actor below
	}
	err, isError := reason.(error)
	if _, isBug := reason.(runtime.Error); !isError || isBug {
		log.Error("actor panicked", slog.String("role", role), slog.Any("reason", reason), slog.String("stack", string(debug.Stack())))
	}
	if !isError {
		err = fmt.Errorf("panic: %v", reason)
	}
	return &failure{role, err}
}

// rootGuarded makes the Props of a root. A root that panics, or that its host's
// supervisor restarts, ends: there is one instance, and it starts once.
func rootGuarded(root root, done func(error)) *actor.Props {
	return actor.PropsFromProducer(func() actor.Actor { return &rootGuard{root, done} })
}

type root interface {
	actor.Actor
	actor.SupervisorStrategy
}

type rootGuard struct {
	root
	done func(error)
}

func (g *rootGuard) Receive(ctx actor.Context) {
	defer func() {
		if reason := recover(); reason != nil {
			g.done(fmt.Errorf("%w: %w", ErrStopped, asFailure(ctx.Logger(), "root", reason)))
			if _, stopped := ctx.Message().(*actor.Stopped); !stopped {
				ctx.Stop(ctx.Self())
			}
		}
	}()
	g.root.Receive(ctx)
}
