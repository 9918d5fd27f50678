package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/weatheractors/weatheractors/messages"
)

// rejectLog is a partition's file of records that can't be counted.
//
// Invariant: its first size bytes are durable and whole lines, and hold every
// reject up to the record's offset last. What stands behind them was written by
// an append that failed, and is cut off by the next one.
type rejectLog struct {
	disk disk
	path string
	size int64 // bytes
	last int64 // -1 if there is none
}

// rejectLine is a line of the file. Every byte of key and value can be had back.
type rejectLine struct {
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
	// Key is for people and for grep: what is not UTF-8 in it is replaced.
	Key string `json:"key"`
	// KeyBase64 is the key itself, if Key is not.
	KeyBase64 []byte `json:"key_base64,omitempty"`
	Value     []byte `json:"value"`
}

// append makes rejects durable. Those that are already (the checkpoint that
// brought them was not saved in the end, and comes again) are left out: a
// record is never noted twice. They must be in the order of their offsets.
func (l *rejectLog) append(rejects []*messages.Reject) error {
	lines, last, err := l.encode(rejects)
	if err != nil || len(lines) == 0 {
		return err
	}
	f, err := l.disk.Open(l.path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	size, err := l.write(f, lines)
	if err = cmp.Or(err, f.Close()); err != nil {
		return err
	}
	// The file may be new, or have been removed since.
	if err := l.disk.SyncDir(filepath.Dir(l.path)); err != nil {
		return err
	}
	l.size, l.last = size, last
	return nil
}

// write adds lines to f, and returns its new size.
func (l *rejectLog) write(f file, lines []byte) (int64, error) {
	size, err := f.Size()
	if err != nil {
		return 0, err
	}
	// It is smaller than it was if somebody emptied or removed it.
	end := min(size, l.size)
	if size > end {
		if err := f.Truncate(end); err != nil {
			return 0, err
		}
	}
	return end + int64(len(lines)), writeDurably(f, lines, end)
}

// encode returns the lines of the rejects that are not durable yet, and the
// offset of the last one's record.
func (l *rejectLog) encode(rejects []*messages.Reject) (lines []byte, last int64, err error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	last = l.last
	for _, r := range rejects {
		if r.GetOffset() <= last {
			continue
		}
		last = r.GetOffset()
		line := rejectLine{Offset: last, Reason: r.GetReason(), Key: string(r.GetKey()), Value: r.GetValue()}
		if !utf8.Valid(r.GetKey()) {
			line.KeyBase64 = r.GetKey()
		}
		if line.Value == nil {
			line.Value = []byte{} // "", not null
		}
		if err := encoder.Encode(line); err != nil {
			return nil, 0, err
		}
	}
	return b.Bytes(), last, nil
}

// load cuts the file to its whole lines of records below offset.
func (l *rejectLog) load(offset int64) error {
	l.size, l.last = 0, -1
	f, err := l.disk.Open(l.path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return cmp.Or(l.cut(f, offset), f.Close())
}

func (l *rejectLog) cut(f file, offset int64) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	keep, last, err := lastBelow(f, size, offset)
	if err != nil {
		return err
	}
	if keep < size {
		if err := f.Truncate(keep); err != nil {
			return err
		}
	}
	// Also if it was cut before: perhaps by somebody who was killed then.
	if err := f.Sync(); err != nil {
		return err
	}
	l.size, l.last = keep, last
	return nil
}

// lastBelow finds the last whole line of a record below offset in the first
// size bytes of f. It returns where that line ends, and the record's offset; 0
// and -1 if there is none. It reads from the end: what is not a line, as the
// unsynced end of a file may not be after a power cut, is passed over.
func lastBelow(f io.ReaderAt, size, offset int64) (end, last int64, err error) {
	b := backward{file: f, start: size}
	// What follows the last line feed is not whole.
	if _, err := b.line(size); err != nil {
		return 0, -1, err
	}
	for end = b.begin; end > 0; end = b.begin {
		line, err := b.line(end - 1)
		if err != nil {
			return 0, -1, err
		}
		var record struct {
			Offset *int64 `json:"offset"`
		}
		if json.Unmarshal(line, &record) == nil && record.Offset != nil && *record.Offset < offset {
			return end, *record.Offset, nil
		}
	}
	return 0, -1, nil
}

const (
	backwardStep = 64 << 10 // bytes to read at once
	// maxRejectLine is more than any line has: 4 KiB each of a key, all of it
	// escaped and in base64 as well, and of a value, and the reason.
	maxRejectLine = 1 << 20 // bytes
)

// backward reads the lines of a file from its end, holding little of it.
type backward struct {
	file  io.ReaderAt
	bytes []byte // of the file, from start on
	start int64
	begin int64 // of the line that was read last
}

// line returns the line that ends at end, which is the begin of the line before
// (without its line feed) or the end of the file. It returns nil for one longer
// than maxRejectLine. The line is good until the next call.
func (b *backward) line(end int64) ([]byte, error) {
	tooLong := false
	b.bytes = b.bytes[:max(0, end-b.start)]
	for {
		if i := bytes.LastIndexByte(b.bytes, '\n'); i >= 0 {
			b.begin = b.start + int64(i) + 1
			break
		}
		if b.start == 0 {
			b.begin = 0
			break
		}
		if tooLong = tooLong || len(b.bytes) > maxRejectLine; tooLong {
			b.bytes = nil
		}
		if err := b.more(); err != nil {
			return nil, err
		}
	}
	if tooLong {
		return nil, nil
	}
	return b.bytes[b.begin-b.start:], nil
}

// more puts the bytes before start in front of those that are there.
func (b *backward) more() error {
	step := min(b.start, backwardStep)
	grown := make([]byte, step+int64(len(b.bytes)))
	if n, err := b.file.ReadAt(grown[:step], b.start-step); int64(n) < step {
		return fmt.Errorf("read at %d: %w", b.start-step, err)
	}
	copy(grown[step:], b.bytes)
	b.bytes = grown
	b.start -= step
	return nil
}
