package weather_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/weatheractors/weatheractors/weather"
)

// A year of made-up weather, counted month by month. Repeats are recognized by
// their date.
func Example() {
	generator := weather.NewGenerator(1)
	var stats weather.Stats
	duplicates := 0

	day, err := weather.NewDate(1997, time.January, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for ; day.Year() == 1997; day = day.Next() {
		stats.Add(weather.Observation{Date: day, Degrees: generator.Degrees(day)})
		if generator.Repeats(day, 0.05) && !stats.Add(weather.Observation{Date: day, Degrees: weather.RepeatDegrees}) {
			duplicates++
		}
	}

	for month := range stats.All() {
		fmt.Printf("%v to %v: %d days, %.1f °F\n", month.Start, month.End, month.Count, month.Avg())
	}
	fmt.Println(duplicates, "duplicates")
	// Output:
	// 1997-01-01 to 1997-01-31: 31 days, 26.5 °F
	// 1997-02-01 to 1997-02-28: 28 days, 30.7 °F
	// 1997-03-01 to 1997-03-31: 31 days, 41.9 °F
	// 1997-04-01 to 1997-04-30: 30 days, 56.1 °F
	// 1997-05-01 to 1997-05-31: 31 days, 67.9 °F
	// 1997-06-01 to 1997-06-30: 30 days, 78.0 °F
	// 1997-07-01 to 1997-07-31: 31 days, 81.8 °F
	// 1997-08-01 to 1997-08-31: 31 days, 79.6 °F
	// 1997-09-01 to 1997-09-30: 30 days, 70.9 °F
	// 1997-10-01 to 1997-10-31: 31 days, 59.9 °F
	// 1997-11-01 to 1997-11-30: 30 days, 45.4 °F
	// 1997-12-01 to 1997-12-31: 31 days, 32.1 °F
	// 26 duplicates
}

func ExampleReadDaily() {
	file := strings.NewReader(`date,precipitation,temp_max,temp_min,wind,weather
2012-01-01,0.0,12.8,5.0,4.7,drizzle
2012-01-02,10.9,10.6,2.8,4.5,rain
2012-01-03,0.8,,7.2,2.3,rain
`)
	series, err := weather.ReadDaily(file, weather.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, day := range series.Days {
		fmt.Println(day.Date, day.Degrees)
	}
	fmt.Println(series.Missing, "missing")

	_, err = weather.ReadDaily(strings.NewReader("date,temp_max\n2012-01-01,warm\n"), weather.ReadOptions{})
	fmt.Println(err)
	// Output:
	// 2012-01-01 55.04
	// 2012-01-02 51.08
	// 1 missing
	// line 2: temp_max: want a number in °C, got "warm"
}

// A producer was killed while the records of one partition were on their way:
// the other one is ahead.
func ExamplePlanResume() {
	wanted := func(yield func(weather.Date) bool) {
		day, _ := weather.NewDate(1990, time.June, 28)
		for day != 0 && yield(day) {
			day = day.Next()
		}
	}
	partitionOf := func(month time.Month) int32 {
		if month == time.June {
			return 2
		}
		return 1
	}
	have := map[int32]*weather.DateSet{1: {}, 2: {}}
	for _, text := range []string{"1990-06-28", "1990-07-01"} {
		date, _ := weather.ParseDate(text)
		have[partitionOf(date.Month())].Add(date)
	}

	resume, err := weather.PlanResume(have, partitionOf, wanted)
	if err != nil {
		fmt.Println(err)
		return
	}
	day := resume.Start
	for range 5 {
		if resume.Skip(day) {
			fmt.Println(day, "is there")
		} else {
			fmt.Println(day, "is to be published")
		}
		day = day.Next()
	}
	// Output:
	// 1990-06-29 is to be published
	// 1990-06-30 is to be published
	// 1990-07-01 is there
	// 1990-07-02 is to be published
	// 1990-07-03 is to be published
}
