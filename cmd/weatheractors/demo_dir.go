package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
)

// demoMarker is in every folder that a demo made: only such a one is emptied.
const demoMarker = ".weatheractors-demo"

// prepareDemoDir makes the folder of a demo, or empties the one of a former one.
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
	if err := os.WriteFile(marker, []byte("A demo of weatheractors made this folder, and empties it at its next start.\n"), 0o644); err != nil {
		return fmt.Errorf("prepare the demo's folder: %w", err)
	}
	return nil
}

// emptyDemoDir removes what a former demo left; its marker last, so that the
// folder is still known if this is interrupted.
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
		if entry.Name() == demoMarker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return fmt.Errorf("empty the demo's folder: %w", err)
		}
	}
	return nil
}

// errNotADemo keeps a demo from emptying somebody's folder.
var errNotADemo = errors.New("it is not empty, and no demo made it")
