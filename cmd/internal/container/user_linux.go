package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// user is who a program runs as.
type user struct{ uid, gid int }

// nobodySpecial runs Apache Kafka, and keeps the files where nobody on the host
// has a claim to them. On a machine with one user, it is mostly that user.
var nobodySpecial = user{1000, 1000}

// become gives up root's rights for those of the user, for good.
func (u user) become() error {
	if u.uid == 0 {
		return nil
	}
	// In this order: only root may do the first two.
	for _, err := range []error{syscall.Setgroups(nil), syscall.Setgid(u.gid), syscall.Setuid(u.uid)} {
		if err != nil {
			return fmt.Errorf("become user %d: %w", u.uid, err)
		}
	}
	return nil
}

// privileged tells whether this process is root, of the host as well. In a user
// namespace (Docker without root, Podman) root is whoever started the container,
// and nothing is to be given up.
func privileged() bool {
	if os.Getuid() != 0 {
		return false
	}
	uids, err := os.ReadFile("/proc/self/uid_map")
	return err != nil || isInitial(string(uids))
}

// isInitial tells whether all user ids stand for themselves.
func isInitial(uidMap string) bool {
	return strings.Join(strings.Fields(uidMap), " ") == "0 0 4294967295"
}

// keeper returns the user whom the files in a folder are to belong to, and makes
// the folder that user's if it is nobody's yet.
func keeper(dir string) (user, error) {
	owner, dir, err := ownerOf(dir)
	if err != nil {
		return user{}, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return user{}, err
	}
	u := choose(owner, len(entries) == 0)
	if u == owner {
		return u, nil
	}
	return u, os.Chown(dir, u.uid, u.gid)
}

// choose decides who keeps files in a folder. An empty one of root's is what
// Docker makes for `-v ./files:/files` where there was none: nobody chose root.
func choose(owner user, empty bool) user {
	if owner.uid == 0 && empty {
		return nobodySpecial
	}
	return owner
}

// ownerOf returns whom a folder belongs to, or the one in which it would be made,
// and which of them it was.
func ownerOf(dir string) (user, string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return user{}, "", err
	}
	status, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) && dir != "/" {
		return ownerOf(filepath.Dir(dir))
	}
	if err != nil {
		return user{}, "", err
	}
	s := status.Sys().(*syscall.Stat_t)
	return user{int(s.Uid), int(s.Gid)}, dir, nil
}

// deniedError says that a folder can't be written to.
type deniedError struct {
	dir   string
	owner int
	cause error
}

func (d deniedError) Error() string {
	return fmt.Sprintf("%s belongs to user %d, and user %d can't write there: %v", d.dir, d.owner, os.Getuid(), d.cause)
}

// hint says what whoever started the container can do about it.
func (d deniedError) hint() string {
	if d.owner == os.Getuid() {
		return "on the host, let the folder's owner write there (`chmod u+rwx`), and don't mount it read-only"
	}
	return fmt.Sprintf("start the container as that user (`docker run --user %d`; if it is you, `--user $(id -u):$(id -g)`), or without --user; "+
		"or give the folder on the host to user %d (`sudo chown %[2]d`)", d.owner, os.Getuid())
}

// writable returns nil if this process can make files in a folder.
func writable(dir string) error {
	owner, dir, err := ownerOf(dir)
	if err != nil {
		return err
	}
	const writeAndEnter = 2 | 1
	if err := syscall.Access(dir, writeAndEnter); err != nil {
		return deniedError{dir, owner.uid, err}
	}
	return nil
}
