package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Debug prints what a Python program would print of a dictionary, since that is
// what its readers compare it with. The rules are those of Python's repr.

// pyFloat writes a float as repr does: as few digits as tell it from its
// neighbors, with an exponent from 1e+16 on and below 0.0001.
func pyFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if size := math.Abs(f); f != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// pyString writes text as repr does, and bytes that are no text as those of a
// Python bytes object.
func pyString(b []byte) string {
	var out strings.Builder
	text := utf8.Valid(b)
	if !text {
		out.WriteByte('b')
	}
	quote := '\''
	if strings.ContainsRune(string(b), '\'') && !strings.ContainsRune(string(b), '"') {
		quote = '"'
	}
	out.WriteRune(quote)
	if text {
		for _, r := range string(b) {
			writeRune(&out, r, quote)
		}
	} else {
		for _, c := range b {
			writeByte(&out, c, quote)
		}
	}
	out.WriteRune(quote)
	return out.String()
}

func writeRune(out *strings.Builder, r, quote rune) {
	switch {
	case r < utf8.RuneSelf:
		writeByte(out, byte(r), quote)
	case unicode.IsPrint(r):
		out.WriteRune(r)
	case r <= 0xff:
		fmt.Fprintf(out, `\x%02x`, r)
	case r <= 0xffff:
		fmt.Fprintf(out, `\u%04x`, r)
	default:
		fmt.Fprintf(out, `\U%08x`, r)
	}
}

func writeByte(out *strings.Builder, c byte, quote rune) {
	switch {
	case c == '\\' || rune(c) == quote:
		out.WriteByte('\\')
		out.WriteByte(c)
	case c == '\n':
		out.WriteString(`\n`)
	case c == '\r':
		out.WriteString(`\r`)
	case c == '\t':
		out.WriteString(`\t`)
	case c < ' ' || c >= 0x7f:
		fmt.Fprintf(out, `\x%02x`, c)
	default:
		out.WriteByte(c)
	}
}
