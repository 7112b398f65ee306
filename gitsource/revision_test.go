package gitsource_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

func TestFilesOfARevision(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one",
		"README.md", "desktops",
		"desktops/standard/a.yaml", definition("dsk-a"),
		"desktops/standard/large.yaml", strings.Repeat("# long\n", manifest.DefaultMaxFileSize/6),
	)
	repository := open(t, gitsource.Options{URL: work.dir})
	first := head(t, repository)
	work.commit("two", "desktops/standard/b.yaml", definition("dsk-b"))

	files, err := repository.Files(t.Context(), first, "desktops")
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	for _, file := range files {
		content, err := repository.Content(t.Context(), file)
		if file.Path == "desktops/standard/large.yaml" {
			if !errors.Is(err, manifest.ErrTooLarge) {
				t.Errorf("a file over the limit gives %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		contents[file.Path] = string(content)
		onDisk, err := os.ReadFile(filepath.Join(work.dir, file.Path))
		if err != nil {
			t.Fatal(err)
		}
		if got := gitsource.BlobHash(onDisk); got != file.Hash {
			t.Errorf("%s: the hash on disk is %s, in git %s", file.Path, got, file.Hash)
		}
	}
	if diff := cmp.Diff(map[string]string{"desktops/standard/a.yaml": definition("dsk-a")}, contents); diff != "" {
		t.Error(diff)
	}

	none, err := repository.Files(t.Context(), first, "elsewhere")
	if err != nil || len(none) != 0 {
		t.Errorf("a folder that is not there holds %v, %v", none, err)
	}
}
