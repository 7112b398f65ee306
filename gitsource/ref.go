package gitsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/deskhand/deskhand"
)

const (
	// lockPatience is how long a ref that another process holds is waited for.
	lockPatience = 2 * time.Second
	// lockLifetime is the age at which a lock is what a crash left behind: git
	// holds one for milliseconds.
	lockLifetime = time.Minute
)

// moveRef moves a ref from one commit to another; zero stands for no ref. It is a
// compare-and-set by git's own protocol, <ref>.lock and rename, and on disk when it
// returns. go-git writes refs in place, so that a reader may see half of one.
// The error wraps deskhand.ErrMoved where the ref is elsewhere.
func (s *store) moveRef(ctx context.Context, name plumbing.ReferenceName, from, to plumbing.Hash) error {
	path := filepath.Join(s.dir, filepath.FromSlash(name.String()))
	fresh, err := makeDirs(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("move %s: %w", name.Short(), err)
	}
	lock, err := lockRef(ctx, path)
	if err != nil {
		return fmt.Errorf("move %s: %w", name.Short(), err)
	}
	err = s.exclusive(ctx, func(storage *filesystem.Storage) error {
		now, err := refNow(storage, name)
		if err != nil {
			return err
		}
		if now != from {
			return fmt.Errorf("%w: it is at %s, and was at %s", deskhand.ErrMoved, short(now), short(from))
		}
		_, err = fmt.Fprintln(lock, to)
		return err
	})
	if err == nil {
		err = lock.Sync()
	}
	if err := errors.Join(err, lock.Close()); err != nil {
		return errors.Join(fmt.Errorf("move %s: %w", name.Short(), err), os.Remove(lock.Name()))
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		_ = os.Remove(path) // what deleted branches left; while there are some, Rename fails
	}
	if err := os.Rename(lock.Name(), path); err != nil {
		return errors.Join(fmt.Errorf("move %s: %w", name.Short(), err), os.Remove(lock.Name()))
	}
	for _, dir := range append(fresh, filepath.Dir(path)) {
		if err := syncDir(dir); err != nil {
			return fmt.Errorf("move %s: %w", name.Short(), err)
		}
	}
	return nil
}

// makeDirs makes a folder and those above it, and returns the folders in which
// it made one.
func makeDirs(dir string) (changed []string, err error) {
	for missing := dir; ; missing = filepath.Dir(missing) {
		if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
			return changed, os.MkdirAll(dir, 0o755)
		}
		changed = append(changed, filepath.Dir(missing))
	}
}

func lockRef(ctx context.Context, path string) (*os.File, error) {
	const pause = 5 * time.Millisecond
	lockPath := path + ".lock"
	for waited := time.Duration(0); ; waited += pause {
		lock, err := os.OpenFile(lockPath, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if !errors.Is(err, os.ErrExist) {
			return lock, err
		}
		if info, err := os.Stat(lockPath); err == nil && time.Since(info.ModTime()) > lockLifetime {
			_ = os.Remove(lockPath) // if it stays, the next turn tells
		}
		if waited > lockPatience {
			return nil, fmt.Errorf("it is locked by another process; if no git is running, delete %s", lockPath)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func firstParent(commit *object.Commit) plumbing.Hash {
	if len(commit.ParentHashes) == 0 {
		return plumbing.ZeroHash
	}
	return commit.ParentHashes[0]
}

func short(hash plumbing.Hash) string {
	if hash.IsZero() {
		return "no commit"
	}
	return hash.String()[:7]
}
