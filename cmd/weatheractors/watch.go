package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/weatheractors/weatheractors/actors/checkpoint"
	"github.com/weatheractors/weatheractors/cmd/internal/files"
)

// pollInterval is how often files are looked at when nothing says that they have
// changed.
const pollInterval = 2 * time.Second

// watcher redraws a picture when the files that it shows change.
type watcher struct {
	*app
	picture
	shown []files.File // the files that were drawn
	said  string       // what was said last, so that it is said once
}

// watch keeps a picture up to date until ctx ends.
func (a *app) watch(ctx context.Context, p picture) {
	a.log.Info("watching", "folder", p.dir, "picture", p.out)
	w := &watcher{app: a, picture: p}
	for range a.changes(ctx, p.dir) {
		w.look()
	}
}

// changes tells when to look at the files of a folder, until ctx ends: at once,
// every pollInterval, and when the system says that something there has changed.
// That gets lost in mounted volumes and with a folder that is removed, and may not
// be had at all. Who does not listen hears once.
func (a *app) changes(ctx context.Context, dir string) <-chan struct{} {
	look := make(chan struct{}, 1)
	notifications, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.Info("no notifications of changes; looking every "+pollInterval.String(), "cause", err)
		notifications = &fsnotify.Watcher{} // its channels stay silent
	}
	go func() {
		defer close(look)
		if err == nil {
			defer func() { _ = notifications.Close() }() // nothing is left to watch
		}
		poll := time.NewTicker(pollInterval)
		defer poll.Stop()
		for {
			if err == nil {
				_ = notifications.Add(dir) // it may not be there yet, or have been made anew
			}
			select {
			case look <- struct{}{}:
			default: // it will look anyway
			}
			select {
			case <-ctx.Done():
				return
			case <-poll.C:
			case <-notifications.Events:
			case err := <-notifications.Errors: // some were lost
				a.log.Debug("notifications of changes failed", "cause", err)
			}
		}
	}()
	return look
}

// look draws the picture if the files are others than those that it shows. What
// can't be done now is tried again when it looks next.
func (w *watcher) look() {
	now, err := folder(w.picture.dir).Look()
	if len(now) == 0 && err == nil {
		w.shown = nil
		w.sayOnce(slog.LevelInfo, "nothing was counted there yet; waiting for partition files", "folder", w.picture.dir)
		return
	}
	if _, missing := os.Stat(w.out); err == nil && missing == nil && slices.EqualFunc(now, w.shown, files.Unchanged) {
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

// folder is where partition files are, with how to read them.
func folder(dir string) files.Folder {
	return files.Folder{Dir: dir, List: checkpoint.Files, Path: checkpoint.Path, Read: checkpoint.ReadFile}
}

func (w *watcher) sayOnce(level slog.Level, text, key string, value any) {
	if line := fmt.Sprint(text, value); line != w.said {
		w.said = line
		w.log.Log(context.Background(), level, text, key, value)
	}
}
