package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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

// definitions is a tenant's tree of definitions in the work tree. Contents, by
// their paths in it, stand in for files that are not written yet.
func (w workTree) definitions(root string, contents map[string][]byte) tree {
	inTree := make(map[string][]byte, len(contents))
	for file, content := range contents {
		inTree[inside(root, file)] = content
	}
	return tree{root: filepath.ToSlash(filepath.Join(w.dir, filepath.FromSlash(root))), standIns: inTree}
}

// inside is the path of a file of the repository from the root of the definitions.
func inside(root, file string) string {
	if root == "." || root == "" {
		return file
	}
	return strings.TrimPrefix(file, root+"/")
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
