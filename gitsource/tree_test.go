package gitsource_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

func snapshot(t *testing.T, tree *gitsource.Tree, commit deskhand.Commit) deskhand.Snapshot {
	t.Helper()
	got, err := tree.Snapshot(t.Context(), commit)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func stats(t *testing.T, tree *gitsource.Tree) gitsource.Stats {
	t.Helper()
	got, err := tree.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSnapshotHoldsTheTenantsDesktops(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one",
		"README.md", "desktops",
		"desktops/policy.yaml", "threshold: 80\n",
		"desktops/acme/policy.yaml", "threshold: 90\n",
		"desktops/acme/standard/a.yaml", definition("dsk-a"),
		"desktops/acme/premium/emea/b.yaml", definition("dsk-b"),
		"desktops/other/standard/c.yaml", definition("dsk-c"),
	)
	repository := open(t, gitsource.Options{URL: work.dir})
	commit := head(t, repository)
	for _, path := range []string{"desktops/acme", "/desktops/acme/", "desktops/./acme"} {
		got := snapshot(t, repository.Tenant("acme", path), commit)
		if diff := cmp.Diff([]string{"dsk-b", "dsk-a"}, configIDs(got)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		if got.Tenant != "acme" || got.Commit != commit {
			t.Errorf("the snapshot is of %s at %v", got.Tenant, got.Commit)
		}
		if got.Policy == nil || string(got.Policy.Content) != "threshold: 90\n" {
			t.Errorf("the policy is %v", got.Policy)
		}
	}
}

func TestSnapshotWithoutThePath(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	sha := work.commit("one", "desktops/standard/a.yaml", definition("dsk-a"))
	repository := open(t, gitsource.Options{URL: work.dir})
	for _, path := range []string{"nowhere", "desktops/acme", "desktops/standard/a.yaml"} {
		_, err := repository.Tenant("acme", path).Snapshot(t.Context(), head(t, repository))
		wantError(t, err, "no folder "+path, sha[:7], work.dir)
	}
}

func TestSnapshotCostsWhatChanged(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	const folders, desktops = 4, 25
	for i := range folders {
		for j := range desktops {
			work.write(fmt.Sprintf("standard/f%d/d%d.yaml", i, j), definition(fmt.Sprintf("dsk-%d-%d", i, j)))
		}
	}
	work.commit("one")
	repository := open(t, gitsource.Options{URL: work.dir})
	tree := repository.Tenant("acme", ".")
	snapshot(t, tree, head(t, repository))
	want := gitsource.Stats{Folders: folders + 2, Stats: manifest.Stats{Resolved: folders * desktops, Read: folders * desktops}}
	if diff := cmp.Diff(want, stats(t, tree)); diff != "" {
		t.Error(diff)
	}

	work.commit("two", "standard/f1/d7.yaml", definition("dsk-new"))
	got := snapshot(t, tree, head(t, repository))
	if len(got.Desktops) != folders*desktops {
		t.Errorf("%d desktops", len(got.Desktops))
	}
	want = gitsource.Stats{Folders: 3, Stats: manifest.Stats{Resolved: 1, Reused: folders*desktops - 1, Read: 1}}
	if diff := cmp.Diff(want, stats(t, tree)); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshotOfOddEntries(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one", "standard/a.yaml", definition("dsk-a"), "standard/big.yaml", "# "+strings.Repeat("x", 1<<20))
	if err := os.Symlink("a.yaml", work.dir+"/standard/link.yaml"); err != nil {
		t.Fatal(err)
	}
	work.git("add", "--all")
	work.git("update-index", "--add", "--cacheinfo", "160000,"+work.git("rev-parse", "HEAD")+",standard/sub")
	work.git("commit", "--quiet", "--message", "two")
	repository := open(t, gitsource.Options{URL: work.dir})
	got := snapshot(t, repository.Tenant("acme", ""), head(t, repository))
	rules := map[string]string{}
	for _, finding := range got.Findings {
		rules[finding.File] = finding.Rule
	}
	want := map[string]string{
		"standard/big.yaml":  "file/size",
		"standard/link.yaml": "file/symlink",
		"standard/sub":       "file/submodule",
	}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"dsk-a"}, configIDs(got)); diff != "" {
		t.Error(diff)
	}
}

func TestSnapshotRefusesATreeThatUnfoldsWithoutEnd(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one", "a.yaml", definition("dsk-a"))
	tree := work.git("rev-parse", "HEAD^{tree}")
	for range 12 { // ten to the twelfth files
		var listing strings.Builder
		for i := range 10 {
			fmt.Fprintf(&listing, "040000 tree %s\td%d\n", tree, i)
		}
		work.write("listing", listing.String())
		tree = work.git("-c", "alias.make=!git mktree <listing", "make")
	}
	work.git("update-ref", "refs/heads/main", work.git("commit-tree", "-m", "bomb", tree))
	repository := open(t, gitsource.Options{URL: work.dir})
	_, err := repository.Tenant("acme", "").Snapshot(t.Context(), head(t, repository))
	wantError(t, err, "more than 200000 files")
}
