package checkpoint

import (
	"time"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// parseFile reads a partition file in any layout. It accepts the keys that are
// described in the package comment and no other, each once. avg must be a
// number, and is not looked at: it follows from sum and count.
func parseFile(data []byte) (*fileParser, error) {
	p := &fileParser{scanner: scanner{data: data}, seen: make(keys)}
	p.row = rowParser{scanner: &p.scanner, seen: make(keys)}
	if err := p.object(p.member); err != nil {
		return nil, err
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if err := p.all(p.seen, len(data), "partition", "offset"); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *fileParser) checkpoint() *messages.Checkpoint {
	return &messages.Checkpoint{
		Partition: p.partition,
		Offset:    p.offset,
		Stats:     messages.NewStatsTable(&p.stats),
	}
}

// of checks that the file is that of a partition.
func (p *fileParser) of(partition int32) error {
	if p.partition != partition {
		return p.wrong(p.partitionAt, "partition is %d: want %d", p.partition, partition)
	}
	return nil
}

// counted checks that the records below the offset can have been counted.
func (p *fileParser) counted() error {
	if p.offset == 0 && p.stats.Len() > 0 {
		return p.wrong(p.offsetAt, "offset is 0: there is no record below it, but there are statistics")
	}
	return nil
}

// keys are the keys of one object that were read.
type keys map[string]bool

// once notes a key, and refuses it if it was there before.
func (s *scanner) once(seen keys, key string, at int) error {
	if seen[key] {
		return s.wrong(at, "%.40q comes twice", key)
	}
	seen[key] = true
	return nil
}

// all checks that no key is missing in an object that begins at a position.
func (s *scanner) all(seen keys, at int, wanted ...string) error {
	for _, key := range wanted {
		if !seen[key] {
			return s.wrong(at, "%q is missing", key)
		}
	}
	return nil
}

// fileParser is what was read so far of a partition file.
type fileParser struct {
	scanner
	seen      keys // at the top level
	partition int32
	offset    int64
	stats     weather.Stats
	row       rowParser // reused

	partitionAt, offsetAt int // where these stand
}

func (p *fileParser) member(key string, at int) error {
	if err := p.once(p.seen, key, at); err != nil {
		return err
	}
	switch key {
	case "partition":
		n, err := p.integer(key, 32)
		p.partition, p.partitionAt = int32(n), at
		return err
	case "offset":
		n, err := p.integer(key, 64)
		p.offset, p.offsetAt = n, at
		return err
	}
	month, ok := weather.ParseMonth(key)
	if !ok {
		return p.wrong(at, "%.40q: want \"partition\", \"offset\" or the name of a month", key)
	}
	years := make(keys)
	return p.object(func(year string, at int) error {
		if err := p.once(years, year, at); err != nil {
			return err
		}
		return p.monthOf(month, year, at)
	})
}

// monthOf reads the statistics of one month and year.
func (p *fileParser) monthOf(month time.Month, year string, at int) error {
	// A year is good if it makes a date.
	newYear, err := weather.ParseDate(year + "-01-01")
	if err != nil {
		return p.wrong(at, "%.40q: want a year, 0001 to 9999", year)
	}
	r := &p.row
	clear(r.seen)
	r.month, r.year, r.stats = month, newYear.Year(), weather.MonthStats{}
	if err := p.object(r.member); err != nil {
		return err
	}
	if err := p.all(r.seen, at, "count", "sum", "avg", "end", "start"); err != nil {
		return err
	}
	if r.stats.Start > r.stats.End {
		return p.wrong(r.endAt, "end %v is before start %v", r.stats.End, r.stats.Start)
	}
	if days := int(r.stats.End-r.stats.Start) + 1; r.stats.Count < 1 || r.stats.Count > days {
		return p.wrong(r.countAt, "count is %d: want 1 to %d, the days from %v to %v",
			r.stats.Count, days, r.stats.Start, r.stats.End)
	}
	if err := p.stats.Put(r.stats); err != nil {
		return p.wrong(at, "%v", err)
	}
	return nil
}

// rowParser is what was read so far of a month and year.
type rowParser struct {
	*scanner
	month          time.Month
	year           int
	seen           keys
	stats          weather.MonthStats
	countAt, endAt int // where these stand
}

func (r *rowParser) member(key string, at int) (err error) {
	if err := r.once(r.seen, key, at); err != nil {
		return err
	}
	switch key {
	case "count":
		var n int64
		n, err = r.integer(key, 32)
		r.stats.Count, r.countAt = int(n), at
	case "sum":
		r.stats.Sum, err = r.float(key)
	case "avg":
		_, err = r.number()
	case "end":
		r.endAt = at
		r.stats.End, err = r.date(key)
	case "start":
		r.stats.Start, err = r.date(key)
	default:
		return r.wrong(at, "%.40q: want \"count\", \"sum\", \"avg\", \"end\" or \"start\"", key)
	}
	return err
}

// date reads a date of the row's month and year.
func (r *rowParser) date(name string) (weather.Date, error) {
	text, err := r.text("a date in quotes")
	if err != nil {
		return 0, err
	}
	date, err := weather.ParseDate(text)
	if err != nil {
		return 0, r.wrong(r.pos, "%s: %v", name, err)
	}
	if date.Month() != r.month || date.Year() != r.year {
		return 0, r.wrong(r.pos, "%s %v is not in %v %04d", name, date, r.month, r.year)
	}
	return date, nil
}
