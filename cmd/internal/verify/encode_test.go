package verify

import (
	"bytes"
	"testing"
	"time"
)

func TestEncode(t *testing.T) {
	cases := []struct {
		name   string
		months map[monthYear]days
		want   string
	}{
		{"a new file", nil, `{"partition": 2, "offset": 4117}` + "\n"},
		{"one month and year", map[monthYear]days{
			{time.April, 7}: {1, -0.5, "0007-04-30", "0007-04-30"},
		}, `{"partition": 2, "offset": 4117,
"April": {
"0007": {"count": 1, "sum": -0.5, "avg": -0.5, "end": "0007-04-30", "start": "0007-04-30"}}}
`},
		{"months by calendar, years ascending", map[monthYear]days{
			{time.April, 1990}:   {30, 1113, "1990-04-01", "1990-04-30"},
			{time.January, 1991}: {31, 178, "1991-01-01", "1991-01-31"},
			{time.January, 1990}: {31, 599, "1990-01-01", "1990-01-31"},
		}, `{"partition": 2, "offset": 4117,
"January": {
"1990": {"count": 31, "sum": 599, "avg": 19.322580645161292, "end": "1990-01-31", "start": "1990-01-01"},
"1991": {"count": 31, "sum": 178, "avg": 5.741935483870968, "end": "1991-01-31", "start": "1991-01-01"}},
"April": {
"1990": {"count": 30, "sum": 1113, "avg": 37.1, "end": "1990-04-30", "start": "1990-04-01"}}}
`},
		{"floats as encoding/json prints them", map[monthYear]days{
			{time.May, 2000}: {2, 1e21, "2000-05-01", "2000-05-02"},
			{time.May, 2001}: {2, 2e-7, "2001-05-01", "2001-05-02"},
			{time.May, 2002}: {2, 0, "2002-05-01", "2002-05-02"},
		}, `{"partition": 2, "offset": 4117,
"May": {
"2000": {"count": 2, "sum": 1e+21, "avg": 500000000000000000000, "end": "2000-05-02", "start": "2000-05-01"},
"2001": {"count": 2, "sum": 2e-7, "avg": 1e-7, "end": "2001-05-02", "start": "2001-05-01"},
"2002": {"count": 2, "sum": 0, "avg": 0, "end": "2002-05-02", "start": "2002-05-01"}}}
`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			recounted := &tally{months: c.months}
			got, err := encode(2, 4117, recounted)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, []byte(c.want)) {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			file, err := parseFile(got)
			if err != nil {
				t.Fatal(err)
			}
			if differences := compareMonths(file.months, recounted); len(differences) > 0 {
				t.Errorf("reads back with differences: %q", differences)
			}
		})
	}
}
