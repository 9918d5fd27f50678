package render

import (
	"fmt"
	"math"
)

const fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"

// palette is what a picture is drawn in, beside the bars.
type palette struct{ background, ink, quiet, grid, zero string }

var (
	light = palette{background: "#ffffff", ink: "#20262e", quiet: "#5d6672", grid: "#e3e7ec", zero: "#87909c"}
	dark  = palette{background: "#14181d", ink: "#e7ebf0", quiet: "#a0aab6", grid: "#2a3139", zero: "#77818d"}
)

// warmth has the color of a bar at 0, 20, 40… °F: from blue by way of violet to
// red. They are about equally light, so that each stands out from white and from
// black, and in the eyes of those who see few colors.
var warmth = [...][3]int{{48, 108, 226}, {62, 114, 232}, {124, 97, 226}, {190, 72, 176}, {224, 70, 92}, {228, 89, 32}}

const warmthStep = 20 // °F

// color is that of a bar which is so many °F long.
func color(degrees float64) string {
	const most = float64(warmthStep * (len(warmth) - 1))
	whole := int(math.Round(min(max(degrees, 0), most)))
	i := min(whole/warmthStep, len(warmth)-2)
	var rgb [3]int
	for channel := range rgb {
		from, to := warmth[i][channel], warmth[i+1][channel]
		rgb[channel] = from + (to-from)*(whole-i*warmthStep)/warmthStep
	}
	return fmt.Sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2])
}

// sizes are those of texts, in pixels, that depend on what there is to show.
type sizes struct{ label, value int }

// fit is the size, up to most, at which texts of so many letters fit between their
// neighbors. It reckons with a wide font: nothing here can measure one.
func fit(letters, between, most int) int {
	return max(1, min(most, between*96/(letters*letterWidth)))
}

// letterWidth is that of a letter or digit in hundredths of the text's size, in
// the mean.
const letterWidth = 64

func textWidth(letters, size int) int { return letters * size * letterWidth / 100 }

// Sizes of texts where the picture is at its full width, and where it is on a
// phone, and about half as large.
const (
	labelSize, narrowLabel = 13, 20
	valueSize, narrowValue = 15, 24
	tickSize, narrowTick   = 13, 18
	noteSize, narrowNote   = 14, 20

	tooSmall     = 14 // for level labels in a narrow picture
	slantedLabel = 16 // in a narrow picture
)

// styleSheet adds to the attributes what they can't say: dark colors, larger
// texts in a narrow picture, and what viewers may do without.
func styleSheet(narrow sizes) string {
	return fmt.Sprintf(`
svg.weatheractors { max-width: 100%%; height: auto; }
.weatheractors:root { background: %s; }
.weatheractors .bar:hover { opacity: 0.8; }
@supports (paint-order: stroke) {
  .weatheractors .value { paint-order: stroke; stroke: %[1]s; stroke-width: 4px; stroke-linejoin: round; }
}
@media (max-width: 480px) {
  .weatheractors .heading { font-size: 30px; }
  .weatheractors .note { font-size: %dpx; }
  .weatheractors .tick { font-size: %dpx; }
  .weatheractors .label { font-size: %dpx; }
  .weatheractors .value { font-size: %dpx; }
}
@media (prefers-color-scheme: dark) {
  .weatheractors:root { background: %s; }
  .weatheractors { fill: %s; }
  .weatheractors .background { fill: %[6]s; }
  .weatheractors .quiet { fill: %[8]s; }
  .weatheractors .grid { stroke: %s; }
  .weatheractors .zero { stroke: %s; }
  .weatheractors .value { stroke: %[6]s; }
}
`, light.background, narrowNote, narrowTick, narrow.label, narrow.value, dark.background, dark.ink, dark.quiet, dark.grid, dark.zero)
}
