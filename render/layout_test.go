package render

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// shape is a text or a bar of a picture, as its viewer lays it out.
type shape struct {
	what           string
	x0, y0, x1, y1 float64
	slanted        bool // seen from its lower left; the others are upright
}

// checkPicture reads the picture as XML. It must be well-formed, hold every
// label and value, and keep texts and bars within its bounds and apart, both at
// its full width and on a phone. Text widths are estimates, as in the layout.
func checkPicture(t *testing.T, picture []byte, bars []Bar) {
	t.Helper()
	for _, narrow := range []bool{false, true} {
		shapes := layOut(t, picture, narrow)
		for i, s := range shapes {
			if s.x0 < 0 || s.y0 < 0 || s.x1 > width || s.y1 > height {
				t.Errorf("narrow %t: %+v leaves the picture of %dx%d", narrow, s, width, height)
			}
			for _, other := range shapes[:i] {
				if overlap(s, other) {
					t.Errorf("narrow %t: %+v overlaps %+v", narrow, s, other)
				}
			}
		}
	}
	all, description := string(picture), ""
	if found := regexp.MustCompile(`<desc[^>]*>(.*)</desc>`).FindStringSubmatch(all); found != nil {
		description = found[1]
	}
	drawn := false
	for _, b := range bars {
		drawn = drawn || !b.missing()
	}
	if !drawn {
		bars = nil
	}
	want := []string{noData}
	if len(bars) > 0 {
		want = []string{axisTitle, "°F"}
	}
	for _, b := range bars {
		want = append(want, b.label(), b.value())
	}
	for _, w := range want {
		if !strings.Contains(all, ">"+w+"</text>") {
			t.Errorf("no text %q", w)
		}
		if w != "°F" && !strings.Contains(description, w) {
			t.Errorf("the description %q does not say %q", description, w)
		}
	}
}

// layOut returns the texts and bars of a picture at its full width, or where it
// is so narrow that its style sheet enlarges texts.
func layOut(t *testing.T, picture []byte, narrow bool) (shapes []shape) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return shapes
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "path":
			shapes = append(shapes, barShape(t, attribute(start, "d")))
		case "text":
			var text string
			if err := decoder.DecodeElement(&text, &start); err != nil {
				t.Fatalf("not well-formed: %v", err)
			}
			size := textSize(t, picture, start, narrow)
			shapes = append(shapes, textShape(t, start, text, size))
		}
	}
}

// textSize is that of the attribute, or where narrow is set of the class's rule.
func textSize(t *testing.T, picture []byte, start xml.StartElement, narrow bool) float64 {
	t.Helper()
	if narrow {
		class, _, _ := strings.Cut(attribute(start, "class"), " ")
		rule := regexp.MustCompile(`\.` + class + ` { font-size: ([0-9]+)px; }`).FindSubmatch(picture)
		if rule == nil {
			t.Fatalf("no size for %q in a narrow picture", class)
		}
		return parse(t, string(rule[1]))
	}
	if attribute(start, "font-size") == "" {
		return noteSize
	}
	return number(t, start, "font-size")
}

func barShape(t *testing.T, path string) shape {
	t.Helper()
	var left, zero, back, x1, end, x2, y2, right, x3, y3, x4, y4, closed int
	if _, err := fmt.Sscanf(path, "M%d,%d V%d Q%d,%d %d,%d H%d Q%d,%d %d,%d V%d Z",
		&left, &zero, &back, &x1, &end, &x2, &y2, &right, &x3, &y3, &x4, &y4, &closed); err != nil {
		t.Fatalf("bar %q: %v", path, err)
	}
	return shape{what: "bar", x0: float64(left), x1: float64(x4), y0: float64(min(zero, end)), y1: float64(max(zero, end))}
}

// textShape is about as large as the text is in a wide font: letters reach three
// quarters of its size above the base line.
func textShape(t *testing.T, start xml.StartElement, text string, size float64) shape {
	t.Helper()
	x, y := number(t, start, "x"), number(t, start, "y")
	long, high := float64(len([]rune(text)))*size*letterWidth/100, 0.76*size
	down := 0.0
	if dy := attribute(start, "dy"); dy != "" {
		down = parse(t, strings.TrimSuffix(dy, "em")) * size
	}
	before := 0.0 // part of the text that lies before x
	switch attribute(start, "text-anchor") {
	case "middle":
		before = long / 2
	case "end":
		before = long
	}
	switch turn := attribute(start, "transform"); {
	case strings.HasPrefix(turn, "rotate(-90 "):
		return shape{what: text, x0: x + down - high, x1: x + down, y0: y - long + before, y1: y + before}
	case turn != "":
		sin, cos := math.Sincos(slant * math.Pi / 180)
		return shape{what: text, slanted: true, x0: x - long*cos, x1: x + high*sin, y0: y - high*cos, y1: y + long*sin + down*cos}
	default:
		return shape{what: text, x0: x - before, x1: x - before + long, y0: y + down - high, y1: y + down}
	}
}

// overlap says whether two shapes do. Slanted ones need as much room across as
// they are high; above one there is the more room the further it has gone down.
func overlap(a, b shape) bool {
	sin, cos := math.Sincos(slant * math.Pi / 180)
	switch {
	case a.slanted && b.slanted:
		return math.Abs(a.x1-b.x1)*sin < 0.76*slantedLabel
	case b.slanted:
		a, b = b, a
	}
	above := 0.0
	if a.slanted {
		above = max(0, a.x1-b.x1) * sin / cos
	}
	return a.x0 < b.x1 && b.x0 < a.x1 && a.y0+above < b.y1 && b.y0 < a.y1
}

func attribute(start xml.StartElement, name string) string {
	for _, a := range start.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(t *testing.T, start xml.StartElement, name string) float64 {
	t.Helper()
	return parse(t, attribute(start, name))
}

func parse(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
