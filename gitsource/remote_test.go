package gitsource_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
)

// published makes a repository with one commit on a forge.
func published(t *testing.T, forge *forge) (work, bare *repo, url string) {
	t.Helper()
	work = newRepo(t)
	work.commit("one", "standard/a.yaml", definition("dsk-a"))
	bare, url = forge.bare(t, "desktops.git")
	work.pushTo(bare, "main")
	return work, bare, url
}

func TestRemoteFetchesOnlyWhatMoved(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	work, bare, url := published(t, forge)
	var told int64
	options := gitsource.Options{
		URL: url, Dir: filepath.Join(t.TempDir(), "mirror"),
		Fetched: func(err error) {
			if told++; err != nil {
				t.Errorf("a fetch ended with %v", err)
			}
		},
	}
	repository := open(t, options)
	tree := repository.Tenant("acme", "")
	check := func(what string, listings, fetches int64) {
		t.Helper()
		commit := head(t, repository)
		if want := work.git("rev-parse", "HEAD"); commit.SHA != want {
			t.Errorf("after %s the head is %s, not %s", what, commit.SHA, want)
		}
		snapshot(t, tree, commit)
		if got := forge.listings.Swap(0); got != listings {
			t.Errorf("after %s: %d listings, not %d", what, got, listings)
		}
		if got := forge.fetches.Swap(0); got != fetches {
			t.Errorf("after %s: %d fetches, not %d", what, got, fetches)
		}
		if told != fetches {
			t.Errorf("after %s: %d fetches are told, not %d", what, told, fetches)
		}
		told = 0
	}
	check("the first push", 1, 1)
	check("nothing", 1, 0)
	first := work.commit("two", "standard/b.yaml", definition("dsk-b"))
	work.pushTo(bare, "main")
	check("a push", 1, 1)
	work.git("reset", "--quiet", "--hard", "HEAD~1")
	work.commit("other", "standard/c.yaml", definition("dsk-c"))
	work.pushTo(bare, "--force", "main")
	check("a force-push", 1, 1)
	bare.git("gc", "--quiet", "--prune=now")
	check("a gc", 1, 0)
	work.git("reset", "--quiet", "--hard", first)
	work.pushTo(bare, "--force", "main")
	check("a force-push back", 1, 0)

	again := open(t, options)
	head(t, again)
	if got := forge.fetches.Load(); got != 0 {
		t.Errorf("a second start fetched %d times", got)
	}
	for _, rev := range []string{"HEAD~1", "main~1", first + "~1"} {
		if _, err := again.Commit(t.Context(), rev); err != nil {
			t.Error(err)
		}
	}
}

func TestRemoteWithoutTheBranch(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	_, err := open(t, gitsource.Options{URL: url, Branch: "trunk"}).Head(t.Context())
	wantError(t, err, url, "no branch trunk", "main")
	if !errors.Is(err, deskhand.ErrNoCommit) {
		t.Errorf("%v is not ErrNoCommit", err)
	}
	_, url = forge.bare(t, "empty.git")
	_, err = open(t, gitsource.Options{URL: url}).Head(t.Context())
	wantError(t, err, url, "is empty")
	if !errors.Is(err, deskhand.ErrNoCommit) {
		t.Errorf("%v is not ErrNoCommit", err)
	}
}

func TestRemoteCredentials(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	forge.setPassword("s3cret")
	for name, test := range map[string]struct {
		auth gitsource.Auth
		want string
	}{
		"none":  {gitsource.Auth{}, "credentials were refused"},
		"wrong": {gitsource.Auth{Username: "bot", Password: constant("canary-4711")}, "credentials were refused"},
		"unreadable": {
			gitsource.Auth{Password: func(context.Context) (string, error) { return "", os.ErrNotExist }}, "read the password",
		},
	} {
		_, err := open(t, gitsource.Options{URL: url, Auth: test.auth}).Head(t.Context())
		wantError(t, err, url, test.want)
		if strings.Contains(err.Error(), "canary-4711") {
			t.Errorf("%s: the error holds the password: %v", name, err)
		}
	}

	password := "wrong"
	auth := gitsource.Auth{Username: "bot", Password: func(context.Context) (string, error) { return password, nil }}
	repository := open(t, gitsource.Options{URL: url, Auth: auth})
	if _, err := repository.Head(t.Context()); err == nil {
		t.Error("the wrong password is good enough")
	}
	password = "s3cret" // as after the file was replaced
	head(t, repository)
}

func constant(password string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return password, nil }
}

func TestRemoteOutOfReach(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	repository := open(t, gitsource.Options{URL: url})
	head(t, repository)
	forge.dead.Store(true)
	_, err := repository.Head(t.Context())
	wantError(t, err, url, "502")
	forge.dead.Store(false)
	head(t, repository)

	gone := httptest.NewServer(http.NotFoundHandler())
	_, err = open(t, gitsource.Options{URL: gone.URL + "/x.git"}).Head(t.Context())
	wantError(t, err, gone.URL, "no such repository")
	gone.Close()
	_, err = open(t, gitsource.Options{URL: gone.URL + "/x.git"}).Head(t.Context())
	wantError(t, err, gone.URL, "not reachable")
}

