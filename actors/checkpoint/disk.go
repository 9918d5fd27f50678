package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// disk is what this package asks of a file system. Tests put one under it that
// is full, or that loses its power.
type disk interface {
	// Open opens a file as os.OpenFile does. What is there and no regular file is
	// an error, at once.
	Open(name string, flag int) (file, error)
	// Rename replaces newName, if it exists, in one step.
	Rename(oldName, newName string) error
	Remove(name string) error
	// Exists tells whether there is anything of that name.
	Exists(name string) (bool, error)
	// MakeDir makes a directory in one that is there.
	MakeDir(dir string) error
	// HasDir tells whether there is a directory. Anything else of that name is
	// an error.
	HasDir(dir string) (bool, error)
	// SyncDir makes durable which names the directory holds, and for what.
	SyncDir(dir string) error
}

// file is an open file of a disk.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes the content durable, though not the file's name.
	Sync() error
}

// systemDisk is the operating system's file system.
type systemDisk struct{}

type systemFile struct{ *os.File }

func (f systemFile) Size() (int64, error) {
	stat, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return stat.Size(), nil
}

// filePerm lets anyone read, as far as the umask does.
const filePerm fs.FileMode = 0o644

// errNotRegular says that a file is a directory, a pipe, or a device.
var errNotRegular = errors.New("not a regular file")

func (systemDisk) Open(name string, flag int) (file, error) {
	// To open a pipe may wait for its other end, which no signal interrupts.
	if stat, err := os.Stat(name); err == nil && !stat.Mode().IsRegular() && flag&os.O_EXCL == 0 {
		return nil, errNotRegular
	}
	f, err := os.OpenFile(name, flag, filePerm)
	if err != nil {
		return nil, err
	}
	return systemFile{f}, nil
}

func (systemDisk) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

func (systemDisk) Remove(name string) error { return os.Remove(name) }

func (systemDisk) Exists(name string) (bool, error) {
	_, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (systemDisk) MakeDir(dir string) error { return os.Mkdir(dir, 0o755) }

func (systemDisk) HasDir(dir string) (bool, error) {
	stat, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil && !stat.IsDir() {
		err = errors.New("it is a file")
	}
	return err == nil, err
}

func (systemDisk) SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it can't open directories to sync them
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	// Some network file systems refuse to sync directories: they have no
	// better promise to give, and must not be unusable for that.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return cmp.Or(err, d.Close())
}

// ReplaceFile makes data the content of the file at path, durably and in one
// step: whoever opens it, at any moment and after any crash, finds the old
// content or the new one, whole. After an error the old content is still there
// unless only the last step failed, that of making the new one durable; calling
// again is always right.
//
// It writes path + ".tmp", and renames that. At most one caller at a time may
// replace the same file. On Windows a power cut can lose the new content.
func ReplaceFile(path string, data []byte) error {
	return replaceFile(systemDisk{}, path, data)
}

// temporarySuffix is what the name of a file ends in that is to replace another.
const temporarySuffix = ".tmp"

func replaceFile(d disk, path string, data []byte) error {
	temporary := path + temporarySuffix
	err := writeFile(d, temporary, data)
	if err == nil {
		err = d.Rename(temporary, path)
	}
	if err != nil {
		// It only takes up space, and the next attempt overwrites it.
		_ = d.Remove(temporary)
		return err
	}
	return d.SyncDir(filepath.Dir(path))
}

// writeFile makes data the durable content of a file, though not its name.
func writeFile(d disk, name string, data []byte) error {
	f, err := createFile(d, name)
	if err != nil {
		return err
	}
	return cmp.Or(writeDurably(f, data, 0), f.Close())
}

// createFile makes an empty file. One of that name may have been left by a crash,
// and it may be the very file that it was to replace: a rename that is not done
// yet can leave it with both names. So it is never written to.
func createFile(d disk, name string) (file, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := d.Open(name, flags)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if err := d.Remove(name); err != nil {
		return nil, err
	}
	return d.Open(name, flags)
}

// writeDurably writes data at an offset of f.
func writeDurably(f file, data []byte, at int64) error {
	if _, err := f.WriteAt(data, at); err != nil {
		return err
	}
	return f.Sync()
}

// readFile returns the content of a file of up to limit bytes, and a
// syntaxError if it is larger.
func readFile(d disk, name string, limit int64) (data []byte, err error) {
	f, err := d.Open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, &syntaxError{line: 1, reason: fmt.Sprintf("the file has %d bytes: want at most %d", size, limit)}
	}
	data = make([]byte, size)
	// What shrinks while it is read is not one of ours: it won't parse either.
	n, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data[:n], err
}
