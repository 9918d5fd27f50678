package weather

import "strings"

// nceiCSV is the CSV that NCEI's access service and its orders (Climate Data
// Online) give: a line for each day, a column for each element that the station
// has, all quoted and padded. The attributes of a value are its flags: those of
// measurement, quality and source, and perhaps its time, between commas.
//
// The units are those that were chosen when it was ordered: tenths of °C, °C or
// °F. Nothing in the file tells which.
var nceiCSV = csvLayout{
	names: columns[string]{station: "STATION", date: "DATE", value: "TMAX", quality: "TMAX_ATTRIBUTES"},
	mark:  "STATION",
	needs: []string{"STATION", "DATE", "TMAX"},

	readDate: ParseDate[string],
	missing:  ghcnMissing,
	flagged: func(attributes string) bool {
		_, rest, _ := strings.Cut(attributes, ",")
		quality, _, _ := strings.Cut(rest, ",")
		return strings.TrimSpace(quality) != ""
	},
}
