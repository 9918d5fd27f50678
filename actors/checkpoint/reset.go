package checkpoint

import (
	"encoding/base64"
	"fmt"
	"strconv"
)

// Reset puts aside what was counted of a topic that is gone, given the topic's
// id: first the rejects, then the file, each durably. They get the suffix
// .ID.bak, with the id as Kafka prints it ("unknown" if it is empty), or .ID.2.bak
// and so on: no file is overwritten, and rejects and file get the same suffix.
// The partition then is as new: as Load would find it at offset 0.
//
// After an error it may be called again; a Load in between finds either the
// old statistics, perhaps without the rejects, or nothing.
func (p *Partition) Reset(oldTopicID []byte) error {
	p.loaded = false
	suffix, err := p.backupSuffix(oldTopicID)
	if err != nil {
		return fmt.Errorf("reset %s: %w", p.path(), err)
	}
	for _, path := range []string{p.rejects.path, p.path()} {
		if err := p.moveAside(path, path+suffix); err != nil {
			return fmt.Errorf("reset %s: %w", p.path(), err)
		}
	}
	p.begin(0)
	p.loaded = true
	return nil
}

// backupSuffix returns a suffix that neither file has been moved to yet. It
// only looks at what there is to move: if a crash came between the two, the file
// follows the rejects.
func (p *Partition) backupSuffix(topicID []byte) (string, error) {
	id := base64.RawURLEncoding.EncodeToString(topicID)
	if id == "" {
		id = "unknown"
	}
	for n := 1; ; n++ {
		suffix := "." + id + ".bak"
		if n > 1 {
			suffix = "." + id + "." + strconv.Itoa(n) + ".bak"
		}
		free := true
		for _, path := range []string{p.rejects.path, p.path()} {
			here, err := p.disk.Exists(path)
			if err != nil {
				return "", err
			}
			taken, err := p.disk.Exists(path + suffix)
			if err != nil {
				return "", err
			}
			free = free && !(here && taken)
		}
		if free {
			return suffix, nil
		}
	}
}

// moveAside renames a file, durably, if there is one.
func (p *Partition) moveAside(path, to string) error {
	there, err := p.disk.Exists(path)
	if err != nil {
		return err
	}
	if there {
		if err := p.disk.Rename(path, to); err != nil {
			return err
		}
	}
	// Also if it is gone: a crash may have come between the two steps.
	return p.disk.SyncDir(p.dir)
}
