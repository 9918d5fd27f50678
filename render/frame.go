package render

import (
	"fmt"
	"math"
	"unicode/utf8"

	svg "github.com/ajstarks/svgo"
)

// frame is where a picture shows values: between left and right, top and bottom,
// with its axis on the left.
type frame struct {
	axis   axis
	left   int // where the axis is: its labels are of any length
	bottom int
}

const (
	top, right = 126, width - margin
	axisText   = 22 // across the axis's title
)

func newFrame(a axis) frame {
	var tick int
	for k := a.low; k <= a.high; k++ {
		tick = max(tick, utf8.RuneCountInString(a.label(k)))
	}
	return frame{axis: a, left: margin + axisText + 12 + textWidth(tick, narrowTick) + 10, bottom: height - 58}
}

// y is the height of a fraction of the axis, in whole pixels from above.
func (f frame) y(fraction float64) int {
	// The conversion forbids fusing, which would round otherwise on arm64.
	down := float64((1 - fraction) * float64(f.bottom-top))
	return top + int(math.Round(down))
}

// drawGrid draws a line for each tick, and what the axis says.
func (f frame) drawGrid(canvas *svg.SVG) {
	for k := f.axis.low; k <= f.axis.high; k++ {
		y := f.y(f.axis.tick(k))
		canvas.Line(f.left, y, right, y, `class="grid"`, `stroke="`+light.grid+`"`, `shape-rendering="crispEdges"`)
		f.drawTick(canvas, y, f.axis.label(k))
	}
	f.drawTick(canvas, top-24, "°F")
	middle := (top + f.bottom) / 2
	canvas.Text(margin+axisText/2, middle, axisTitle, `class="note"`, `text-anchor="middle"`, `dy="0.35em"`, rotate(-90, margin+axisText/2, middle))
}

func (f frame) drawTick(canvas *svg.SVG, y int, text string) {
	canvas.Text(f.left-10, y, text, `class="tick quiet"`, `fill="`+light.quiet+`"`, size(tickSize), `text-anchor="end"`, `dy="0.35em"`)
}

func rotate(angle, x, y int) string {
	return fmt.Sprintf(`transform="rotate(%d %d %d)"`, angle, x, y)
}

func size(pixels int) string { return fmt.Sprintf(`font-size="%d"`, pixels) }
