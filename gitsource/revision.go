package gitsource

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// Files lists what a commit has below a slash-separated path from the root of the
// repository, as a Loader takes it. A folder that the commit does not have holds
// nothing; "" or "." is the repository itself.
func (r *Repository) Files(ctx context.Context, commit deskhand.Commit, root string) ([]manifest.Entry, error) {
	root = strings.Trim(path.Clean("/"+root), "/")
	files, err := r.files(ctx, commit, root)
	if err != nil {
		return nil, fmt.Errorf("list the files of commit %s of %s: %w", commit.Short(), r.place, err)
	}
	return files, nil
}

func (r *Repository) files(ctx context.Context, commit deskhand.Commit, root string) ([]manifest.Entry, error) {
	read, err := r.store.commit(ctx, plumbing.NewHash(commit.SHA))
	if err != nil {
		return nil, err
	}
	entry, found, err := r.store.find(ctx, read.TreeHash, root)
	if err != nil || !found || entry.Mode != filemode.Dir {
		return nil, err
	}
	walk := &walk{store: r.store, listings: map[plumbing.Hash][]object.TreeEntry{}}
	top, err := walk.folder(ctx, nil, root, entry.Hash, 0)
	if err != nil {
		return nil, err
	}
	var listing listed
	if err := top.list(&listing); err != nil {
		return nil, err
	}
	return listing.files, nil
}

// Content reads a file that Files listed. The error wraps manifest.ErrTooLarge for
// one over manifest.DefaultMaxFileSize.
func (r *Repository) Content(ctx context.Context, file manifest.Entry) ([]byte, error) {
	content, err := r.store.blob(ctx, plumbing.NewHash(file.Hash), manifest.DefaultMaxFileSize)
	if errors.Is(err, errTooLarge) {
		return nil, fmt.Errorf("%w: %w", manifest.ErrTooLarge, err)
	}
	return content, err
}

// BlobHash is the name that git gives to a file's content: the Hash of the entries
// of Files. Where git converts line ends, a file on disk has another.
func BlobHash(content []byte) string {
	return plumbing.ComputeHash(plumbing.BlobObject, content).String()
}
