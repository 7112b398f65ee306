package ledger_test

import (
	"testing"

	"github.com/deskhand/deskhand/reconciler/ledger"
)

// Whatever somebody pushes to the branch is reported, and keeps nobody from
// writing.
func FuzzBranchContent(f *testing.F) {
	for _, seed := range []string{"", "{}\n", "null", "[1]\n{\n", `{"id":"x","prev":"x","changes":[{"path":"/a","before":1e999}]}`, "\xff\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		l, branch := open(t, t.TempDir()), &memoryBranch{}
		settle(t, l, settled("dsk-a", document(t, `{}`)))
		entries, err := l.Entries(t.Context(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		scribble := "records/" + entries[0].Record.Time.Format("2006/01/02") + "/0.jsonl"
		branch.commits = []memoryCommit{{files: map[string][]byte{scribble: content}}}
		a := auditor(l, branch)
		flush(t, a)
		if len(branch.commits) != 2 {
			t.Errorf("got %d commits, want the record on top of the scribble", len(branch.commits))
		}
		if _, _, err := a.Load(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := ledger.Verify(t.Context(), branch); err != nil {
			t.Error(err)
		}
	})
}
