package verify

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

// report encodes the value of a record.
func report(date string, degrees float64) []byte {
	value, err := proto.Marshal(&messages.Report{Date: date, Degrees: degrees})
	if err != nil {
		panic(err)
	}
	return value
}

func TestWhichRecordsAreValid(t *testing.T) {
	const date = "1990-01-31"
	cases := []struct {
		name  string
		key   string
		value []byte
		valid bool
	}{
		{"a report with its month as key", "January", report(date, 31.5), true},
		{"absent degrees are 0", "January", report(date, 0), true},
		{"the greatest degrees", "January", report(date, maxDegrees), true},
		{"the lowest degrees", "January", report(date, -maxDegrees), true},
		{"degrees beyond the greatest", "January", report(date, math.Nextafter(maxDegrees, math.Inf(1))), false},
		{"not a number", "January", report(date, math.NaN()), false},
		{"infinite", "January", report(date, math.Inf(1)), false},
		{"infinitely cold", "January", report(date, math.Inf(-1)), false},
		{"first year", "January", report("0001-01-01", 1), true},
		{"last day", "December", report("9999-12-31", 1), true},
		{"year 0", "January", report("0000-01-31", 1), false},
		{"leap day", "February", report("2000-02-29", 1), true},
		{"leap day of a common year", "February", report("1900-02-29", 1), false},
		{"month 13", "January", report("1990-13-01", 1), false},
		{"day 0", "January", report("1990-01-00", 1), false},
		{"short date", "January", report("1990-1-31", 1), false},
		{"long date", "January", report("1990-01-31T00:00:00Z", 1), false},
		{"signed year", "January", report("+990-01-31", 1), false},
		{"blanks around", "January", report(" 1990-01-31", 1), false},
		{"no date", "January", report("", 1), false},
		{"another month as key", "February", report(date, 1), false},
		{"month in small letters", "january", report(date, 1), false},
		{"no key", "", report(date, 1), false},
		{"empty value", "January", nil, false},
		{"not protobuf", "January", []byte("hello"), false},
		{"unknown fields are passed over", "January", append(report(date, 1), 0x98, 0x06, 0x01), true},
		{"the last of two dates holds", "January", append(report("1990-02-01", 1), report(date, 2)...), true},
		{"date that is not UTF-8", "January", []byte{0x0a, 0x01, 0xff}, false},
		{"cut short", "January", report(date, 1)[:15], false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, _, _, err := observation([]byte(c.key), c.value); (err == nil) != c.valid {
				t.Errorf("got error %v, want valid: %t", err, c.valid)
			}
		})
	}
}

// record is a record of a topic.
type record struct {
	key   string
	value []byte
}

func good(date string, degrees float64) record {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return record{day.Month().String(), report(date, degrees)}
}

func recount(records ...record) *tally {
	t := newTally()
	for offset, r := range records {
		t.add(int64(offset), []byte(r.key), r.value)
	}
	return t
}

func TestRecount(t *testing.T) {
	january := monthYear{time.January, 1990}
	cases := []struct {
		name    string
		records []record
		want    map[monthYear]days
		invalid []int64
	}{
		{"nothing", nil, nil, nil},
		{"sums are added one by one", []record{good("1990-01-01", 0.1), good("1990-01-02", 0.2), good("1990-01-03", 0.3)},
			map[monthYear]days{january: {3, 0.6000000000000001, "1990-01-01", "1990-01-03"}}, nil},
		{"a repeated date is ignored", []record{good("1990-01-02", 1), good("1990-01-02", 1e6)},
			map[monthYear]days{january: {1, 1, "1990-01-02", "1990-01-02"}}, nil},
		{"an earlier date is ignored", []record{good("1990-01-02", 1), good("1990-01-01", 1e6)},
			map[monthYear]days{january: {1, 1, "1990-01-02", "1990-01-02"}}, nil},
		{"days may be missing", []record{good("1990-01-02", 1), good("1990-01-31", 2)},
			map[monthYear]days{january: {2, 3, "1990-01-02", "1990-01-31"}}, nil},
		{"an earlier year is another month", []record{good("1990-01-02", 1), good("1989-01-03", 2)},
			map[monthYear]days{january: {1, 1, "1990-01-02", "1990-01-02"}, {time.January, 1989}: {1, 2, "1989-01-03", "1989-01-03"}}, nil},
		{"validity comes before the duplicate rule", []record{good("1990-01-02", 1), {"May", report("1990-01-01", 1)}},
			map[monthYear]days{january: {1, 1, "1990-01-02", "1990-01-02"}}, []int64{1}},
		{"negative zero sums up to zero", []record{good("1990-01-02", math.Copysign(0, -1))},
			map[monthYear]days{january: {1, 0, "1990-01-02", "1990-01-02"}}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := recount(c.records...)
			if !maps.Equal(got.months, c.want) || !slices.Equal(got.invalid, c.invalid) || got.records != int64(len(c.records)) {
				t.Errorf("got %v, invalid %v, %d records\nwant %v, invalid %v", got.months, got.invalid, got.records, c.want, c.invalid)
			}
			for _, d := range got.months {
				if d.sum == 0 && math.Signbit(d.sum) {
					t.Error("sum is -0")
				}
			}
		})
	}
}
