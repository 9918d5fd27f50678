package render

import (
	"fmt"
	"math"

	svg "github.com/ajstarks/svgo"
)

// chart lays the bars out between left and right, top and bottom.
type chart struct {
	bars    []Bar
	axis    axis
	slot    int // width of a bar with the space around it
	bottom  int
	labels  int // baseline of the month labels
	slanted bool
}

func newChart(bars []Bar) chart {
	values := make([]float64, len(bars))
	for i, b := range bars {
		values[i] = b.Avg
	}
	c := chart{bars: bars, axis: newAxis(values), slot: (right - left) / len(bars), bottom: height - 64}
	c.slanted = c.slot < widestLabel
	if c.slanted {
		c.bottom -= 36
	}
	c.labels = c.bottom + 26
	if c.axis.low < 0 { // the values of negative bars stand below them
		c.bottom -= 16
	}
	return c
}

// y is the height of a fraction of the axis, in whole pixels from above.
func (c chart) y(fraction float64) int {
	// The conversion forbids fusing, which would round otherwise on arm64.
	down := float64((1 - fraction) * float64(c.bottom-top))
	return top + int(math.Round(down))
}

func (c chart) draw(canvas *svg.SVG) {
	for k := c.axis.low; k <= c.axis.high; k++ {
		y, class := c.y(c.axis.tick(k)), `class="grid"`
		if k == 0 {
			class = `class="zero"`
		}
		canvas.Line(left, y, right, y, class)
		canvas.Text(left-10, y+5, c.axis.label(k), `class="tick quiet"`)
	}
	canvas.Text(left-10, top-18, "°F", `class="tick quiet"`)
	middle := (top + c.bottom) / 2
	canvas.Text(28, middle, axisTitle, `class="middle"`, rotate(-90, 28, middle))
	for i, b := range c.bars {
		c.drawBar(canvas, b, left+i*c.slot+c.slot/2)
	}
}

// drawBar draws a bar whose middle is x, its value at its end and its label.
func (c chart) drawBar(canvas *svg.SVG, b Bar, x int) {
	wide := min(c.slot*6/10, widestBar)
	zero, end := c.y(c.axis.tick(0)), c.y(c.axis.fraction(b.Avg))
	value := end - 8
	if b.Avg < 0 {
		value = end + 18
	}
	canvas.Group(`class="bar"`)
	canvas.Title(b.label() + ": " + degrees(b.Avg) + " °F") // what a mouse over the bar shows
	canvas.Rect(x-wide/2, min(zero, end), wide, max(zero, end)-min(zero, end))
	canvas.Gend()
	canvas.Text(x, value, degrees(b.Avg), `class="value middle"`)
	if c.slanted {
		canvas.Text(x+8, c.labels-4, b.label(), `class="label slant"`, rotate(-35, x+8, c.labels-4))
	} else {
		canvas.Text(x, c.labels, b.label(), `class="label middle"`)
	}
}

func rotate(angle, x, y int) string {
	return fmt.Sprintf(`transform="rotate(%d %d %d)"`, angle, x, y)
}
