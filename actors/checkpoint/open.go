package checkpoint

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/weatheractors/weatheractors/messages"
)

// ErrNotWritable says that nothing can be kept in a directory: it can't be
// made, or this user may not write there. The error that wraps it names both. It
// is permanent.
var ErrNotWritable = messages.Permanent(errors.New("folder is not writable"))

// Open takes possession of a partition's files in a directory, which it creates
// if it is not there. The caller must Close the Partition.
//
// If another one has the partition, in this process or in another, the error is
// ErrLocked at once; if nothing can be written, it is ErrNotWritable. Every
// error of Open is permanent.
func Open(dir string, partition int32) (*Partition, error) {
	return openOn(systemDisk{}, dir, partition)
}

func openOn(d disk, dir string, partition int32) (*Partition, error) {
	if partition < 0 {
		return nil, messages.Permanent(fmt.Errorf("open partition %d: want a number from 0", partition))
	}
	p := newPartition(d, dir, partition)
	if err := p.take(); err != nil {
		if !errors.Is(err, ErrLocked) {
			err = fmt.Errorf("%s: %w by user id %s: %w", p.dir, ErrNotWritable, userID(), err)
		}
		return nil, fmt.Errorf("open partition %d: %w", partition, err)
	}
	return p, nil
}

// take locks the partition, in a directory that can be written to.
func (p *Partition) take() (err error) {
	if err := makeDir(p.disk, p.dir); err != nil {
		return err
	}
	if p.lock, err = acquire(p.beside(".lock")); err != nil {
		return err
	}
	// The lock file may be there for long: it is not enough that it opens.
	if err := p.probe(); err != nil {
		return cmp.Or(err, p.Close())
	}
	return nil
}

// probe makes the file that every Save makes, and removes it.
func (p *Partition) probe() error {
	temporary := p.path() + temporarySuffix
	f, err := createFile(p.disk, temporary)
	if err != nil {
		return err
	}
	return cmp.Or(f.Close(), p.disk.Remove(temporary))
}

// Close gives the partition back. Nothing is written: what Save did not make
// durable is lost. It may be called twice.
func (p *Partition) Close() error {
	if p.lock == nil {
		return nil
	}
	if err := p.lock.release(); err != nil {
		return fmt.Errorf("close partition %d: %w", p.number, err)
	}
	return nil
}

// makeDir makes a directory and those above it, durably, where they are not
// there.
func makeDir(d disk, dir string) error {
	above := filepath.Dir(dir)
	there, err := d.HasDir(dir)
	if err != nil {
		return err
	}
	if !there {
		if above != dir {
			if err := makeDir(d, above); err != nil {
				return err
			}
		}
		if err := d.MakeDir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	// Also if it was there: whoever made it may have been killed before this. But
	// then it could be done.
	err = d.SyncDir(above)
	if there && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
		return nil
	}
	return err
}

func userID() string {
	// On Windows this is not a number.
	if u, err := user.Current(); err == nil {
		return u.Uid
	}
	return strconv.Itoa(os.Getuid())
}
