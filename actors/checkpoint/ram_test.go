package checkpoint

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ram is a disk in memory that can lose its power. It keeps apart what programs
// see and what is durable, for the content of each file and for the names in
// each directory. Paths are relative; the directory that they start in is there.
type ram struct {
	names   map[string]*inode
	durable map[string]*inode
	changes []change // of names, which are not durable yet
	tears   int      // at how many places a write is torn, at most; 0: 25
}

// inode is a file or a directory. It may have more than one name.
type inode struct {
	isDir            bool
	content, durable []byte
	edits            []edit // of the content, which are not durable yet
}

// edit is one step of a file's content: it is cut at an offset, or written there.
type edit struct {
	at   int
	data []byte // nil: a cut
}

// change is one step of a directory: a name goes, another one appears, or both.
type change struct {
	gone, there string
	inode       *inode
}

const ramDir = "files"

// ramPath returns the name of a file of partition 2.
func ramPath(suffix string) string { return filepath.Join(ramDir, "partition-2"+suffix) }

// newRAM returns a disk with the directory ramDir.
func newRAM() *ram {
	r := newEmptyRAM()
	r.names[ramDir] = &inode{isDir: true}
	r.durable[ramDir] = r.names[ramDir]
	return r
}

func newEmptyRAM() *ram { return &ram{names: map[string]*inode{}, durable: map[string]*inode{}} }

// clone returns a disk in the same state, which goes its own way.
func (r *ram) clone() *ram {
	c := &ram{names: maps.Clone(r.names), durable: maps.Clone(r.durable), changes: slices.Clone(r.changes), tears: r.tears}
	copies := map[*inode]*inode{}
	copied := func(i *inode) *inode {
		if i != nil && copies[i] == nil {
			twin := *i // what the slices hold is never changed
			twin.edits = slices.Clone(i.edits)
			copies[i] = &twin
		}
		return copies[i]
	}
	for _, names := range []map[string]*inode{c.names, c.durable} {
		for name, i := range names {
			names[name] = copied(i)
		}
	}
	for n := range c.changes {
		c.changes[n].inode = copied(c.changes[n].inode)
	}
	return c
}

func (r *ram) change(c change) {
	c.apply(r.names)
	r.changes = append(r.changes, c)
}

func (c change) apply(names map[string]*inode) {
	delete(names, c.gone)
	if c.there != "" {
		names[c.there] = c.inode
	}
}

func (e edit) apply(b []byte) []byte {
	if e.data == nil {
		return bytes.Clone(b[:min(e.at, len(b))])
	}
	grown := make([]byte, max(len(b), e.at+len(e.data)))
	copy(grown, b)
	copy(grown[e.at:], e.data)
	return grown
}

func (i *inode) edit(e edit) {
	i.content = e.apply(i.content)
	i.edits = append(i.edits, e)
}

// isIn tells whether a name can be in a directory that is there.
func (r *ram) isIn(dir string) error {
	if i := r.names[dir]; dir != "." && (i == nil || !i.isDir) {
		return &fs.PathError{Op: "find", Path: dir, Err: fs.ErrNotExist}
	}
	return nil
}

func (r *ram) Open(name string, flag int) (file, error) {
	fails := func(err error) (file, error) { return nil, &fs.PathError{Op: "open", Path: name, Err: err} }
	if err := r.isIn(filepath.Dir(name)); err != nil {
		return nil, err
	}
	switch i := r.names[name]; {
	case i == nil && flag&os.O_CREATE == 0:
		return fails(fs.ErrNotExist)
	case i == nil:
		r.change(change{there: name, inode: &inode{}})
	case flag&os.O_EXCL != 0:
		return fails(fs.ErrExist)
	case i.isDir:
		return fails(errors.New("is a directory"))
	case flag&os.O_TRUNC != 0:
		i.edit(edit{})
	}
	return &ramFile{r.names[name]}, nil
}

func (r *ram) Rename(oldName, newName string) error {
	if r.names[oldName] == nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	if r.names[oldName] != r.names[newName] { // of two names of a file neither goes
		r.change(change{gone: oldName, there: newName, inode: r.names[oldName]})
	}
	return nil
}

func (r *ram) Remove(name string) error {
	if r.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	r.change(change{gone: name})
	return nil
}

func (r *ram) Exists(name string) (bool, error) { return r.names[name] != nil, nil }

func (r *ram) HasDir(dir string) (bool, error) { return r.isIn(dir) == nil, nil }

func (r *ram) MakeDir(dir string) error {
	if err := r.isIn(filepath.Dir(dir)); err != nil {
		return err
	}
	if r.names[dir] != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: fs.ErrExist}
	}
	r.change(change{there: dir, inode: &inode{isDir: true}})
	return nil
}

func (r *ram) SyncDir(dir string) error {
	if err := r.isIn(dir); err != nil {
		return err
	}
	r.changes = slices.DeleteFunc(r.changes, func(c change) bool {
		in := filepath.Dir(cmp.Or(c.there, c.gone)) == dir
		if in {
			c.apply(r.durable)
		}
		return in
	})
	return nil
}

// read returns the content of a file, nil if there is none.
func (r *ram) read(name string) []byte {
	if i := r.names[name]; i != nil {
		return append([]byte{}, i.content...)
	}
	return nil
}

