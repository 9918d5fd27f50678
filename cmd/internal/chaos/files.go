package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// hottest is beyond any temperature of made-up weather, in °F, up or down, and
// far below the 1000000 of a repeat even when that is averaged over a month.
const hottest = 200

// file is a partition file, as its description has it.
type file struct {
	partition int32
	offset    int64
	spans     []span
}

// span is what a file says of a month of a year: each of its days was counted
// once.
type span struct {
	first, last time.Time
	where       string // file, month and year
}

// month is what stands in a file behind a year.
type month struct {
	Count int     `json:"count"`
	Sum   float64 `json:"sum"`
	Start string  `json:"start"`
	End   string  `json:"end"`
}

func pathOf(dir string, partition int32) string {
	return filepath.Join(dir, fmt.Sprintf("partition-%d.json", partition))
}

// readFile reads a partition file. One that is not there says that nothing was
// counted yet.
func readFile(dir string, partition int32) (file, error) {
	path := pathOf(dir, partition)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return file{partition: partition}, nil
	}
	if err != nil {
		return file{}, err
	}
	f := file{}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return f, fmt.Errorf("%s is not whole: %w", path, err)
	}
	if err := errors.Join(json.Unmarshal(keys["partition"], &f.partition), json.Unmarshal(keys["offset"], &f.offset)); err != nil {
		return f, fmt.Errorf("%s: partition or offset: %w", path, err)
	}
	if f.partition != partition {
		return f, fmt.Errorf("%s says that it is of partition %d", path, f.partition)
	}
	delete(keys, "partition")
	delete(keys, "offset")
	for name, text := range keys {
		var years map[string]month
		if err := json.Unmarshal(text, &years); err != nil {
			return f, fmt.Errorf("%s: %s: %w", path, name, err)
		}
		for year, m := range years {
			s, err := m.span(name, year)
			if err != nil {
				return f, fmt.Errorf("%s: %s %s: %w", path, name, year, err)
			}
			s.where = fmt.Sprintf("%s: %s %s", path, name, year)
			f.spans = append(f.spans, s)
		}
	}
	return f, nil
}

// readOffset reads no further than it has to; 0 if there is no offset.
func readOffset(dir string, partition int32) (offset int64, err error) {
	f, err := os.Open(pathOf(dir, partition))
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	d := json.NewDecoder(f)
	if _, err := d.Token(); err != nil { // {
		return 0, err
	}
	for {
		key, err := d.Token()
		if err != nil {
			return 0, err
		}
		if key == "offset" {
			return offset, d.Decode(&offset)
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return 0, err
		}
	}
}

// span is the days of a month, of which each must have been counted once, and
// none with the absurd value of a repeat.
func (m month) span(name, year string) (span, error) {
	first, err1 := time.Parse(time.DateOnly, m.Start)
	last, err2 := time.Parse(time.DateOnly, m.End)
	if err := errors.Join(err1, err2); err != nil {
		return span{}, err
	}
	days := int(last.Sub(first)/(24*time.Hour)) + 1
	switch of := name + " " + year; {
	case first.Format("January 2006") != of || last.Format("January 2006") != of:
		return span{}, fmt.Errorf("%s to %s is not in it", m.Start, m.End)
	case m.Count != days:
		return span{}, fmt.Errorf("counted %d days, but from %s to %s there are %d", m.Count, m.Start, m.End, days)
	case !(math.Abs(m.Sum) <= hottest*float64(m.Count)):
		return span{}, fmt.Errorf("a sum of %v over %d days: a repeat was counted", m.Sum, m.Count)
	}
	return span{first: first, last: last}, nil
}

// tally is what all files of a folder say together.
type tally struct {
	records     int64 // below the offsets
	days        int
	first, last time.Time // zero if there is none
	// missing are days between the first and the last that no file has.
	missing int
	holes   []string // the days around them
	offsets []int64  // by partition
}

// readTally reads the files of a folder. It returns an error where a day is
// counted twice, or a file makes no sense; missing days are for the caller to
// judge.
func readTally(dir string, partitions int32) (tally, error) {
	var t tally
	var spans []span
	for p := range partitions {
		f, err := readFile(dir, p)
		if err != nil {
			return t, err
		}
		t.records += f.offset
		t.offsets = append(t.offsets, f.offset)
		spans = append(spans, f.spans...)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.first.Compare(b.first) })
	for _, s := range spans {
		if !t.last.IsZero() && !s.first.After(t.last) {
			return t, fmt.Errorf("%s: counted from %s on, but a day up to %s was counted before", s.where, day(s.first), day(t.last))
		}
		if t.first.IsZero() {
			t.first = s.first
		} else if gap := int(s.first.Sub(t.last)/(24*time.Hour)) - 1; gap > 0 {
			t.missing += gap
			t.holes = append(t.holes, fmt.Sprintf("after %s and before %s", day(t.last), day(s.first)))
		}
		t.days += int(s.last.Sub(s.first)/(24*time.Hour)) + 1
		t.last = s.last
	}
	return t, nil
}

func day(t time.Time) string { return t.Format(time.DateOnly) }

// compare says in which of the files that count two folders differ: their bytes
// must be the same. Nothing may have been kept aside: all that is published can
// be counted.
func compare(dir, undisturbed string) (differences []string, err error) {
	names := map[string]bool{}
	for _, d := range []string{dir, undisturbed} {
		entries, err := os.ReadDir(d)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			switch filepath.Ext(e.Name()) {
			case ".json":
				names[e.Name()] = true
			case ".jsonl":
				differences = append(differences, filepath.Join(d, e.Name())+": records were kept aside")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		a, errA := os.ReadFile(filepath.Join(dir, name))
		b, errB := os.ReadFile(filepath.Join(undisturbed, name))
		switch {
		case errA != nil || errB != nil:
			differences = append(differences, fmt.Sprintf("%s: %v", name, errors.Join(errA, errB)))
		case string(a) != string(b):
			differences = append(differences, fmt.Sprintf("%s: %s", name, firstDifference(string(a), string(b))))
		}
	}
	return differences, nil
}

// firstDifference says where two texts part.
func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d is %q, undisturbed %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d lines, undisturbed %d", len(as), len(bs))
}
