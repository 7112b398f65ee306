package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// searchForSecrets returns an error for each secret in a file below the folder,
// the objects of git repositories included. The secrets' own files are spared.
func searchForSecrets(root string) error {
	var found error
	search := func(where string, content []byte) {
		for _, canary := range canaries() {
			if bytes.Contains(content, []byte(canary)) {
				found = errors.Join(found, fmt.Errorf("%s holds a secret, %s", where, canary))
			}
		}
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path == filepath.Join(root, "secrets") {
			return fs.SkipDir
		}
		if entry.IsDir() && isGitDir(path) {
			objects, err := gitObjects(path)
			search("git repository "+path, objects)
			return err
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		search(path, content)
		return err
	})
	return errors.Join(err, found)
}

func isGitDir(path string) bool {
	_, headErr := os.Stat(filepath.Join(path, "HEAD"))
	_, objectsErr := os.Stat(filepath.Join(path, "objects"))
	return headErr == nil && objectsErr == nil
}

// gitObjects is all that a repository keeps, unzipped.
func gitObjects(dir string) ([]byte, error) {
	command := exec.Command("git", "--git-dir="+dir, "cat-file", "--batch", "--batch-all-objects", "--unordered")
	command.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1")
	objects, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("read the objects of %s: %w", dir, err)
	}
	return objects, nil
}
