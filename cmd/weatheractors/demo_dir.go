package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
)

// demoMarker is in every folder that a demo made: only in such a one are files
// removed.
const demoMarker = ".weatheractors-demo"

// demoFile matches the names of what a demo writes: partition files with what
// stands beside them, and the picture; also what a crash leaves of either.
var demoFile = regexp.MustCompile(`^(partition-\d+\.(json|lock|topic|rejected\.jsonl)(\.([\w-]{22}|unknown)(\.\d+)?\.bak)?|month\.svg(\.[A-Z2-7]{26})?)(\.tmp)?$`)

// prepareDemoDir makes the folder of a demo, or removes from it what a former one
// wrote.
func prepareDemoDir(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("prepare the demo's folder: %w", err)
	case len(entries) > 0:
		if _, err := os.Lstat(filepath.Join(dir, demoMarker)); err != nil {
			return fmt.Errorf("prepare the demo's folder %s: %w", dir, errNotADemo)
		}
	}
	if err := emptyDemoDir(dir, entries); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("prepare the demo's folder: %w", err)
	}
	marker := filepath.Join(dir, demoMarker)
	if err := os.WriteFile(marker, []byte("A demo of weatheractors made this folder. The next one replaces its files, and leaves others alone.\n"), 0o644); err != nil {
		return fmt.Errorf("prepare the demo's folder: %w", err)
	}
	return nil
}

// emptyDemoDir removes what a former demo wrote, and nothing else: people keep
// notes beside it. The marker stays, so that the folder is still known if this is
// interrupted.
func emptyDemoDir(dir string, entries []os.DirEntry) (err error) {
	if len(entries) == 0 {
		return nil
	}
	for partition := range int32(demoPartitions) {
		lock, err := checkpoint.Open(dir, partition) // another demo may be at work
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	for _, entry := range entries {
		if entry.IsDir() || !demoFile.MatchString(entry.Name()) {
			continue
		}
		err := os.Remove(filepath.Join(dir, entry.Name()))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // opening removes some, too
			return fmt.Errorf("empty the demo's folder: %w", err)
		}
	}
	return nil
}

// errNotADemo keeps a demo from emptying somebody's folder.
var errNotADemo = errors.New("it is not empty, and no demo made it")