func TestRemoteHonoursTheContext(t *testing.T) {
	t.Parallel()
	for _, moment := range []string{"/info/refs", "/git-upload-pack"} {
		forge := newForge(t)
		_, _, url := published(t, forge)
		repository := open(t, gitsource.Options{URL: url})
		ctx, cancel := context.WithCancel(t.Context())
		forge.setMeddle(func(request *http.Request) {
			if strings.HasSuffix(request.URL.Path, moment) {
				cancel()
				_, _ = io.Copy(io.Discard, request.Body) // a server sees that its client left only after that
				<-request.Context().Done()
			}
		})
		if _, err := repository.Head(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("at %s: %v is not the context's", moment, err)
		}
		forge.setMeddle(nil)
		head(t, repository)
	}
}

func TestRemoteIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	work, bare, url := published(t, forge)
	repository := open(t, gitsource.Options{URL: url})
	var group sync.WaitGroup
	for _, tenant := range []deskhand.Tenant{"a", "b", "c"} {
		tree := repository.Tenant(tenant, "")
		group.Go(func() {
			for range 5 {
				commit, err := repository.Head(t.Context())
				if err == nil {
					_, err = tree.Snapshot(t.Context(), commit)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		work.commit("more", "standard/b.yaml", definition("dsk-b"))
		work.pushTo(bare, "main")
	}
	group.Wait()
}

func TestRemoteWithItsOwnAuthority(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	published(t, forge)
	secure := httptest.NewUnstartedServer(forge.Config.Handler)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	url := secure.URL + "/desktops.git"
	_, err := open(t, gitsource.Options{URL: url}).Head(t.Context())
	wantError(t, err, url, "CA file")

	caFile := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(caFile, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	head(t, open(t, gitsource.Options{URL: url, CAFile: caFile}))
	_, err = gitsource.Open(t.Context(), gitsource.Options{URL: url, Branch: "main", Dir: t.TempDir(), CAFile: filepath.Join(forge.root, "desktops.git", "HEAD")})
	wantError(t, err, "no PEM certificate")
}

func TestDamagedMirrorIsFetchedAnew(t *testing.T) {
	t.Parallel()
	damage := map[string]func(t *testing.T, dir string){
		"no packs": func(t *testing.T, dir string) { emptyFolder(t, filepath.Join(dir, "objects", "pack")) },
		"cut packs": func(t *testing.T, dir string) {
			packs, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
			if err != nil || len(packs) == 0 {
				t.Fatal("no packs", err)
			}
			for _, pack := range packs {
				if err := os.Chmod(pack, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Truncate(pack, 40); err != nil {
					t.Fatal(err)
				}
			}
		},
		"bad config": func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "config"), []byte("[core"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forge := newForge(t)
			work, _, url := published(t, forge)
			var told bytes.Buffer
			options := gitsource.Options{
				URL: url, Branch: "main", Dir: filepath.Join(t.TempDir(), "mirror"), Logger: zerolog.New(&told),
			}
			repository, err := gitsource.Open(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			head(t, repository)
			if err := repository.Close(); err != nil {
				t.Fatal(err)
			}
			do(t, options.Dir)
			repository = open(t, options)
			commit := head(t, repository)
			if want := work.git("rev-parse", "HEAD"); commit.SHA != want {
				t.Errorf("the head is %s, not %s", commit.SHA, want)
			}
			snapshot(t, repository.Tenant("acme", ""), commit)
			if !strings.Contains(told.String(), "anew") {
				t.Errorf("the log does not tell: %q", told.String())
			}
			if got := forge.fetches.Load(); got != 2 {
				t.Errorf("%d fetches, not 2", got)
			}
		})
	}
}

func emptyFolder(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestSnapshotRepairsTheMirrorBelowIt(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	dir := filepath.Join(t.TempDir(), "mirror")
	commit := head(t, open(t, gitsource.Options{URL: url, Dir: dir}))
	repository := open(t, gitsource.Options{URL: url, Dir: dir})
	emptyFolder(t, filepath.Join(dir, "objects", "pack"))
	snapshot(t, repository.Tenant("acme", ""), commit)
}

func TestMirrorSparesOtherFiles(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := gitsource.Open(t.Context(), gitsource.Options{URL: url, Branch: "main", Dir: dir})
	wantError(t, err, dir, "other files")
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestMirrorOfAnotherRepositoryIsReplaced(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, _, url := published(t, forge)
	dir := filepath.Join(t.TempDir(), "mirror")
	head(t, open(t, gitsource.Options{URL: url, Dir: dir}))
	other := newRepo(t)
	sha := other.commit("other")
	bare, url := forge.bare(t, "other.git")
	other.pushTo(bare, "main")
	if got := head(t, open(t, gitsource.Options{URL: url, Dir: dir})); got.SHA != sha {
		t.Errorf("the head is %s, not %s", got.SHA, sha)
	}
}

func TestMirrorKeepsFewPacks(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	work, bare, url := published(t, forge)
	dir := filepath.Join(t.TempDir(), "mirror")
	repository := open(t, gitsource.Options{URL: url, Dir: dir})
	head(t, repository)
	const limit = 50
	packs := func() int {
		found, err := filepath.Glob(filepath.Join(dir, "objects", "pack", "*.pack"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	mirror := &repo{t: t, dir: dir}
	mirror.git("-c", "alias.many=!for i in $(seq 48); do echo $i | git hash-object -w --stdin | git pack-objects -q objects/pack/pack; done", "many")
	for range 3 {
		work.commit("more")
		work.pushTo(bare, "main")
		if commit := head(t, repository); commit.Subject != "more" {
			t.Fatal(commit)
		}
		if got := packs(); got > limit {
			t.Fatalf("%d packs", got)
		}
	}
	if got := packs(); got > 2 {
		t.Errorf("%d packs after they were joined", got)
	}
}
