package status

import (
	"fmt"

	"github.com/weatheractors/weatheractors/weather"
)

// Demo lays out producer and consumers side by side, each named by consumer, so
// that one sees at a glance that what is counted is what was published, and what
// is ignored what was repeated.
func Demo(consumer func(partition int32) string) func(s *State, width, height int) []Line {
	return func(s *State, width, height int) []Line {
		const label, ample = "partition %d (%s)", 60
		format, names := label, [3]string{"published", "counted/ignored", "month.svg"}
		if width < ample {
			format, names = "%d (%s)", [3]string{"sent", "all", "svg"}
		}
		var rows []row
		if p := s.Producer; p != nil {
			r := row{cells: demoCells(names[0], p.Date, p.Acknowledged-p.Repeats, p.Repeats)}
			if waits := s.waits(); waits > 0 {
				r.note, r.style = fmt.Sprintf("nothing acknowledged for %s", span(waits)), Wrong
			}
			rows = append(rows, r)
		}
		for _, p := range s.Partitions {
			r := row{cells: demoCells(fmt.Sprintf(format, p.Number, consumer(p.Number)), p.Date, p.Once.Counted, p.Once.Duplicates)}
			r.cells[4], r.cells[5] = Grouped(p.Offset), times(p.Saves)
			if note, style := s.note(p); style == Wrong {
				r.note, r.style = note, style
			}
			rows = append(rows, r)
		}
		_, counted, duplicates := s.Read()
		rows = append(rows, row{cells: demoCells(names[1], 0, counted, duplicates)}, row{cells: []string{names[2], "", "", "", "", times(s.Pictures)}})
		return lowest(table([]column{
			{title: "", left: true}, dateColumn(3), {title: "days"}, {title: "repeats", short: "rep."},
			{title: "offset", rank: 2}, {title: "file replaced", rank: 1},
		}, rows, width), height)
	}
}

func demoCells(label string, d weather.Date, days, repeats int64) []string {
	return []string{label, day(d), Grouped(days), Grouped(repeats), "", ""}
}

func times(n int64) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "once"
	}
	return Grouped(n) + " times"
}

// Read returns what became of all records that were read, each once.
func (s *State) Read() (records, counted, duplicates int64) {
	for _, p := range s.Partitions {
		records += p.Once.Counted + p.Once.Duplicates + p.Once.Rejects
		counted += p.Once.Counted
		duplicates += p.Once.Duplicates
	}
	return records, counted, duplicates
}
