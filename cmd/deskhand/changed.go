package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// changedSince resolves the tree, and tells which of its files differ from a
// revision, or rest on a file that does.
//
// The loader sees the revision first, so that the second load, of what is on
// disk, does only what changed; files that are the same in both are read from
// disk. A desktop's fingerprint covers all that it rests on.
func (t tree) changedSince(ctx context.Context, revision string) (deskhand.Snapshot, func(file string) bool, error) {
	now, err := t.list()
	if err != nil {
		return deskhand.Snapshot{}, nil, err
	}
	loader := manifest.NewLoader(manifest.Options{})
	before, base, err := t.loadRevision(ctx, loader, revision, now)
	if err != nil {
		return deskhand.Snapshot{}, nil, fmt.Errorf("compare with %s: %w", revision, err)
	}
	snapshot, err := loader.Load(ctx, now.entries, now.read)
	if err != nil {
		return deskhand.Snapshot{}, nil, err
	}
	changed := differing(before, now.entries)
	if changed[policyFile] {
		return snapshot, func(string) bool { return true }, nil // every desktop rests on the rules
	}
	known := map[string]string{} // fingerprints by file; "" for one that could not be read
	for _, desktop := range base.Desktops {
		known[desktop.File] = desktop.Fingerprint
	}
	for _, unreadable := range base.Unreadable {
		known[unreadable.File] = ""
	}
	for _, desktop := range snapshot.Desktops {
		if known[desktop.File] != desktop.Fingerprint {
			changed[desktop.File] = true
		}
	}
	for _, unreadable := range snapshot.Unreadable {
		if fingerprint, existed := known[unreadable.File]; !existed || fingerprint != "" {
			changed[unreadable.File] = true
		}
	}
	told := map[deskhand.Finding]bool{}
	for _, finding := range base.Findings {
		told[finding] = true
	}
	for _, finding := range snapshot.Findings {
		if !told[finding] {
			changed[finding.File] = true // such as one that extends a file which is gone
		}
	}
	return snapshot, func(file string) bool { return changed[file] }, nil
}

// policyFile holds the rules of a tree, at its root.
const policyFile = "policy.yaml"

// differing are the files that are new or not the same, and policy.yaml also
// where it is gone.
func differing(before map[string]manifest.Entry, now []manifest.Entry) map[string]bool {
	changed := map[string]bool{}
	_, changed[policyFile] = before[policyFile]
	for _, entry := range now {
		was, existed := before[entry.Path]
		changed[entry.Path] = !existed || was.Symlink != entry.Symlink || was.Hash != entry.Hash && !entry.Symlink
	}
	return changed
}

// loadRevision resolves the tree as it was, and lists its files by path.
func (t tree) loadRevision(ctx context.Context, loader *manifest.Loader, revision string, now listing) (map[string]manifest.Entry, deskhand.Snapshot, error) {
	repository, folder, err := t.openRepository(ctx, revision)
	if err != nil {
		return nil, deskhand.Snapshot{}, err
	}
	defer func() { _ = repository.Close() }()
	commit, err := repository.Commit(ctx, revision)
	if err != nil {
		return nil, deskhand.Snapshot{}, err
	}
	files, err := repository.Files(ctx, commit, folder)
	if err != nil {
		return nil, deskhand.Snapshot{}, err
	}
	onDisk := make(map[string]manifest.Entry, len(now.entries))
	for _, entry := range now.entries {
		onDisk[entry.Path] = entry
	}
	before := make(map[string]manifest.Entry, len(files))
	entries := make([]manifest.Entry, 0, len(files))
	for _, entry := range files {
		if folder != "." {
			entry.Path = strings.TrimPrefix(entry.Path, folder+"/")
		}
		before[entry.Path] = entry
		entries = append(entries, entry)
	}
	snapshot, err := loader.Load(ctx, entries, func(entry manifest.Entry) ([]byte, error) {
		if same := onDisk[entry.Path]; same.Hash == entry.Hash {
			return now.read(same)
		}
		return repository.Content(ctx, entry)
	})
	return before, snapshot, err
}

// openRepository opens the git repository whose work tree holds the tree, to look
// the revision up, and tells the tree's path in it, "." for its root.
func (t tree) openRepository(ctx context.Context, revision string) (*gitsource.Repository, string, error) {
	root, err := filepath.Abs(filepath.FromSlash(t.root))
	if err != nil {
		return nil, "", err
	}
	folder := "."
	for at := root; ; at, folder = filepath.Dir(at), path.Join(filepath.Base(at), folder) {
		if git, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			if isHead := strings.HasPrefix(revision, "HEAD") || strings.HasPrefix(revision, "@"); isHead && !git.IsDir() {
				return nil, "", withHint(errors.New(at+" is a linked work tree, whose HEAD is not looked up"),
					"name a branch or a commit: --changed-since $(git rev-parse HEAD)")
			}
			// The branch is for Head alone, which is not asked for.
			repository, err := gitsource.Open(ctx, gitsource.Options{URL: at, Branch: "main", Logger: zerolog.Nop()})
			return repository, folder, err
		}
		if at == filepath.Dir(at) {
			return nil, "", withHint(errors.New(t.root+" is in no git repository"), "leave --changed-since out, or make a repository with git init")
		}
	}
}
