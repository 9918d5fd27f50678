package main

import (
	"math"
	"testing"
)

func TestFloatsAreWrittenAsPythonDoes(t *testing.T) {
	for _, c := range []struct {
		f    float64
		want string
	}{
		{31.5235, "31.5235"},
		{1000000, "1000000.0"},
		{0, "0.0"},
		{math.Copysign(0, -1), "-0.0"},
		{-4, "-4.0"},
		{0.30000000000000004, "0.30000000000000004"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{9999999999999998, "9999999999999998.0"},
		{1e16, "1e+16"},
		{1.5e300, "1.5e+300"},
		{math.NaN(), "nan"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
	} {
		if got := pyFloat(c.f); got != c.want {
			t.Errorf("%v is written %s, want %s", c.f, got, c.want)
		}
	}
}

func TestStringsAreWrittenAsPythonDoes(t *testing.T) {
	for _, c := range []struct{ s, want string }{
		{"December", `'December'`},
		{"", `''`},
		{`it's`, `"it's"`},
		{`it's "so"`, `'it\'s "so"'`},
		{"a\\b\n\t\r", `'a\\b\n\t\r'`},
		{"\x00\x1b\x7f", `'\x00\x1b\x7f'`},
		{"März", `'März'`},
		{"\u0085\u2028\U000e0001", `'\x85\u2028\U000e0001'`},
		{"\xff'", `b"\xff'"`},
	} {
		if got := pyString([]byte(c.s)); got != c.want {
			t.Errorf("%q is written %s, want %s", c.s, got, c.want)
		}
	}
}
