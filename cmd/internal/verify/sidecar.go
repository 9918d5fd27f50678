package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// span is a range of offsets, [base, next).
type span struct {
	base, next int64
}

func (s span) String() string {
	if s.next == s.base+1 {
		return fmt.Sprintf("record %d", s.base)
	}
	return fmt.Sprintf("records %d to %d", s.base, s.next-1)
}

// countedTopic is what partition-N.topic says.
type countedTopic struct {
	name string
	id   [16]byte // zero: not known
	gaps []span   // ascending, disjoint
}

// files are the files of one partition, as one moment found them.
type files struct {
	path    string // of the partition file
	data    []byte // the partition file
	file    *partitionFile
	fileErr error         // why file is nil
	topic   *countedTopic // nil if there is no partition-N.topic
	rejects []int64       // offsets, ascending
	kept    bool          // whether there is a file of rejects
	wrong   []string      // which of the files beside it can't be read, and why
}

// readFiles reads the files of a partition. A process that counts writes the
// files beside a partition file before that: reading them after it, they are at
// least as new, and what they say of later records is left out. The error is
// that of the partition file not being readable at all.
func readFiles(dir string, partition int32) (*files, error) {
	name := func(suffix string) string {
		return filepath.Join(dir, fmt.Sprintf("partition-%d%s", partition, suffix))
	}
	f := &files{path: name(".json")}
	var err error
	if f.data, err = read(f.path); err != nil {
		return nil, err
	}
	if f.file, f.fileErr = parseFile(f.data); f.fileErr != nil {
		return f, nil
	}
	f.beside(name(".topic"), func(data []byte) (err error) {
		f.topic, err = parseTopic(data)
		return err
	})
	f.beside(name(".rejected.jsonl"), func(data []byte) (err error) {
		f.rejects, err = parseRejects(data, f.file.offset)
		f.kept = err == nil
		return err
	})
	return f, nil
}

// read reads a file. To open a pipe might wait forever.
func read(path string) ([]byte, error) {
	if stat, err := os.Stat(path); err == nil && !stat.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	return os.ReadFile(path)
}

// beside reads a file that need not be there.
func (f *files) beside(path string, parse func(data []byte) error) {
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err == nil {
		err = parse(data)
	}
	if err != nil {
		f.wrong = append(f.wrong, fmt.Sprintf("%s makes no sense: %v", filepath.Base(path), err))
	}
}

// parseTopic reads partition-N.topic. Epochs are not looked at.
func parseTopic(data []byte) (*countedTopic, error) {
	var wire struct {
		Name string
		ID   string
		Gaps []struct{ Base, Next int64 }
	}
	if err := json.Unmarshal(data, &wire); err != nil {
		return nil, err
	}
	if wire.Name == "" {
		return nil, errors.New("no name of a topic")
	}
	t := &countedTopic{name: wire.Name}
	id, err := base64.RawURLEncoding.DecodeString(wire.ID)
	if err != nil || len(id) != 0 && len(id) != len(t.id) {
		return nil, fmt.Errorf("%.40q is not the id of a topic", wire.ID)
	}
	copy(t.id[:], id)
	var end int64
	for _, g := range wire.Gaps {
		if g.Base < end || g.Next <= g.Base {
			return nil, fmt.Errorf("gap from %d to %d is empty, or not after the one before", g.Base, g.Next)
		}
		end = g.Next
		t.gaps = append(t.gaps, span{g.Base, g.Next})
	}
	return t, nil
}

// parseRejects reads the offsets below a limit in partition-N.rejected.jsonl. A
// crash may leave lines at or above the offset of the partition file, and one
// that is cut short at the end: the next start drops them.
func parseRejects(data []byte, limit int64) ([]int64, error) {
	var offsets []int64
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(data, []byte("\n"))
		if !whole {
			return offsets, nil
		}
		data = rest
		var reject struct{ Offset *int64 }
		if err := json.Unmarshal(line, &reject); err != nil {
			return offsets, fmt.Errorf("line %d: %w", n, err)
		}
		if reject.Offset == nil || len(offsets) > 0 && *reject.Offset <= offsets[len(offsets)-1] {
			return offsets, fmt.Errorf("line %d: no offset above that of the line before", n)
		}
		if *reject.Offset >= limit {
			return offsets, nil
		}
		offsets = append(offsets, *reject.Offset)
	}
}

// inside returns the gap that holds an offset, and whether there is one.
func inside(gaps []span, offset int64) (span, bool) {
	i, _ := slices.BinarySearchFunc(gaps, offset, func(g span, o int64) int {
		if g.next <= o {
			return -1
		}
		return 1
	})
	if i < len(gaps) && gaps[i].base <= offset {
		return gaps[i], true
	}
	return span{}, false
}

// clip returns the part of each span below a limit.
func clip(spans []span, limit int64) []span {
	var clipped []span
	for _, s := range spans {
		if s.base < limit {
			clipped = append(clipped, span{s.base, min(s.next, limit)})
		}
	}
	return clipped
}

// without returns what is left of a range where the gaps are taken out.
func without(whole span, gaps []span) []span {
	var left []span
	for _, g := range clip(gaps, whole.next) {
		if whole.base < g.base {
			left = append(left, span{whole.base, g.base})
		}
		whole.base = max(whole.base, g.next)
	}
	if whole.base < whole.next {
		left = append(left, whole)
	}
	return left
}
