package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// table is a result: in the terminal, and in Markdown.
type table struct {
	title string
	head  []string
	rows  [][]string
	notes []string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

// text writes the table for a terminal.
func (t *table) text(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n", t.title)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.head}, t.rows...) {
		fmt.Fprintf(tab, "  %s\n", strings.Join(row, "\t"))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for _, note := range t.notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
	return nil
}

// markdown writes the table for a document.
func (t *table) markdown(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", t.title)
	line := func(cells []string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	line(t.head)
	line(strings.Split("---"+strings.Repeat(" ---:", len(t.head)-1), " "))
	for _, row := range t.rows {
		line(row)
	}
	for _, note := range t.notes {
		fmt.Fprintf(w, "\n%s\n", note)
	}
}

// marks enclose what the benchmark writes into a document.
const markBegin, markEnd = "<!-- begin: %s -->\n", "<!-- end: %s -->\n"

// insert replaces what stands between the marks of a name in a file.
func insert(file, name, content string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := fmt.Sprintf(markBegin, name), fmt.Sprintf(markEnd, name)
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s: want a line %s and a line %s", file, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(file, []byte(before+begin+content+end+after), 0o644)
}

// spread prints a median and its range.
func spread(format string) func(median, least, greatest float64) string {
	return func(median, least, greatest float64) string {
		return fmt.Sprintf(format+" ("+format+"–"+format+")", median, least, greatest)
	}
}

// contestTable compares each of a contest with weatheractors, which is its
// first.
func contestTable(title string, all []series) table {
	t := table{title: title, head: []string{"", "M records/s", "weatheractors is", "CPU µs/record", "peak MB"}}
	ours, _, _ := all[0].rate()
	for i, s := range all {
		ratio := "1"
		if theirs, _, _ := s.rate(); i > 0 {
			ratio = fmt.Sprintf("%.2f × as fast", ours/theirs)
		}
		t.row(s.name, spread("%.2f")(s.rate()), ratio, spread("%.2f")(s.cpu()), spread("%.0f")(s.peak()))
	}
	return t
}
