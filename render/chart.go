package render

import (
	"fmt"
	"slices"
	"unicode/utf8"

	svg "github.com/ajstarks/svgo"
)

// chart lays the bars out in a frame.
type chart struct {
	frame
	bars          []Bar
	slot          int // width of a bar with the space around it
	labels        int // where the month labels begin, seen from above
	slanted       bool
	sizes, narrow sizes
}

const (
	widestBar = 110
	corner    = 4  // radius at a bar's end
	slant     = 35 // degrees
)

func newChart(bars []Bar) chart {
	var values []float64
	var label, value int
	for _, b := range bars {
		label = max(label, utf8.RuneCountInString(b.label()))
		if !b.missing() {
			value = max(value, utf8.RuneCountInString(b.value()))
			values = append(values, b.Avg)
		}
	}
	c := chart{bars: bars, frame: newFrame(newAxis(values))}
	c.slot = (right - c.left) / len(bars)
	c.narrow = sizes{fit(label, c.slot, narrowLabel), fit(value, c.slot, narrowValue)}
	c.slanted = c.narrow.label < tooSmall
	if c.slanted { // then they stand in each other's way no longer
		c.bottom -= 46
		c.narrow.label = slantedLabel
	}
	c.sizes = sizes{min(labelSize, c.narrow.label), min(valueSize, c.narrow.value)}
	c.labels = c.bottom + 14
	if len(values) > 0 && slices.Min(values) < 0 { // its value stands below the bar
		c.bottom -= 28
	}
	return c
}

func (c chart) draw(canvas *svg.SVG) {
	c.drawGrid(canvas)
	for i, b := range c.bars {
		c.drawBar(canvas, b, c.left+i*c.slot+c.slot/2)
	}
	zero := c.y(c.axis.tick(0))
	canvas.Line(c.left, zero, right, zero, `class="zero"`, `stroke="`+light.zero+`"`, `stroke-width="2"`, `shape-rendering="crispEdges"`)
	for i, b := range c.bars { // above all lines
		c.drawTexts(canvas, b, c.left+i*c.slot+c.slot/2)
	}
}

// drawBar draws a bar whose middle is x, with round corners at its end.
func (c chart) drawBar(canvas *svg.SVG, b Bar, x int) {
	if b.missing() {
		return
	}
	half := min(c.slot*62/100, widestBar) / 2
	zero, end := c.y(c.axis.tick(0)), c.y(c.axis.fraction(b.Avg))
	round := min(corner, half, max(zero-end, end-zero))
	back := end + round // from the end towards zero
	if end > zero {
		back = end - round
	}
	canvas.Group(`class="bar"`, `fill="`+color(b.Avg)+`"`)
	canvas.Title(b.told()) // what a mouse over the bar shows
	canvas.Path(fmt.Sprintf("M%d,%d V%d Q%d,%d %d,%d H%d Q%d,%d %d,%d V%d Z", x-half, zero, back,
		x-half, end, x-half+round, end, x+half-round, x+half, end, x+half, back, zero))
	canvas.Gend()
}

// drawTexts draws the value at the end of a bar whose middle is x, and its label.
func (c chart) drawTexts(canvas *svg.SVG, b Bar, x int) {
	value := []string{`class="value"`, size(c.sizes.value), `font-weight="600"`, `text-anchor="middle"`}
	switch end := c.y(c.axis.fraction(b.Avg)); {
	case b.missing():
		c.drawMissing(canvas, b, x, end-8)
	case b.Avg < 0:
		canvas.Text(x, end+7, b.value(), append(value, `dy="0.76em"`)...)
	default:
		canvas.Text(x, end-8, b.value(), value...)
	}
	if c.slanted {
		canvas.Text(x+6, c.labels, b.label(), `class="label"`, size(c.sizes.label), `text-anchor="end"`, `dy="0.5em"`, rotate(-slant, x+6, c.labels))
	} else {
		canvas.Text(x, c.labels, b.label(), `class="label"`, size(c.sizes.label), `text-anchor="middle"`, `dy="0.8em"`)
	}
}

// drawMissing says that there is no bar: upright where it is narrow.
func (c chart) drawMissing(canvas *svg.SVG, b Bar, x, y int) {
	style := []string{`class="note quiet"`, `fill="` + light.quiet + `"`}
	if fit(len(b.value()), c.slot, narrowNote) == narrowNote {
		canvas.Text(x, y, b.value(), append(style, `text-anchor="middle"`)...)
	} else {
		canvas.Text(x, y, b.value(), append(style, `dy="0.35em"`, rotate(-90, x, y))...)
	}
}
