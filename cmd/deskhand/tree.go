package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// tree is a folder of definitions on disk, and what of it was asked for. Both are
// slash-separated paths as the user would write them from the current folder;
// what is read from the tree has paths from its root.
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

// path is where a file of the tree is, as the user would write it.
func (t tree) path(file string) string { return path.Join(t.root, file) }

// isSelected reports whether a file of the tree was asked for.
func (t tree) isSelected(file string) bool {
	named := t.path(file)
	return slices.ContainsFunc(t.selected, func(selected string) bool {
		return selected == t.root || named == selected || strings.HasPrefix(named, selected+"/")
	})
}
