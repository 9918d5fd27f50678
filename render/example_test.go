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
