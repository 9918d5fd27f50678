package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// terse writes log lines for people at a terminal: the time of day, the level if
// it is not the usual one, and what there is to say.
type terse struct {
	slog.Handler // writes the attributes to line
	shared       *terseShared
}

// terseShared is what a handler and those made from it write to.
type terseShared struct {
	mu   sync.Mutex
	line bytes.Buffer
	w    io.Writer
}

func newTerse(w io.Writer, level slog.Level) terse {
	shared := &terseShared{w: w}
	return terse{slog.NewTextHandler(&shared.line, &slog.HandlerOptions{Level: level, ReplaceAttr: attributesOnly}), shared}
}

// attributesOnly leaves out what is written otherwise.
func attributesOnly(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey || a.Key == slog.MessageKey) {
		return slog.Attr{}
	}
	return a
}

func (t terse) Handle(ctx context.Context, r slog.Record) error {
	s := t.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.Reset()
	s.line.WriteString(r.Time.Format(time.TimeOnly) + " ")
	if r.Level != slog.LevelInfo {
		s.line.WriteString(r.Level.String() + " ")
	}
	s.line.WriteString(r.Message + " ")
	if err := t.Handler.Handle(ctx, r); err != nil {
		return err
	}
	_, err := s.w.Write(append(bytes.TrimRight(s.line.Bytes(), " \n"), '\n'))
	return err
}

func (t terse) WithAttrs(attrs []slog.Attr) slog.Handler {
	return terse{t.Handler.WithAttrs(attrs), t.shared}
}

func (t terse) WithGroup(name string) slog.Handler { return terse{t.Handler.WithGroup(name), t.shared} }
