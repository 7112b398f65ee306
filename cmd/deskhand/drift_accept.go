package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/reconciler"
)

// acceptance is the writing of live values into the definitions of one tenant.
type acceptance struct {
	tree   workTree
	root   string // of the tenant's definitions
	commit deskhand.Commit
	drifts []reconciler.Drift

	files map[string][]byte // what is to be written, by the path in the repository
	edits map[string]int    // how many values of each file change
	left  []string          // what cannot be accepted, and what to do instead
}

// acceptDrift writes the live values into the work tree. Nothing is written
// unless the definitions there are those that were compared.
func acceptDrift(ctx context.Context, env environment, config configs.Config, tree workTree, found driftSet) error {
	var accepted []*acceptance
	for i, tenant := range found.Tenants {
		one := &acceptance{
			tree: tree, root: sourcePath(config, config.Tenants[i]), commit: tenant.Commit, drifts: tenant.Desktops,
			files: map[string][]byte{}, edits: map[string]int{},
		}
		if err := one.prepare(ctx); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Tenant, err)
		}
		accepted = append(accepted, one)
	}
	isAll := true
	for _, one := range accepted {
		if err := one.write(env.stderr); err != nil {
			return err
		}
		isAll = isAll && len(one.left) == 0
	}
	if !isAll {
		return errChanges
	}
	return nil
}

func (a *acceptance) prepare(ctx context.Context) error {
	snapshot, err := a.tree.definitions(a.root, nil).load(ctx, manifest.NewLoader(manifest.Options{}))
	if err != nil {
		return err
	}
	desktops := map[string]deskhand.Desktop{}
	for _, desktop := range snapshot.Desktops {
		desktops[desktop.File] = desktop
	}
	for _, drift := range a.drifts {
		if drift.Accepted.IsZero() {
			a.left = append(a.left, unacceptable(drift))
			continue
		}
		desktop, exists := desktops[inside(a.root, drift.File)]
		if !exists || desktop.Definition != drift.Definition {
			return withHint(fmt.Errorf("%s in %s is not as in commit %s; nothing was written", drift.File, a.tree.dir, a.commit.Short()),
				"check that commit out, and commit or stash what is changed there")
		}
		if err := a.edit(desktop, drift); err != nil {
			return err
		}
	}
	return a.check(ctx)
}

// unacceptable says what to do about drift that no value of a definition can say.
func unacceptable(drift reconciler.Drift) string {
	name := drift.ConfigID
	switch drift.State {
	case deskhand.StateAbsent:
		return fmt.Sprintf("%s was deleted by hand: remove %s to agree, or have it made again by drift: revert", name, drift.File)
	case deskhand.StateOrphaned:
		return fmt.Sprintf("%s has no definition: write one with deskhand import %s, or delete it in CXone", name, name)
	default:
		return fmt.Sprintf("%s is refused by the policy as %s defines it: mend that first", name, drift.File)
	}
}

func (a *acceptance) edit(desktop deskhand.Desktop, drift reconciler.Drift) error {
	edits := manifest.Edits(desktop, drift.Accepted)
	before, err := a.tree.read(drift.File)
	if err != nil {
		return fmt.Errorf("read %s: %w", drift.File, err)
	}
	after, err := manifest.Apply(before, edits)
	switch {
	case errors.Is(err, manifest.ErrNotEditable):
		a.left = append(a.left, fmt.Sprintf("%s: %s", drift.ConfigID, err))
		return nil
	case err != nil:
		return err
	}
	a.files[drift.File], a.edits[drift.File] = after, len(edits)
	return nil
}

// check judges the definitions as they are to be, so that nobody commits what
// will not agree with CXone after all.
func (a *acceptance) check(ctx context.Context) error {
	snapshot, err := a.tree.definitions(a.root, a.files).load(ctx, manifest.NewLoader(manifest.Options{}))
	if err != nil {
		return err
	}
	review, err := judge(ctx, snapshot)
	if err != nil {
		return err
	}
	reviewed := map[string]deskhand.Reviewed{}
	for _, desktop := range review.Desktops {
		reviewed[desktop.File] = desktop
	}
	for _, drift := range a.drifts {
		if _, isWritten := a.files[drift.File]; !isWritten {
			continue
		}
		desktop, isReadable := reviewed[inside(a.root, drift.File)]
		switch {
		case !isReadable || desktop.Refused:
			delete(a.files, drift.File)
			a.left = append(a.left, fmt.Sprintf("%s: the policy refuses what people made of it: %s", drift.ConfigID, whyRefused(a.root, desktop, snapshot)))
		case desktop.Optimised != drift.Settled:
			a.left = append(a.left, drift.ConfigID+": deskhand optimises what people made of it, so the next plan will change CXone")
		}
	}
	return nil
}

func whyRefused(root string, desktop deskhand.Reviewed, snapshot deskhand.Snapshot) string {
	for _, finding := range slices.Concat(desktop.Findings, snapshot.Findings) {
		if finding.Severity == deskhand.SeverityError {
			finding.File = path.Join(root, finding.File)
			return finding.String()
		}
	}
	return fmt.Sprintf("its score is %d", desktop.Score)
}

func (a *acceptance) write(talk io.Writer) error {
	for _, file := range slices.Sorted(maps.Keys(a.files)) {
		if err := a.tree.write(file, a.files[file]); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		if _, err := fmt.Fprintf(talk, "accepted: %s (%d values); look at git diff, and commit\n", file, a.edits[file]); err != nil {
			return err
		}
	}
	for _, left := range a.left {
		if _, err := fmt.Fprintln(talk, "left: "+left); err != nil {
			return err
		}
	}
	return nil
}
