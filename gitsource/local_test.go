package gitsource_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
)

func open(t *testing.T, options gitsource.Options) *gitsource.Repository {
	t.Helper()
	if options.Branch == "" {
		options.Branch = "main"
	}
	if options.Dir == "" {
		options.Dir = filepath.Join(t.TempDir(), "mirror")
	}
	repository, err := gitsource.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := repository.Close(); err != nil {
			t.Error(err)
		}
	})
	return repository
}

func head(t *testing.T, repository *gitsource.Repository) deskhand.Commit {
	t.Helper()
	commit, err := repository.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return commit
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q does not say %q", err, part)
		}
	}
}

func configIDs(snapshot deskhand.Snapshot) []string {
	var ids []string
	for _, desktop := range snapshot.Desktops {
		ids = append(ids, desktop.ConfigID)
	}
	return ids
}

func TestHeadDescribesTheCommit(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	sha := work.commit("Move\nthe banner\n\nBecause.")
	got := head(t, open(t, gitsource.Options{URL: work.dir}))
	if got.Time.IsZero() || got.Time.Location() != time.UTC {
		t.Errorf("the time is %v, not one in UTC", got.Time)
	}
	want := deskhand.Commit{
		SHA:       sha,
		Ref:       "main",
		Author:    deskhand.Person{Name: "Ada", Email: "ada@example.com"},
		Committer: deskhand.Person{Name: "Grace", Email: "grace@example.com"},
		Time:      got.Time,
		Subject:   "Move the banner",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOpenEveryKindOfLocalRepository(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	sha := work.commit("one", "desktops/standard/a.yaml", definition("dsk-a"))
	places := map[string]string{
		"work tree":     work.dir,
		"git directory": filepath.Join(work.dir, ".git"),
		"file URL":      "file://" + work.dir,
		"bare":          filepath.Join(t.TempDir(), "bare.git"),
		"linked":        filepath.Join(t.TempDir(), "linked"),
		"alternates":    filepath.Join(t.TempDir(), "shared"),
		"separate":      filepath.Join(t.TempDir(), "separate"),
	}
	work.git("clone", "--quiet", "--bare", work.dir, places["bare"])
	work.git("worktree", "add", "--quiet", "-b", "other", places["linked"])
	work.git("clone", "--quiet", "--shared", work.dir, places["alternates"])
	work.git("clone", "--quiet", "--separate-git-dir", filepath.Join(t.TempDir(), "dot.git"), work.dir, places["separate"])
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository := open(t, gitsource.Options{URL: place})
			commit := head(t, repository)
			if commit.SHA != sha {
				t.Errorf("the head is %s, not %s", commit.SHA, sha)
			}
			snapshot, err := repository.Tenant("acme", "desktops").Snapshot(t.Context(), commit)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"dsk-a"}, configIDs(snapshot)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	sha256 := &repo{t: t, dir: t.TempDir()}
	sha256.git("init", "--quiet", "--object-format=sha256")
	tests := map[string]struct {
		url, branch string
		want        []string
	}{
		"nothing":         {"", "main", []string{"no git repository is set"}},
		"no branch":       {empty, "", []string{"no branch is set"}},
		"bad branch":      {empty, "a..b", []string{`"a..b"`}},
		"missing folder":  {filepath.Join(empty, "nowhere"), "main", []string{"nowhere", "no such file"}},
		"plain folder":    {empty, "main", []string{empty, "no git repository", "git init"}},
		"sha256":          {sha256.dir, "main", []string{"sha256", "SHA-1"}},
		"ssh":             {"ssh://git@example.com/x.git", "main", []string{"ssh", "https", "local path"}},
		"short ssh":       {"git@example.com:x.git", "main", []string{"ssh", "https", "local path"}},
		"other scheme":    {"ftp://example.com/x.git", "main", []string{"ftp", "https"}},
		"without TLS":     {"http://example.com/x.git", "main", []string{"http://example.com/x.git", "https"}},
		"password in URL": {"https://bot:hunter2@example.com/x.git", "main", []string{"https://example.com/x.git", "password"}},
		"no host":         {"https:///x.git", "main", []string{"host"}},
		"unparsable":      {"https://bot:hunter2@exa mple.com/%zz", "main", []string{"does not parse"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := gitsource.Open(t.Context(), gitsource.Options{URL: test.url, Branch: test.branch, Dir: filepath.Join(empty, "mirror")})
			wantError(t, err, test.want...)
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

func TestHeadOfNothing(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	repository := open(t, gitsource.Options{URL: work.dir})
	_, err := repository.Head(t.Context())
	wantError(t, err, work.dir, "is empty", "main")
	if !errors.Is(err, deskhand.ErrNoCommit) {
		t.Errorf("%v is not ErrNoCommit", err)
	}

	work.git("checkout", "--quiet", "-b", "trunk")
	work.commit("one")
	work.git("branch", "release/2")
	_, err = repository.Head(t.Context())
	wantError(t, err, "no branch main", "release/2, trunk")
	if !errors.Is(err, deskhand.ErrNoCommit) {
		t.Errorf("%v is not ErrNoCommit", err)
	}
}

func TestHeadSeesWhatGitDoes(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one", "standard/a.yaml", definition("dsk-a"))
	repository := open(t, gitsource.Options{URL: work.dir})
	tree := repository.Tenant("acme", "")
	steps := map[string]func() string{
		"commit": func() string { return work.commit("two", "standard/b.yaml", definition("dsk-b")) },
		"gc":     func() string { work.git("gc", "--quiet", "--prune=now"); return work.git("rev-parse", "HEAD") },
		"repack": func() string {
			sha := work.commit("three", "standard/c.yaml", definition("dsk-c"))
			work.git("repack", "-a", "-d", "-q")
			return sha
		},
		"pack-refs":  func() string { work.git("pack-refs", "--all"); return work.git("rev-parse", "HEAD") },
		"force-push": func() string { work.git("reset", "--quiet", "--hard", "HEAD~1"); return work.commit("other") },
		"again":      func() string { work.git("gc", "--quiet", "--prune=now"); return work.commit("more") },
	}
	for _, name := range []string{"commit", "gc", "repack", "pack-refs", "force-push", "again"} {
		want := steps[name]()
		commit := head(t, repository)
		if commit.SHA != want {
			t.Errorf("after %s the head is %s, not %s", name, commit.SHA, want)
		}
		if _, err := tree.Snapshot(t.Context(), commit); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
		if _, err := repository.Tenant("fresh", "").Snapshot(t.Context(), commit); err != nil {
			t.Errorf("after %s, a fresh tree: %v", name, err)
		}
	}
}

func TestReadingWritesNothing(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	work.commit("one", "standard/a.yaml", definition("dsk-a"))
	files := func() (list []string) {
		err := filepath.WalkDir(work.dir, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				info, infoErr := entry.Info()
				list = append(list, path+" "+info.ModTime().String())
				return infoErr
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	before := files()
	repository := open(t, gitsource.Options{URL: work.dir})
	if _, err := repository.Tenant("acme", "").Snapshot(t.Context(), head(t, repository)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Error(diff)
	}
}

func TestCommitResolvesRevisions(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	first := work.commit("one")
	work.git("tag", "--annotate", "--message", "v1", "v1")
	second := work.commit("two")
	repository := open(t, gitsource.Options{URL: work.dir})
	for rev, want := range map[string]string{"HEAD": second, "HEAD~1": first, "main": second, "main^": first, "v1": first, first: first, first[:10]: first} {
		got, err := repository.Commit(t.Context(), rev)
		if err != nil {
			t.Errorf("%s: %v", rev, err)
		}
		if got.SHA != want {
			t.Errorf("%s is %s, not %s", rev, got.SHA, want)
		}
	}
	_, err := repository.Commit(t.Context(), "nowhere")
	wantError(t, err, `"nowhere"`, work.dir)
	if !errors.Is(err, deskhand.ErrNoCommit) {
		t.Errorf("%v is not ErrNoCommit", err)
	}
}

func TestWatchSeesEveryWayABranchMoves(t *testing.T) {
	t.Parallel()
	for _, branch := range []string{"main", "team/emea/live"} {
		t.Run(branch, func(t *testing.T) {
			t.Parallel()
			work := newRepo(t)
			work.commit("one")
			repository := open(t, gitsource.Options{URL: work.dir, Branch: branch})
			moved, err := repository.Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// The first makes a nested branch's folders, which packing removes again.
			for range 3 {
				work.commit("more")
				work.git("branch", "--quiet", "--force", "copy")
				if branch != "main" {
					work.git("update-ref", "refs/heads/"+branch, "HEAD")
				}
				await(t, repository, moved, work.git("rev-parse", branch))
				work.git("pack-refs", "--all", "--prune")
			}
			bare := &repo{t: t, dir: work.dir}
			bare.git("update-ref", "refs/heads/"+branch, "HEAD~1")
			await(t, repository, moved, work.git("rev-parse", branch))
		})
	}
}

// await reads the head at each signal until it is the wanted one.
func await(t *testing.T, repository *gitsource.Repository, moved <-chan struct{}, want string) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case <-moved:
			if commit, err := repository.Head(t.Context()); err == nil && commit.SHA == want {
				return
			}
		case <-deadline:
			t.Fatalf("the watch did not tell of %s", want)
		}
	}
}

// Not every writer renames a ref into place: go-git empties it first.
func TestHeadWaitsForARefThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	work := newRepo(t)
	sha := work.commit("one", "standard/a.yaml", definition("dsk-a"))
	repository := open(t, gitsource.Options{URL: work.dir})
	ref := filepath.Join(work.dir, ".git", "refs", "heads", "main")
	for range 5 {
		if err := os.Truncate(ref, 0); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		time.AfterFunc(5*time.Millisecond, func() { written <- os.WriteFile(ref, []byte(sha+"\n"), 0o600) })
		if got := head(t, repository); got.SHA != sha {
			t.Errorf("the head is %s, not %s", got.SHA, sha)
		}
		if err := <-written; err != nil {
			t.Fatal(err)
		}
	}
}
