package weather

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

// quarters puts a quarter of the year into each of four partitions.
func quarters(m time.Month) int32 { return int32(m-1) / 3 }

// setOf returns the set of some dates; "a..b" means all from a to b.
func setOf(texts ...string) *DateSet {
	s := &DateSet{}
	for _, text := range texts {
		from, to, isRange := strings.Cut(text, "..")
		if !isRange {
			to = from
		}
		for d := day(from); d != 0 && d <= day(to); d = d.Next() {
			s.Add(d)
		}
	}
	return s
}

// spread puts all dates from first to last into the partitions of their months,
// but for some that are lost.
func spread(first, last string, lost ...string) map[int32]*DateSet {
	without := setOf(lost...)
	have := map[int32]*DateSet{0: {}, 1: {}, 2: {}, 3: {}}
	for d := day(first); d != 0 && d <= day(last); d = d.Next() {
		if !without.Has(d) {
			have[quarters(d.Month())].Add(d)
		}
	}
	return have
}

func from(date string) iter.Seq[Date] { return daysFrom(day(date), 1<<30) }

func TestPlanResume(t *testing.T) {
	tests := []struct {
		rule   string
		have   map[int32]*DateSet
		wanted iter.Seq[Date]
		// The first dates that are to be published, and how many of those up to
		// the end of 1991 (0 where start is empty: all is there).
		start string
		days  int
	}{
		{"a topic without partitions: all", nil, from("1990-01-01"), "1990-01-01", 730},
		{"an empty topic: all", spread("1990-01-02", "1990-01-01"), from("1990-01-01"), "1990-01-01", 730},
		{"an empty topic, from the first day there is", nil, from("0001-01-01"), "0001-01-01", 727197},
		{"all to some day: the day after", spread("1990-01-01", "1990-06-10"), from("1990-01-01"), "1990-06-11", 730 - 161},
		{"partitions that have none yet begin at the topic's first date", spread("1990-01-01", "1990-03-31"), from("1990-01-01"), "1990-04-01", 640},
		{
			"a partition that lost its last dates is mended, the others go on where they are",
			spread("1990-01-01", "1990-12-31", "1990-06-20..1990-06-30"), from("1990-01-01"), "1990-06-20", 11 + 365,
		},
		{
			"a partition that lost all is mended from the topic's first date",
			spread("1990-01-01", "1990-12-31", "1990-04-01..1990-06-30"), from("1990-01-01"), "1990-04-01", 91 + 365,
		},
		{
			"several partitions that lost their last dates",
			spread("1990-01-01", "1990-12-31", "1990-03-31", "1990-12-30..1990-12-31"), from("1990-01-01"), "1990-03-31", 3 + 365,
		},
		{"what is before the topic's first date is skipped", spread("1990-05-01", "1990-06-10"), from("1989-01-01"), "1990-06-11", 569},
		{
			"what is before the topic's first date is skipped in empty partitions, too",
			map[int32]*DateSet{1: setOf("1990-05-01")}, from("1989-01-01"), "1990-05-02", 730 - 121,
		},
		{
			"a producer that was killed early left the first dates' partitions empty: they begin at the first wanted date",
			map[int32]*DateSet{1: setOf("1990-04-01..1990-04-20")}, from("1990-01-01"), "1990-01-01", 90 + 730 - 110,
		},
		{
			"one that was killed early left a partition of later dates behind, too",
			map[int32]*DateSet{1: setOf("1990-04-01..1990-05-20"), 2: setOf("1990-07-01")}, from("1990-01-01"), "1990-01-01", 730 - 51,
		},
		{
			"the first wanted date does not explain what a partition begins with: the topic began with its own first date",
			map[int32]*DateSet{1: setOf("1990-04-02..1990-05-20"), 2: setOf("1990-07-01")}, from("1990-01-01"), "1990-05-21", 224 + 365,
		},
		{"the topic's first date, in another partition than its month's", map[int32]*DateSet{2: setOf("1990-01-01")}, from("1990-01-01"), "1990-01-01", 730},
		{"a topic from the first day there is", map[int32]*DateSet{0: setOf("0001-01-01")}, from("0001-01-01"), "0001-01-02", 727196},
		{"wanted dates may begin after the topic's", spread("1980-01-01", "1980-12-31"), from("1990-01-01"), "1990-01-01", 730},
		{"dates that the topic has and nobody wants are nobody's loss", spread("1980-01-01", "1980-12-31", "1980-05-05"), from("1980-06-01"), "1981-01-01", 4017},
		{"wanted dates may have gaps", spread("1990-01-01", "1990-03-01", "1990-02-02"), slices.Values(dates("1990-01-31", "1990-02-01", "1990-02-03", "1990-03-03", "1990-03-05")), "1990-03-03", 2},
		{"all there: nothing", spread("1990-01-01", "1990-12-31"), daysFrom(day("1990-02-01"), 300), "", 0},
		{"nothing wanted: nothing", spread("1990-01-01", "1990-12-31"), daysFrom(day("1990-02-01"), 0), "", 0},
		{"a topic that has come to the end of the calendar", spread("9999-01-01", "9999-12-31"), from("9999-01-01"), "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			r, err := PlanResume(tt.have, quarters, tt.wanted)
			if err != nil {
				t.Fatal(err)
			}
			if tt.start == "" {
				if r.Start != 0 {
					t.Errorf("starts at %v, want nothing to be missing", r.Start)
				}
				return
			}
			days := 0
			for d := range tt.wanted {
				if d.Year() > 1991 {
					break
				}
				if d >= r.Start && !r.Skip(d) {
					days++
				}
			}
			if r.Start != day(tt.start) || days != tt.days {
				t.Errorf("starts at %v and publishes %d, want %s and %d", r.Start, days, tt.start, tt.days)
			}
		})
	}
}

