package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// compareMonths says which months and years of a file differ from the recount,
// and how.
func compareMonths(file map[monthYear]entry, t *tally) []string {
	all := slices.Collect(maps.Keys(file))
	for m := range t.months {
		if _, ok := file[m]; !ok {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, byCalendar)
	var differences []string
	for _, m := range all {
		says, inFile := file[m]
		counted, inTopic := t.months[m]
		switch {
		case !inFile:
			differences = append(differences, fmt.Sprintf("%v: missing, topic has %s", m, plural(counted.count, "day")))
		case !inTopic:
			differences = append(differences, fmt.Sprintf("%v: not in the topic, file has %s", m, plural(says.count, "day")))
		default:
			if how := compareDays(says, counted); len(how) > 0 {
				differences = append(differences, m.String()+": "+strings.Join(how, "; "))
			}
		}
	}
	return differences
}

// compareDays says how an entry differs from the recount of its month. Floats
// must be equal to the last bit. The average follows from count and sum, so that
// a wrong one is told only where those are right.
func compareDays(says entry, counted days) (how []string) {
	differ := func(what, file, topic string) {
		how = append(how, fmt.Sprintf("%s is %s, topic says %s", what, file, topic))
	}
	if says.count != counted.count {
		differ("count", strconv.FormatInt(says.count, 10), strconv.FormatInt(counted.count, 10))
	}
	if says.sum != counted.sum {
		differ("sum", float(says.sum), float(counted.sum))
	}
	if len(how) == 0 && says.avg != counted.avg() {
		how = append(how, fmt.Sprintf("avg is %s, sum/count is %s", float(says.avg), float(counted.avg())))
	}
	if says.start != counted.start {
		differ("start", quote(says.start), counted.start)
	}
	if says.end != counted.end {
		differ("end", quote(says.end), counted.end)
	}
	return how
}

// contradictions says which months and years of a file can't be right, whatever
// stood in records that are gone. A record that is left makes its month appear,
// and lets it end no earlier than its own date; more can't be said.
func contradictions(file map[monthYear]entry, t *tally) (differences []string) {
	for _, m := range t.sorted() {
		counted := t.months[m]
		says, ok := file[m]
		switch {
		case !ok:
			differences = append(differences, fmt.Sprintf("%v: missing, topic still has %s", m, plural(counted.count, "day")))
		case says.end < counted.end:
			differences = append(differences, fmt.Sprintf("%v: end is %s, topic still has %s", m, quote(says.end), counted.end))
		}
	}
	return differences
}

// compareRejects says which records that can't be counted are not kept aside,
// and which records are kept aside without reason. Both are ascending.
func compareRejects(kept, invalid []int64) (differences []string) {
	for len(kept) > 0 || len(invalid) > 0 {
		switch {
		case len(kept) == 0 || len(invalid) > 0 && invalid[0] < kept[0]:
			differences = append(differences, fmt.Sprintf("record %d can't be counted, and is not among the rejects", invalid[0]))
			invalid = invalid[1:]
		case len(invalid) == 0 || kept[0] < invalid[0]:
			differences = append(differences, fmt.Sprintf("record %d is among the rejects, but the topic has no such record that can't be counted", kept[0]))
			kept = kept[1:]
		default:
			kept, invalid = kept[1:], invalid[1:]
		}
	}
	return differences
}

// float prints v with all its digits: what differs in the last bit must look
// different.
func float(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// quote prints what a stranger wrote as a date: bare if it looks like one.
func quote(date string) string {
	if len(date) == len("YYYY-MM-DD") && strings.Trim(date, "0123456789-") == "" {
		return date
	}
	return fmt.Sprintf("%.40q", date)
}

// plural counts things.
func plural(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
