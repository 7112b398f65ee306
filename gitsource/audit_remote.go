package gitsource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/deskhand/deskhand"
)

// openRemote opens the bare repository in which commits are kept, and brings it up
// to the remote if that is within reach.
func (b *AuditBranch) openRemote(ctx context.Context, options AuditOptions) error {
	remote, err := newRemote(b.place, options.Auth, options.CAFile, options.Timeout)
	if err != nil {
		return err
	}
	b.remote = remote
	if b.store, err = openAuditStore(options.Dir, b.branch, b.place); err != nil {
		return err
	}
	if b.tip, err = b.store.ref(ctx, b.ref()); err != nil {
		return err
	}
	theirs, err := b.fetch(ctx)
	if err != nil {
		if b.tip.IsZero() || ctx.Err() != nil {
			return err
		}
		b.logger.Warn().Err(err).Str("branch", b.branch).Msg("going on with the audit branch on disk")
		return nil
	}
	// What is not pushed yet stays; where there is none of that, the remote leads.
	behind, err := b.descends(ctx, theirs, b.tip)
	if err != nil || !behind {
		return err
	}
	return b.moveTo(ctx, theirs)
}

// openAuditStore opens or makes the repository at dir. Unlike a mirror it is never
// deleted: it may hold commits that are nowhere else.
func openAuditStore(dir, branch string, place location) (*store, error) {
	store, err := openMirrorStore(dir, branch, place)
	if errors.Is(err, os.ErrNotExist) {
		if err := initMirror(dir, branch, place, plumbing.NewBranchReferenceName(branch)); err != nil {
			return nil, err
		}
		return openStore(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("the folder %s is not usable for it: %w; name another folder, or move this one away once its commits are pushed", dir, err)
	}
	return store, nil
}

// fetch brings in the remote's commits and returns its tip, zero where the remote
// has no such branch.
func (b *AuditBranch) fetch(ctx context.Context) (plumbing.Hash, error) {
	listing, err := b.remote.list(ctx)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	theirs := listing.tip(b.branch)
	if theirs.IsZero() {
		return theirs, nil
	}
	known, err := b.store.ref(ctx, trackingName(b.branch))
	if err != nil || theirs == known {
		return theirs, err
	}
	return theirs, fetchBranch(ctx, b.store, listing, b.branch, known, theirs, func(error) {})
}

// Sync pushes what the remote does not have yet, fast-forward only. With a local
// repository there is nothing to do. The error wraps deskhand.ErrMoved where
// another writer pushed; Reset comes next then.
func (b *AuditBranch) Sync(ctx context.Context) error {
	if b.remote == nil {
		return nil
	}
	if err := b.network.lock(ctx); err != nil {
		return err
	}
	defer b.network.unlock()
	if err := b.sync(ctx); err != nil {
		return fmt.Errorf("push the audit branch %s: %w", b.branch, err)
	}
	return nil
}

func (b *AuditBranch) sync(ctx context.Context) error {
	ours, err := b.known(ctx)
	if err != nil || ours.IsZero() {
		return err
	}
	known, err := b.store.ref(ctx, trackingName(b.branch))
	if err != nil || ours == known {
		return err
	}
	listing, err := b.remote.list(ctx)
	if err != nil {
		return err
	}
	theirs := listing.tip(b.branch)
	if theirs != ours {
		if err := b.push(ctx, theirs, ours); err != nil {
			return err
		}
	}
	return b.store.moveRef(ctx, trackingName(b.branch), known, ours)
}

func (b *AuditBranch) push(ctx context.Context, theirs, ours plumbing.Hash) error {
	fastForward, err := b.descends(ctx, ours, theirs)
	if err != nil {
		return err
	}
	if !fastForward {
		return fmt.Errorf("%s: %w: it is at %s there", b.place, deskhand.ErrMoved, short(theirs))
	}
	pack, err := b.packSince(ctx, theirs, ours)
	if err != nil {
		return err
	}
	pushErr := b.remote.push(ctx, b.branch, theirs, ours, pack)
	if pushErr == nil {
		return nil
	}
	// What a server says when a push loses a race is its own affair, and an answer
	// may be lost; where the branch is now tells what happened.
	listing, err := b.remote.list(ctx)
	if err != nil {
		return errors.Join(pushErr, err)
	}
	switch now := listing.tip(b.branch); now {
	case ours:
		return nil
	case theirs:
		return pushErr
	default:
		return fmt.Errorf("%s: %w: it is at %s there", b.place, deskhand.ErrMoved, short(now))
	}
}

// Reset takes over the branch as it stands: the remote's, or that of the local
// repository. Commits of this writer that are not in it are dropped; where the
// remote has no branch they are kept, and the next Sync makes it anew.
func (b *AuditBranch) Reset(ctx context.Context) error {
	if err := b.network.lock(ctx); err != nil {
		return err
	}
	defer b.network.unlock()
	if err := b.reset(ctx); err != nil {
		return fmt.Errorf("reset the audit branch %s of %s: %w", b.branch, b.place, err)
	}
	return nil
}

func (b *AuditBranch) reset(ctx context.Context) error {
	if b.remote == nil {
		if err := b.writer.lock(ctx); err != nil {
			return err
		}
		defer b.writer.unlock()
		tip, err := b.store.ref(ctx, b.ref())
		if err == nil {
			b.tip = tip
		}
		return err
	}
	theirs, err := b.fetch(ctx)
	if err != nil || theirs.IsZero() {
		return err
	}
	return b.moveTo(ctx, theirs)
}

// moveTo moves the branch on disk, from wherever it is.
func (b *AuditBranch) moveTo(ctx context.Context, tip plumbing.Hash) error {
	if err := b.writer.lock(ctx); err != nil {
		return err
	}
	defer b.writer.unlock()
	now, err := b.store.ref(ctx, b.ref())
	if err != nil {
		return err
	}
	if now != tip {
		if err := b.store.moveRef(ctx, b.ref(), now, tip); err != nil {
			return err
		}
	}
	b.tip = tip
	return nil
}

// descends reports whether ancestor is tip or on the way from it; everything
// descends from zero, and zero from nothing else.
func (b *AuditBranch) descends(ctx context.Context, tip, ancestor plumbing.Hash) (bool, error) {
	if ancestor.IsZero() {
		return true, nil
	}
	for hash := tip; !hash.IsZero(); {
		if hash == ancestor {
			return true, nil
		}
		commit, err := b.store.commit(ctx, hash)
		if err != nil {
			return false, err
		}
		hash = firstParent(commit)
	}
	return false, nil
}

// packSince is a pack with the commits after one up to another. It compares each
// with its parent, so its cost is what they changed, not all that the branch holds.
func (b *AuditBranch) packSince(ctx context.Context, from, to plumbing.Hash) ([]byte, error) {
	fresh := &freshObjects{store: b.store, seen: map[plumbing.Hash]bool{}}
	for hash := to; hash != from; {
		commit, err := b.store.commit(ctx, hash)
		if err != nil {
			return nil, err
		}
		parentTree, err := b.treeOf(ctx, firstParent(commit))
		if err != nil {
			return nil, err
		}
		fresh.add(hash)
		if err := fresh.addTree(ctx, parentTree, commit.TreeHash); err != nil {
			return nil, err
		}
		hash = firstParent(commit)
	}
	const window = 10 // git's own default (pack.window)
	var pack bytes.Buffer
	err := b.store.read(ctx, func(storage *filesystem.Storage) error {
		pack.Reset()
		_, err := packfile.NewEncoder(&pack, storage, false).Encode(fresh.hashes, window)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pack what is new: %w", err)
	}
	return pack.Bytes(), nil
}

// freshObjects collects what a commit adds to its parent.
type freshObjects struct {
	store  *store
	hashes []plumbing.Hash
	seen   map[plumbing.Hash]bool
}

func (f *freshObjects) add(hash plumbing.Hash) bool {
	if f.seen[hash] {
		return false
	}
	f.seen[hash] = true
	f.hashes = append(f.hashes, hash)
	return true
}

func (f *freshObjects) addTree(ctx context.Context, before, after plumbing.Hash) error {
	if before == after || !f.add(after) {
		return nil
	}
	entries, err := f.store.tree(ctx, after)
	if err != nil {
		return err
	}
	known := map[string]object.TreeEntry{}
	if !before.IsZero() {
		previous, err := f.store.tree(ctx, before)
		if err != nil {
			return err
		}
		for _, entry := range previous {
			known[entry.Name] = entry
		}
	}
	for _, entry := range entries {
		was := known[entry.Name]
		switch {
		case was.Hash == entry.Hash || entry.Mode == filemode.Submodule:
		case entry.Mode != filemode.Dir:
			f.add(entry.Hash)
		case was.Mode != filemode.Dir:
			err = f.addTree(ctx, plumbing.ZeroHash, entry.Hash)
		default:
			err = f.addTree(ctx, was.Hash, entry.Hash)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
