package render

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ticksWanted is the number of steps that an axis aims at; rounding the step
// up and the ends outwards makes it between 2 and ticksWanted+2.
const ticksWanted = 6

// axis is a linear scale with round ticks: the multiples k*step of a step of 1,
// 2 or 5 times a power of ten, low <= k <= high.
//
// It counts in steps, not in degrees: the topmost tick above MaxFloat64 would
// be infinite as a number, but is not as a count and a power of ten.
type axis struct {
	mantissa  int // 1, 2 or 5
	exponent  int // step = mantissa * 10^exponent
	low, high int // low < high
}

// newAxis returns an axis that holds 0 and all values, which must be finite: one
// for bars, which begin at 0.
func newAxis(values []float64) axis {
	var lo, hi float64
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	return axisOver(lo, hi)
}

// newCloseAxis returns an axis that holds all values, which must be finite, with
// no more room around them than it takes: one for lines, whose course matters. It
// holds at least 1 °F, and a thousandth of the largest value, so that a tick's
// label has few digits.
func newCloseAxis(values []float64) axis {
	lo, hi := slices.Min(values), slices.Max(values)
	if least := max(1, max(-lo, hi)/1000); hi-lo < least {
		lo, hi = max(-math.MaxFloat64, lo-least/2), min(math.MaxFloat64, hi+least/2)
	}
	return axisOver(lo, hi)
}

// axisOver returns an axis from lo or below to hi or above. Where they are as good
// as equal they must be 0.
func axisOver(lo, hi float64) axis {
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

// label is the text of the k-th tick: plain, or where a tick is long all of
// them with a power of ten.
func (a axis) label(k int) string {
	most := float64(max(-a.low, a.high)) * a.step()
	switch {
	case k == 0:
		return "0"
	case a.exponent < -4 || most > plainBelow:
		return withMinus(scientific(k*a.mantissa, a.exponent))
	default:
		return withMinus(strconv.FormatFloat(a.times(k), 'f', max(0, -a.exponent), 64))
	}
}

// scientific writes n * 10^exponent with one digit before the point.
func scientific(n, exponent int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	digits := strconv.Itoa(n)
	exponent += len(digits) - 1
	if rest := strings.TrimRight(digits[1:], "0"); rest != "" {
		return fmt.Sprintf("%s%c.%se%d", sign, digits[0], rest, exponent)
	}
	return fmt.Sprintf("%s%ce%d", sign, digits[0], exponent)
}

// plainBelow is where numbers begin to be written with a power of ten.
const plainBelow = 1e5

// shortExponent drops what a float's exponent does not need.
var shortExponent = strings.NewReplacer("e+0", "e", "e+", "e", "e-0", "e-")

// withMinus sets a minus sign where a program writes a hyphen, which is shorter
// and which a screen reader may leave out.
func withMinus(number string) string { return strings.ReplaceAll(number, "-", "\u2212") }

// degrees is the text of a value beside its bar: one decimal, or three
// significant digits where that would be too long or say nothing.
func degrees(v float64) string {
	size := math.Abs(v)
	switch {
	case v == 0:
		return "0.0" // and never "-0.0"
	case size >= plainBelow || size < 0.05:
		return withMinus(shortExponent.Replace(strconv.FormatFloat(v, 'g', 3, 64)))
	default:
		return withMinus(strconv.FormatFloat(v, 'f', 1, 64))
	}
}
