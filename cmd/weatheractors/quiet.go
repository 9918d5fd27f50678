package main

import (
	"context"
	"log/slog"
)

// quietLibrary passes on what the actor library logs, its INFO as DEBUG, and
// without the messages of dead letters: whole batches.
type quietLibrary struct{ slog.Handler }

func (q quietLibrary) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, demoted(level))
}

func (q quietLibrary) Handle(ctx context.Context, r slog.Record) error {
	quiet := slog.NewRecord(r.Time, demoted(r.Level), r.Message, r.PC)
	r.Attrs(func(attr slog.Attr) bool {
		if attr.Key != "message" {
			quiet.AddAttrs(attr)
		}
		return true
	})
	return q.Handler.Handle(ctx, quiet)
}

func (q quietLibrary) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietLibrary{q.Handler.WithAttrs(attrs)}
}

func (q quietLibrary) WithGroup(name string) slog.Handler {
	return quietLibrary{q.Handler.WithGroup(name)}
}

func demoted(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}

// warningsOnly passes on what is at least a warning.
type warningsOnly struct{ slog.Handler }

func (w warningsOnly) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
