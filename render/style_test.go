package render

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
)

// What is drawn must stand out from what it is drawn on, by the contrasts that
// WCAG 2.1 asks for: 4.5 for texts, 3 for what else has to be seen.
func TestColorsStandOut(t *testing.T) {
	for name, p := range map[string]palette{"light": light, "dark": dark} {
		for _, text := range []string{p.ink, p.quiet} {
			if c := contrast(t, text, p.background); c < 4.5 {
				t.Errorf("%s: text %s on %s has a contrast of %.2f, want 4.5", name, text, p.background, c)
			}
		}
		if c := contrast(t, p.zero, p.background); c < 3 {
			t.Errorf("%s: the zero line %s on %s has a contrast of %.2f, want 3", name, p.zero, p.background, c)
		}
		for degrees := -10; degrees <= 130; degrees++ {
			if c := contrast(t, color(float64(degrees)), p.background); c < 3 {
				t.Errorf("%s: a bar of %d °F, %s, has a contrast of %.2f, want 3", name, degrees, color(float64(degrees)), c)
			}
		}
	}
}

// contrast is WCAG's, from 1 to 21.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, color string) (sum float64) {
	t.Helper()
	var channels [3]int
	if _, err := fmt.Sscanf(color, "#%02x%02x%02x", &channels[0], &channels[1], &channels[2]); err != nil {
		t.Fatalf("color %q: %v", color, err)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v := float64(channels[i]) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

func TestColorOfABar(t *testing.T) {
	cases := []struct {
		name    string
		degrees float64
		want    string
	}{
		{"the coldest that has one of its own", 0, "#306ce2"},
		{"below it", -1e300, "#306ce2"},
		{"between two", 50, "#9d55c9"},
		{"the warmest that has one of its own", 100, "#e45920"},
		{"above it", math.MaxFloat64, "#e45920"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := color(c.degrees); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A viewer without style sheets sees the light picture; one with them finds in
// the dark a color for each that it has in the light.
func TestPictureWithoutItsStyleSheet(t *testing.T) {
	picture := string(draws(t, months(25, -3, 1e300)))
	sheet := regexp.MustCompile(`(?s)<style.*</style>`).FindString(picture)
	plain := strings.Replace(picture, sheet, "", 1)
	for _, of := range []struct{ name, light, dark string }{
		{"background", light.background, dark.background}, {"ink", light.ink, dark.ink}, {"quiet", light.quiet, dark.quiet},
		{"grid", light.grid, dark.grid}, {"zero", light.zero, dark.zero},
	} {
		if !strings.Contains(plain, `="`+of.light+`"`) {
			t.Errorf("%s: no attribute has the light color %s", of.name, of.light)
		}
		if _, inTheDark, _ := strings.Cut(sheet, "prefers-color-scheme: dark"); !strings.Contains(inTheDark, of.dark) {
			t.Errorf("%s: no rule has the dark color %s", of.name, of.dark)
		}
	}
	if strings.Contains(sheet, "%!") {
		t.Errorf("style sheet is malformed: %s", sheet)
	}
	for _, forbidden := range []string{"<script", "@import", "@font-face", "url(", "http-equiv", "<image"} {
		if strings.Contains(picture, forbidden) {
			t.Errorf("picture has %q", forbidden)
		}
	}
}
