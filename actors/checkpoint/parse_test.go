package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// encoded parses a file and encodes what it says.
func encoded(t *testing.T, data string) string {
	t.Helper()
	p, err := parseFile([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	again, err := new(encoder).encode(p.checkpoint())
	if err != nil {
		t.Fatal(err)
	}
	return string(again)
}

// otherLayouts of the sample.
func otherLayouts(t testing.TB) map[string]string {
	var compact, indented bytes.Buffer
	if err := json.Compact(&compact, []byte(sample)); err != nil {
		t.Fatal(err)
	}
	if err := json.Indent(&indented, []byte(sample), "\t", "    "); err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal([]byte(sample), &value); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"as encoded":            sample,
		"compact":               compact.String(),
		"indented":              indented.String(),
		"keys sorted":           string(sorted),
		"carriage returns":      strings.ReplaceAll(sample, "\n", "\r\n"),
		"no line feed":          strings.TrimSpace(sample),
		"white space around":    "\n\t " + sample + "\n\n ",
		"escapes in keys":       strings.Replace(sample, "January", `\u004aanuar\u0079`, 1),
		"escapes in dates":      strings.Replace(sample, "1990-01-31", `1990\u002d01-31`, 1),
		"other forms of a sum":  strings.NewReplacer("599", "5.99E+2", "178", "178.000", "1113", "111300e-2").Replace(sample),
		"average that is wrong": strings.Replace(sample, "37.1", "-1e999", 1),
		"a month without years": strings.Replace(sample, `"April"`, `"May": {}, "April"`, 1),
		"years in any order": `{"April": {"1990": {"count": 30, "sum": 1113, "avg": 0, "end": "1990-04-30", "start": "1990-04-01"}},
			"January": {"1991": {"count": 31, "sum": 178, "avg": 0, "end": "1991-01-31", "start": "1991-01-01"},
			"1990": {"start": "1990-01-01", "end": "1990-01-31", "avg": 0, "sum": 599, "count": 31}}, "offset": 4117, "partition": 2}`,
	}
}

func TestParseAnyLayout(t *testing.T) {
	for name, data := range otherLayouts(t) {
		t.Run(name, func(t *testing.T) {
			if got := encoded(t, data); got != sample {
				t.Errorf("got\n%swant\n%s", got, sample)
			}
		})
	}
}

func TestParseKeepsEveryBit(t *testing.T) {
	for _, sum := range append(floats, 0.1+0.2, math.Pi, 1.0/3) {
		if math.Abs(sum) > math.MaxFloat64/31 {
			continue
		}
		c := sampleCheckpoint()
		c.Stats.Sums[0] = sum
		data, err := new(encoder).encode(c)
		if err != nil {
			t.Fatal(err)
		}
		p, err := parseFile(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.checkpoint(); !proto.Equal(got, c) || math.Float64bits(got.Stats.Sums[0]) != math.Float64bits(sum) {
			t.Errorf("sum %v loads as %v", sum, got.Stats.Sums[0])
		}
	}
}

// edited returns the sample with a part of it replaced.
func edited(before, after string) string {
	if strings.Count(sample, before) == 0 {
		panic("the sample has no " + before)
	}
	return strings.Replace(sample, before, after, 1)
}

var corruptFiles = []struct {
	name, data, want string
}{
	{"empty file", "", "line 1: want an object, but the file ends here"},
	{"zeros, as a power cut may leave", "\x00\x00\x00", `line 1: want an object, got "\x00\x00\x00"`},
	{"cut off in a row", sample[:190], "line 4: string is not closed"},
	{"cut off between rows", strings.TrimSuffix(sample, "}}}\n") + "}", "line 6: want a comma or \"}\", but the file ends here"},
	{"something behind", sample + "\n{}", "line 8: want the end of the file, got \"{}\""},
	{"byte order mark", "\ufeff" + sample, "line 1: want an object"},
	{"array", "[]", "line 1: want an object"},
	{"null", "null", "line 1: want an object"},
	{"no partition", `{"offset": 0}`, `line 1: "partition" is missing`},
	{"no offset", "{\n\"partition\": 2\n}\n", `line 4: "offset" is missing`},
	{"unknown key", edited(`"April"`, `"Smarch"`), `line 5: "Smarch": want "partition", "offset" or the name of a month`},
	{"key in other letters", edited(`"April"`, `"april"`), `line 5: "april": want`},
	{"offset twice", edited(`"January"`, "\"offset\": 4117,\n\"January\""), `line 2: "offset" comes twice`},
	{"partition twice", edited(`"offset"`, "\"partition\": 2, \"offset\""), `line 1: "partition" comes twice`},
	{"month twice", edited(`"April"`, `"January"`), `line 5: "January" comes twice`},
	{"year twice", edited(`"1991": {`, `"1990": {`), `line 4: "1990" comes twice`},
	{"year twice, escaped", edited(`"1991": {`, `"199\u0030": {`), `line 4: "1990" comes twice`},
	{"count twice", edited(`"avg": 37.1`, `"count": 30`), `line 6: "count" comes twice`},
	{"unknown key of a row", edited(`"avg": 37.1`, `"mean": 37.1`), `line 6: "mean": want "count", "sum", "avg", "end" or "start"`},
	{"row without average", edited(`"avg": 37.1, `, ``), `line 6: "avg" is missing`},
	{"row without anything", "{\"partition\": 2, \"offset\": 1,\n\"May\": {\n\"1990\": {}}}", `line 3: "count" is missing`},
	{"partition is text", edited(`: 2,`, `: "2",`), `line 1: want a number, got "\"2\"`},
	{"partition is negative", edited(`: 2,`, `: -2,`), `line 1: partition is -2: want 0 or more`},
	{"partition is too large", edited(`: 2,`, `: 2147483648,`), `line 1: partition is 2147483648: want an integer below 2^31`},
	{"offset is negative", edited(`4117`, `-1`), `line 1: offset is -1: want 0 or more`},
	{"offset is a fraction", edited(`4117`, `4117.5`), `line 1: offset is 4117.5: want an integer`},
	{"offset is a float", edited(`4117`, `4117.0`), `line 1: offset is 4117.0: want an integer`},
	{"offset is too large", edited(`4117`, `9223372036854775808`), `line 1: offset is 9223372036854775808: want an integer below 2^63`},
	{"offset is null", edited(`4117`, `null`), `line 1: want a number, got "null`},
	{"offset with a leading zero", edited(`4117`, `04117`), `line 1: want a number, got "04117`},
	{"month is not an object", edited("\"April\": {\n", "\"April\": [{"), "line 5: want an object, got \"[{"},
	{"deep nesting", `{"partition": 2, "offset": ` + strings.Repeat("[", 1<<20), "line 1: want a number"},
	{"deep nesting of months", `{"January": ` + strings.Repeat(`{"1990": `, 1<<16), `line 1: "1990": want "count"`},
	{"year of two digits", edited(`"1991": {`, `"91": {`), `line 4: "91": want a year, 0001 to 9999`},
	{"year 0", edited(`"1991": {`, `"0000": {`), `line 4: "0000": want a year`},
	{"year of five digits", edited(`"1991": {`, `"11991": {`), `line 4: "11991": want a year`},
	{"year with a sign", edited(`"1991": {`, `"+991": {`), `line 4: "+991": want a year`},
	{"count is negative", edited(`"count": 30`, `"count": -3`), `line 6: count is -3: want 0 or more`},
	{"count is 0", edited(`"count": 30`, `"count": 0`), `line 6: count is 0: want 1 to 30, the days from 1990-04-01 to 1990-04-30`},
	{"count above the days from start to end", edited(`"start": "1990-04-01"`, `"start": "1990-04-02"`), `line 6: count is 30: want 1 to 29`},
	{"count is a fraction", edited(`"count": 30`, `"count": 1e1`), `line 6: count is 1e1: want an integer`},
	{"sum is text", edited(`1113`, `"1113"`), `line 6: want a number`},
	{"sum is NaN", edited(`1113`, `NaN`), `line 6: want a number, got "NaN`},
	{"sum is infinite", edited(`1113`, `1e309`), `line 6: sum is 1e309: out of range`},
	{"sum that no days can have", edited(`1113`, `1.79e308`), `line 6: sum is 1.79e+308: want at most`},
	{"average is text", edited(`37.1`, `"37.1"`), `line 6: want a number`},
	{"average is null", edited(`37.1`, `null`), `line 6: want a number`},
	{"date outside its month", edited(`"end": "1990-04-30"`, `"end": "1990-05-01"`), `line 6: end 1990-05-01 is not in April 1990`},
	{"date outside its year", edited(`"start": "1990-04-01"`, `"start": "1989-04-01"`), `line 6: start 1989-04-01 is not in April 1990`},
	{"day that does not exist", edited(`"end": "1990-04-30"`, `"end": "1990-04-31"`), `line 6: end: invalid date`},
	{"date is a number", edited(`"1990-04-30"`, `19900430`), `line 6: want a date in quotes`},
	{"end before start", edited(`"end": "1990-04-30", "start": "1990-04-01"`, `"start": "1990-04-30", "end": "1990-04-01"`), `line 6: end 1990-04-01 is before start 1990-04-30`},
	{"line feed in a key", edited(`"April"`, "\"Apr\nil\""), `line 5: not a JSON string`},
	{"bad escape", edited(`"April"`, `"Apri\x6c"`), `line 5: not a JSON string`},
	{"colon is missing", edited(`"April":`, `"April"`), `line 5: want a colon`},
	{"key without quotes", edited(`"April"`, `April`), `line 5: want a key in quotes, got "April`},
	{"comma at the end", `{"partition": 2, "offset": 0,}`, `line 1: want a key in quotes`},
	{"comment", "// mine\n" + sample, "line 1: want an object"},
}

func TestParseRefuses(t *testing.T) {
	for _, test := range corruptFiles {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseFile([]byte(test.data))
			if syntax := (*syntaxError)(nil); !errors.As(err, &syntax) || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("error has %d bytes", len(err.Error()))
			}
		})
	}
}

func FuzzParseFile(f *testing.F) {
	for _, data := range otherLayouts(f) {
		f.Add([]byte(data))
	}
	for _, test := range corruptFiles {
		if len(test.data) < 4096 {
			f.Add([]byte(test.data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseFile(data)
		if err != nil {
			if syntax := (*syntaxError)(nil); !errors.As(err, &syntax) {
				t.Fatalf("error without a line: %v", err)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatal("not JSON, but it loads")
		}
		c := p.checkpoint()
		first, err := new(encoder).encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = parseFile(first); err != nil {
			t.Fatal(err)
		}
		if !proto.Equal(p.checkpoint(), c) {
			t.Fatalf("loads as another one: %v, was %v", p.checkpoint(), c)
		}
		second, err := new(encoder).encode(p.checkpoint())
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v: encodes as\n%s, was\n%s", err, second, first)
		}
	})
}
