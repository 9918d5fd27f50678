package render

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	svg "github.com/ajstarks/svgo"
)

// Trend draws how the average maximum temperature of one month went over the
// years, in °F by year (1 to 9999), with a straight line through them (least
// squares) from three years on. A year that is not there is a gap in the line.
// Where there are more years than pixels, each column of pixels shows its lowest
// and its highest. Without any year the picture says that there is no data yet.
// It writes the whole picture at once, or nothing where the month, a year or an
// average is out of its range.
func Trend(w io.Writer, month time.Month, averages map[int]float64) error {
	if err := (Bar{Month: month}).check(); err != nil {
		return fmt.Errorf("draw trend: %w", err)
	}
	points := make([]Bar, 0, len(averages))
	for _, year := range slices.Sorted(maps.Keys(averages)) {
		b := Bar{month, year, averages[year]}
		err := b.check()
		if year == 0 {
			err = fmt.Errorf("year is 0, want 1 to 9999")
		}
		if err != nil {
			return fmt.Errorf("draw trend: %s: %w", b.label(), err)
		}
		points = append(points, b)
	}
	var buf bytes.Buffer // svgo swallows the errors of its writer
	drawTrend(svg.New(&buf), month, points)
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("draw trend: %w", err)
	}
	return nil
}

// trend lays years out in a frame.
type trend struct {
	frame
	points []Bar // of one month, years ascending
	line   line
}

func drawTrend(canvas *svg.SVG, month time.Month, points []Bar) {
	h := header{id: "weatheractors-trend", heading: month.String() + ", average maximum temperature", subtitle: "Year by year"}
	sheet := styleSheet(sizes{narrowTick, narrowValue}) + trendSheet
	if len(points) == 0 {
		h.description = fmt.Sprintf("no data yet: no %v is on record", month)
		h.draw(canvas, sheet)
		drawNoData(canvas, h.description)
	} else {
		t := newTrend(points)
		h.subtitle, h.description = t.period()+t.line.told(", trend "), t.description()
		h.draw(canvas, sheet)
		t.draw(canvas)
	}
	canvas.End()
}

func newTrend(points []Bar) trend {
	t := trend{points: points, line: fitLine(points)}
	var values []float64
	for _, p := range points {
		values = append(values, p.Avg)
	}
	if t.line.known {
		values = append(values, t.line.first, t.line.last)
	}
	t.frame = newFrame(newCloseAxis(values))
	return t
}

// period is from when to when: as in "1990 to 2023".
func (t trend) period() string {
	first, last := t.points[0].Year, t.points[len(t.points)-1].Year
	if first == last {
		return fmt.Sprintf("%04d", first)
	}
	return fmt.Sprintf("%04d to %04d", first, last)
}

// description tells the picture's content in words.
func (t trend) description() string {
	compare := func(a, b Bar) int {
		if a.Avg < b.Avg {
			return -1
		}
		return 1 // the first of equal ones is found
	}
	lowest, highest := slices.MinFunc(t.points, compare), slices.MinFunc(t.points, func(a, b Bar) int { return compare(Bar{Avg: -a.Avg}, Bar{Avg: -b.Avg}) })
	latest := t.points[len(t.points)-1]
	if len(t.points) == 1 {
		return axisTitle + ": " + latest.told()
	}
	return fmt.Sprintf("%s: %v of %d years, %s; lowest %s °F in %04d, highest %s °F in %04d, latest %s °F%s", axisTitle, latest.Month,
		len(t.points), t.period(), degrees(lowest.Avg), lowest.Year, degrees(highest.Avg), highest.Year, degrees(latest.Avg), t.line.told("; trend "))
}

// x is where a year is, in whole pixels from the left.
func (t trend) x(year int) int {
	first, last := t.points[0].Year, t.points[len(t.points)-1].Year
	from, to := t.left+yearInset, right-yearInset
	if first == last {
		return (from + to) / 2
	}
	return from + (year-first)*(to-from)/(last-first)
}

const (
	yearInset = 26 // room for half of a year's label
	mostTicks = 9  // years that are named
	mostDots  = 60 // years that have a dot each
	dotSize   = 5
)

// trendSheet adds to styleSheet what only lines and dots have.
var trendSheet = `.weatheractors .dot:hover { stroke-width: 4; }
@media (prefers-color-scheme: dark) {
  .weatheractors .trend { stroke: ` + dark.ink + `; }
  .weatheractors .dot { stroke: ` + dark.background + `; }
}
`

func (t trend) draw(canvas *svg.SVG) {
	t.drawGrid(canvas)
	t.drawYears(canvas)
	t.drawCourse(canvas)
	if t.line.known {
		last := t.points[len(t.points)-1]
		canvas.Line(t.x(t.points[0].Year), t.y(t.axis.fraction(t.line.first)), t.x(last.Year), t.y(t.axis.fraction(t.line.last)),
			`class="trend"`, `stroke="`+light.ink+`"`, `stroke-width="3"`, `stroke-dasharray="2 8"`, `stroke-linecap="round"`)
	}
	t.drawDots(canvas)
}

