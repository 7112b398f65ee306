package gitsource_test

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
)

func TestAuditPushLosesARace(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	bare, url := forge.bare(t, "audit.git")
	a, b := openAudit(t, gitsource.AuditOptions{URL: url}), openAudit(t, gitsource.AuditOptions{URL: url})
	record(t, a, "from a", text("a", "1"))
	record(t, b, "from b", text("b", "1"))
	if err := a.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.Sync(t.Context()); !errors.Is(err, deskhand.ErrMoved) {
		t.Fatalf("%v is not ErrMoved", err)
	}
	if err := b.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	record(t, b, "from b again", text("b", "1"))
	// Another writer comes in between the listing and the push.
	tree := bare.git("rev-parse", auditBranch+"^{tree}")
	var once sync.Once
	forge.setMeddle(func(request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/git-receive-pack") {
			once.Do(func() {
				other := bare.git("commit-tree", "-p", auditBranch, "-m", "in between", tree)
				bare.git("update-ref", "refs/heads/"+auditBranch, other)
			})
		}
	})
	if err := b.Sync(t.Context()); !errors.Is(err, deskhand.ErrMoved) {
		t.Fatalf("%v is not ErrMoved", err)
	}
	if err := b.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := record(t, b, "from b at last", text("b", "1"))
	if err := b.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := bare.git("rev-parse", auditBranch); got != last {
		t.Errorf("the branch is at %s, not %s", got, last)
	}
	if diff := cmp.Diff("from b at last\nin between\nfrom a", bare.git("log", "--format=%s", auditBranch)); diff != "" {
		t.Error(diff)
	}
	bare.git("fsck", "--strict", "--full")
}

func TestAuditSyncPushesOnlyWhatIsNew(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	bare, url := forge.bare(t, "audit.git")
	options := gitsource.AuditOptions{URL: url, Dir: filepath.Join(t.TempDir(), "audit")}
	branch := openAudit(t, options)
	for i := range 3 {
		record(t, branch, "more", text(fmt.Sprintf("live/%d.json", i), "x"))
		for range 2 {
			if err := branch.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := forge.pushes.Load(); got != 3 {
		t.Errorf("%d pushes, not 3", got)
	}
	bare.git("fsck", "--strict", "--full")

	// The server is away: commits go on, and are pushed when it is back.
	forge.dead.Store(true)
	last := record(t, branch, "offline", text("live/9.json", "x"))
	wantError(t, branch.Sync(t.Context()), url, "502")
	again := openAudit(t, options)
	if got := contents(t, again, "live"); len(got) != 4 {
		t.Errorf("the branch holds %v", got)
	}
	forge.dead.Store(false)
	if err := again.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := bare.git("rev-parse", auditBranch); got != last {
		t.Errorf("the branch is at %s, not %s", got, last)
	}
}

func TestAuditOpenOutOfReach(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, url := forge.bare(t, "audit.git")
	forge.dead.Store(true)
	_, err := gitsource.OpenAudit(t.Context(), gitsource.AuditOptions{URL: url, Branch: auditBranch, Dir: filepath.Join(t.TempDir(), "audit")})
	wantError(t, err, url, auditBranch, "502")
	forge.dead.Store(false)
	forge.setPassword("s3cret")
	auth := gitsource.Auth{Password: constant("canary-4711")}
	_, err = gitsource.OpenAudit(t.Context(), gitsource.AuditOptions{URL: url, Branch: auditBranch, Dir: filepath.Join(t.TempDir(), "audit"), Auth: auth})
	wantError(t, err, url, "credentials were refused")
	if strings.Contains(err.Error(), "canary-4711") {
		t.Errorf("the error holds the password: %v", err)
	}
}

func TestAuditTakesUpWhatAnotherPushed(t *testing.T) {
	t.Parallel()
	forge := newForge(t)
	_, url := forge.bare(t, "audit.git")
	options := gitsource.AuditOptions{URL: url, Dir: filepath.Join(t.TempDir(), "audit")}
	record(t, openAudit(t, options), "one", text("a", "1"))
	branch := openAudit(t, options)
	if err := branch.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := openAudit(t, gitsource.AuditOptions{URL: url})
	record(t, other, "two", text("a", "2"))
	if err := other.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a=2"}, contents(t, openAudit(t, options), "")); diff != "" {
		t.Error(diff)
	}
}
