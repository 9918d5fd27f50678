package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

func TestSaveRefusesWhatCannotBeACheckpoint(t *testing.T) {
	p := newPartition(newRAM(), ramDir, 2)
	if _, err := p.Save(&messages.Checkpoint{Partition: 2}); !messages.IsPermanent(err) || !strings.Contains(err.Error(), "nothing was loaded") {
		t.Errorf("before Load: %v", err)
	}
	load(t, p)
	save(t, p, story{'A'}.at(0, 8))
	tests := []struct {
		name string
		c    *messages.Checkpoint
		want string
	}{
		{"other partition", &messages.Checkpoint{Partition: 3, Offset: 9}, "partition is 3: want 2"},
		{"offset that goes back", story{'A'}.at(0, 7), "offset is 7: 8 was saved already"},
		{"reject at the offset", &messages.Checkpoint{Partition: 2, Offset: 9, Rejects: []*messages.Reject{{Offset: 9}}}, "reject at offset 9: want it below 9"},
		{"impossible statistics", &messages.Checkpoint{Partition: 2, Offset: 9, Rejects: []*messages.Reject{{Offset: 8}}, Stats: table(row("1990-01-02", "1990-01-01", 1, 0))}, "statistics: row 0: start"},
		{"topic without a name", &messages.Checkpoint{Partition: 2, Offset: 9, Topic: &messages.CountedTopic{}}, "topic has no name"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := p.Save(test.c)
			if !messages.IsPermanent(err) || !strings.HasPrefix(err.Error(), "save checkpoint "+ramPath(".json")) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if kept, err := readFile(p.disk, ramPath(".rejected.jsonl"), maxFileSize); string(kept) != (story{'A'}).rejected(8) {
		t.Errorf("a refused checkpoint left (%v) the rejects\n%s", err, kept)
	}
	if c := load(t, p); !proto.Equal(c, story{'A'}.wantLoaded(8)) {
		t.Errorf("a refused checkpoint left %v", c)
	}
}

func TestFileThatMayNotBeReadIsNotTriedAgain(t *testing.T) {
	err := loadError("checkpoint", "p.json", &fs.PathError{Op: "open", Path: "p.json", Err: fs.ErrPermission})
	if !messages.IsPermanent(err) || !strings.Contains(err.Error(), "as user id ") {
		t.Errorf("got %v, want a permanent error that says who may not", err)
	}
	if err := loadError("checkpoint", "p.json", &fs.PathError{Op: "open", Path: "p.json", Err: syscall.EIO}); messages.IsPermanent(err) {
		t.Errorf("%v is permanent; a disk may recover", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	topic := `{"name": "t", "id": "", "epochs": [], "gaps": []}`
	tests := []struct {
		name, file, topic, want string
	}{
		{"corrupt file", edited(`"count": 30`, `"count": -3`), topic, "load checkpoint %s.json: corrupt checkpoint: line 6: count is -3: want 0 or more"},
		{"file of another partition", edited(`: 2,`, `: 3,`), topic, "load checkpoint %s.json: corrupt checkpoint: line 1: partition is 3: want 2"},
		{"statistics of no records", edited(`4117`, `0`), topic, "load checkpoint %s.json: corrupt checkpoint: line 1: offset is 0: there is no record below it, but there are statistics"},
		{"corrupt topic", sample, "{\n\"nam\": 1}", "load topic %s.topic: corrupt checkpoint: line 2: \"nam\": want"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := open(t, t.TempDir())
			write(t, p.path(), test.file)
			write(t, p.topicPath(), test.topic)
			_, err := p.Load()
			want := fmt.Sprintf(test.want, filepath.Join(p.dir, "partition-2"))
			if !errors.Is(err, ErrCorrupt) || !messages.IsPermanent(err) || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if _, err := p.Save(sampleCheckpoint()); !messages.IsPermanent(err) {
				t.Errorf("saved over it: %v", err)
			}
			if read(t, p.path()) != test.file || read(t, p.topicPath()) != test.topic {
				t.Error("changed what it refused to load")
			}
		})
	}
}

func TestFileThatIsTooLargeIsNotRead(t *testing.T) {
	path := Path(t.TempDir(), 2)
	write(t, path, sample)
	if err := os.Truncate(path, maxFileSize+1); err != nil {
		t.Fatal(err)
	}
	_, err := ReadFile(path)
	if want := "line 1: the file has 67108865 bytes: want at most 67108864"; !errors.Is(err, ErrCorrupt) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