// drawCourse draws the line from year to year, so that it does not hide the
// straight one.
func (t trend) drawCourse(canvas *svg.SVG) {
	var mean float64
	for _, p := range t.points {
		mean += p.Avg / float64(len(t.points))
	}
	thick, strong := "2", "0.7"
	if len(t.points) > mostDots {
		thick, strong = "1", "0.55"
	}
	canvas.Path(t.course(), `class="course"`, `fill="none"`, `stroke="`+color(mean)+`"`, `stroke-width="`+thick+`"`, `stroke-opacity="`+strong+`"`,
		`stroke-linejoin="round"`, `stroke-linecap="round"`)
}

// drawYears names some of the years below the frame.
func (t trend) drawYears(canvas *svg.SVG) {
	canvas.Line(t.left, t.bottom, right, t.bottom, `class="zero"`, `stroke="`+light.zero+`"`, `stroke-width="2"`, `shape-rendering="crispEdges"`)
	first, last := t.points[0].Year, t.points[len(t.points)-1].Year
	step := yearStep(last - first)
	for year := (first + step - 1) / step * step; year <= last; year += step {
		x := t.x(year)
		canvas.Line(x, t.bottom, x, t.bottom+6, `class="zero"`, `stroke="`+light.zero+`"`, `stroke-width="2"`, `shape-rendering="crispEdges"`)
		canvas.Text(x, t.bottom+14, fmt.Sprintf("%04d", year), `class="tick quiet"`, `fill="`+light.quiet+`"`, size(tickSize), `text-anchor="middle"`, `dy="0.8em"`)
	}
}

// yearStep is how far apart the years are that are named: 1, 2 or 5 times a power
// of ten.
func yearStep(span int) int {
	for power := 1; ; power *= 10 {
		for _, step := range []int{power, 2 * power, 5 * power} {
			if span/step < mostTicks {
				return step
			}
		}
	}
}

// course is the path through the years.
func (t trend) course() string {
	var path strings.Builder
	for i := 0; i < len(t.points); {
		from := i
		i++
		for i < len(t.points) && t.points[i].Year-t.points[from].Year == i-from {
			i++
		}
		t.segment(&path, t.points[from:i])
	}
	return path.String()
}

// segment adds the path through years without a gap: of each column of pixels the
// first, the lowest, the highest and the last.
func (t trend) segment(path *strings.Builder, points []Bar) {
	x, y := t.x(points[0].Year), t.y(t.axis.fraction(points[0].Avg))
	_, _ = fmt.Fprintf(path, "M%d,%d", x, y)
	if len(points) == 1 {
		_, _ = fmt.Fprintf(path, "H%d", x) // with its round ends a dot
	}
	for i := 1; i < len(points); {
		at := t.x(points[i].Year)
		high, low, last := height, 0, 0
		begins := t.y(t.axis.fraction(points[i].Avg))
		for ; i < len(points) && t.x(points[i].Year) == at; i++ {
			last = t.y(t.axis.fraction(points[i].Avg))
			high, low = min(high, last), max(low, last)
		}
		for _, to := range [...]int{begins, high, low, last} {
			if at != x || to != y {
				_, _ = fmt.Fprintf(path, "L%d,%d", at, to)
			}
			x, y = at, to
		}
	}
}

// drawDots marks each year, where there is room, and names the latest average.
func (t trend) drawDots(canvas *svg.SVG) {
	latest := t.points[len(t.points)-1]
	shown := t.points
	if len(shown) > mostDots {
		shown = shown[len(shown)-1:]
	}
	for _, p := range shown {
		canvas.Group(`class="dot"`, `fill="`+color(p.Avg)+`"`, `stroke="`+light.background+`"`, `stroke-width="2"`)
		canvas.Title(p.told())
		canvas.Circle(t.x(p.Year), t.y(t.axis.fraction(p.Avg)), dotSize)
		canvas.Gend()
	}
	t.drawLatest(canvas, latest)
}

// drawLatest writes the latest average where the line does not come from.
func (t trend) drawLatest(canvas *svg.SVG, latest Bar) {
	text, y := latest.value(), t.y(t.axis.fraction(latest.Avg))
	half := textWidth(utf8.RuneCountInString(text), narrowValue) / 2
	x := max(t.left+half, min(right-half, t.x(latest.Year)))
	style := []string{`class="value"`, size(valueSize), `font-weight="600"`, `text-anchor="middle"`}
	if before := len(t.points) - 2; before >= 0 && t.points[before].Avg > latest.Avg && y+12+narrowValue < t.bottom {
		canvas.Text(x, y+12, text, append(style, `dy="0.76em"`)...)
	} else {
		canvas.Text(x, y-12, text, style...)
	}
}
