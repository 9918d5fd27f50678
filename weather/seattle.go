package weather

// seattleCSV is the layout of Seattle's weather, and of Seattle's and New York's
// in one file, in the npm package vega-datasets: a line for each day.
var seattleCSV = csvLayout{
	names: columns[string]{station: "location", date: "date", value: "temp_max"},
	mark:  "temp_max",
	needs: []string{"date", "temp_max"},

	readDate: ParseDate[string],
	units:    Celsius,
}
