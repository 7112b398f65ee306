package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// workTree is a checked-out repository of definitions. Files have slash-separated
// paths from its root, as they have in a commit.
type workTree struct{ dir string }

// findWorkTree is the work tree that was named, or else the one that the
// configuration reads its commits from.
func findWorkTree(dir string, config configs.Config) (workTree, error) {
	const hint = "name the folder of a clone with --dir"
	if dir == "" {
		dir = strings.TrimPrefix(config.Source.URL, "file://")
		if strings.Contains(dir, "://") {
			return workTree{}, withHint(errors.New("source.url is no folder on this machine, so there is no work tree to write to"), hint)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		return workTree{}, withHint(fmt.Errorf("%s is no git work tree: %w", dir, err), hint)
	}
	return workTree{dir}, nil
}

// overlay is the content of files that is not written yet, by path.
type overlay map[string][]byte

// load resolves a tenant's definitions as the work tree has them, the overlay
// above.
func (w workTree) load(ctx context.Context, root string, above overlay) (deskhand.Snapshot, error) {
	entries, read, err := manifest.Dir(filepath.Join(w.dir, filepath.FromSlash(root)))
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	for i := range entries {
		entries[i].Path = path.Join(root, entries[i].Path)
		if content, isAbove := above[entries[i].Path]; isAbove {
			entries[i].Hash += fmt.Sprintf("+%d", len(content))
		}
	}
	return manifest.NewLoader(manifest.Options{Root: root}).Load(ctx, entries, func(entry manifest.Entry) ([]byte, error) {
		if content, isAbove := above[entry.Path]; isAbove {
			return content, nil
		}
		below, err := filepath.Rel(filepath.FromSlash(root), filepath.FromSlash(entry.Path))
		if err != nil {
			return nil, err
		}
		entry.Path = filepath.ToSlash(below)
		return read(entry)
	})
}

func (w workTree) read(file string) ([]byte, error) {
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	opened, err := root.Open(filepath.FromSlash(file))
	if err != nil {
		return nil, err
	}
	defer func() { _ = opened.Close() }() // nothing was written
	content, err := io.ReadAll(io.LimitReader(opened, manifest.DefaultMaxFileSize+1))
	if err == nil && len(content) > manifest.DefaultMaxFileSize {
		err = manifest.ErrTooLarge
	}
	return content, err
}

// write replaces a file's content, or makes the file and the folders around it.
func (w workTree) write(file string, content []byte) error {
	root, err := os.OpenRoot(w.dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	name := filepath.FromSlash(file)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, content, 0o644)
}
