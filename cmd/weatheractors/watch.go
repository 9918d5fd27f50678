package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
)

// pollInterval is how often plot --watch looks at the files when nothing tells
// it to.
const pollInterval = 2 * time.Second

// watcher redraws a picture when the files that it shows change. It notices by
// looking at them; a notification only makes it look at once. Those get lost in
// mounted volumes and with a folder that is removed, and may not be had at all.
type watcher struct {
	*app
	picture
	shown []os.FileInfo // the files that were drawn
	said  string        // what was said last, so that it is said once
}

// watch keeps a picture up to date until ctx ends.
func (a *app) watch(ctx context.Context, p picture) {
	notifications, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.Info("no notifications of changes; looking every "+pollInterval.String(), "cause", err)
		notifications = &fsnotify.Watcher{} // its channels stay silent
	} else {
		defer func() { _ = notifications.Close() }() // nothing is left to watch
	}
	a.log.Info("watching", "folder", p.dir, "picture", p.out)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for w := (&watcher{app: a, picture: p}); ; {
		if err == nil {
			_ = notifications.Add(p.dir) // it may not be there yet, or have been made anew
		}
		w.look()
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		case <-notifications.Events:
		case err := <-notifications.Errors: // some were lost
			a.log.Debug("notifications of changes failed", "cause", err)
		}
	}
}

// look draws the picture if the files are others than those that it shows. What
// can't be done now is tried again when it looks next.
func (w *watcher) look() {
	now, err := w.files()
	if len(now) == 0 && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		w.shown = nil
		w.sayOnce(slog.LevelInfo, "nothing was counted there yet; waiting for partition files", "folder", w.picture.dir)
		return
	}
	if _, missing := os.Stat(w.out); err == nil && missing == nil && slices.EqualFunc(now, w.shown, unchanged) {
		return
	}
	var replaced bool
	if err == nil {
		replaced, err = w.refresh()
	}
	if err != nil {
		w.sayOnce(slog.LevelWarn, "can't draw the picture; trying again", "error", err)
		return
	}
	if replaced || w.shown == nil {
		w.printf("%s\n", w.out)
	}
	w.shown, w.said = now, ""
}

// files are the partition files as they are now.
func (p picture) files() (files []os.FileInfo, err error) {
	partitions, err := checkpoint.Files(p.dir)
	for _, partition := range partitions {
		if file, err := os.Stat(checkpoint.Path(p.dir, partition)); err == nil {
			files = append(files, file)
		}
	}
	return files, err
}

// unchanged says whether a file is what it was. Its time alone does not tell: two
// files that replace each other within milliseconds may have the same.
func unchanged(now, then os.FileInfo) bool {
	return os.SameFile(now, then) && now.Size() == then.Size() && now.ModTime().Equal(then.ModTime())
}

func (w *watcher) sayOnce(level slog.Level, text, key string, value any) {
	if line := fmt.Sprint(text, value); line != w.said {
		w.said = line
		w.log.Log(context.Background(), level, text, key, value)
	}
}
