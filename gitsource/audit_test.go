package gitsource_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
)

const auditBranch = "deskhand/audit/acme"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func openAudit(t *testing.T, options gitsource.AuditOptions) *gitsource.AuditBranch {
	t.Helper()
	if options.Branch == "" {
		options.Branch = auditBranch
	}
	if options.Dir == "" {
		options.Dir = filepath.Join(t.TempDir(), "audit")
	}
	branch, err := gitsource.OpenAudit(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := branch.Close(); err != nil {
			t.Error(err)
		}
	})
	return branch
}

func record(t *testing.T, branch *gitsource.AuditBranch, message string, files map[string][]byte) string {
	t.Helper()
	sha, err := branch.Commit(t.Context(), files, message, noon)
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

func contents(t *testing.T, branch *gitsource.AuditBranch, prefix string) []string {
	t.Helper()
	var files []string
	err := branch.Read(t.Context(), prefix, func(path string, content []byte) error {
		files = append(files, path+"="+string(content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func text(files ...string) map[string][]byte {
	made := map[string][]byte{}
	for i := 0; i+1 < len(files); i += 2 {
		made[files[i]] = []byte(files[i+1])
	}
	return made
}

func TestAuditOnAnyRepository(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	work := newRepo(t)
	work.commit("one", "standard/a.yaml", definition("dsk-a"))
	bare, url := forge.bare(t, "audit.git")
	for name, place := range map[string]struct {
		url string
		at  *repo
	}{
		"beside the source": {work.dir, work},
		"empty, by http":    {url, bare},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := gitsource.AuditOptions{URL: place.url, Dir: filepath.Join(t.TempDir(), "audit")}
			branch := openAudit(t, options)
			if got := contents(t, branch, ""); got != nil {
				t.Errorf("a branch that does not exist holds %v", got)
			}
			record(t, branch, "created a, b\n\nTenant: acme", text("live/a.json", "1", "live/b.json", "2", "records/2026/x.jsonl", "r1"))
			record(t, branch, "updated a", text("live/a.json", "3", "records/2026/y.jsonl", "r2"))
			files := text("records/2026/z.jsonl", "r3")
			files["live/b.json"], files["state/none.json"] = nil, nil
			last := record(t, branch, "deleted b", files)
			if err := branch.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}

			if got := place.at.git("rev-parse", auditBranch); got != last {
				t.Errorf("the branch is at %s, not %s", got, last)
			}
			place.at.git("fsck", "--strict", "--full")
			wantLog := "deskhand <deskhand@localhost>|deleted b\ndeskhand <deskhand@localhost>|updated a\ndeskhand <deskhand@localhost>|created a, b"
			if diff := cmp.Diff(wantLog, place.at.git("log", "--format=%cn <%ce>|%s", auditBranch)); diff != "" {
				t.Error(diff)
			}
			if got := place.at.git("log", "-p", "--format=%s", auditBranch, "--", "live/a.json"); !strings.Contains(got, "-1\n") || !strings.Contains(got, "+3") {
				t.Errorf("git log -p says %q", got)
			}
			if got := place.at.git("log", "-1", "--format=%(trailers:key=Tenant,valueonly)", auditBranch+"~2"); got != "acme" {
				t.Errorf("the trailer is %q", got)
			}

			for _, reader := range []*gitsource.AuditBranch{branch, openAudit(t, options), openAudit(t, gitsource.AuditOptions{URL: place.url})} {
				want := []string{"live/a.json=3", "records/2026/x.jsonl=r1", "records/2026/y.jsonl=r2", "records/2026/z.jsonl=r3"}
				if diff := cmp.Diff(want, contents(t, reader, "")); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(want[1:], contents(t, reader, "records/2026/")); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(want[:1], contents(t, reader, "live/a.json")); diff != "" {
					t.Error(diff)
				}
				if got := contents(t, reader, "liv"); got != nil {
					t.Errorf("half a name finds %v", got)
				}
			}
		})
	}
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	branch := openAudit(t, gitsource.AuditOptions{URL: newRepo(t).dir, Name: "A <b>\nc", Email: "a@example.com"})
	record(t, branch, "one\n\nTenant: acme", text("live/a.json", "1"))
	record(t, branch, "two", text("live/b.json", "1"))
	record(t, branch, "three", map[string][]byte{"live/a.json": nil})
	for _, test := range []struct {
		n    int
		path string
		want []string
	}{
		{0, "", []string{"three", "two", "one"}},
		{2, "", []string{"three", "two"}},
		{0, "live/a.json", []string{"three", "one"}},
		{1, "live/a.json", []string{"three"}},
		{0, "live/", []string{"three", "two", "one"}},
		{0, "nowhere", nil},
	} {
		log, err := branch.Log(t.Context(), test.n, test.path)
		if err != nil {
			t.Fatal(err)
		}
		var subjects []string
		for _, commit := range log {
			subjects = append(subjects, commit.Subject)
		}
		if diff := cmp.Diff(test.want, subjects); diff != "" {
			t.Errorf("%d of %q: %s", test.n, test.path, diff)
		}
	}
	log, err := branch.Log(t.Context(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	first := log[2]
	if first.Message != "one\n\nTenant: acme\n" || first.Committer.String() != "A b c <a@example.com>" || !first.Time.Equal(noon) {
		t.Errorf("the commit is %+v", first)
	}
}

func TestAuditRefusesPaths(t *testing.T) {
	t.Parallel()
	branch := openAudit(t, gitsource.AuditOptions{URL: newRepo(t).dir})
	for _, path := range []string{"", ".", "/a", "a/", "a//b", "../a", "a/../b", ".git/config", "a/.GIT/b", `a\b`, "a\x00b"} {
		_, err := branch.Commit(t.Context(), text(path, "x"), "no", noon)
		wantError(t, err, "no path", auditBranch)
	}
	_, err := branch.Commit(t.Context(), text("a", "x", "a/b", "y"), "no", noon)
	wantError(t, err, "a file and a folder")
	if got := contents(t, branch, ""); got != nil {
		t.Errorf("the branch holds %v", got)
	}
	record(t, branch, "a file", text("a", "x"))
	record(t, branch, "now a folder", text("a/b", "y"))
	record(t, branch, "and a file again", text("a", "z"))
	if diff := cmp.Diff([]string{"a=z"}, contents(t, branch, "")); diff != "" {
		t.Error(diff)
	}
}

func TestAuditBranchBelowAnother(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one")
	work.git("branch", "deskhand/audit")
	_, err := gitsource.OpenAudit(t.Context(), gitsource.AuditOptions{URL: work.dir, Branch: auditBranch})
	wantError(t, err, "there is a branch deskhand/audit", "another name")
}

func TestAuditSurvivesGitInBetween(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one")
	branch := openAudit(t, gitsource.AuditOptions{URL: work.dir})
	for i := range 4 {
		record(t, branch, "more", text(fmt.Sprintf("live/%d.json", i), "x"))
		work.git("gc", "--quiet", "--prune=now")
		work.git("pack-refs", "--all", "--prune")
	}
	if got := contents(t, branch, "live"); len(got) != 4 {
		t.Errorf("the branch holds %v", got)
	}
	work.git("fsck", "--strict", "--full")
}

// TestAuditLargeCommit covers commits that are stored as a pack.
func TestAuditLargeCommit(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	branch := openAudit(t, gitsource.AuditOptions{URL: work.dir})
	files := map[string][]byte{}
	for i := range 1000 {
		files[fmt.Sprintf("live/dsk-%d.json", i)] = fmt.Appendf(nil, "{\"n\": %d}\n", i/2)
	}
	record(t, branch, "created all", files)
	record(t, branch, "updated one", text("live/dsk-7.json", "{}"))
	work.git("fsck", "--strict", "--full")
	if got := contents(t, branch, "live"); len(got) != len(files) {
		t.Errorf("the branch holds %d files", len(got))
	}
	// A commit of one file costs its blob, the touched folders and itself.
	if got := work.git("rev-list", "--objects", "--count", auditBranch, "^"+auditBranch+"~1"); got != "4" {
		t.Errorf("a commit of one file made %s objects", got)
	}
}

func TestAuditWritersRace(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	const rounds = 10
	for range rounds {
		a, b := openAudit(t, gitsource.AuditOptions{URL: work.dir}), openAudit(t, gitsource.AuditOptions{URL: work.dir})
		results := make([]error, 2)
		var group sync.WaitGroup
		for i, branch := range []*gitsource.AuditBranch{a, b} {
			group.Go(func() {
				_, results[i] = branch.Commit(t.Context(), text(fmt.Sprintf("live/%d.json", i), "x"), "race", noon)
			})
		}
		group.Wait()
		moved := slices.IndexFunc(results, func(err error) bool { return errors.Is(err, deskhand.ErrMoved) })
		if moved < 0 || results[1-moved] != nil {
			t.Fatalf("not exactly one writer won: %v", results)
		}
		loser := []*gitsource.AuditBranch{a, b}[moved]
		if err := loser.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		record(t, loser, "after all", text("live/late.json", "x"))
	}
	if got := work.git("rev-list", "--count", auditBranch); got != fmt.Sprint(2*rounds) {
		t.Errorf("%s commits, not %d", got, 2*rounds)
	}
}

func TestAuditOutlivesAnAbandonedLock(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	branch := openAudit(t, gitsource.AuditOptions{URL: work.dir})
	record(t, branch, "one", text("a", "1"))
	lock := filepath.Join(work.dir, ".git", "refs", "heads", filepath.FromSlash(auditBranch)+".lock")
	if err := os.WriteFile(lock, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := branch.Commit(ctx, text("a", "2"), "two", noon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is not the context's", err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(lock, long, long); err != nil {
		t.Fatal(err)
	}
	record(t, branch, "two", text("a", "2"))
}
