package render

import (
	"math"
	"strconv"
)

// line is the straight one that is nearest to the years.
type line struct {
	known       bool    // there are years enough
	first, last float64 // °F in the first and in the last year
	slope       float64 // °F per year
}

// fitLine finds the line by least squares. It reckons in parts of the largest
// value, so that nothing overflows, and forbids fusing, which would round
// otherwise on arm64.
func fitLine(points []Bar) (l line) {
	if len(points) < 3 {
		return l
	}
	var scale, x, y float64 // x and y are means
	for _, p := range points {
		scale = max(scale, math.Abs(p.Avg))
	}
	if scale == 0 {
		scale = 1
	}
	n := float64(len(points))
	for _, p := range points {
		x += float64(p.Year) / n
		y += p.Avg / scale / n
	}
	var xx, xy float64
	for _, p := range points {
		dx := float64(p.Year) - x
		xx += float64(dx * dx)
		xy += float64(dx * (p.Avg/scale - y))
	}
	slope := xy / xx
	at := func(year int) float64 { return finite(float64(y+float64(slope*(float64(year)-x))) * scale) }
	return line{known: true, first: at(points[0].Year), last: at(points[len(points)-1].Year), slope: finite(slope * scale)}
}

// finite is the number nearest to v that is one.
func finite(v float64) float64 { return max(-math.MaxFloat64, min(math.MaxFloat64, v)) }

// told is the line in words, after others; nothing where there is none.
func (l line) told(after string) string {
	if !l.known {
		return ""
	}
	v := finite(l.slope * 10)
	text := strconv.FormatFloat(v, 'f', 2, 64)
	if math.Abs(v) >= plainBelow {
		text = shortExponent.Replace(strconv.FormatFloat(v, 'g', 3, 64))
	}
	switch {
	case text == "0.00" || text == "-0.00":
		text = "0.00"
	case v > 0:
		text = "+" + text
	}
	return after + withMinus(text) + " °F per decade"
}
