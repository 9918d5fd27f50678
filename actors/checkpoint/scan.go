package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// scanner reads JSON of a known shape: its caller says what must come next.
// Unlike encoding/json it passes on every key, duplicates too, knows where each
// one stands, and never recurses deeper than its caller does.
type scanner struct {
	data []byte
	pos  int // of the next byte to read
}

// syntaxError says what is wrong with a file, and in which line, from 1.
type syntaxError struct {
	line   int
	reason string
}

func (e *syntaxError) Error() string { return "line " + strconv.Itoa(e.line) + ": " + e.reason }

// wrong returns the error that names the line of the byte at pos.
func (s *scanner) wrong(pos int, format string, args ...any) error {
	return &syntaxError{
		line:   1 + bytes.Count(s.data[:min(pos, len(s.data))], []byte("\n")),
		reason: fmt.Sprintf(format, args...),
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.data); s.pos++ {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// unexpected says what was wanted in place of what comes next.
func (s *scanner) unexpected(want string) error {
	s.peek()
	if s.pos >= len(s.data) {
		return s.wrong(s.pos, "want %s, but the file ends here", want)
	}
	return s.wrong(s.pos, "want %s, got %.20q", want, s.data[s.pos:min(s.pos+20, len(s.data))])
}

// end checks that nothing but white space follows.
func (s *scanner) end() error {
	if s.peek(); s.pos < len(s.data) {
		return s.unexpected("the end of the file")
	}
	return nil
}

// object reads an object. It calls member for each one, with its key and where
// the key stands; member reads the value.
func (s *scanner) object(member func(key string, at int) error) error {
	return s.list('{', '}', "an object", func() error {
		s.peek()
		at := s.pos
		key, err := s.text("a key in quotes")
		if err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.unexpected("a colon")
		}
		s.pos++
		return member(key, at)
	})
}

// array reads an array; element reads an element of it.
func (s *scanner) array(element func() error) error {
	return s.list('[', ']', "an array", element)
}

// list reads items between two brackets, with commas between them.
func (s *scanner) list(begin, end byte, what string, item func() error) error {
	if s.peek() != begin {
		return s.unexpected(what)
	}
	s.pos++
	if s.peek() == end {
		s.pos++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case end:
			s.pos++
			return nil
		default:
			return s.unexpected(fmt.Sprintf("a comma or %q", string(end)))
		}
	}
}

// text reads a string; want says what it is to be.
func (s *scanner) text(want string) (string, error) {
	if s.peek() != '"' {
		return "", s.unexpected(want)
	}
	for i := s.pos + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '\\':
			i++ // whatever it escapes, it is not the end
		case c == '"':
			return s.unquote(i + 1)
		}
	}
	return "", s.wrong(s.pos, "string is not closed")
}

// unquote reads the string that goes up to next.
func (s *scanner) unquote(next int) (string, error) {
	quoted := s.data[s.pos:next]
	for _, c := range quoted {
		// All but plain ASCII is rare here: leave its rules to the library.
		if c == '\\' || c < ' ' || c > '~' {
			var text string
			if err := json.Unmarshal(quoted, &text); err != nil {
				return "", s.wrong(s.pos, "not a JSON string: %.40q", quoted)
			}
			s.pos = next
			return text, nil
		}
	}
	s.pos = next
	return string(quoted[1 : len(quoted)-1]), nil
}

// number reads a number, without asking for its size.
func (s *scanner) number() ([]byte, error) {
	s.peek()
	begin := s.pos
	for s.pos < len(s.data) && isInNumber(s.data[s.pos]) {
		s.pos++
	}
	number := s.data[begin:s.pos]
	// Digits and signs that are valid JSON can only be a number.
	if !json.Valid(number) {
		s.pos = begin
		return nil, s.unexpected("a number")
	}
	return number, nil
}

func isInNumber(c byte) bool {
	return '0' <= c && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// integer reads an integer of 0 or more that fits the bits.
func (s *scanner) integer(name string, bits int) (int64, error) {
	number, err := s.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(number), 10, bits)
	if err != nil {
		return 0, s.wrong(s.pos, "%s is %.40s: want an integer below 2^%d", name, number, bits-1)
	}
	if n < 0 {
		return 0, s.wrong(s.pos, "%s is %d: want 0 or more", name, n)
	}
	return n, nil
}

// float reads a number that a float64 can hold, rounded to the nearest.
func (s *scanner) float(name string) (float64, error) {
	number, err := s.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(number), 64)
	if err != nil {
		return 0, s.wrong(s.pos, "%s is %.40s: out of range", name, number)
	}
	return f, nil
}
