package status

import (
	"math"
	"strconv"
	"time"

	"github.com/weatheractors/weatheractors/weather"
)

// Grouped writes a number with a comma every three digits.
func Grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	first := 0
	if n < 0 {
		first = 1
	}
	for i := len(digits) - 3; i > first; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// perSecond writes a rate with no more digits than it is worth.
func perSecond(r float64) string {
	n := int64(math.Round(r))
	for step := int64(1); ; step *= 10 {
		if n < 1000*step {
			return Grouped((n + step/2) / step * step)
		}
	}
}

// span writes a duration as people say it: steps grow with it, so that it does
// not change with every look.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Minute:
		return strconv.Itoa(int(d/(5*time.Second))*5) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/(24*time.Hour))) + "d"
}

// day writes a date, or nothing if there is none.
func day(d weather.Date) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
