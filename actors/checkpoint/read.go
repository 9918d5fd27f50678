package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/weatheractors/weatheractors/messages"
)

// ErrCorrupt says that a file is not what this package writes, nor the same in
// another layout. The error that wraps it names the file and the line. It is
// permanent.
var ErrCorrupt = messages.Permanent(errors.New("corrupt checkpoint"))

// maxFileSize bounds what is read of a file. The largest that can be needed,
// with every month of 9999 years, has a quarter of that.
const maxFileSize = 64 << 20 // bytes

// Path returns the name of a partition's file in a directory.
func Path(dir string, partition int32) string {
	return filepath.Join(dir, "partition-"+strconv.Itoa(int(partition))+".json")
}

// partitionOf returns the partition whose file has a name, and whether there
// is one.
func partitionOf(path string) (int32, bool) {
	name := filepath.Base(path)
	digits := strings.TrimSuffix(strings.TrimPrefix(name, "partition-"), ".json")
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n < 0 || name != filepath.Base(Path("", int32(n))) {
		return 0, false
	}
	return int32(n), true
}

// Files returns the partitions that have a file in a directory, ascending. What
// has the name of one and is no file counts too: reading it tells.
func Files(dir string) ([]int32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("find partition files in %s: %w", dir, cause(err))
	}
	var partitions []int32
	for _, entry := range entries {
		if n, ok := partitionOf(entry.Name()); ok {
			partitions = append(partitions, n)
		}
	}
	slices.Sort(partitions)
	return partitions, nil
}

// ReadFile reads a partition's file: partition, offset and statistics. It needs
// no lock, and may be called while the file is replaced: it returns the old
// checkpoint or the new one.
//
// The file may have been written by anyone, in any layout. If it is not a
// partition file, or not the one that its name says, the error is ErrCorrupt; if
// there is none, it is fs.ErrNotExist; if it is no regular file, it is permanent.
func ReadFile(path string) (*messages.Checkpoint, error) {
	p, err := openFile(systemDisk{}, path)
	if err != nil {
		return nil, loadError("checkpoint", path, err)
	}
	if n, ok := partitionOf(path); ok {
		if err := p.of(n); err != nil {
			return nil, loadError("checkpoint", path, err)
		}
	}
	return p.checkpoint(), nil
}

func openFile(d disk, path string) (*fileParser, error) {
	data, err := readFile(d, path, maxFileSize)
	if err != nil {
		return nil, err
	}
	return parseFile(data)
}

// loadError says which file could not be loaded, and whether it is corrupt.
func loadError(what, path string, err error) error {
	if syntax := (*syntaxError)(nil); errors.As(err, &syntax) {
		return fmt.Errorf("load %s %s: %w: %v", what, path, ErrCorrupt, err)
	}
	err = fmt.Errorf("load %s %s: %w", what, path, cause(err))
	if errors.Is(err, fs.ErrPermission) {
		return messages.Permanent(fmt.Errorf("%w (as user id %s)", err, userID()))
	}
	if errors.Is(err, errNotRegular) {
		return messages.Permanent(err)
	}
	return err
}

// cause is what is wrong with a file, without the name, which those that wrap it
// say.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}
