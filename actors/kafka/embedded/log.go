package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger hands the broker's own log lines to slog. It keeps the errors of
// closing, which are told nowhere else.
type logger struct {
	to      *slog.Logger
	closing atomic.Bool

	mu   sync.Mutex
	errs []error
}

func newLogger(to *slog.Logger) *logger {
	if to == nil {
		to = slog.New(slog.DiscardHandler)
	}
	return &logger{to: to}
}

// Logf takes one line of the broker. What it calls INFO is about single requests
// and members of groups.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		err := fmt.Errorf(format, args...)
		l.to.Error("embedded broker", "error", err)
		l.keep(err)
	case kfake.LogLevelWarn:
		l.to.Warn("embedded broker", "warning", fmt.Sprintf(format, args...))
	default:
		if l.to.Enabled(context.Background(), slog.LevelDebug) {
			l.to.Debug("embedded broker", "note", fmt.Sprintf(format, args...))
		}
	}
}

func (l *logger) keep(err error) {
	if !l.closing.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

// failure is what went wrong since closing began, nil if nothing did.
func (l *logger) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.errs...)
}