func dates(texts ...string) (list []Date) {
	for _, text := range texts {
		list = append(list, day(text))
	}
	return list
}

func TestPlanResumeOfATopicThatCannotBeMended(t *testing.T) {
	tests := []struct {
		rule string
		have map[int32]*DateSet
		text string
	}{
		{
			"a date is missing before later ones of its partition",
			spread("1990-01-01", "1990-12-31", "1990-05-05"),
			"dates are missing before later ones of their partition: 1990-05-05 (partition 1)",
		},
		{
			"what could be mended does not hide it",
			spread("1990-01-01", "1990-12-31", "1990-03-31", "1990-05-05"),
			"dates are missing before later ones of their partition: 1990-05-05 (partition 1)",
		},
		{
			"a few are named, and how many more there are",
			spread("1990-01-01", "1990-12-31", "1990-02-10", "1990-05-01..1990-05-31"),
			"dates are missing before later ones of their partition: 1990-02-10 (partition 0), 1990-05-01 (partition 1), 1990-05-02 (partition 1) and 29 more",
		},
		{
			"dates in another partition than their month's don't count",
			map[int32]*DateSet{0: setOf("1990-01-01", "1990-01-03"), 1: setOf("1990-01-02")},
			"dates are missing before later ones of their partition: 1990-01-02 (partition 0)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			r, err := PlanResume(tt.have, quarters, from("1990-01-01"))
			if r != nil || !errors.Is(err, ErrUnmendable) || err.Error() != tt.text {
				t.Errorf("got %v, %v\nwant %s", r, err, tt.text)
			}
		})
	}
}

func TestPlanResumeRefusesDatesThatDoNotAscend(t *testing.T) {
	have := spread("1990-01-01", "1990-12-31")
	for _, wanted := range [][]Date{
		dates("1990-01-02", "1990-01-01"),
		dates("1990-01-02", "1990-01-02"),
		{0},
		{day("1990-06-30") + 1},
		{pack(1990, 13, 1)},
	} {
		if r, err := PlanResume(have, quarters, slices.Values(wanted)); err == nil {
			t.Errorf("%v: got %v and no error", wanted, r)
		}
	}
}

// Endless wanted dates are read to the end of the topic, not to that of the
// calendar.
func TestPlanResumeReadsNoFurtherThanNeeded(t *testing.T) {
	var latest Date
	wanted := func(yield func(Date) bool) {
		for d := range from("1990-01-01") {
			latest = d
			if !yield(d) {
				return
			}
		}
	}
	have := spread("1990-01-01", "1990-12-31", "1990-06-20..1990-06-30")
	if _, err := PlanResume(have, quarters, wanted); err != nil || latest != day("1991-01-01") {
		t.Errorf("read to %v, error %v; want 1991-01-01", latest, err)
	}
}

func TestPlanResumeAsksOnceForEachMonth(t *testing.T) {
	asked := 0
	count := func(m time.Month) int32 {
		asked++
		return quarters(m)
	}
	if _, err := PlanResume(spread("1990-01-01", "1991-12-31"), count, from("1990-01-01")); err != nil {
		t.Fatal(err)
	}
	if asked != 12 {
		t.Errorf("asked for the partition of a month %d times, want 12", asked)
	}
}
