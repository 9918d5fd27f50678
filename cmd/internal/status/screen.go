package status

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	clearLine = "\r\x1b[K"
	// noWrap keeps a terminal that is narrower than it says from breaking the
	// line, which could not be taken back.
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
)

// Screen is a terminal with a line at its bottom that changes in place, below
// what is logged. Loggers write to it like to any writer.
type Screen struct {
	w     io.Writer
	width func() int // columns

	mu   sync.Mutex // logs come from any goroutine
	line string
}

// NewScreen returns the screen of a terminal; width says how many columns it has
// at the moment.
func NewScreen(terminal io.Writer, width func() int) *Screen {
	return &Screen{w: terminal, width: width}
}

// Write writes whole lines above the changing one.
func (s *Screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line == "" {
		return s.w.Write(lines)
	}
	if _, err := io.WriteString(s.w, clearLine+string(lines)+s.fitted()); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// Show replaces the changing line; an empty one takes it away. A terminal that
// has gone is no error: there is nobody to tell.
func (s *Screen) Show(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == s.line {
		return
	}
	s.line = line
	_, _ = io.WriteString(s.w, clearLine+s.fitted())
}

// fitted is the line cut to the width of the terminal.
func (s *Screen) fitted() string {
	if s.line == "" {
		return ""
	}
	line, room := s.line, s.width()-1
	if room > 0 && utf8.RuneCountInString(line) > room {
		line = strings.TrimRight(string([]rune(line)[:room-1]), " ") + "…"
	}
	return noWrap + line + wrap
}
