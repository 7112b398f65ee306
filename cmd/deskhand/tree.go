package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// tree is a folder of definitions on disk, and what of it was asked for. Paths
// are slash-separated and as the user would write them from the current folder.
type tree struct {
	root     string
	selected []string // files and folders; the root for everything
}

// findTrees finds the folder of definitions around each path.
func findTrees(paths []string) ([]tree, error) {
	var trees []tree
	for _, name := range paths {
		root, selected, err := findTree(name)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(trees, func(t tree) bool { return t.root == root })
		if i < 0 {
			trees, i = append(trees, tree{root: root}), len(trees)
		}
		trees[i].selected = append(trees[i].selected, selected)
	}
	return trees, nil
}

func findTree(name string) (root, selected string, err error) {
	name = filepath.Clean(name)
	info, err := os.Stat(name)
	if err != nil {
		return "", "", err
	}
	if below := filepath.Join(name, "desktops"); info.IsDir() && !hasTiers(name) && hasTiers(below) {
		return filepath.ToSlash(below), filepath.ToSlash(below), nil
	}
	absolute, err := filepath.Abs(name)
	if err != nil {
		return "", "", err
	}
	for folder, at := name, absolute; ; folder, at = filepath.Join(folder, ".."), filepath.Dir(at) {
		if hasTiers(folder) {
			return filepath.ToSlash(folder), filepath.ToSlash(name), nil
		}
		if at == filepath.Dir(at) {
			return "", "", withHint(fmt.Errorf("%s is in no folder of definitions", name),
				"a folder of definitions has folders named "+strings.Join(tierNames(), ", "))
		}
	}
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

// entries lists the tree for a Loader, with paths from the current folder.
func (t tree) entries() ([]manifest.Entry, func(manifest.Entry) ([]byte, error), error) {
	entries, read, err := manifest.Dir(filepath.FromSlash(t.root))
	if err != nil {
		return nil, nil, err
	}
	inside := make(map[string]manifest.Entry, len(entries))
	for i, entry := range entries {
		entries[i].Path = path.Join(t.root, entry.Path)
		inside[entries[i].Path] = entry
	}
	return entries, func(entry manifest.Entry) ([]byte, error) { return read(inside[entry.Path]) }, nil
}

func (t tree) isSelected(file string) bool {
	return slices.ContainsFunc(t.selected, func(selected string) bool {
		return selected == t.root || file == selected || strings.HasPrefix(file, selected+"/")
	})
}
