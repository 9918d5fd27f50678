package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// calm is how old a checkpoint is when its age is told: before, it would change
// with every look.
const calm = 10 * time.Second

// Progress lays out what a terminal of that size shows of a state: a line per
// partition, and one for the producer. It is never higher than the terminal
// leaves room for: then the partitions that are farthest behind are shown.
func Progress(s *State, width, height int) []Line {
	var lines []Line
	if s.Producer != nil {
		lines = append(lines, s.producer(width)...)
	}
	if len(s.Partitions) > 0 {
		lines = append(lines, s.partitions(width, height-len(lines))...)
	}
	return lowest(lines, height)
}

// lowest returns as many lines as a terminal has room for above the cursor: the
// last ones, which sum up.
func lowest(lines []Line, height int) []Line {
	return lines[max(0, len(lines)-max(1, height-1)):]
}

func (s *State) producer(width int) []Line {
	p := s.Producer
	lines := table([]column{
		dateColumn(0), {title: "acknowledged", short: "acked"}, {title: "repeats", rank: 3},
		{title: "records/s", rank: 2}, {title: "in flight", rank: 4},
	}, []row{{cells: []string{
		day(p.Date), Grouped(p.Acknowledged), Grouped(p.Repeats), perSecond(p.rate.perSecond), Grouped(p.InFlight),
	}}}, width)
	if waits := s.waits(); waits > 0 {
		lines = append(lines, Line{fmt.Sprintf("nothing acknowledged for %s, %s in flight", span(waits), Grouped(p.InFlight)), Wrong})
	}
	return lines
}

func dateColumn(rank int) column {
	return column{title: "date", rank: rank, left: true, min: len("YYYY-MM-DD")}
}

// partitions lays out a line for each, in as many lines as there is room for
// above the cursor and below a line of the log.
func (s *State) partitions(width, height int) []Line {
	const around, titles = 2, 1
	room := max(1, height-around-titles)
	shown, hidden := s.Partitions, []*Partition(nil)
	if len(shown) > room {
		worstFirst := slices.SortedStableFunc(slices.Values(shown), s.worse)
		room = max(1, room-1) // for those that are not
		shown, hidden = worstFirst[:room], worstFirst[room:]
		slices.SortFunc(shown, func(a, b *Partition) int { return cmp.Compare(a.Number, b.Number) })
	}
	lines := table(s.columns(), s.rows(shown), width)
	if len(hidden) > 0 {
		lines = append(lines, Line{others(hidden), Heading})
	}
	return lines
}

// worse compares by what most wants to be seen.
func (s *State) worse(a, b *Partition) int {
	_, aWrong := s.Worst(a.Number)
	_, bWrong := s.Worst(b.Number)
	if aWrong != bWrong {
		if aWrong {
			return -1
		}
		return 1
	}
	return cmp.Compare(b.Lag(), a.Lag())
}

func others(hidden []*Partition) string {
	lag := int64(0)
	for _, p := range hidden {
		lag += p.Lag()
	}
	text := fmt.Sprintf("… and %d more", len(hidden))
	if lag > 0 {
		text += ", lag " + Grouped(lag)
	}
	return text
}

// catchingUp tells whether any partition is.
func (s *State) catchingUp() bool {
	return slices.ContainsFunc(s.Partitions, func(p *Partition) bool { return !p.Live })
}

func (s *State) columns() []column {
	columns := []column{{title: "partition", short: "p"}, dateColumn(3), {title: "offset", rank: 2}}
	if s.catchingUp() {
		columns = append(columns, column{title: "lag", rank: 1}, column{title: "records/s", rank: 4})
	}
	return columns
}

func (s *State) rows(partitions []*Partition) []row {
	catchingUp := s.catchingUp()
	rows := make([]row, 0, len(partitions))
	for _, p := range partitions {
		r := row{cells: []string{Grouped(int64(p.Number)), day(p.Date), Grouped(p.Offset)}}
		switch {
		case catchingUp && p.Live:
			r.cells = append(r.cells, "", "") // they would jump, and say nothing
		case catchingUp:
			r.cells = append(r.cells, Grouped(p.Lag()), perSecond(p.rate.perSecond))
		}
		r.note, r.style = s.note(p)
		rows = append(rows, r)
	}
	return rows
}

// note says what there is to say about a partition.
func (s *State) note(p *Partition) (string, Style) {
	if t, found := s.Worst(p.Number); found {
		t.Cause = t.Cause[strings.LastIndex(t.Cause, ": ")+1:] // the log has all of it
		return map[What]string{Respawning: "starting again:", Opening: "can't begin:", Saving: "can't save:", Reading: "can't read:"}[t.What] + " " + strings.TrimSpace(t.Cause), Wrong
	}
	left, known := p.Left()
	switch age := s.now.Sub(p.SavedAt); {
	case p.Drained:
		return "done", Done
	case !p.Live && known:
		return span(left+time.Second-1) + " left", Plain
	case !p.Live:
		return "", Plain
	case s.catchingUp() || p.SavedAt.IsZero():
		return "live", Plain // others are of more interest
	case age < calm:
		return "saved just now", Plain
	default:
		return "saved " + span(age) + " ago", Plain
	}
}