// list returns the names of the files.
func (r *ram) list() (names []string) {
	for name, i := range r.names {
		if !i.isDir {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// String tells all that programs can see, and which names are of one file.
func (r *ram) String() string {
	var b strings.Builder
	first := map[*inode]string{}
	for _, name := range slices.Sorted(maps.Keys(r.names)) {
		i := r.names[name]
		if as, ok := first[i]; ok {
			fmt.Fprintf(&b, "%s is %s\n", name, as)
			continue
		}
		first[i] = name
		b.WriteString(name)
		b.WriteString(": ")
		b.WriteString(strconv.Quote(string(i.content)))
		b.WriteByte('\n')
	}
	return b.String()
}

// powerCut returns what a disk holds when the power is back that had got to
// nothing by itself: what is durable.
func (r *ram) powerCut() *ram {
	return after(r.durable, map[*inode][]byte{})
}

// powerCuts returns what a disk may hold when the power is back: all that is
// durable, and of the rest whatever the disk had got to, in any order. Each
// state comes once.
func (r *ram) powerCuts() iter.Seq[*ram] {
	return func(yield func(*ram) bool) {
		seen := map[string]bool{}
		for names := range r.namings() {
			var torn []*inode
			for _, i := range names {
				if len(i.edits) > 0 && !slices.Contains(torn, i) {
					torn = append(torn, i)
				}
			}
			contents := map[*inode][]byte{}
			var each func(n int) bool
			each = func(n int) bool {
				if n < len(torn) {
					for _, content := range torn[n].versions(cmp.Or(r.tears, 25)) {
						contents[torn[n]] = content
						if !each(n + 1) {
							return false
						}
					}
					return true
				}
				state := after(names, contents)
				if key := state.String(); !seen[key] {
					seen[key] = true
					return yield(state)
				}
				return true
			}
			if !each(0) {
				return
			}
		}
	}
}

// after returns a disk of durable files with some names, and contents other than
// the durable ones.
func after(names map[string]*inode, contents map[*inode][]byte) *ram {
	r := newEmptyRAM()
	kept := map[*inode]*inode{}
	for name, i := range names {
		if !reachable(names, name) {
			continue // its directory got lost
		}
		if kept[i] == nil {
			content, ok := contents[i]
			if !ok {
				content = i.durable
			}
			kept[i] = &inode{isDir: i.isDir, content: bytes.Clone(content), durable: bytes.Clone(content)}
		}
		r.names[name] = kept[i]
	}
	r.durable = maps.Clone(r.names)
	return r
}

func reachable(names map[string]*inode, name string) bool {
	dir := filepath.Dir(name)
	return dir == "." || names[dir] != nil && names[dir].isDir && reachable(names, dir)
}

// namings returns the names that there may be after a power cut: those that are
// durable, with any of the changes, in any order. A rename may have got as far
// as both names, but never to none.
func (r *ram) namings() iter.Seq[map[string]*inode] {
	return func(yield func(map[string]*inode) bool) {
		var each func(names map[string]*inode, left []change) bool
		each = func(names map[string]*inode, left []change) bool {
			if !yield(names) {
				return false
			}
			for n, c := range left {
				steps := []change{c}
				if c.gone != "" && c.there != "" {
					steps = append(steps, change{there: c.there, inode: c.inode})
				}
				rest := slices.Delete(slices.Clone(left), n, n+1)
				if len(r.changes) > 4 {
					rest = left[n+1:] // in their order: there would be too many
				}
				for _, step := range steps {
					changed := maps.Clone(names)
					step.apply(changed)
					if !each(changed, rest) {
						return false
					}
				}
			}
			return true
		}
		each(r.durable, r.changes)
	}
}

// versions returns the contents that a file may have after a power cut: what is
// durable, with any of the edits, one of which may have been torn.
func (i *inode) versions(tears int) [][]byte {
	all := [][]byte{i.durable}
	for _, e := range i.edits {
		for _, before := range slices.Clone(all) {
			all = append(all, e.apply(before))
			for _, torn := range e.torn(tears) {
				all = append(all, torn.apply(before))
			}
		}
	}
	slices.SortFunc(all, bytes.Compare)
	return slices.CompactFunc(all, bytes.Equal)
}

// torn returns what may be left of a write: its beginning, also with the full
// size, where what never got to the disk is all zeros; or its end.
func (e edit) torn(tears int) (all []edit) {
	step := 1 + len(e.data)/tears
	for n := step; n < len(e.data); n += step {
		begin, end := make([]byte, len(e.data)), make([]byte, len(e.data))
		copy(begin, e.data[:n])
		copy(end[n:], e.data[n:])
		all = append(all, edit{e.at, e.data[:n]}, edit{e.at, begin}, edit{e.at, end})
	}
	if len(e.data) > 0 {
		all = append(all, edit{e.at, make([]byte, len(e.data))})
	}
	return all
}

type ramFile struct{ *inode }

func (f *ramFile) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(f.content).ReadAt(b, at)
}

func (f *ramFile) WriteAt(b []byte, at int64) (int, error) {
	f.edit(edit{int(at), append([]byte{}, b...)})
	return len(b), nil
}

func (f *ramFile) Size() (int64, error) { return int64(len(f.content)), nil }

func (f *ramFile) Truncate(size int64) error {
	if size > int64(len(f.content)) {
		return fmt.Errorf("truncate to %d: %w", size, io.ErrUnexpectedEOF)
	}
	f.edit(edit{at: int(size)})
	return nil
}

func (f *ramFile) Sync() error {
	for _, e := range f.edits {
		f.durable = e.apply(f.durable)
	}
	f.edits = nil
	return nil
}

// lose is what becomes of data that a Sync could not write: the system takes
// it for written and never tries again, and sooner or later (evicted) reads what
// is on the disk instead.
func (f *ramFile) lose(evicted bool) {
	f.edits = slices.DeleteFunc(f.edits, func(e edit) bool { return e.data != nil })
	if evicted {
		f.content = f.durable
		for _, e := range f.edits {
			f.content = e.apply(f.content)
		}
	}
}

func (f *ramFile) Close() error { return nil }
