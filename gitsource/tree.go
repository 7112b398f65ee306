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

const (
	// maxFiles bounds what a tree may unfold to: git objects can name one folder
	// many times over.
	maxFiles = 200_000
	// maxDepth bounds how deep folders may be nested.
	maxDepth = 64
)

// Tree is the definitions of one tenant, which lie below one path of the repository.
// It keeps what it read, so that a snapshot costs what changed since the last one.
type Tree struct {
	repository *Repository
	tenant     deskhand.Tenant
	path       string // slash-separated, without slashes at its ends; "" for all
	loading    gate
	loader     *manifest.Loader
	root       *folder // as of the last snapshot; nil before the first
	stats      Stats
}

// Stats tell what the last snapshot had to do.
type Stats struct {
	manifest.Stats
	Folders int // folders whose listing was read
}

// Tenant is the tree of a tenant at a slash-separated path from the root of the
// repository; "" or "." is the repository itself.
func (r *Repository) Tenant(name deskhand.Tenant, root string) *Tree {
	root = strings.Trim(path.Clean("/"+root), "/")
	return &Tree{
		repository: r,
		tenant:     name,
		path:       root,
		loading:    newGate(),
		loader:     manifest.NewLoader(manifest.Options{Root: root}),
	}
}

// Stats tells what the last snapshot had to do.
func (t *Tree) Stats(ctx context.Context) (Stats, error) {
	if err := t.loading.lock(ctx); err != nil {
		return Stats{}, err
	}
	defer t.loading.unlock()
	return t.stats, nil
}

// Snapshot reads the tenant's desktops at a commit, from git objects. What is wrong
// with a file is a finding of the snapshot; the error is about the repository, or
// about a path that the commit does not have.
func (t *Tree) Snapshot(ctx context.Context, commit deskhand.Commit) (deskhand.Snapshot, error) {
	if err := t.loading.lock(ctx); err != nil {
		return deskhand.Snapshot{}, err
	}
	defer t.loading.unlock()
	snapshot, err := t.load(ctx, commit)
	if mirror := t.repository.mirror; mirror != nil && errors.Is(err, errDamaged) {
		if err := mirror.repair(ctx); err != nil {
			return deskhand.Snapshot{}, err
		}
		snapshot, err = t.load(ctx, commit)
	}
	if err != nil {
		return deskhand.Snapshot{}, fmt.Errorf("read commit %s of %s: %w", commit.Short(), t.repository.place, err)
	}
	return snapshot, nil
}

func (t *Tree) load(ctx context.Context, commit deskhand.Commit) (deskhand.Snapshot, error) {
	read, err := t.repository.store.commit(ctx, plumbing.NewHash(commit.SHA))
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	entry, found, err := t.repository.store.find(ctx, read.TreeHash, t.path)
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	if !found || entry.Mode != filemode.Dir {
		return deskhand.Snapshot{}, fmt.Errorf("it has no folder %s; set the source path to the folder that holds the definitions", t.path)
	}

	walk := &walk{store: t.repository.store, listings: map[plumbing.Hash][]object.TreeEntry{}}
	root, err := walk.folder(ctx, t.root, t.path, entry.Hash, 0)
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	var listing listed
	if err := root.list(&listing); err != nil {
		return deskhand.Snapshot{}, err
	}
	snapshot, err := t.loader.Load(ctx, listing.files, func(file manifest.Entry) ([]byte, error) {
		return t.repository.Content(ctx, file)
	})
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	t.root = root
	t.stats = Stats{Stats: t.loader.Stats(), Folders: len(walk.listings)}
	snapshot.Tenant, snapshot.Commit = t.tenant, commit
	snapshot.Findings = append(snapshot.Findings, listing.findings...)
	deskhand.SortFindings(snapshot.Findings)
	return snapshot, nil
}

// folder is a folder as git lists it, kept from one commit to the next. It does not
// change once made.
type folder struct {
	path     string
	hash     plumbing.Hash
	files    []manifest.Entry
	findings []deskhand.Finding
	folders  map[string]*folder
}

// walk reads the folders that differ from those of the walk before.
type walk struct {
	store    *store
	listings map[plumbing.Hash][]object.TreeEntry // each is read once, wherever it occurs
	files    int                                  // entries passed so far
}

func (w *walk) listing(ctx context.Context, hash plumbing.Hash) ([]object.TreeEntry, error) {
	if known, ok := w.listings[hash]; ok {
		return known, nil
	}
	entries, err := w.store.tree(ctx, hash)
	if err == nil {
		w.listings[hash] = entries
	}
	return entries, err
}

func (w *walk) folder(ctx context.Context, before *folder, at string, hash plumbing.Hash, depth int) (*folder, error) {
	if before != nil && before.hash == hash {
		return before, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: folders are nested more than %d deep", at, maxDepth)
	}
	entries, err := w.listing(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	w.files += len(entries)
	if w.files > maxFiles {
		return nil, fmt.Errorf("%s: there are more than %d files", at, maxFiles)
	}
	now := &folder{path: at, hash: hash, folders: map[string]*folder{}}
	if before != nil {
		now.files = make([]manifest.Entry, 0, len(before.files)+1)
	}
	for _, entry := range entries {
		if err := now.add(entry); err != nil {
			return nil, err
		}
		if entry.Mode != filemode.Dir {
			continue
		}
		var known *folder
		if before != nil {
			known = before.folders[entry.Name]
		}
		child, err := w.folder(ctx, known, path.Join(at, entry.Name), entry.Hash, depth+1)
		if err != nil {
			return nil, err
		}
		now.folders[entry.Name] = child
	}
	return now, nil
}

func (f *folder) add(entry object.TreeEntry) error {
	if entry.Name == "" || entry.Name == "." || entry.Name == ".." || strings.Contains(entry.Name, "/") {
		return fmt.Errorf("%s holds an entry %q, which git would refuse", f.path, entry.Name)
	}
	at := path.Join(f.path, entry.Name)
	switch entry.Mode {
	case filemode.Dir:
	case filemode.Submodule:
		f.findings = append(f.findings, deskhand.Finding{
			Rule:     "file/submodule",
			Severity: deskhand.SeverityWarning,
			File:     at,
			Message:  "a submodule is not read",
			Hint:     "put the definitions into this repository",
		})
	default:
		f.files = append(f.files, manifest.Entry{
			Path:       at,
			Hash:       entry.Hash.String(),
			Symlink:    entry.Mode == filemode.Symlink,
			Executable: entry.Mode == filemode.Executable,
		})
	}
	return nil
}

// listed is all that lies below a folder.
type listed struct {
	files    []manifest.Entry
	findings []deskhand.Finding
}

func (f *folder) list(all *listed) error {
	all.files = append(all.files, f.files...)
	all.findings = append(all.findings, f.findings...)
	if len(all.files) > maxFiles {
		return fmt.Errorf("%s: there are more than %d files", f.path, maxFiles)
	}
	for _, child := range f.folders {
		if err := child.list(all); err != nil {
			return err
		}
	}
	return nil
}
