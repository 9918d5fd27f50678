package main

import (
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

//go:embed *.mutants
var tables embed.FS

// mutant is the program without one of its protections.
//
// In the tables it stands below the line of its file:
//
//	file actors/checkpoint/disk.go
//
//	fsync of the file
//	-return f.Sync()
//	+return nil
//	by TestNothingOldComesBackAfterAPowerCut
//
// The text behind "-", which may have several lines, becomes that behind "+".
// "by" names tests that are to notice (a pattern for -run, between ^ and $): they
// are tried first, and all others of the package only if they don't. "in" names
// another package than that of the file; "quick" adds the mutant to those of
// -quick; "equivalent" says why nobody could tell the difference, and that
// it is not tried. "#" begins a comment.
type mutant struct {
	name       string // the protection that it lacks
	file       string // below the module's root, with slashes
	old, new   string
	by         string
	in         string // ./package
	quick      bool
	equivalent string

	// What became of it.
	outcome outcome
	detail  string // the test that noticed, or what went wrong
	output  string // of the compiler
	took    time.Duration
}

type outcome string

const (
	noticed    outcome = "noticed"
	timedOut   outcome = "timed out" // tests that end never have noticed, too
	survived   outcome = "SURVIVED"
	broken     outcome = "ERROR" // in the table: it does not compile, say
	equivalent outcome = "equivalent"
)

func (m *mutant) String() string {
	return fmt.Sprintf("%-10s %5.1f s  %-66s %s", m.outcome, m.took.Seconds(), m.name, m.detail)
}

// readTables reads all tables. What is to be changed must be in its file exactly
// once: a mutant of which that is not so is broken.
func readTables(root string) (mutants []*mutant, err error) {
	entries, err := tables.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		text, err := tables.ReadFile(entry.Name())
		if err != nil {
			return nil, err
		}
		table, err := parseTable(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		for _, m := range table {
			if err := m.check(root); err != nil {
				m.outcome, m.detail, m.output = broken, "not in its file", err.Error()
			}
		}
		mutants = append(mutants, table...)
	}
	return mutants, nil
}

func parseTable(text string) (mutants []*mutant, err error) {
	file := ""
	m := &mutant{} // takes what stands before the first one
	for n, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '-':
			m.old += line[1:] + "\n"
		case line[0] == '+':
			m.new += line[1:] + "\n"
		case word == "file" && strings.HasSuffix(rest, ".go"):
			file = rest
		case word == "by":
			m.by = rest
		case word == "in":
			m.in = rest
		case line == "quick":
			m.quick = true
		case word == "equivalent:":
			m.equivalent = rest
		case file == "":
			return nil, fmt.Errorf("line %d: a mutant of no file", n+1)
		default:
			m = &mutant{name: line, file: file, in: "./" + path.Dir(file)}
			mutants = append(mutants, m)
		}
	}
	for _, m := range mutants {
		m.old, m.new = strings.TrimSuffix(m.old, "\n"), strings.TrimSuffix(m.new, "\n")
	}
	return mutants, nil
}

func (m *mutant) check(root string) error {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return err
	}
	if n := strings.Count(string(source), m.old); m.old == "" || n != 1 {
		return fmt.Errorf("%s has %d times, want once:\n%s", m.file, n, m.old)
	}
	if m.old == m.new {
		return fmt.Errorf("it changes nothing")
	}
	return nil
}
