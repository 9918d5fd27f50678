package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/term"

	"github.com/weatheractors/weatheractors/actors/kafka"
	"github.com/weatheractors/weatheractors/cmd/internal/status"
)

// screenOf returns the screen of a terminal, nil for anything else, and for a
// terminal that only prints.
func screenOf(w io.Writer) *status.Screen {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return status.NewScreen(file, func() (width, height int) {
		width, height, err := term.GetSize(int(file.Fd()))
		if err != nil || width <= 0 || height <= 0 {
			return 80, 24
		}
		return width, height
	}, os.Getenv("NO_COLOR") == "") // https://no-color.org
}

// errors is where everything goes that is no result.
func (a *app) errors() io.Writer {
	if a.screen != nil {
		return a.screen
	}
	return a.stderr
}

// trouble logs what passes by itself: its cause when it begins, nil when it is
// over.
func (a *app) trouble(cause error) {
	if cause != nil {
		a.log.Warn("can't read at the moment; trying again", "cause", cause)
	} else {
		a.log.Info("reading again")
	}
}

func newLogger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %q: want debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		if _, terminal := w.(*status.Screen); terminal {
			return slog.New(newTerse(w, l)), nil
		}
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, fmt.Errorf("--log-format %q: want text or json", format)
}

// newSystem creates the actor system of the process. What the actor library has
// to say is of interest to those who look for a bug only.
func (a *app) newSystem() *actor.ActorSystem {
	kafka.Setup(a.log)
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(quietLibrary{a.log.Handler()})
	}))
}
