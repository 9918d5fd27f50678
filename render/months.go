// Package render draws month.svg: a bar per month with the average maximum
// temperature of one of its years; and how a month's average went over the years.
//
// A picture is a single SVG 1.1 file that needs nothing else, neither scripts
// nor fonts. It scales to any size, brings its own colors for light and dark
// backgrounds, and tells its values to screen readers. Its light colors and all
// else that it can't be read without are attributes, for viewers that know no
// style sheets. The same values give the same bytes on every architecture: all
// coordinates are whole numbers.
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
	Year  int     // 1 to 9999; 0 where no year of the month is on record
	Avg   float64 // average maximum temperature in °F, finite; none in year 0
}

// missing says that there is a place for the bar, and nothing to draw.
func (b Bar) missing() bool { return b.Year == 0 }

// label names the bar as in "January-1997"; years have four digits.
func (b Bar) label() string {
	if b.missing() {
		return b.Month.String()
	}
	return fmt.Sprintf("%v-%04d", b.Month, b.Year)
}

// value is what stands at the bar's end.
func (b Bar) value() string {
	if b.missing() {
		return "no data"
	}
	return degrees(b.Avg)
}

func (b Bar) check() error {
	switch {
	case b.Month < time.January || b.Month > time.December:
		return fmt.Errorf("month is %d, want 1 to 12", int(b.Month))
	case b.Year < 0 || b.Year > 9999:
		return fmt.Errorf("year is %d, want 1 to 9999, or 0 for none", b.Year)
	case math.IsNaN(b.Avg) || math.IsInf(b.Avg, 0):
		return fmt.Errorf("average is %v, want a finite number of °F", b.Avg)
	case b.missing() && b.Avg != 0:
		return fmt.Errorf("average is %v, want none without a year", b.Avg)
	}
	return nil
}

// Months draws the bars from left to right, as they are given; a month of which
// no year is on record keeps its place. Where there is no bar at all the picture
// says that there is no data yet. It writes the whole picture at once, or nothing
// where a bar can't be drawn: more than MaxBars of them, or a month, year or
// average out of its range.
func Months(w io.Writer, bars []Bar) error {
	if len(bars) > MaxBars {
		return fmt.Errorf("draw months: %d bars, want at most %d", len(bars), MaxBars)
	}
	empty := true
	for _, b := range bars {
		if err := b.check(); err != nil {
			return fmt.Errorf("draw months: bar %s: %w", b.label(), err)
		}
		empty = empty && b.missing()
	}
	if empty {
		bars = nil
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
	width, height = 800, 500
	margin        = 24
)

const (
	axisTitle = "Avg. Max Temperature"
	heading   = "Average maximum temperature"
	subtitle  = "Mean of the daily maxima of each month"
	noData    = "no data yet: none of these months is on record"
)

func draw(canvas *svg.SVG, bars []Bar) {
	h := header{"weatheractors", heading, subtitle, description(bars)}
	if len(bars) == 0 {
		h.draw(canvas, styleSheet(sizes{narrowLabel, narrowValue}))
		drawNoData(canvas, noData)
	} else {
		c := newChart(bars)
		h.draw(canvas, styleSheet(c.narrow))
		c.draw(canvas)
	}
	canvas.End()
}

// header is what a picture begins with. All of it is plain text that XML needs
// no escapes for.
type header struct {
	id                             string // what the identifiers in the picture begin with
	heading, subtitle, description string
}

func (h header) draw(canvas *svg.SVG, sheet string) {
	canvas.Start(width, height, fmt.Sprintf(`viewBox="0 0 %d %d"`, width, height),
		`role="img"`, fmt.Sprintf(`aria-labelledby="%s-title %[1]s-description"`, h.id), `xml:lang="en"`,
		`class="weatheractors"`, `fill="`+light.ink+`"`, `font-family="`+fonts+`"`, size(noteSize))
	// What svgo writes for these has no attributes. (A buffer can't fail.)
	_, _ = fmt.Fprintf(canvas.Writer, "<title id=\"%s-title\">%s</title>\n", h.id, h.heading)
	_, _ = fmt.Fprintf(canvas.Writer, "<desc id=\"%s-description\">%s</desc>\n", h.id, h.description)
	canvas.Style("text/css", sheet)
	canvas.Rect(0, 0, width, height, `class="background"`, `fill="`+light.background+`"`)
	canvas.Text(margin, 46, h.heading, `class="heading"`, `font-size="23"`, `font-weight="600"`)
	canvas.Text(margin, 72, h.subtitle, `class="note quiet"`, `fill="`+light.quiet+`"`)
}

func drawNoData(canvas *svg.SVG, text string) {
	canvas.Text(width/2, height/2, text, `class="note" text-anchor="middle"`)
}

// description tells the picture's content in words.
func description(bars []Bar) string {
	if len(bars) == 0 {
		return noData
	}
	said := make([]string, len(bars))
	for i, b := range bars {
		said[i] = b.told()
	}
	return axisTitle + ": " + strings.Join(said, ", ")
}

// told is the bar in words.
func (b Bar) told() string {
	if b.missing() {
		return b.label() + " " + b.value()
	}
	return b.label() + " " + b.value() + " °F"
}
