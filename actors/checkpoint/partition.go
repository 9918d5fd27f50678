package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weatheractors/weatheractors/messages"
)

// Partition is the durable state of one partition, which no other Partition, in
// any process, has at the same time. Its methods are for one goroutine at a
// time.
type Partition struct {
	dir    string
	number int32
	disk   disk
	lock   *lock

	// What is known of the files since Load.
	loaded  bool
	fresh   bool   // there is no checkpoint: what stands beside the file is not its
	offset  int64  // of the last checkpoint that is durable
	topic   []byte // durable content of the sidecar; nil if that is not known
	rejects rejectLog

	encoder encoder

	fileBytes, topicBytes []byte // what is to be written; the former is the encoder's
}

func newPartition(d disk, dir string, number int32) *Partition {
	p := &Partition{dir: filepath.Clean(dir), number: number, disk: d}
	p.rejects = rejectLog{disk: d, path: p.beside(".rejected.jsonl"), last: -1}
	return p
}

func (p *Partition) path() string { return Path(p.dir, p.number) }

// beside returns the name of a file that stands beside the partition's file.
func (p *Partition) beside(suffix string) string {
	return strings.TrimSuffix(p.path(), ".json") + suffix
}

func (p *Partition) topicPath() string { return p.beside(".topic") }

// Load returns the checkpoint that was saved last, by this process or by
// another before it. Without any it returns one at offset 0, without a topic.
//
// Of a checkpoint at offset 0, whatever stands beside the file is ignored, and
// is removed by the first Save. This goes for a gap at the log's start, too:
// who finds offset 0 records it anew. Above offset 0:
//   - Topic is nil if it was not kept.
//   - Epochs that begin at the offset or above, and gaps that end above it, are
//     dropped: a crash came between saving them and saving the file.
//   - Rejects at the offset or above are cut off the file of rejects, durably.
//
// An error is ErrCorrupt, ErrLockLost, or comes from the file system, which may
// recover; unless it says that the file may not be read, or is none.
func (p *Partition) Load() (*messages.Checkpoint, error) {
	p.loaded = false
	if err := p.lock.check(); err != nil {
		return nil, fmt.Errorf("load checkpoint %s: %w", p.path(), err)
	}
	// A predecessor may have been killed before it did this. What is loaded is
	// said to be durable.
	if err := p.disk.SyncDir(p.dir); err != nil {
		return nil, fmt.Errorf("load checkpoint %s: %w", p.path(), err)
	}
	c, err := p.loadFile()
	if err != nil {
		return nil, loadError("checkpoint", p.path(), err)
	}
	p.begin(c.GetOffset())
	if !p.fresh {
		if c.Topic, err = p.loadTopic(c.GetOffset()); err != nil {
			return nil, loadError("topic", p.topicPath(), err)
		}
		if err := p.rejects.load(c.GetOffset()); err != nil {
			return nil, loadError("rejects", p.rejects.path, err)
		}
		c.RejectBytes = p.rejects.size
	}
	p.loaded = true
	return c, nil
}

// begin forgets what was known of the files but for the offset.
func (p *Partition) begin(offset int64) {
	p.offset, p.fresh, p.topic = offset, offset == 0, nil
	p.rejects.size, p.rejects.last = 0, -1
}

