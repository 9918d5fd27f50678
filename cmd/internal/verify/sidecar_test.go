package verify

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

func TestParseTopic(t *testing.T) {
	id := [16]byte{0x3d, 0xb1, 0x65, 0x66, 0xe1, 0xc7, 0x41, 0x59, 0xb4, 0x6c, 0x9e, 0xdb, 0xdc, 0xb0, 0xae, 0xd6}
	cases := []struct {
		name, data string
		want       *countedTopic
	}{
		{"all there is", `{"name": "temperatures", "id": "PbFlZuHHQVm0bJ7b3LCu1g",
"epochs": [{"epoch": 0, "first_offset": 0}],
"gaps": [{"base": 0, "next": 250}, {"base": 300, "next": 301}]}`, &countedTopic{"temperatures", id, []span{{0, 250}, {300, 301}}}},
		{"no id, no gaps", `{"name": "temperatures", "id": "", "epochs": [], "gaps": []}`, &countedTopic{name: "temperatures"}},
		{"empty file", ``, nil},
		{"no name", `{"id": "PbFlZuHHQVm0bJ7b3LCu1g"}`, nil},
		{"short id", `{"name": "temperatures", "id": "PbFl"}`, nil},
		{"id that is not base64", `{"name": "temperatures", "id": "!"}`, nil},
		{"gap that is empty", `{"name": "temperatures", "gaps": [{"base": 5, "next": 5}]}`, nil},
		{"gap below 0", `{"name": "temperatures", "gaps": [{"base": -1, "next": 5}]}`, nil},
		{"gaps that overlap", `{"name": "temperatures", "gaps": [{"base": 0, "next": 5}, {"base": 4, "next": 6}]}`, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseTopic([]byte(c.data))
			if (err == nil) != (c.want != nil) || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestParseRejects(t *testing.T) {
	const three, eight = `{"offset": 3, "reason": "empty value", "key": "May", "value": ""}` + "\n", `{"offset": 8}` + "\n"
	cases := []struct {
		name, data string
		want       []int64
		err        string
	}{
		{"none", "", nil, ""},
		{"a line each", three + eight, []int64{3, 8}, ""},
		{"a line that a crash cut short", three + `{"offset": 8`, []int64{3}, ""},
		{"lines at or above the file's offset", three + eight + `{"offset": 10}` + "\n" + `{"offset": 11}` + "\n", []int64{3, 8}, ""},
		{"an offset that comes twice", three + three, []int64{3}, "line 2: no offset above that of the line before"},
		{"no offset", three + "{}\n", []int64{3}, "line 2: no offset above that of the line before"},
		{"not JSON", three + "oops\n", []int64{3}, "line 2: invalid character 'o' looking for beginning of value"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseRejects([]byte(c.data), 10)
			if !slices.Equal(got, c.want) || fmt.Sprint(err) != fmt.Sprint(errorOrNil(c.err)) {
				t.Errorf("got %v, %v, want %v, %s", got, err, c.want, c.err)
			}
		})
	}
}

func errorOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func FuzzFilesBeside(f *testing.F) {
	f.Add([]byte(`{"name": "temperatures", "id": "", "gaps": [{"base": 0, "next": 250}]}`))
	f.Add([]byte("{\"offset\": 3}\n{\"offset\": 8}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if topic, err := parseTopic(data); err == nil {
			if left := without(span{0, 1000}, topic.gaps); !slices.IsSortedFunc(left, func(a, b span) int { return int(a.base - b.base) }) {
				t.Errorf("gaps %v leave %v", topic.gaps, left)
			}
		}
		if rejects, err := parseRejects(data, 1000); err == nil && !slices.IsSorted(rejects) {
			t.Errorf("rejects %v", rejects)
		}
	})
}

func TestSpans(t *testing.T) {
	gaps := []span{{10, 20}, {20, 25}, {40, 50}}
	without := []struct {
		name  string
		whole span
		want  []span
	}{
		{"before all gaps", span{0, 10}, []span{{0, 10}}},
		{"within a gap", span{12, 18}, nil},
		{"across gaps", span{0, 60}, []span{{0, 10}, {25, 40}, {50, 60}}},
		{"from within a gap into another", span{15, 45}, []span{{25, 40}}},
		{"nothing", span{30, 30}, nil},
	}
	for _, c := range without {
		t.Run(c.name, func(t *testing.T) { checkWithout(t, c.whole, gaps, c.want) })
	}
	for offset, want := range map[int64]bool{0: false, 9: false, 10: true, 19: true, 20: true, 24: true, 25: false, 39: false, 40: true, 49: true, 50: false} {
		gap, got := inside(gaps, offset)
		if got != want || got && (offset < gap.base || offset >= gap.next) {
			t.Errorf("offset %d is in %v, %t; want %t", offset, gap, got, want)
		}
	}
	if got, want := clip(gaps, 45), []span{{10, 20}, {20, 25}, {40, 45}}; !slices.Equal(got, want) {
		t.Errorf("clipped to %v, want %v", got, want)
	}
}

func checkWithout(t *testing.T, whole span, gaps, want []span) {
	t.Helper()
	if got := without(whole, gaps); !slices.Equal(got, want) {
		t.Errorf("%v without %v: got %v, want %v", whole, gaps, got, want)
	}
}
