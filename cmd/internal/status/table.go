package status

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Line is a line on a terminal: text without control characters, in one style.
type Line struct {
	Text  string
	Style Style
}

// Style says how a line is meant; what it looks like is the terminal's business.
type Style int

// The styles of lines.
const (
	Plain   Style = iota
	Heading       // less important than what it is above
	Done          // over, and well
	Wrong         // something is wrong at the moment
)

// column is one of a table. Where there is no room for all of them, those of the
// highest rank are left out; a rank of 0 stays.
type column struct {
	title, short string // short where there is little room; "" if it is no shorter
	rank         int
	left         bool // aligned to the left
	min          int  // how wide it is at least
}

// row is one of a table: a cell per column, and what there is to say about it.
type row struct {
	cells []string
	note  string
	style Style
}

// gap is what is left free between two columns.
const gap = "  "

// table lays rows out in aligned columns below their titles, in lines shorter
// than width. Cells are never cut: columns are left out instead. So are notes,
// except that one about something that is wrong is cut.
func table(columns []column, rows []row, width int) []Line {
	columns, shown := fitting(columns, rows, width-1)
	titles := row{style: Heading}
	for _, c := range columns {
		titles.cells = append(titles.cells, c.title)
	}
	widths := widthsOf(columns, rows)
	lines := make([]Line, 0, len(rows)+1)
	for _, r := range slices.Concat([]row{titles}, rows) {
		var text strings.Builder
		for _, i := range shown {
			if text.Len() > 0 {
				text.WriteString(gap)
			}
			padding := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(r.cells[i]))
			if columns[i].left {
				text.WriteString(r.cells[i] + padding)
			} else {
				text.WriteString(padding + r.cells[i])
			}
		}
		lines = append(lines, Line{withNote(text.String(), r, width-1), r.style})
	}
	return lines
}

func withNote(text string, r row, room int) string {
	if rest := room - utf8.RuneCountInString(text+gap); r.note != "" && (rest >= utf8.RuneCountInString(r.note) || r.style == Wrong) {
		text += gap + cut(r.note, rest)
	}
	return strings.TrimRight(text, " ")
}

// fitting returns the columns, with short titles if need be, and which of them
// there is room for.
func fitting(columns []column, rows []row, room int) (titled []column, shown []int) {
	for i := range columns {
		shown = append(shown, i)
	}
	if taken(columns, rows, shown) > room {
		columns = slices.Clone(columns)
		for i, c := range columns {
			if c.short != "" {
				columns[i].title = c.short
			}
		}
	}
	for taken(columns, rows, shown) > room {
		least := slices.MaxFunc(shown, func(a, b int) int { return columns[a].rank - columns[b].rank })
		if columns[least].rank == 0 {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == least })
	}
	return columns, shown
}

// taken is how wide the lines of a table are.
func taken(columns []column, rows []row, shown []int) int {
	widths, sum := widthsOf(columns, rows), 0
	for _, i := range shown {
		sum += widths[i] + len(gap)
	}
	const least = 24 // of a note that may be cut
	note := 0
	for _, r := range rows {
		columns := utf8.RuneCountInString(r.note)
		if r.style == Wrong {
			columns = min(columns, least)
		}
		note = max(note, columns)
	}
	if note > 0 {
		sum += len(gap) + note
	}
	return sum - len(gap)
}

func widthsOf(columns []column, rows []row) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = max(c.min, utf8.RuneCountInString(c.title))
		for _, r := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(r.cells[i]))
		}
	}
	return widths
}

// cut shortens a text to a number of columns.
func cut(text string, columns int) string {
	if utf8.RuneCountInString(text) <= columns {
		return text
	}
	if columns < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(text)[:columns-1]), " ") + "…"
}
