package checkpoint

import (
	"fmt"
	"math"
	"strconv"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// appendCheckpoint appends the partition file of c to b: its offset and its
// statistics. An error means that c can't be a checkpoint; nothing that would
// not load again is ever written over a good file.
func appendCheckpoint(b []byte, c *messages.Checkpoint) ([]byte, error) {
	if c.GetPartition() < 0 || c.GetOffset() < 0 {
		return b, fmt.Errorf("partition is %d, offset is %d: want 0 or more", c.GetPartition(), c.GetOffset())
	}
	table := c.GetStats()
	rows := table.Len()
	if len(table.GetEnds()) != rows || len(table.GetCounts()) != rows || len(table.GetSums()) != rows {
		return b, fmt.Errorf("statistics: columns of %d, %d, %d and %d rows",
			rows, len(table.GetEnds()), len(table.GetCounts()), len(table.GetSums()))
	}
	b = append(b, `{"partition": `...)
	b = strconv.AppendInt(b, int64(c.GetPartition()), 10)
	b = append(b, `, "offset": `...)
	b = strconv.AppendInt(b, c.GetOffset(), 10)
	var before weather.MonthStats
	for i := range rows {
		row := table.Row(i)
		if err := row.Check(); err != nil {
			return b, fmt.Errorf("statistics: row %d: %w", i, err)
		}
		var err error
		if b, err = appendRow(b, before, row); err != nil {
			return b, fmt.Errorf("statistics: row %d: %w", i, err)
		}
		before = row
	}
	if rows > 0 {
		b = append(b, "}}"...)
	}
	return append(b, "}\n"...), nil
}

// appendRow appends the line of one month and year, with what must stand
// between it and the row before (zero if it is the first). The object of the
// month is left open. row must have passed Check.
func appendRow(b []byte, before, row weather.MonthStats) ([]byte, error) {
	month, year := row.Start.Month(), row.Start.Year()
	switch last := before.Start.Month(); {
	case month == last && year > before.Start.Year():
		b = append(b, "},\n"...)
	case month > last:
		if last != 0 {
			b = append(b, "}}"...)
		}
		b = append(b, ",\n\""...)
		b = append(b, month.String()...)
		b = append(b, "\": {\n"...)
	default:
		return b, fmt.Errorf("%v %d follows %v %d", month, year, last, before.Start.Year())
	}
	// Start was checked, so these can't fail.
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
	return append(b, '"'), nil
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
