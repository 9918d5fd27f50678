package status

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	clearLine  = "\x1b[K" // from the cursor on
	clearBelow = "\x1b[J"
	// noWrap keeps a terminal that is narrower than it says from breaking lines.
	noWrap, wrap = "\x1b[?7l", "\x1b[?7h"
)

// colors are how lines look on a terminal that has colors.
var colors = map[Style]string{Heading: "\x1b[2m", Done: "\x1b[32m", Wrong: "\x1b[33m"}

// Screen is a terminal with a block of lines at its bottom that change in place,
// below what is logged. Loggers write to it like to any writer. The cursor rests
// at the beginning of the line below the block, so that whoever comes after a
// process that was killed finds an empty line.
type Screen struct {
	w      io.Writer
	size   func() (width, height int)
	colors bool

	mu    sync.Mutex // logs come from any goroutine
	block []Line     // what is shown
	drawn []int      // columns of each of its lines, as drawn
	width int        // of the terminal when it was drawn
}

// NewScreen returns the screen of a terminal; size says how many columns and
// lines it has at the moment.
func NewScreen(terminal io.Writer, size func() (width, height int), colors bool) *Screen {
	return &Screen{w: terminal, size: size, colors: colors}
}

// Write writes whole lines above the block.
func (s *Screen) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.block) == 0 {
		return s.w.Write(lines)
	}
	text := s.home() + clearBelow + string(lines) + s.draw()
	if _, err := io.WriteString(s.w, text); err != nil {
		return 0, err
	}
	return len(lines), nil
}

// Size returns how many columns and lines the terminal has at the moment.
func (s *Screen) Size() (width, height int) { return s.size() }

// Show replaces the block; none takes it away. A terminal that has gone is no
// error: there is nobody to tell.
func (s *Screen) Show(block []Line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width, _ := s.size()
	if slices.Equal(block, s.block) && (width == s.width || len(block) == 0) {
		return
	}
	home := s.home()
	if width != s.width {
		home += clearBelow // or it would go on to take what it broke for one line
	}
	s.block = block
	_, _ = io.WriteString(s.w, home+s.draw()+clearBelow)
}

// Leave leaves the block where it is: what follows comes below it.
func (s *Screen) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.block, s.drawn = nil, nil
}

// home takes the cursor to where the block begins. Where a terminal has become
// narrower since, it has broken the lines of the block.
func (s *Screen) home() string {
	width, _ := s.size()
	up := 0
	for _, columns := range s.drawn {
		up += 1 + max(0, columns-1)/max(1, width)
	}
	if up == 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", up)
}

// draw writes the block, from where the cursor is.
func (s *Screen) draw() string {
	s.width, _ = s.size()
	s.drawn = s.drawn[:0]
	if len(s.block) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString(noWrap)
	for _, line := range s.block {
		plain := cut(strings.Map(printable, line.Text), s.width-1)
		s.drawn = append(s.drawn, utf8.RuneCountInString(plain))
		if color := colors[line.Style]; s.colors && color != "" && plain != "" {
			plain = color + plain + "\x1b[0m"
		}
		text.WriteString(plain + clearLine + "\r\n")
	}
	return text.String() + wrap
}

// printable keeps what a broker or a file system says from moving the cursor.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}
