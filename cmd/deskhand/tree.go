package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// tree is a folder of definitions on disk, and what of it was asked for. What is
// read from a tree has slash-separated paths from its root.
type tree struct {
	root     string          // slash-separated, as the user would write it
	selected map[string]bool // files and folders of the tree; "." for everything
	// standIns are contents that take the place of files on disk, or of files that
	// are not there yet.
	standIns map[string][]byte
}

// findTrees finds the folder of definitions around each path.
func findTrees(paths []string) ([]tree, error) {
	var trees []tree
	for _, name := range paths {
		name = filepath.Clean(name)
		root, err := findRoot(name)
		if err != nil {
			return nil, err
		}
		inside, err := insideOf(root, name)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(trees, func(t tree) bool { return t.root == root })
		if i < 0 {
			trees, i = append(trees, tree{root: root, selected: map[string]bool{}}), len(trees)
		}
		trees[i].selected[inside] = true
	}
	return trees, nil
}

// findRoot is the folder of definitions that holds the path, or that lies in it
// under the name desktops.
func findRoot(name string) (string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return "", withHint(err, "name a repository, a folder of definitions, or single files")
	}
	if below := filepath.Join(name, "desktops"); info.IsDir() && !hasTiers(name) && hasTiers(below) {
		return filepath.ToSlash(below), nil
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	for folder, at := name, absolute; ; folder, at = filepath.Join(folder, ".."), filepath.Dir(at) {
		if hasTiers(folder) {
			return filepath.ToSlash(folder), nil
		}
		if at == filepath.Dir(at) {
			return "", withHint(fmt.Errorf("%s is in no folder of definitions", name),
				"a folder of definitions has folders named "+strings.Join(tierNames(), ", "))
		}
	}
}

// insideOf is the path from the tree's root, "." for the root and what is above it.
func insideOf(root, name string) (string, error) {
	absoluteRoot, err := filepath.Abs(filepath.FromSlash(root))
	if err != nil {
		return "", err
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	inside, err := filepath.Rel(absoluteRoot, absolute)
	if err != nil {
		return "", err
	}
	if inside = filepath.ToSlash(inside); inside == ".." || strings.HasPrefix(inside, "../") {
		return ".", nil
	}
	return inside, nil
}

func hasTiers(folder string) bool {
	return slices.ContainsFunc(deskhand.Tiers(), func(tier deskhand.Tier) bool {
		info, err := os.Stat(filepath.Join(folder, string(tier)))
		return err == nil && info.IsDir()
	})
}

func tierNames() []string {
	var names []string
	for _, tier := range deskhand.Tiers() {
		names = append(names, string(tier))
	}
	return names
}

// stdinTree is the tree around the file at name, with what stdin holds in its
// place. The path may also count from a folder desktops in the current one.
func stdinTree(stdin io.Reader, name string) (tree, error) {
	if name == "" {
		return tree{}, withHint(errors.New("a definition from standard input needs a place among the others"),
			"say where with --stdin-path, such as desktops/standard/voice-emea.yaml")
	}
	if extension := path.Ext(name); extension != ".yaml" && extension != ".yml" {
		return tree{}, withHint(fmt.Errorf("--stdin-path %s is no YAML file", name), "a definition ends in .yaml")
	}
	root, err := findRoot(filepath.Dir(name))
	if below := filepath.Join("desktops", name); errors.Is(err, fs.ErrNotExist) && hasTiers("desktops") {
		name = below
		root, err = findRoot(filepath.Dir(name))
	}
	if err != nil {
		return tree{}, fmt.Errorf("--stdin-path: %w", err)
	}
	inside, err := insideOf(root, name)
	if err != nil {
		return tree{}, err
	}
	if inside == "." {
		return tree{}, withHint(fmt.Errorf("--stdin-path %s is outside the folder of definitions %s", name, root),
			"name a file in one of the folders "+strings.Join(tierNames(), ", "))
	}
	content, err := io.ReadAll(io.LimitReader(stdin, manifest.DefaultMaxFileSize+1))
	if err != nil {
		return tree{}, fmt.Errorf("read standard input: %w", err)
	}
	return tree{root: root, selected: map[string]bool{inside: true}, standIns: map[string][]byte{inside: content}}, nil
}

// path is where a file of the tree is, as the user would write it, also in a
// folder of the tree.
func (t tree) path(file string) string {
	if t.root == ".." || strings.HasPrefix(t.root, "../") {
		if here, err := insideOf(t.root, "."); err == nil {
			if name, err := filepath.Rel(filepath.FromSlash(here), filepath.FromSlash(file)); err == nil {
				return filepath.ToSlash(name)
			}
		}
	}
	return path.Join(t.root, file)
}

// isSelected reports whether a file of the tree was asked for.
func (t tree) isSelected(file string) bool {
	for at := file; ; at = path.Dir(at) {
		if t.selected[at] {
			return true
		}
		if at == "." || at == "/" {
			return false
		}
	}
}

// listing is the files of a tree at one moment.
type listing struct {
	entries []manifest.Entry
	read    func(manifest.Entry) ([]byte, error)
}

// list lists the tree's files, named by their content as git does.
func (t tree) list() (listing, error) {
	entries, read, err := manifest.Dir(filepath.FromSlash(t.root))
	if err != nil {
		return listing{}, err
	}
	entries = slices.DeleteFunc(entries, func(entry manifest.Entry) bool {
		_, isReplaced := t.standIns[entry.Path]
		return isReplaced
	})
	for i, entry := range entries {
		content, err := read(entry)
		if err == nil && !entry.Symlink {
			entries[i].Hash = gitsource.BlobHash(content)
		}
	}
	for file, content := range t.standIns {
		entries = append(entries, manifest.Entry{Path: file, Hash: gitsource.BlobHash(content)})
	}
	return listing{entries: entries, read: func(entry manifest.Entry) ([]byte, error) {
		if content, isReplaced := t.standIns[entry.Path]; isReplaced {
			return content, nil
		}
		return read(entry)
	}}, nil
}

// load resolves everything below the tree's root.
func (t tree) load(ctx context.Context, loader *manifest.Loader) (deskhand.Snapshot, error) {
	files, err := t.list()
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	snapshot, err := loader.Load(ctx, files.entries, files.read)
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	if len(snapshot.Desktops)+len(snapshot.Unreadable)+len(snapshot.Findings) == 0 {
		return snapshot, withHint(fmt.Errorf("there are no definitions below %s", t.root),
			"a definition is a YAML file in a folder named "+strings.Join(tierNames(), ", "))
	}
	return snapshot, nil
}

// review resolves and judges everything below the tree's root.
func (t tree) review(ctx context.Context) (deskhand.Review, error) {
	snapshot, err := t.load(ctx, manifest.NewLoader(manifest.Options{}))
	if err != nil {
		return deskhand.Review{}, err
	}
	return judge(ctx, snapshot)
}

// judge reviews a snapshot by itself.
func judge(ctx context.Context, snapshot deskhand.Snapshot) (deskhand.Review, error) {
	reviewer, err := newReviewer()
	if err != nil {
		return deskhand.Review{}, err
	}
	return reviewer.Review(ctx, snapshot)
}

// source reads a file that a finding names, for people.
func source(trees []tree) func(string) ([]byte, error) {
	return func(file string) ([]byte, error) {
		for _, tree := range trees {
			inside, err := insideOf(tree.root, filepath.FromSlash(file))
			if content, isReplaced := tree.standIns[inside]; err == nil && isReplaced {
				return content, nil
			}
		}
		return os.ReadFile(filepath.FromSlash(file))
	}
}
