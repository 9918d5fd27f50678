package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/gofrs/flock"

	"github.com/weatheractors/weatheractors/messages"
)

// ErrLocked says that another process, or another Partition of this one, has
// the partition. The error that wraps it names the owner. It is permanent.
var ErrLocked = messages.Permanent(errors.New("partition is locked by another writer"))

// ErrLockLost says that somebody removed or replaced a partition's lock file:
// others may write to the partition now, so that its owner must not. It is
// permanent.
var ErrLockLost = messages.Permanent(errors.New("lock file was removed or replaced"))

// lock is a partition's lock file, locked. Its content only tells people who
// has it: "# process 4242 on host alpha". What counts is the lock on the file,
// which the operating system releases when its process ends, however it ends.
// The file is never removed: whoever had it open would lock a file that nobody
// else finds.
type lock struct {
	path string
	held *flock.Flock
}

// ownerAt is where the owner stands in a lock file. Windows lets nobody else
// read or write the first byte while it is locked: it is never looked at.
const ownerAt = 1

// acquire locks the file at path, or returns ErrLocked at once.
func acquire(path string) (*lock, error) {
	l := &lock{path: path, held: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(filePerm))}
	locked, err := l.held.TryLock()
	if err != nil {
		return nil, err
	}
	if !locked {
		return nil, fmt.Errorf("%s: %w: %s", path, ErrLocked, readOwner(path))
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	l.write(fmt.Sprintf(" process %d on host %s\n", os.Getpid(), host))
	return l, nil
}

// check returns ErrLockLost if the file at the lock's path is not the one that is
// locked. A directory that has gone altogether may come back (a volume that was
// unmounted): that is no loss yet.
func (l *lock) check() error {
	if l == nil {
		return nil
	}
	held, err := l.held.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(l.path)); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("%s: %w", l.path, ErrLockLost)
	}
	if err != nil {
		return err
	}
	if !os.SameFile(held, there) {
		return fmt.Errorf("%s: %w", l.path, ErrLockLost)
	}
	return nil
}

// write changes who owns the file. A full disk is no reason to refuse work.
func (l *lock) write(owner string) {
	f, err := os.OpenFile(l.path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = f.WriteAt([]byte("#"), 0)
	if _, err := f.WriteAt([]byte(owner), ownerAt); err == nil {
		_ = f.Truncate(ownerAt + int64(len(owner)))
	}
}

// readOwner says who has the lock file at path, for people.
func readOwner(path string) string {
	const unknown = "it does not say which"
	f, err := os.Open(path)
	if err != nil {
		return unknown
	}
	defer func() { _ = f.Close() }()
	// A host name has 253 bytes at most.
	content, err := io.ReadAll(io.NewSectionReader(f, ownerAt, 300))
	owner, _, _ := strings.Cut(string(content), "\n")
	if owner = strings.TrimSpace(owner); err != nil || owner == "" {
		return unknown
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, owner)
}

// release gives the lock back. The file stays, and names nobody.
func (l *lock) release() error {
	if !l.held.Locked() {
		return nil
	}
	l.write("")
	return l.held.Unlock()
}
