package checkpoint

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// encoder makes the partition files of one partition. It keeps the last one,
// because most months and years stand in the next just as they are: their text is
// copied, and only the others are formatted. What it makes does not depend on
// what it keeps. The zero value is ready for use.
type encoder struct {
	last  text
	spare text // room for the next, unless that is much
}

// maxSpare is up to how many bytes room for the next file is kept: beyond, it
// would be a large part of all memory.
const maxSpare = 1 << 20

// text is a partition file and what its rows say.
type text struct {
	bytes []byte
	rows  []textRow
}

// textRow is what was said of one month and year in bytes[begin:end]. All
// months and years there can be take less than 2^31 bytes.
type textRow struct {
	stats      weather.MonthStats
	begin, end int32
}

// encode returns the partition file of c, its offset and its statistics, which
// is good until the next call. An error means that c can't be a checkpoint;
// nothing that would not load again is ever written over a good file.
func (e *encoder) encode(c *messages.Checkpoint) ([]byte, error) {
	if c.GetPartition() < 0 || c.GetOffset() < 0 {
		return nil, fmt.Errorf("partition is %d, offset is %d: want 0 or more", c.GetPartition(), c.GetOffset())
	}
	table := c.GetStats()
	if rows := table.Len(); len(table.GetEnds()) != rows || len(table.GetCounts()) != rows || len(table.GetSums()) != rows {
		return nil, fmt.Errorf("statistics: columns of %d, %d, %d and %d rows",
			rows, len(table.GetEnds()), len(table.GetCounts()), len(table.GetSums()))
	}
	next := e.room(table.Len())
	next.bytes = append(next.bytes, `{"partition": `...)
	next.bytes = strconv.AppendInt(next.bytes, int64(c.GetPartition()), 10)
	next.bytes = append(next.bytes, `, "offset": `...)
	next.bytes = strconv.AppendInt(next.bytes, c.GetOffset(), 10)
	if err := next.appendRows(table, e.last); err != nil {
		return nil, err
	}
	if table.Len() > 0 {
		next.bytes = append(next.bytes, "}}"...)
	}
	next.bytes = append(next.bytes, "}\n"...)
	e.last, e.spare = next, e.last
	if cap(e.spare.bytes) > maxSpare {
		e.spare = text{}
	}
	return next.bytes, nil
}

// room returns an empty text, with memory for that many rows if they are much
// like the last.
func (e *encoder) room(rows int) text {
	t := text{e.spare.bytes[:0], e.spare.rows[:0]}
	if len(e.last.bytes) > maxSpare {
		t.bytes = make([]byte, 0, len(e.last.bytes)+len(e.last.bytes)/16)
	}
	t.rows = slices.Grow(t.rows, rows)
	return t
}

// appendRows appends a line for each row. Text that last has it copies.
func (t *text) appendRows(table *messages.StatsTable, last text) error {
	var before weather.MonthStats
	for i := range table.Len() {
		row := table.Row(i)
		err := row.Check()
		if err == nil {
			t.bytes, err = appendSeparator(t.bytes, before.Start, row.Start)
		}
		if err != nil {
			return fmt.Errorf("statistics: row %d: %w", i, err)
		}
		for len(last.rows) > 0 && precedes(last.rows[0].stats.Start, row.Start) {
			last.rows = last.rows[1:]
		}
		begin := len(t.bytes)
		if len(last.rows) > 0 && same(last.rows[0].stats, row) {
			t.bytes = append(t.bytes, last.bytes[last.rows[0].begin:last.rows[0].end]...)
		} else {
			t.bytes = appendRow(t.bytes, row)
		}
		t.rows = append(t.rows, textRow{row, int32(begin), int32(len(t.bytes))})
		before = row
	}
	return nil
}

// precedes tells whether a's month and year stand before b's in a file.
func precedes(a, b weather.Date) bool {
	if a.Month() != b.Month() {
		return a.Month() < b.Month()
	}
	return a.Year() < b.Year()
}

// same tells whether a and b print the same, which 0 and -0 don't.
func same(a, b weather.MonthStats) bool {
	return a == b && math.Signbit(a.Sum) == math.Signbit(b.Sum)
}

// appendSeparator appends what stands between the rows that begin at before
// (zero if there is none) and at start. The object of start's month is left open.
func appendSeparator(b []byte, before, start weather.Date) ([]byte, error) {
	switch month, last := start.Month(), before.Month(); {
	case month == last && start.Year() > before.Year():
		b = append(b, "},\n"...)
	case month > last:
		if last != 0 {
			b = append(b, "}}"...)
		}
		b = append(b, ",\n\""...)
		b = append(b, month.String()...)
		b = append(b, "\": {\n"...)
	default:
		return b, fmt.Errorf("%v %d follows %v %d", month, start.Year(), last, before.Year())
	}
	return b, nil
}

// appendRow appends a month and year, whose object is left open. row must have
// passed Check.
func appendRow(b []byte, row weather.MonthStats) []byte {
	// The dates were checked, so these can't fail.
	start, _ := row.Start.AppendText(make([]byte, 0, 10))
	end, _ := row.End.AppendText(make([]byte, 0, 10))
	b = append(b, '"')
	b = append(b, start[:4]...)
	b = append(b, `": {"count": `...)
	b = strconv.AppendInt(b, int64(row.Count), 10)
	b = append(b, `, "sum": `...)
	b = appendFloat(b, row.Sum)
	b = append(b, `, "avg": `...)
	b = appendFloat(b, row.Avg())
	b = append(b, `, "end": "`...)
	b = append(b, end...)
	b = append(b, `", "start": "`...)
	b = append(b, start...)
	return append(b, '"')
}

// appendFloat appends f, which is finite, exactly as encoding/json prints it:
// the fewest digits that read back as f, in the notation of ECMAScript.
func appendFloat(b []byte, f float64) []byte {
	abs := math.Abs(f)
	if abs == 0 || 1e-6 <= abs && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	// e-09, as C prints it, becomes e-9.
	if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}
