package checkpoint

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
)

func TestResetPutsAside(t *testing.T) {
	memory := newRAM()
	s := story{'A'}
	id := "QUFBQUFBQUFBQUFBQUFBQQ" // 16 times A, as Kafka prints it
	p := newPartition(memory, ramDir, 2)
	reset := func(topicID []byte, offset int64) {
		t.Helper()
		load(t, p)
		save(t, p, s.at(0, offset))
		if err := p.Reset(topicID); err != nil {
			t.Fatal(err)
		}
	}
	reset(s.topicID(), 1) // has no rejects
	reset(s.topicID(), 3)
	reset(s.topicID(), 8)
	reset(nil, 15)
	want := map[string]string{
		".json." + id + ".bak":             s.file(1),
		".json." + id + ".2.bak":           s.file(3),
		".rejected.jsonl." + id + ".2.bak": s.rejected(3),
		".json." + id + ".3.bak":           s.file(8),
		".rejected.jsonl." + id + ".3.bak": s.rejected(8),
		".json.unknown.bak":                s.file(15),
		".rejected.jsonl.unknown.bak":      s.rejected(15),
	}
	for suffix, content := range want {
		if got := string(memory.read(ramPath(suffix))); got != content {
			t.Errorf("%s is\n%s, want\n%s", suffix, got, content)
		}
	}
	if names := memory.list(); len(names) != len(want)+1 {
		t.Errorf("files are %v, want %d and the topic", names, len(want))
	}
}

func TestPartitionIsNewAfterReset(t *testing.T) {
	dir := t.TempDir()
	p, _ := open(t, dir)
	before, after := story{'A'}, story{'B'}
	save(t, p, before.at(0, 24))
	if err := p.Reset(before.topicID()); err != nil {
		t.Fatal(err)
	}
	if c := load(t, p); !proto.Equal(c, after.wantLoaded(0)) {
		t.Errorf("loaded %v", c)
	}
	if err := p.Reset(before.topicID()); err != nil {
		t.Fatalf("reset of nothing: %v", err)
	}
	// Without another Load.
	save(t, p, after.at(0, 0))
	if _, err := os.Stat(p.rejects.path); !os.IsNotExist(err) {
		t.Errorf("rejects: %v", err)
	}
	save(t, p, after.at(0, 8))
	if c := load(t, p); !proto.Equal(c, after.wantLoaded(8)) {
		t.Errorf("loaded %v, want %v", c, after.wantLoaded(8))
	}
	if partitions, err := Files(dir); err != nil || !slices.Equal(partitions, []int32{2}) {
		t.Errorf("%v: files of %v", err, partitions)
	}
}

func TestSaveNeedsALoadAfterAFailedReset(t *testing.T) {
	s := story{'A'}
	d := &faulty{disk: newRAM(), fault: func(int) fault { return fault{} }}
	p := newPartition(d, ramDir, 2)
	load(t, p)
	save(t, p, s.at(0, 8))
	d.fault = func(int) fault { return fault{err: errNoSpace} }
	if err := p.Reset(nil); !errors.Is(err, errNoSpace) || messages.IsPermanent(err) || !strings.HasPrefix(err.Error(), "reset "+p.path()) {
		t.Errorf("Reset: %v", err)
	}
	d.fault = func(int) fault { return fault{} }
	if _, err := p.Save(s.at(8, 15)); err == nil {
		t.Error("saved what may have been reset")
	}
	load(t, p)
	save(t, p, s.at(8, 15))
}

func TestResetFollowsRejectsThatWereMovedBeforeACrash(t *testing.T) {
	memory := newRAM()
	s := story{'A'}
	p := newPartition(memory, ramDir, 2)
	load(t, p)
	save(t, p, s.at(0, 1))
	if err := p.Reset(nil); err != nil {
		t.Fatal(err)
	}
	save(t, p, s.at(0, 8))
	// As a Reset does that is killed half-way.
	if err := memory.Rename(ramPath(".rejected.jsonl"), ramPath(".rejected.jsonl.unknown.2.bak")); err != nil {
		t.Fatal(err)
	}
	if c := load(t, p); c.Offset != 8 || c.RejectBytes != 0 {
		t.Errorf("loaded %v", c)
	}
	if err := p.Reset(nil); err != nil {
		t.Fatal(err)
	}
	if got := string(memory.read(ramPath(".json.unknown.2.bak"))); got != s.file(8) {
		t.Errorf("backup is\n%s", got)
	}
}
