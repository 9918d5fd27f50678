package verify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// january is a file with one month and year.
const january = `{"partition": 2, "offset": 4117, "January": {"1990":
{"count": 31, "sum": 599, "avg": 19.322580645161292, "end": "1990-01-31", "start": "1990-01-01"}}}`

func TestParseFileOfAnyLayout(t *testing.T) {
	want := entry{days{31, 599, "1990-01-01", "1990-01-31"}, 19.322580645161292}
	cases := []struct{ name, data string }{
		{"spaces", january},
		{"no spaces", strings.NewReplacer(" ", "", "\n", "").Replace(january)},
		{"another order", `{"January": {"1990": {"start": "1990-01-01", "end": "1990-01-31", "avg": 19.322580645161292,
			"sum": 599, "count": 31}}, "offset": 4117, "partition": 2}`},
		{"numbers as another language prints them", strings.NewReplacer("31,", "3.1e1,", "599", "599.0", "4117", "4117.0").Replace(january)},
		{"escaped keys", strings.ReplaceAll(january, "January", `\u004aanuary`)},
		{"Windows line ends", strings.ReplaceAll(january, "\n", "\r\n") + "\r\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, err := parseFile([]byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			if f.partition != 2 || f.offset != 4117 || len(f.months) != 1 || f.months[monthYear{time.January, 1990}] != want {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestParseFileRefuses(t *testing.T) {
	swap := func(from, to string) string {
		if !strings.Contains(january, from) {
			t.Fatalf("no %s to replace", from)
		}
		return strings.Replace(january, from, to, 1)
	}
	cases := []struct{ name, data, want string }{
		{"empty file", "", "line 1: unexpected EOF"},
		{"file that was cut", january[:90], "line 2: unexpected EOF"},
		{"file that was cut behind a key", `{"partition"`, "line 1: unexpected EOF"},
		{"something behind the end", january + "\n\n{}", "line 4: something follows the end"},
		{"noise behind the end", january + "\n?", "line 3: invalid character '?' looking for beginning of value"},
		{"an array", "[]", `line 1: unexpected "["`},
		{"a number", "7", "line 1: not an object"},
		{"key that comes twice", swap(`"sum"`, `"count"`), `line 2: "count" comes twice`},
		{"month that comes twice", swap(`"January"`, `"January": {}, "January"`), `line 1: "January" comes twice`},
		{"month that comes twice, once escaped", swap(`"January"`, `"\u004aanuary": {}, "January"`), `line 1: "January" comes twice`},
		{"other key", swap(`"January"`, `"total": 1, "January"`), `unknown key "total"`},
		{"month in small letters", swap(`"January"`, `"january"`), `unknown key "january"`},
		{"other key in a month", swap(`"sum"`, `"max": 1, "sum"`), `January 1990: unknown key "max"`},
		{"no count", swap(`"count": 31,`, ``), `January 1990: no "count", want a whole number`},
		{"no avg", swap(`"avg": 19.322580645161292,`, ``), `January 1990: no "avg", want a number`},
		{"no offset", swap(`"offset": 4117,`, ``), `no "offset", want a whole number`},
		{"no start", swap(`, "start": "1990-01-01"`, ``), `January 1990: no "start", want a string`},
		{"offset below 0", swap("4117", "-1"), "offset is -1, want 0 or more"},
		{"part of a record", swap("4117", "4117.5"), `"offset" is not a whole number`},
		{"offset beyond all", swap("4117", "1e300"), `"offset" is not a whole number`},
		{"count in quotes", swap("31", `"31"`), `January 1990: "count" is not a whole number`},
		{"infinite sum", swap("599", "1e999"), `January 1990: "sum" is not a number that can be held`},
		{"null", swap("599", "null"), `January 1990: "sum" is not a number that can be held`},
		{"date that is a number", swap(`"1990-01-31"`, "19900131"), `January 1990: "end" is not a string`},
		{"short year", swap(`"1990"`, `"90"`), `January: "90" is not a year from 0001 to 9999`},
		{"year 0", swap(`"1990"`, `"0000"`), `January: "0000" is not a year from 0001 to 9999`},
		{"year with a sign", swap(`"1990"`, `"+990"`), `January: "+990" is not a year from 0001 to 9999`},
		{"month that is a number", `{"partition": 2, "offset": 0, "May": 5}`, `"May" is not an object`},
		{"year that is a number", `{"partition": 2, "offset": 0, "May": {"1990": 5}}`, `May 1990: not an object`},
		{"deep nesting", strings.Repeat(`{"a":`, 100000), "line 1: objects are nested too deep"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseFile([]byte(c.data)); err == nil || err.Error() != c.want {
				t.Errorf("got error %v, want %s", err, c.want)
			}
		})
	}
}

// Whatever is accepted is JSON, and its values survive being written anew.
func FuzzParseFile(f *testing.F) {
	f.Add([]byte(january))
	f.Add([]byte(`{"partition": 0, "offset": 0}`))
	f.Add([]byte(`{"partition": 0, "offset": 1, "May": {"2000": {"count": 1, "sum": -0, "avg": 1e-7, "end": "", "start": ""}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parseFile(data)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted what is not JSON: %q", data)
		}
		if file.offset < 0 {
			t.Fatalf("accepted offset %d", file.offset)
		}
		counted := newTally()
		for m, e := range file.months {
			if e.avg != e.days.avg() || len(e.start)+len(e.end) != 20 || quote(e.start) != e.start || quote(e.end) != e.end {
				return // no recount comes to that
			}
			counted.months[m] = e.days
		}
		if file.partition != int64(int32(file.partition)) {
			return
		}
		written, err := encode(int32(file.partition), file.offset, counted)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseFile(written)
		if err != nil {
			t.Fatalf("%v in\n%s", err, written)
		}
		if differences := compareMonths(again.months, counted); len(differences) > 0 || again.offset != file.offset {
			t.Fatalf("reads back with differences %q from\n%s", differences, written)
		}
	})
}
