package ledger_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/go-git/go-git/v5"
	"github.com/google/go-cmp/cmp"
)

// A daemon with an empty disk starts where the last one stopped.
func TestAnEmptyDiskIsFilledFromGit(t *testing.T) {
	t.Parallel()
	repository := t.TempDir()
	if _, err := git.PlainInit(repository, true); err != nil {
		t.Fatal(err)
	}
	openBranch := func() *gitsource.AuditBranch {
		branch, err := gitsource.OpenAudit(t.Context(), gitsource.AuditOptions{
			URL: repository, Branch: "deskhand/audit/acme", Dir: t.TempDir(),
		})
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

	first, branch := open(t, t.TempDir()), openBranch()
	for i := range 5 {
		var settlements []deskhand.Settlement
		for desktop := range 20 {
			live := document(t, fmt.Sprintf(`{"n":%d}`, i))
			settlements = append(settlements, settled(fmt.Sprintf("dsk-%02d", desktop), live))
		}
		settle(t, first, settlements...)
	}
	flush(t, auditor(first, branch))
	log, err := branch.Log(t.Context(), 0, "live/dsk-07.json")
	if err != nil || len(log) != 5 {
		t.Errorf("got %d commits of one desktop, %v, want one for each of its 5 documents", len(log), err)
	}
	want, err := first.Managed(t.Context(), acme)
	if err != nil {
		t.Fatal(err)
	}

	second, reopened := open(t, t.TempDir()), openBranch()
	a := auditor(second, reopened)
	managed, head, err := a.Load(t.Context())
	if diff := cmp.Diff(want, managed, documentsByText); err != nil || diff != "" {
		t.Fatalf("load: %v\n%s", err, diff)
	}
	if err := second.Restore(t.Context(), acme, managed, head); err != nil {
		t.Fatal(err)
	}
	settle(t, second, settled("dsk-00", document(t, `{"n":6}`)))
	flush(t, a)
	got := verify(t, reopened, 101)
	if len(got.Forks) != 0 || len(got.Heads) != 1 {
		t.Errorf("got forks %v and heads %v, want one chain", got.Forks, got.Heads)
	}
	tip, err := reopened.Log(t.Context(), 1, "")
	if err != nil || !strings.Contains(tip[0].Message, "Record-Head: "+got.Heads[0]) {
		t.Errorf("got %+v, %v, want a tip that names the head", tip, err)
	}
}
