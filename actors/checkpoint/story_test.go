package checkpoint

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weatheractors/weatheractors/messages"
	"github.com/weatheractors/weatheractors/weather"
)

// A story is what a partition's owner does with it. All that it saves follows
// from the topic's id and the offset, so that it can be told after any crash
// what must be there.
type story struct{ id byte }

var storyOffsets = []int64{1, 3, 8, 15, 16, 24}

const (
	storyPartition = 2
	storyEpoch     = 5  // records to an epoch
	storyGap       = 10 // the record that is skipped
)

func (s story) topicID() []byte { return bytes.Repeat([]byte{s.id}, topicIDSize) }

// at returns the checkpoint at an offset, with the rejects since another one.
func (s story) at(since, offset int64) *messages.Checkpoint {
	c := &messages.Checkpoint{Partition: storyPartition, Offset: offset,
		Topic: &messages.CountedTopic{Name: "temperatures", Id: s.topicID()}}
	var stats weather.Stats
	for n := range offset {
		if n%storyEpoch == 0 {
			c.Topic.Epochs = append(c.Topic.Epochs, &messages.LeaderEpoch{Epoch: int32(n / storyEpoch), FirstOffset: n})
		}
		if n == storyGap {
			c.Topic.Gaps = append(c.Topic.Gaps, &messages.Gap{Base: n, Next: n + 1})
			continue
		}
		if n%3 == 2 {
			if n >= since {
				c.Rejects = append(c.Rejects, &messages.Reject{Offset: n, Reason: "no good", Key: []byte{'k', s.id}, Value: []byte{byte(n)}})
			}
			continue
		}
		day, _ := weather.NewDate(1990, time.January, int(n)+1)
		stats.Add(weather.Observation{Date: day, Degrees: float64(s.id) + float64(n)/3})
	}
	c.Stats = messages.NewStatsTable(&stats)
	return c
}

// rejected returns the file of rejects at an offset.
func (s story) rejected(offset int64) string {
	var b strings.Builder
	for _, r := range s.at(0, offset).Rejects {
		fmt.Fprintf(&b, `{"offset":%d,"reason":"no good","key":"k%c","value":"%s"}`+"\n",
			r.Offset, s.id, base64.StdEncoding.EncodeToString(r.Value))
	}
	return b.String()
}

// file returns the partition's file at an offset.
func (s story) file(offset int64) string {
	b, err := new(encoder).encode(s.at(0, offset))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// wantLoaded is what Load returns at an offset.
func (s story) wantLoaded(offset int64) *messages.Checkpoint {
	c := s.at(offset, offset)
	c.RejectBytes = int64(len(s.rejected(offset)))
	if offset == 0 {
		c.Topic = nil
	}
	return c
}

// save goes on with the story from where the partition is. Offsets that were
// saved go to done.
func (s story) save(p *Partition, from int64, done func(int64)) error {
	offsets := storyOffsets
	if from == 0 {
		offsets = append([]int64{0}, offsets...)
	}
	for _, offset := range offsets {
		if offset < from || offset == from && offset != 0 {
			continue
		}
		if _, err := p.Save(s.at(from, offset)); err != nil {
			return err
		}
		done(offset)
		from = offset
	}
	return nil
}

// last is the end of the story.
func (s story) last() int64 { return storyOffsets[len(storyOffsets)-1] }

// begin does what Open does, but for the lock, and loads.
func begin(d disk) (*Partition, *messages.Checkpoint, error) {
	if err := makeDir(d, ramDir); err != nil {
		return nil, nil, err
	}
	p := newPartition(d, ramDir, storyPartition)
	if err := p.probe(); err != nil {
		return nil, nil, err
	}
	c, err := p.Load()
	return p, c, err
}

// whole runs the story from any state that a crash may have left.
func (s story) whole(d disk, done func(int64)) error {
	p, c, err := begin(d)
	if err != nil {
		return err
	}
	return s.save(p, c.GetOffset(), done)
}

// checkEnd checks what is there once the story was told to its end.
func (s story) checkEnd(t *testing.T, d *ram) {
	t.Helper()
	if got, want := string(d.read(ramPath(".json"))), s.file(s.last()); got != want {
		t.Errorf("file is\n%s, want\n%s", got, want)
	}
	if got, want := string(d.read(ramPath(".rejected.jsonl"))), s.rejected(s.last()); got != want {
		t.Errorf("rejects are\n%s, want\n%s", got, want)
	}
	topic, err := parseTopic(d.read(ramPath(".topic")))
	if want := s.at(0, s.last()).Topic; err != nil || !proto.Equal(topic, want) {
		t.Errorf("%v: topic is %v, want %v", err, topic, want)
	}
}

// checkLoad checks that a Load finds all of some checkpoint that may be there,
// and returns its offset.
func (s story) checkLoad(t *testing.T, d *ram, durable, begun int64) int64 {
	t.Helper()
	_, c, err := begin(d)
	if err != nil {
		t.Fatalf("%v, of\n%v", err, d)
	}
	if c.Offset < durable || c.Offset > begun {
		t.Errorf("loaded offset %d, want %d, or up to %d", c.Offset, durable, begun)
	}
	if want := s.wantLoaded(c.Offset); !proto.Equal(c, want) {
		t.Errorf("loaded %v\nwant   %v", c, want)
	}
	if got, want := string(d.read(ramPath(".rejected.jsonl"))), s.rejected(c.Offset); c.Offset > 0 && got != want {
		t.Errorf("at offset %d rejects are\n%s, want\n%s", c.Offset, got, want)
	}
	return c.Offset
}

// next is what is saved after an offset.
func (s story) next(offset int64) int64 {
	for _, o := range storyOffsets {
		if o > offset {
			return o
		}
	}
	return offset
}
