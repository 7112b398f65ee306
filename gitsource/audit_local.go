package gitsource

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// openLocal opens the branch in a repository of this machine, where Commit writes
// into the object store and moves the ref; no work tree is touched.
func (b *AuditBranch) openLocal(ctx context.Context) error {
	store, err := openStore(b.place.gitDir)
	if err != nil {
		return err
	}
	b.store = store
	if err := b.checkName(ctx); err != nil {
		return err
	}
	b.tip, err = b.store.ref(ctx, b.ref())
	return err
}

// checkName refuses a name that git cannot keep beside the branches there are: a
// branch is a file, and another below it would need a folder of that name.
func (b *AuditBranch) checkName(ctx context.Context) error {
	branches, err := b.store.branches(ctx)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(branches, b.collides); i >= 0 {
		return fmt.Errorf("there is a branch %s, so there cannot be a branch %s; choose another name for the audit branch", branches[i], b.branch)
	}
	return nil
}

func (b *AuditBranch) collides(other string) bool {
	return strings.HasPrefix(b.branch, other+"/") || strings.HasPrefix(other, b.branch+"/")
}
