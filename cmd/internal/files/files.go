// Package files follows the partition files of a folder, which others replace:
// it notices what has changed, and reads that alone.
package files

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/weatheractors/weatheractors/messages"
)

// Folder is where partition files are, and how to read them. Its fields fit the
// functions of actors/checkpoint.
type Folder struct {
	// Dir need not exist yet.
	Dir string
	// List returns the partitions that have a file in a folder, Path the name of a
	// file, and Read what is in it.
	List func(dir string) ([]int32, error)
	Path func(dir string, partition int32) string
	Read func(path string) (*messages.Checkpoint, error)
}

// File is one partition file, as it was when it was looked at.
type File struct {
	Partition int32
	Path      string
	Info      os.FileInfo
	// Content is nil if it was not read, or could not be, for the reason Err.
	Content *messages.Checkpoint
	Err     error
}

// Look returns the files as they are now, by partition, unread. None are there
// while the folder does not exist.
func (f Folder) Look() (files []File, err error) {
	partitions, err := f.List(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, p := range partitions {
		path := f.Path(f.Dir, p)
		if info, err := os.Stat(path); err == nil { // else it was moved away since it was listed
			files = append(files, File{Partition: p, Path: path, Info: info})
		}
	}
	return files, err
}

// Fill reads those of the files that differ from what was read before, and takes
// over the others.
func (f Folder) Fill(files, before []File) {
	for i := range files {
		now := &files[i]
		j := slices.IndexFunc(before, func(b File) bool { return b.Partition == now.Partition })
		if j >= 0 && Unchanged(*now, before[j]) && before[j].Err == nil {
			now.Content = before[j].Content
			continue
		}
		now.Content, now.Err = f.Read(now.Path)
	}
}

// Unchanged says whether a file is what it was. Its time alone does not tell: two
// files that replace each other within milliseconds may have the same.
func Unchanged(now, then File) bool {
	return now.Partition == then.Partition && os.SameFile(now.Info, then.Info) &&
		now.Info.Size() == then.Info.Size() && now.Info.ModTime().Equal(then.Info.ModTime())
}
