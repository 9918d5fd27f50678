package checkpoint

import (
	"fmt"
	"syscall"
)

var errNoSpace = syscall.ENOSPC

// faulty is a disk some of whose operations fail.
type faulty struct {
	disk
	operations int // so far
	// fault says what becomes of operation n, from 0.
	fault func(n int) fault
	log   []string // of what failed
}

// fault is how an operation fails; the zero value is that it doesn't.
type fault struct {
	err error
	// done is how much of it is done all the same: a write may be cut short,
	// and the answer of a disk may get lost.
	done how
}

type how int

const (
	nothing how = iota
	half        // of a write; otherwise nothing
	all
	lost    // of a sync: what it was for is taken for written, and can be read until
	evicted // it is read from the disk
)

// do does an operation, or lets it fail. part does half of it, if it can be
// done by halves.
func (f *faulty) do(name string, whole func() error, part func()) error {
	fault := f.fault(f.operations)
	f.operations++
	if fault.err == nil {
		return whole()
	}
	f.log = append(f.log, fmt.Sprintf("%s (operation %d, done: %d)", name, f.operations-1, fault.done))
	switch {
	case fault.done == all:
		_ = whole()
	case fault.done == half && part != nil:
		part()
	}
	return fault.err
}

func (f *faulty) Open(name string, flag int) (opened file, err error) {
	err = f.do("open "+name, func() error {
		inner, err := f.disk.Open(name, flag)
		opened = &faultyFile{inner, f, name}
		return err
	}, nil)
	return opened, err
}

func (f *faulty) Rename(oldName, newName string) error {
	return f.do("rename "+oldName, func() error { return f.disk.Rename(oldName, newName) }, nil)
}

func (f *faulty) Remove(name string) error {
	return f.do("remove "+name, func() error { return f.disk.Remove(name) }, nil)
}

func (f *faulty) Exists(name string) (exists bool, err error) {
	err = f.do("exists "+name, func() error {
		exists, err = f.disk.Exists(name)
		return err
	}, nil)
	return exists, err
}

func (f *faulty) MakeDir(dir string) error {
	return f.do("mkdir "+dir, func() error { return f.disk.MakeDir(dir) }, nil)
}

func (f *faulty) HasDir(dir string) (has bool, err error) {
	err = f.do("look for "+dir, func() error {
		has, err = f.disk.HasDir(dir)
		return err
	}, nil)
	return has, err
}

func (f *faulty) SyncDir(dir string) error {
	return f.do("sync "+dir, func() error { return f.disk.SyncDir(dir) }, nil)
}

type faultyFile struct {
	file
	disk *faulty
	name string
}

func (f *faultyFile) ReadAt(b []byte, at int64) (n int, err error) {
	err = f.disk.do("read "+f.name, func() error {
		n, err = f.file.ReadAt(b, at)
		return err
	}, nil)
	return n, err
}

func (f *faultyFile) WriteAt(b []byte, at int64) (n int, err error) {
	err = f.disk.do("write "+f.name, func() error {
		n, err = f.file.WriteAt(b, at)
		return err
	}, func() { n, _ = f.file.WriteAt(b[:len(b)/2], at) })
	return n, err
}

func (f *faultyFile) Size() (size int64, err error) {
	err = f.disk.do("size of "+f.name, func() error {
		size, err = f.file.Size()
		return err
	}, nil)
	return size, err
}

func (f *faultyFile) Truncate(size int64) error {
	return f.disk.do("truncate "+f.name, func() error { return f.file.Truncate(size) }, nil)
}

func (f *faultyFile) Sync() error {
	fault := f.disk.fault(f.disk.operations)
	if inner, ok := f.file.(*ramFile); ok && fault.err != nil && fault.done >= lost {
		inner.lose(fault.done == evicted)
	}
	return f.disk.do("sync "+f.name, f.file.Sync, nil)
}

// Close always closes: a disk that fails must not cost the tests their files.
func (f *faultyFile) Close() error {
	err := f.file.Close()
	return f.disk.do("close "+f.name, func() error { return err }, nil)
}
