package verify

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	january1990 = monthYear{time.January, 1990}
	march1989   = monthYear{time.March, 1989}
	counted     = days{31, 599, "1990-01-01", "1990-01-31"}
)

// inFile is what a right file says of the days.
func inFile(d days) entry { return entry{d, d.avg()} }

func TestCompareMonths(t *testing.T) {
	change := func(f func(*entry)) map[monthYear]entry {
		e := inFile(counted)
		f(&e)
		return map[monthYear]entry{january1990: e}
	}
	cases := []struct {
		name string
		file map[monthYear]entry
		want []string
	}{
		{"equal", change(func(*entry) {}), nil},
		{"count", change(func(e *entry) { e.count = 30 }), []string{"January 1990: count is 30, topic says 31"}},
		{"sum, in its last bit", change(func(e *entry) { e.sum = math.Nextafter(599, 600) }),
			[]string{"January 1990: sum is 599.0000000000001, topic says 599"}},
		{"sum and avg: the avg follows", change(func(e *entry) { e.sum, e.avg = 31, 1 }),
			[]string{"January 1990: sum is 31, topic says 599"}},
		{"avg alone", change(func(e *entry) { e.avg = 19.3 }),
			[]string{"January 1990: avg is 19.3, sum/count is 19.322580645161292"}},
		{"start and end", change(func(e *entry) { e.start, e.end = "1990-01-02", "soon" }),
			[]string{`January 1990: start is 1990-01-02, topic says 1990-01-01; end is "soon", topic says 1990-01-31`}},
		{"missing", nil, []string{"January 1990: missing, topic has 31 days"}},
		{"one too many, in order", map[monthYear]entry{march1989: {days: days{count: 1}}, {time.January, 1980}: {}, january1990: inFile(counted)},
			[]string{"January 1980: not in the topic, file has 0 days", "March 1989: not in the topic, file has 1 day"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := compareMonths(c.file, &tally{months: map[monthYear]days{january1990: counted}})
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestContradictions(t *testing.T) {
	left := days{3, 60, "1990-01-29", "1990-01-31"} // what the topic still has
	cases := []struct {
		name string
		file map[monthYear]entry
		want []string
	}{
		{"more days than are left", map[monthYear]entry{january1990: inFile(counted)}, nil},
		{"months of which nothing is left", map[monthYear]entry{january1990: inFile(counted), march1989: {}}, nil},
		{"a month that is left is missing", nil, []string{"January 1990: missing, topic still has 3 days"}},
		{"the month ends too early", map[monthYear]entry{january1990: {days: days{end: "1990-01-30"}}},
			[]string{"January 1990: end is 1990-01-30, topic still has 1990-01-31"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := contradictions(c.file, &tally{months: map[monthYear]days{january1990: left}})
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCompareRejects(t *testing.T) {
	const lost, extra = "record %d can't be counted, and is not among the rejects",
		"record %d is among the rejects, but the topic has no such record that can't be counted"
	cases := []struct {
		name          string
		kept, invalid []int64
		want          []string
	}{
		{"none", nil, nil, nil},
		{"all of them", []int64{3, 8}, []int64{3, 8}, nil},
		{"lost at the end", []int64{3}, []int64{3, 8}, []string{fmt.Sprintf(lost, 8)}},
		{"lost in the middle", []int64{3, 9}, []int64{3, 8, 9}, []string{fmt.Sprintf(lost, 8)}},
		{"one too many", []int64{1, 3}, []int64{3}, []string{fmt.Sprintf(extra, 1)}},
		{"another one", []int64{4}, []int64{3}, []string{fmt.Sprintf(lost, 3), fmt.Sprintf(extra, 4)}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := compareRejects(c.kept, c.invalid); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	cases := []struct {
		name                 string
		differences, reasons int
		same                 bool
		want                 Verdict
	}{
		{"the same bytes", 0, 0, true, Equal},
		{"other bytes without a difference", 0, 0, false, EqualValues},
		{"a reason to doubt, though the bytes are the same", 0, 1, true, Unprovable},
		{"a difference weighs more than a doubt", 1, 1, false, Differs},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := Report{Differences: make([]string, c.differences), Reasons: make([]string, c.reasons)}
			r.conclude(c.same)
			if r.Verdict != c.want || r.OK() != (c.want == Equal || c.want == EqualValues) {
				t.Errorf("got %v, OK %t, want %v", r.Verdict, r.OK(), c.want)
			}
		})
	}
}

func TestReportIsShort(t *testing.T) {
	for _, n := range []int{MaxLines, MaxLines + 1, 1000} {
		r := Report{Partition: 2, Path: "files/partition-2.json", Offset: 7, Records: 1, Months: 12}
		for i := range n {
			r.differ(fmt.Sprint("difference ", i))
		}
		r.note("a note")
		r.conclude(false)
		lines := strings.Split(r.String(), "\n")
		if lines[0] != "partition 2: differs: files/partition-2.json, offset 7: 1 record recounted, 12 months" {
			t.Errorf("begins with %q", lines[0])
		}
		wantLines := min(n, MaxLines+1) + 2
		if len(lines) != wantLines || lines[len(lines)-1] != "  a note" {
			t.Errorf("%d differences: got %d lines, want %d with the note at the end:\n%v", n, len(lines), wantLines, r)
		}
		if more := fmt.Sprintf("  and %d more", n-MaxLines); n > MaxLines && lines[MaxLines+1] != more {
			t.Errorf("got %q, want %q", lines[MaxLines+1], more)
		}
	}
}
