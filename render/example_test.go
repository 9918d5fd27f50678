package render_test

import (
	"bytes"
	"fmt"
	"regexp"
	"time"

	"github.com/weatheractors/weatheractors/render"
)

func ExampleMonths() {
	var picture bytes.Buffer // or a file
	err := render.Months(&picture, []render.Bar{
		{Month: time.January, Year: 1997, Avg: 25.348},
		{Month: time.February, Year: 1997, Avg: 30.12},
		{Month: time.March, Year: 1996, Avg: 42.7},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	description := regexp.MustCompile(`<desc[^>]*>(.*)</desc>`).FindSubmatch(picture.Bytes())[1]
	fmt.Printf("%s\n", description)
	// Output:
	// Avg. Max Temperature: January-1997 25.3 °F, February-1997 30.1 °F, March-1996 42.7 °F
}

func ExampleTrend() {
	var picture bytes.Buffer // or a file
	err := render.Trend(&picture, time.January, map[int]float64{1995: 24.9, 1996: 22.1, 1997: 25.348, 1999: 27.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	description := regexp.MustCompile(`<desc[^>]*>(.*)</desc>`).FindSubmatch(picture.Bytes())[1]
	fmt.Printf("%s\n", description)
	// Output:
	// Avg. Max Temperature: January of 4 years, 1995 to 1999; lowest 22.1 °F in 1996, highest 27.5 °F in 1999, latest 27.5 °F; trend +9.21 °F per decade
}
