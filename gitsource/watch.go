package gitsource

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
	"github.com/go-git/go-git/v5/plumbing"
)

// Watch returns a channel that holds a value after the branch of a local repository
// may have moved; several moves before it is read are one. A remote repository has a
// nil channel. The watch ends, and the channel stays silent, when ctx is done.
func (r *Repository) Watch(ctx context.Context) (<-chan struct{}, error) {
	if !r.place.local() {
		return nil, nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w; raise the limit fs.inotify.max_user_instances, or rely on the interval", r.place, err)
	}
	watch := &refWatch{
		dir:     r.store.dir,
		ref:     filepath.Join(r.store.dir, filepath.FromSlash(plumbing.NewBranchReferenceName(r.branch).String())),
		watcher: watcher,
		moved:   make(chan struct{}, 1),
	}
	if err := watcher.Add(watch.dir); err != nil {
		_ = watcher.Close()
		return nil, fmt.Errorf("watch %s: %w; raise the limit fs.inotify.max_user_watches, or rely on the interval", r.place, err)
	}
	watch.follow()
	go watch.run(ctx)
	return watch.moved, nil
}

// refWatch watches the folders from the git directory down to the branch's own,
// as far as they exist: git makes and removes those of nested branches as it needs
// them, and replaces the ref's file and packed-refs by renaming.
type refWatch struct {
	dir     string // the git directory
	ref     string // the branch's loose ref
	watcher *fsnotify.Watcher
	moved   chan struct{}
}

func (w *refWatch) run(ctx context.Context) {
	defer func() { _ = w.watcher.Close() }()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-w.watcher.Events:
			if w.concerns(event.Name) {
				w.follow()
				w.tell()
			}
		case err := <-w.watcher.Errors:
			if err != nil { // an overflow of events: something was missed
				w.follow()
				w.tell()
			}
		}
	}
}

// concerns reports whether a change of path may have moved the branch.
func (w *refWatch) concerns(path string) bool {
	return path == filepath.Join(w.dir, "packed-refs") || path == w.ref ||
		strings.HasPrefix(w.ref, path+string(filepath.Separator))
}

// follow watches the folders on the way to the ref that have come to exist.
func (w *refWatch) follow() {
	var folders []string
	for folder := filepath.Dir(w.ref); len(folder) > len(w.dir); folder = filepath.Dir(folder) {
		folders = append(folders, folder)
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if err := w.watcher.Add(folders[i]); err != nil {
			return // not there yet; its parent tells when it is
		}
	}
}

func (w *refWatch) tell() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}
