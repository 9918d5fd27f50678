package weather

import (
	"strconv"
	"time"
)

// byStationCSV is GHCN-Daily as CSV: a line for each day and element. The files
// by station at NCEI have no header, those in NOAA's Open Data have one; the
// files by year are the same, of all stations.
//
// Source: readme-by_station.txt, NOAA NCEI.
var byStationCSV = csvLayout{
	names: columns[string]{station: "ID", element: "ELEMENT", date: "DATE", value: "DATA_VALUE", quality: "Q_FLAG"},
	mark:  "DATA_VALUE",
	needs: []string{"ID", "DATE", "ELEMENT", "DATA_VALUE", "Q_FLAG"},

	readDate: parseCompactDate,
	missing:  ghcnMissing,
	flagged:  func(quality string) bool { return quality != "" },
	units:    TenthsCelsius,
}

// byStationWidth is how many columns each line of a file without a header has:
// ID, DATE, ELEMENT, DATA_VALUE, M_FLAG, Q_FLAG, S_FLAG and OBS_TIME.
const byStationWidth = 8

// byStationColumns are where they are.
var byStationColumns = columns[int]{station: 0, element: 2, date: 1, value: 3, quality: 5}

// isByStation tells whether a file without a header begins with this line.
func isByStation(fields []string) bool {
	return len(fields) > byStationColumns.quality &&
		len(fields[0]) == dlyYear && len(fields[1]) == len("YYYYMMDD") && allDigits(fields[1]) && len(fields[2]) == len(maximumElement)
}

// parseCompactDate reads a date that is written as YYYYMMDD.
func parseCompactDate(s string) (Date, error) {
	if len(s) != len("YYYYMMDD") || !allDigits(s) {
		return 0, parseError(clip(s), "want YYYYMMDD")
	}
	n, _ := strconv.Atoi(s) // they are digits
	year, month, day := n/10000, time.Month(n/100%100), n%100
	if year < minYear || day < 1 || day > DaysIn(year, month) {
		return 0, parseError(s, "no such day")
	}
	return pack(year, month, day), nil
}
