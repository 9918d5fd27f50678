package live

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weatheractors/weatheractors/cmd/internal/files"
)

const (
	// filesPoll is how often the files are looked at when nothing tells us to.
	filesPoll = 2 * time.Second
	// filesWait is how long a request waits for files to be read.
	filesWait = 2 * time.Second
	// readShare is what part of the time may go into reading files, at most.
	readShare = 20
)

// errFilesHang says that a disk does not answer.
var errFilesHang = errors.New("the disk gives no answer")

// table is what was in the files when they were read last. Nobody changes it.
type table struct {
	revision string
	at       time.Time // when the files were seen to be these
	files    []files.File
	err      error // the folder can't be read
}

// follower is the only one that touches the files. It reads them only when
// somebody wants to know and they have changed, and for a small part of the time:
// large ones take a while, which is not ours to take from those who count.
type follower struct {
	folder  files.Folder
	changed <-chan struct{}
	hints   chan struct{}
	wanted  chan chan *table
	eager   bool // read what has changed, asked or not

	revision atomic.Pointer[string] // of the files as they are now
	content  atomic.Pointer[table]
	busy     atomic.Int64 // since when it waits for the disk, Unix nanoseconds; 0 if it doesn't

	// Touched by follow alone.
	instance string
	changes  int
	seen     table
	looked   time.Time
	nextRead time.Time
}

func newFollower(folder files.Folder, changed <-chan struct{}, eager bool) *follower {
	f := &follower{
		folder: folder, changed: changed, eager: eager,
		hints: make(chan struct{}, 1), wanted: make(chan chan *table), instance: rand.Text()[:8],
	}
	f.changedTo(nil, nil)
	return f
}

// hint says that a file has probably changed. It never waits.
func (f *follower) hint() {
	select {
	case f.hints <- struct{}{}:
	default: // it knows already
	}
}

// now returns what is in the files, at most a moment ago.
func (f *follower) now(ctx context.Context) (*table, error) {
	ctx, cancel := context.WithTimeout(ctx, filesWait)
	defer cancel()
	answer := make(chan *table, 1)
	select {
	case f.wanted <- answer:
	case <-ctx.Done():
		return nil, errFilesHang
	}
	select {
	case t := <-answer:
		return t, nil
	case <-ctx.Done():
		return nil, errFilesHang
	}
}

// hangs returns how long the disk has not answered, 0 while that is nothing to
// speak of.
func (f *follower) hangs(now time.Time) time.Duration {
	since := f.busy.Load()
	if since == 0 {
		return 0
	}
	if waits := now.Sub(time.Unix(0, since)); waits > filesWait {
		return waits
	}
	return 0
}

// follow looks at the files until ctx ends.
func (f *follower) follow(ctx context.Context) {
	poll := time.NewTicker(filesPoll)
	defer poll.Stop()
	soon := time.NewTimer(0)
	defer soon.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			f.look()
		case <-f.hints:
			soon.Reset(f.due())
		case _, open := <-f.changed:
			if !open {
				f.changed = nil
			}
			soon.Reset(f.due())
		case <-soon.C:
			f.look()
			if pause := time.Until(f.nextRead); f.eager && pause > 0 && f.stale() {
				soon.Reset(pause)
			}
		case answer := <-f.wanted:
			if f.due() == 0 {
				f.look()
			}
			f.read()
			answer <- f.content.Load()
		}
	}
}

// due is when the files are to be looked at: at once, or an interval after the
// last time.
func (f *follower) due() time.Duration { return max(0, interval-time.Since(f.looked)) }

// look notices whether the files have changed.
func (f *follower) look() {
	f.busy.Store(time.Now().UnixNano())
	defer f.busy.Store(0)
	found, err := f.folder.Look()
	if f.looked.IsZero() || !slices.EqualFunc(found, f.seen.files, files.Unchanged) || fmt.Sprint(err) != fmt.Sprint(f.seen.err) {
		f.changedTo(found, err)
	}
	f.looked = time.Now()
	if f.eager {
		f.read()
	}
}

// changedTo notes what the files are now, unread.
func (f *follower) changedTo(found []files.File, err error) {
	f.changes++
	revision := fmt.Sprintf("%s.%d", f.instance, f.changes)
	f.seen = table{revision, time.Now(), found, err}
	f.revision.Store(&revision)
}

// stale says whether there is something new to read.
func (f *follower) stale() bool {
	last := f.content.Load()
	return last == nil || last.revision != f.seen.revision
}

// read reads what has changed, if it is time to.
func (f *follower) read() {
	last := f.content.Load()
	if !f.stale() || last != nil && time.Now().Before(f.nextRead) {
		return
	}
	began := time.Now()
	f.busy.Store(began.UnixNano())
	defer f.busy.Store(0)
	next := f.seen
	next.files = slices.Clone(f.seen.files)
	var before []files.File
	if last != nil {
		before = last.files
	}
	f.folder.Fill(next.files, before)
	f.content.Store(&next)
	f.nextRead = time.Now().Add(readShare * time.Since(began))
}
