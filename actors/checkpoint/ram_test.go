package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

// ram is a disk in memory, of one directory, that can lose its power. It keeps
// apart what programs see and what is durable, for the content of each file and
// for the names in the directory.
type ram struct {
	names   map[string]*inode
	durable map[string]*inode
	changes []change // of names that are not durable yet
}

type inode struct{ content, durable []byte }

// change is one step of a directory: a name goes, another one appears, or both.
type change struct {
	gone, there string
	inode       *inode
}

const ramDir = "files"

// ramPath returns the name of a file of partition 2.
func ramPath(suffix string) string { return filepath.Join(ramDir, "partition-2"+suffix) }

func newRAM() *ram {
	return &ram{names: map[string]*inode{}, durable: map[string]*inode{}}
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

func (r *ram) Open(name string, flag int) (file, error) {
	if r.names[name] == nil {
		if flag&os.O_CREATE == 0 || filepath.Dir(name) != ramDir {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		r.change(change{there: name, inode: &inode{}})
	}
	if flag&os.O_TRUNC != 0 {
		r.names[name].content = nil
	}
	return &ramFile{r.names[name]}, nil
}

func (r *ram) Rename(oldName, newName string) error {
	if r.names[oldName] == nil {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	r.change(change{gone: oldName, there: newName, inode: r.names[oldName]})
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

func (r *ram) SyncDir(dir string) error {
	if dir != ramDir {
		return &fs.PathError{Op: "open", Path: dir, Err: fs.ErrNotExist}
	}
	r.durable, r.changes = maps.Clone(r.names), nil
	return nil
}

// read returns the content of a file, nil if there is none.
func (r *ram) read(name string) []byte {
	if i := r.names[name]; i != nil {
		return append([]byte{}, i.content...)
	}
	return nil
}

func (r *ram) list() []string { return slices.Sorted(maps.Keys(r.names)) }

// powerCut returns what a disk holds when the power is back: all that is
// durable, and of the rest whatever the disk had got to, in any order. Without
// random nothing of the rest.
func (r *ram) powerCut(random *rand.Rand) *ram {
	names := maps.Clone(r.durable)
	if random != nil {
		likely := random.Float64()
		for _, c := range r.changes {
			if random.Float64() < likely {
				c.apply(names)
			}
		}
	}
	after := newRAM()
	for name, i := range names {
		content := i.durable
		if random != nil {
			content = i.torn(random)
		}
		after.names[name] = &inode{content: bytes.Clone(content), durable: bytes.Clone(content)}
	}
	after.durable = maps.Clone(after.names)
	return after
}

// torn returns a mixture of the durable content and that which was written,
// page by page; a page that never was on the disk is all zeros.
func (i *inode) torn(random *rand.Rand) []byte {
	if bytes.Equal(i.content, i.durable) {
		return i.durable
	}
	const page = 32 // bytes; small, so that there are many
	size := len(i.durable)
	switch grown := len(i.content) - size; random.IntN(3) {
	case 0:
		size = len(i.content)
	case 1:
		if grown > 0 {
			size += random.IntN(grown + 1)
		}
	}
	content := make([]byte, size)
	for at := 0; at < size; at += page {
		from := i.durable
		if random.IntN(2) == 0 {
			from = i.content
		}
		if at < len(from) {
			copy(content[at:min(at+page, size)], from[at:])
		}
	}
	return content
}

type ramFile struct{ *inode }

func (f *ramFile) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(f.content).ReadAt(b, at)
}

func (f *ramFile) WriteAt(b []byte, at int64) (int, error) {
	if grown := int(at) + len(b) - len(f.content); grown > 0 {
		f.content = append(bytes.Clone(f.content), make([]byte, grown)...)
	}
	return copy(f.content[at:], b), nil
}

func (f *ramFile) Size() (int64, error) { return int64(len(f.content)), nil }

func (f *ramFile) Truncate(size int64) error {
	if size > int64(len(f.content)) {
		return fmt.Errorf("truncate to %d: %w", size, io.ErrUnexpectedEOF)
	}
	f.content = bytes.Clone(f.content[:size])
	return nil
}

func (f *ramFile) Sync() error {
	f.durable = bytes.Clone(f.content)
	return nil
}

func (f *ramFile) Close() error { return nil }
