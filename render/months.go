// Package render draws month.svg: a bar per month with the average maximum
// temperature of one of its years.
//
// A picture is a single SVG 1.1 file that needs nothing else: it brings its own
// style for light and dark backgrounds, scales to any size, and tells its
// values to screen readers. The same bars give the same bytes on every
// architecture: all coordinates are whole numbers.
//
// The package keeps no state and touches no file: where the picture is kept,
// and how it is replaced, is the caller's affair.
package render

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	svg "github.com/ajstarks/svgo"
)

// MaxBars is the most bars that fit into one picture: every month once.
const MaxBars = 12

// Bar is the average of one month of one year.
type Bar struct {
	Month time.Month
	Year  int     // 1 to 9999
	Avg   float64 // average maximum temperature in °F, finite
}

// label names the bar as in "January-1997"; years have four digits.
func (b Bar) label() string { return fmt.Sprintf("%v-%04d", b.Month, b.Year) }

func (b Bar) check() error {
	switch {
	case b.Month < time.January || b.Month > time.December:
		return fmt.Errorf("month is %d, want 1 to 12", int(b.Month))
	case b.Year < 1 || b.Year > 9999:
		return fmt.Errorf("year is %d, want 1 to 9999", b.Year)
	case math.IsNaN(b.Avg) || math.IsInf(b.Avg, 0):
		return fmt.Errorf("average is %v, want a finite number of °F", b.Avg)
	}
	return nil
}

// Months draws the bars from left to right, as they are given. Without bars the
// picture says that there is no data yet. It writes the whole picture at once,
// or nothing where a bar can't be drawn: more than MaxBars of them, or a month,
// year or average out of its range.
func Months(w io.Writer, bars []Bar) error {
	if len(bars) > MaxBars {
		return fmt.Errorf("draw months: %d bars, want at most %d", len(bars), MaxBars)
	}
	for _, b := range bars {
		if err := b.check(); err != nil {
			return fmt.Errorf("draw months: bar %s: %w", b.label(), err)
		}
	}
	var buf bytes.Buffer // svgo swallows the errors of its writer
	draw(svg.New(&buf), bars)
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("draw months: %w", err)
	}
	return nil
}

// Lengths in pixels of the picture's own grid; a viewer scales it.
const (
	width, height = 960, 540
	left, right   = 104, width - 32
	top           = 96
	// A bar and its value need a slot; labels that are wider are slanted.
	widestBar   = 110
	widestLabel = 112
)

const (
	axisTitle = "Avg. Max Temperature"
	heading   = "Average maximum temperature"
	subtitle  = "Each month in the most recent year on record"
	noData    = "no data yet: none of these months is on record"
)

const css = `
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, "DejaVu Sans", sans-serif; font-size: 14px; fill: #33383f; }
.background { fill: #ffffff; }
.heading { font-size: 22px; font-weight: 600; }
.quiet { fill: #68707a; }
.tick, .label { font-size: 13px; }
.value { font-weight: 600; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round; paint-order: stroke; }
.tick { text-anchor: end; }
.middle { text-anchor: middle; }
.slant { text-anchor: end; }
.grid { stroke: #e3e6ea; stroke-width: 1; }
.zero { stroke: #8b939d; stroke-width: 1.5; }
.bar { fill: #2f7ed8; }
.bar:hover { fill: #1b5fae; }
@media (prefers-color-scheme: dark) {
  text { fill: #dfe3e8; }
  .background { fill: #15191e; }
  .quiet { fill: #98a1ab; }
  .value { stroke: #15191e; }
  .grid { stroke: #2b323a; }
  .zero { stroke: #7a838d; }
  .bar { fill: #5aa2f0; }
  .bar:hover { fill: #8fc2f9; }
}
`

func draw(canvas *svg.SVG, bars []Bar) {
	canvas.Start(width, height, fmt.Sprintf(`viewBox="0 0 %d %d"`, width, height), `role="img"`)
	canvas.Title(heading)
	canvas.Desc(description(bars))
	canvas.Style("text/css", css)
	canvas.Rect(0, 0, width, height, `class="background"`)
	canvas.Text(left, 40, heading, `class="heading"`)
	canvas.Text(left, 64, subtitle, `class="quiet"`)
	if len(bars) == 0 {
		canvas.Text(width/2, height/2, noData, `class="middle"`)
	} else {
		newChart(bars).draw(canvas)
	}
	canvas.End()
}

// description tells the picture's content in words.
func description(bars []Bar) string {
	if len(bars) == 0 {
		return noData
	}
	said := make([]string, len(bars))
	for i, b := range bars {
		said[i] = b.label() + " " + degrees(b.Avg) + " °F"
	}
	return axisTitle + ": " + strings.Join(said, ", ")
}
