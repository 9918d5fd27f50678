package verify

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

// monthYear is a month of a year, 1 to 9999.
type monthYear struct {
	month time.Month
	year  int
}

func (m monthYear) String() string { return fmt.Sprintf("%v %04d", m.month, m.year) }

// byCalendar orders as the partition file does: by month, then by year.
func byCalendar(a, b monthYear) int {
	return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.year, b.year))
}

// days are the days of a month and year that were counted. Dates are YYYY-MM-DD,
// which compare as strings.
type days struct {
	count      int64
	sum        float64 // °F, added one by one in offset order
	start, end string
}

func (d days) avg() float64 { return d.sum / float64(d.count) }

// tally is what a recount of a partition has come to.
type tally struct {
	records int64 // all of them: counted, duplicate and invalid ones
	months  map[monthYear]days
	invalid []int64 // offsets of records that can't be counted, ascending
}

func newTally() *tally { return &tally{months: make(map[monthYear]days)} }

// sorted returns the months and years of the tally as the file orders them.
func (t *tally) sorted() []monthYear {
	return slices.SortedFunc(maps.Keys(t.months), byCalendar)
}

// add counts the record at an offset. Records must come in offset order.
func (t *tally) add(offset int64, key, value []byte) {
	t.records++
	m, date, degrees, err := observation(key, value)
	if err != nil {
		t.invalid = append(t.invalid, offset)
		return
	}
	d := t.months[m]
	if date <= d.end {
		return // a duplicate
	}
	if d.count == 0 {
		d.start = date
	}
	d.end = date
	d.count++
	d.sum += degrees
	t.months[m] = d
}

// maxDegrees is the greatest size of a temperature, so that no sum overflows.
const maxDegrees = math.MaxFloat64 / 31

// observation takes a record apart, or says why it can't be counted.
func observation(key, value []byte) (m monthYear, date string, degrees float64, err error) {
	var report messages.Report // an empty value makes one without a date
	if err := proto.Unmarshal(value, &report); err != nil {
		return m, "", 0, err
	}
	date, degrees = report.GetDate(), report.GetDegrees()
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return m, "", 0, err
	}
	m = monthYear{day.Month(), day.Year()}
	switch {
	case m.year < 1:
		return m, "", 0, fmt.Errorf("date %q is before 0001-01-01", date)
	case math.IsNaN(degrees) || math.Abs(degrees) > maxDegrees:
		return m, "", 0, fmt.Errorf("%v °F can't be counted", degrees)
	case string(key) != m.month.String():
		return m, "", 0, fmt.Errorf("key %q is not the month of %s", key, date)
	}
	return m, date, degrees, nil
}
