package render

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ticksWanted is the number of steps that an axis aims at; rounding the step
// up and the ends outwards makes it between 2 and ticksWanted+2.
const ticksWanted = 6

// axis is a linear scale with round ticks: the multiples k*step of a step of 1,
// 2 or 5 times a power of ten, low <= k <= high. It always includes 0.
//
// It counts in steps, not in degrees: the topmost tick above MaxFloat64 would
// be infinite as a number, but is not as a count and a power of ten.
type axis struct {
	mantissa  int // 1, 2 or 5
	exponent  int // step = mantissa * 10^exponent
	low, high int // low <= 0 <= high, low < high
}

// newAxis returns an axis that holds 0 and all values, which must be finite.
func newAxis(values []float64) axis {
	var lo, hi float64
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	rough := hi/ticksWanted - lo/ticksWanted // hi-lo might overflow
	if rough < 1e-300 {                      // no room for a power of ten below
		return axis{mantissa: 2, low: 0, high: 5}
	}
	a := axis{exponent: exponent(rough)}
	for _, a.mantissa = range [...]int{1, 2, 5, 10} {
		if a.step() >= rough {
			break
		}
	}
	if a.mantissa == 10 {
		a.mantissa, a.exponent = 1, a.exponent+1
	}
	a.low = int(math.Floor(lo / a.step()))
	a.high = int(math.Ceil(hi / a.step()))
	return a
}

// exponent returns the decimal exponent of v > 0. It reads it from the digits,
// since logarithms round differently from one architecture to the next.
func exponent(v float64) int {
	text := strconv.FormatFloat(v, 'e', -1, 64)
	e, err := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	if err != nil {
		panic(err) // not a finite number
	}
	return e
}

// step is the distance between two ticks in °F.
func (a axis) step() float64 { return a.times(1) }

// times returns k steps in °F, correctly rounded; ±Inf beyond MaxFloat64.
func (a axis) times(k int) float64 {
	v, _ := strconv.ParseFloat(fmt.Sprintf("%de%d", k*a.mantissa, a.exponent), 64)
	return v
}

// fraction says where v lies between the lowest tick (0) and the highest (1).
func (a axis) fraction(v float64) float64 {
	return (v/a.step() - float64(a.low)) / float64(a.high-a.low)
}

// tick says the same of the k-th tick.
func (a axis) tick(k int) float64 { return float64(k-a.low) / float64(a.high-a.low) }

// label is the text of the k-th tick.
func (a axis) label(k int) string {
	switch {
	case k == 0:
		return "0"
	case a.exponent < -4 || a.exponent > 5:
		return fmt.Sprintf("%de%d", k*a.mantissa, a.exponent)
	default:
		return strconv.FormatFloat(a.times(k), 'f', max(0, -a.exponent), 64)
	}
}

// shortExponent drops what a float's exponent does not need.
var shortExponent = strings.NewReplacer("e+0", "e", "e+", "e", "e-0", "e-")

// degrees is the text of a value beside its bar: one decimal, or three
// significant digits where that would be too long or say nothing.
func degrees(v float64) string {
	size := math.Abs(v)
	switch {
	case v == 0:
		return "0.0" // and never "-0.0"
	case size >= 1e5 || size < 0.05:
		return shortExponent.Replace(strconv.FormatFloat(v, 'g', 3, 64))
	default:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
}