func (p *Partition) loadFile() (*messages.Checkpoint, error) {
	f, err := openFile(p.disk, p.path())
	if errors.Is(err, fs.ErrNotExist) {
		return &messages.Checkpoint{Partition: p.number, Stats: &messages.StatsTable{}}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := f.of(p.number); err != nil {
		return nil, err
	}
	if err := f.counted(); err != nil {
		return nil, err
	}
	return f.checkpoint(), nil
}

func (p *Partition) loadTopic(offset int64) (*messages.CountedTopic, error) {
	data, err := readFile(p.disk, p.topicPath(), maxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	topic, err := parseTopic(data)
	if err != nil {
		return nil, err
	}
	p.topic = data
	topic.Epochs = slices.DeleteFunc(topic.Epochs, func(e *messages.LeaderEpoch) bool { return e.GetFirstOffset() >= offset })
	topic.Gaps = slices.DeleteFunc(topic.Gaps, func(g *messages.Gap) bool { return g.GetNext() > offset })
	return topic, nil
}

// Save makes a checkpoint durable: its rejects, then its topic (nil leaves the
// one that is kept), then offset and statistics. Load must have come first, and
// the offset must not be below the one saved or loaded last.
//
// After an error the file holds the old checkpoint, or in rare cases the new
// one. Save may then be called with the same checkpoint, or with a newer one
// that has its rejects too. The error is permanent only if c can't be a
// checkpoint; a full, slow or missing disk may come back.
func (p *Partition) Save(c *messages.Checkpoint) (*messages.CheckpointSaved, error) {
	began := time.Now()
	if err := p.encode(c); err != nil {
		return nil, messages.Permanent(fmt.Errorf("save checkpoint %s: %w", p.path(), err))
	}
	if err := p.lock.check(); err != nil {
		return nil, fmt.Errorf("save checkpoint %s: %w", p.path(), err)
	}
	if p.fresh {
		if err := p.removeOld(); err != nil {
			return nil, fmt.Errorf("save checkpoint %s: remove what an older one left: %w", p.path(), err)
		}
		p.fresh = false
	}
	if err := p.rejects.append(c.GetRejects()); err != nil {
		return nil, fmt.Errorf("save rejects %s: %w", p.rejects.path, err)
	}
	if err := p.saveTopic(); err != nil {
		return nil, fmt.Errorf("save topic %s: %w", p.topicPath(), err)
	}
	if err := replaceFile(p.disk, p.path(), p.fileBytes); err != nil {
		p.topic = nil // whatever went wrong may have taken it, too
		return nil, fmt.Errorf("save checkpoint %s: %w", p.path(), err)
	}
	p.offset = c.GetOffset()
	return &messages.CheckpointSaved{
		Partition:   p.number,
		Offset:      c.GetOffset(),
		Took:        durationpb.New(time.Since(began)),
		FileBytes:   int64(len(p.fileBytes)),
		RejectBytes: p.rejects.size,
	}, nil
}

// encode checks c, and makes what is to be written of it. It does no I/O, so
// that an impossible checkpoint changes nothing.
func (p *Partition) encode(c *messages.Checkpoint) (err error) {
	switch {
	case !p.loaded:
		return errors.New("nothing was loaded yet")
	case c.GetPartition() != p.number:
		return fmt.Errorf("partition is %d: want %d", c.GetPartition(), p.number)
	case c.GetOffset() < p.offset:
		return fmt.Errorf("offset is %d: %d was saved already", c.GetOffset(), p.offset)
	}
	if n := len(c.GetRejects()); n > 0 && c.GetRejects()[n-1].GetOffset() >= c.GetOffset() {
		return fmt.Errorf("reject at offset %d: want it below %d", c.GetRejects()[n-1].GetOffset(), c.GetOffset())
	}
	if p.fileBytes, err = p.encoder.encode(c); err != nil {
		return err
	}
	p.topicBytes = p.topicBytes[:0]
	if c.GetTopic() != nil {
		p.topicBytes, err = appendTopic(p.topicBytes, c.GetTopic())
	}
	return err
}

// removeOld removes, durably, what belonged to statistics that are gone.
func (p *Partition) removeOld() error {
	for _, path := range []string{p.rejects.path, p.topicPath()} {
		if err := p.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return p.disk.SyncDir(p.dir)
}

// saveTopic makes the sidecar durable if it changed.
func (p *Partition) saveTopic() error {
	if len(p.topicBytes) == 0 {
		return nil
	}
	if bytes.Equal(p.topicBytes, p.topic) {
		// Without it, a file with an offset would take any topic for its own.
		if found, err := p.disk.Exists(p.topicPath()); found || err != nil {
			return err
		}
	}
	p.topic = nil // until it is known which one is durable
	if err := replaceFile(p.disk, p.topicPath(), p.topicBytes); err != nil {
		return err
	}
	p.topic = bytes.Clone(p.topicBytes)
	return nil
}
