package integration

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// topicID is the id of the topic that a partition's statistics come from.
func (p place) topicID(partition string) string {
	p.t.Helper()
	var topic struct{ ID string }
	unmarshal(p.t, p.read("partition-"+partition+".topic"), &topic)
	return topic.ID
}

func TestARecreatedTopicIsNoticedAtTheStart(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "200") // something in each partition
		p.count()
		before, old := p.files(), p.topicID("2")
		// More records than before: the old offsets exist in the new topic, too.
		p.produce("--days", "500", "--start", "2001-01-01", "--recreate")

		refused := p.run("consume", "--all", "--until-end").must(t, 1, old, "hint: `--on-recreate reset`")
		same(t, p.files(), before)
		p.run("verify", "--all").must(t, 1)

		p.count("--on-recreate", "reset")
		contains(t, "the refusal", refused.stderr, p.topicID("2"))
		if got := p.backups(old); !maps.Equal(got, before) {
			t.Errorf("the old files were kept as %v, want %v", slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(before)))
		}
		fresh := p.elsewhere()
		fresh.count()
		same(t, p.files(), fresh.files())
		p.ok("verify", "--all")
	})
}

// backups are the partition files that a reset has put aside, by their names
// before it.
func (p place) backups(id string) map[string]string {
	p.t.Helper()
	suffix := "." + id + ".bak"
	paths, err := filepath.Glob(filepath.Join(p.dir, "*"+suffix))
	if err != nil {
		p.t.Fatal(err)
	}
	files := make(map[string]string)
	for _, path := range paths {
		name := filepath.Base(path)
		files[strings.TrimSuffix(name, suffix)] = p.read(name)
	}
	return files
}

func TestARecreatedTopicIsNoticedWhileItIsRead(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "100", "--duplicates", "0")
		consumer := p.launch("consume", "--all")
		// One partition has no record at all, and may come last.
		consumer.awaits("100 records are counted in 4 files", func() bool { return p.offset() == 100 && len(p.files()) == 4 })
		before, old := p.files(), p.topicID("0")
		p.produce("--days", "500", "--start", "2001-01-01", "--recreate")
		refused := consumer.wait().must(t, 1, old, "hint: `--on-recreate reset`")
		same(t, p.files(), before)
		p.count("--on-recreate", "reset")
		// Any partition may have been the first to see it.
		contains(t, "the refusal", refused.stderr, p.topicID("0"))
	})
}

func TestARecreatedTopicIsCountedAnewWhileItIsRead(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "100", "--duplicates", "0")
		consumer := p.launch("consume", "--all", "--on-recreate", "reset")
		consumer.awaits("100 records are counted", func() bool { return p.offset() == 100 })
		p.produce("--days", "500", "--start", "2001-01-01", "--duplicates", "0", "--recreate")
		consumer.awaits("500 records are counted", func() bool { return p.offset() == 500 })
		consumer.stop().must(t, 0)
		p.ok("verify", "--all")
		fresh := p.elsewhere()
		fresh.count()
		same(t, p.files(), fresh.files())
	})
}

func TestConsumeWaitsForItsTopic(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		consumer := p.launch("consume", "--all")
		consumer.awaits("it says that it waits", func() bool {
			return strings.Contains(consumer.stderr.String(), "does not exist yet")
		})
		// Created by asking for it, the topic would be there now.
		p.produce("--days", "100", "--duplicates", "0")
		consumer.awaits("100 records are counted", func() bool { return p.offset() == 100 })
		consumer.stop().must(t, 0)
		p.ok("verify", "--all")
	})
}

func TestAnotherTopicNameIsRefused(t *testing.T) {
	onEachBroker(t, func(t *testing.T, p place) {
		p.produce("--days", "30")
		p.count()
		before := p.files()
		other := p
		other.topic = newTopic()
		other.produce("--days", "30")
		other.run("consume", "--all", "--until-end", "--on-recreate", "reset").must(t, 1, p.topic, other.topic, "hint: use another folder")
		same(t, p.files(), before)
		if _, err := os.Stat(p.path(0)); err != nil {
			t.Error(err)
		}
	})
}
