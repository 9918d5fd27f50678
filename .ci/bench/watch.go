package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sight is the moment at which everything below an offset was there.
type sight struct {
	offset int64
	at     time.Time
}

// watcher notes what becomes visible in the folder of a consumer.
type watcher struct {
	files    map[int32][]sight
	pictures []time.Time
	replaced []time.Time // of any partition file
}

// watch publishes a job's records one by one, watches the consumer's folder,
// and prints for each record how long after its acknowledgement it could be
// read, and for each file how long after it the next picture was there.
func watch(ctx context.Context, j job) error {
	folder, err := fsnotify.NewBufferedWatcher(10_000)
	if err != nil {
		return err
	}
	if err := folder.Add(j.dir); err != nil {
		return err
	}
	if err := filesThere(j); err != nil {
		return err
	}
	w := &watcher{files: map[int32][]sight{}}
	acknowledged := make(chan map[int32][]sight, 1)
	failed := make(chan error, 1)
	go func() {
		acks, err := trickle(ctx, j)
		failed <- err
		acknowledged <- acks
	}()
	acks, err := w.follow(folder, failed, acknowledged)
	if err != nil {
		return err
	}
	return w.print(acks)
}

// filesThere waits until the consumer has made its files.
func filesThere(j job) error {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if files, _ := filepath.Glob(filepath.Join(j.dir, "partition-*.json")); len(files) == j.partitions {
			return nil
		}
	}
	return errors.New("the consumer has not made its files within a minute")
}

// trickle publishes one record after the other.
func trickle(ctx context.Context, j job) (map[int32][]sight, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(j.brokers), kgo.DefaultProduceTopic(j.topic), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	acks := map[int32][]sight{}
	ticker := time.NewTicker(j.delay)
	defer ticker.Stop()
	for i := range j.records {
		record, err := client.ProduceSync(ctx, j.record(i)).First()
		if err != nil {
			return nil, err
		}
		acks[record.Partition] = append(acks[record.Partition], sight{record.Offset, time.Now()})
		<-ticker.C
	}
	return acks, nil
}

// follow notes what happens in the folder until everything that was published
// can be seen.
func (w *watcher) follow(folder *fsnotify.Watcher, failed <-chan error, acknowledged <-chan map[int32][]sight) (acks map[int32][]sight, err error) {
	late := time.NewTimer(time.Hour)
	for acks == nil || !w.all(acks) {
		select {
		case event := <-folder.Events:
			if err := w.see(event); err != nil {
				return nil, err
			}
		case err := <-folder.Errors:
			return nil, err
		case err := <-failed:
			if err != nil {
				return nil, err
			}
			acks = <-acknowledged
			late.Reset(10 * time.Second)
		case <-late.C:
			return nil, errors.New("10 s after the last record it is not in its file")
		}
	}
	return acks, nil
}

// next is what a partition file says first: {"partition": 2, "offset": 4117
var next = regexp.MustCompile(`^\{"partition": (\d+), "offset": (\d+)`)

// see notes a file that was replaced.
func (w *watcher) see(event fsnotify.Event) error {
	now := time.Now()
	switch filepath.Ext(event.Name) {
	case ".svg":
		if event.Has(fsnotify.Create) {
			w.pictures = append(w.pictures, now)
		}
	case ".json":
		if !event.Has(fsnotify.Create) {
			return nil
		}
		// Its first line, read after the file was there: at least as new.
		text, err := os.ReadFile(event.Name)
		if err != nil {
			return err
		}
		now = time.Now()
		found := next.FindSubmatch(text)
		if found == nil {
			return fmt.Errorf("%s begins in an unknown way", event.Name)
		}
		partition, _ := strconv.ParseInt(string(found[1]), 10, 32)
		offset, _ := strconv.ParseInt(string(found[2]), 10, 64)
		w.files[int32(partition)] = append(w.files[int32(partition)], sight{offset, now})
		w.replaced = append(w.replaced, now)
	}
	return nil
}

// all tells whether every record that was acknowledged was seen.
func (w *watcher) all(acks map[int32][]sight) bool {
	for partition, records := range acks {
		seen := w.files[partition]
		if len(seen) == 0 || seen[len(seen)-1].offset <= records[len(records)-1].offset {
			return false
		}
	}
	return true
}

// print prints the times. A record may be in its file before its producer hears
// of it: that is no time at all.
func (w *watcher) print(acks map[int32][]sight) error {
	for partition, records := range acks {
		seen := w.files[partition]
		for _, r := range records {
			for seen[0].offset <= r.offset {
				seen = seen[1:]
			}
			fmt.Println("file", max(0, seen[0].at.Sub(r.at)))
		}
	}
	pictures := w.pictures
	for _, at := range w.replaced {
		for len(pictures) > 0 && pictures[0].Before(at) {
			pictures = pictures[1:]
		}
		if len(pictures) > 0 { // the last may not be drawn any more
			fmt.Println("picture", pictures[0].Sub(at))
		}
	}
	return nil
}
