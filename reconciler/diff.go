package reconciler

import (
	"fmt"
	"slices"

	"github.com/deskhand/deskhand"
)

// Input is all that Diff looks at.
type Input struct {
	Tenant     deskhand.Tenant
	Commit     deskhand.Commit
	Review     deskhand.Review
	Unreadable []deskhand.Unreadable
	// Managed is what was agreed before, by configId.
	Managed map[string]deskhand.Managed
	// Live is what CXone was seen to hold in this pass, by configId. A managed
	// desktop that is not in it stands as it was when last seen; an unmanaged
	// one that is not in it could not be read, and is left out of the plan.
	Live map[string]deskhand.Observed
}

// Diff compares what git wants with what was agreed and what CXone holds, and
// says what is to be done. It is pure: equal inputs make equal plans.
func Diff(in Input, rules Rules) deskhand.Plan {
	plan := deskhand.Plan{
		Tenant: in.Tenant, Commit: in.Commit,
		Changes: []deskhand.Change{}, Reports: []deskhand.Change{}, Findings: findingsOf(in.Review),
	}
	add := func(change deskhand.Change) {
		if change.Op == deskhand.OpReport {
			plan.Reports = append(plan.Reports, change)
			return
		}
		plan.Changes = append(plan.Changes, change)
	}

	defined := make(map[string]bool, len(in.Review.Desktops))
	invalid := len(in.Unreadable)
	for i := range in.Review.Desktops {
		desired := &in.Review.Desktops[i] // most are as they were: not worth a copy each
		defined[desired.ConfigID] = true
		if desired.Refused {
			invalid++
		}
		known := in.Managed[desired.ConfigID]
		if in.isUntouched(desired, known) {
			continue
		}
		live, isKnown := in.standing(desired.ConfigID)
		if !isKnown && !desired.Refused {
			continue
		}
		if change, isNeeded := compare(*desired, known, live, rules); isNeeded {
			add(change)
		}
	}
	for _, unreadable := range in.Unreadable {
		add(refuseUnreadable(unreadable, in))
	}
	for _, change := range orphans(in, defined, rules) {
		add(change)
	}
	if invalid > 0 && rules.OnInvalid == InvalidHold {
		hold(&plan, invalid)
	}
	plan.Sort()
	return plan
}

// isUntouched reports whether nothing can have changed: git wants what was agreed,
// which was live, and nobody looked since.
func (in Input) isUntouched(desired *deskhand.Reviewed, known deskhand.Managed) bool {
	_, isSeen := in.Live[desired.ConfigID]
	return !isSeen && !desired.Refused && known.State == deskhand.StateInSync && known.Base == desired.Optimised
}

// standing is what CXone holds, or what it held when last seen.
func (in Input) standing(configID string) (deskhand.Observed, bool) {
	known, isManaged := in.Managed[configID]
	live, isSeen := in.Live[configID]
	switch {
	case isSeen && live.NotModified:
		return deskhand.Observed{Exists: true, ETag: known.ETag, Document: known.Live}, true
	case isSeen:
		return live, true
	case isManaged:
		return deskhand.Observed{Exists: known.ETag != "", ETag: known.ETag, Document: known.Live}, true
	default:
		return deskhand.Observed{}, false
	}
}

func findingsOf(review deskhand.Review) []deskhand.Finding {
	findings := append([]deskhand.Finding{}, review.Findings...)
	for _, desktop := range review.Desktops {
		findings = append(findings, desktop.Findings...)
	}
	return findings
}

func refuseUnreadable(unreadable deskhand.Unreadable, in Input) deskhand.Change {
	desktop := deskhand.Reviewed{Desktop: deskhand.Desktop{ConfigID: unreadable.ConfigID, File: unreadable.File}, Refused: true}
	for _, finding := range in.Review.Findings {
		if finding.File == unreadable.File {
			desktop.Findings = append(desktop.Findings, finding)
		}
	}
	live, _ := in.standing(unreadable.ConfigID)
	change, _ := compare(desktop, in.Managed[unreadable.ConfigID], live, Rules{})
	change.Why = "its definition cannot be read"
	return change
}

// orphans are the managed desktops that git no longer defines. A file that
// cannot be read defines an unknown desktop: what it may hold is no orphan.
func orphans(in Input, defined map[string]bool, rules Rules) []deskhand.Change {
	unreadableFiles := map[string]bool{}
	for _, unreadable := range in.Unreadable {
		defined[unreadable.ConfigID] = true
		unreadableFiles[unreadable.File] = true
	}
	var undefined []string
	managed := 0
	for configID, known := range in.Managed {
		if !isAgreed(known) {
			continue
		}
		managed++
		if !defined[configID] {
			undefined = append(undefined, configID)
		}
	}
	slices.Sort(undefined)
	var changes []deskhand.Change
	for _, configID := range undefined {
		known := in.Managed[configID]
		if unreadableFiles[known.File] {
			delete(unreadableFiles, known.File)
			continue
		}
		live, _ := in.standing(configID)
		changes = append(changes, compareOrphan(known, live))
	}
	keep := whyKept(in, changes, unreadableFiles, managed, rules)
	if keep == "" {
		return changes
	}
	for i, change := range changes {
		if change.Op == deskhand.OpDelete {
			changes[i] = report(change, deskhand.StateOrphaned, deskhand.EventOrphaned, keep)
		}
	}
	return changes
}

// isAgreed reports whether the desktop exists for CXone and git both, as opposed
// to one that was only ever refused.
func isAgreed(known deskhand.Managed) bool { return !known.Base.IsZero() }

// whyKept says why orphans are not deleted, or "" where they are.
func whyKept(in Input, orphans []deskhand.Change, unreadable map[string]bool, managed int, rules Rules) string {
	deletions := 0
	for _, change := range orphans {
		if change.Op == deskhand.OpDelete {
			deletions++
		}
	}
	limit := rules.Prune.limit(managed)
	switch {
	case rules.Prune.Policy != PruneDelete:
		return "git no longer defines it; prune: report leaves it in CXone"
	case len(in.Review.Desktops)+len(in.Unreadable) == 0:
		return "the commit leaves no desktop at all, so nothing is pruned"
	case hasUnknownID(in.Unreadable, unreadable):
		return "a definition that cannot be read may be this desktop; mend that file first"
	case deletions > limit && !rules.Force:
		return fmt.Sprintf("%d desktops would be deleted and the limit of one commit is %d; run apply --force if that is meant", deletions, limit)
	default:
		return ""
	}
}

func hasUnknownID(unreadable []deskhand.Unreadable, unmatched map[string]bool) bool {
	return slices.ContainsFunc(unreadable, func(u deskhand.Unreadable) bool {
		return u.ConfigID == "" && unmatched[u.File]
	})
}

// hold keeps everything back, because some desktop of the commit is refused.
func hold(plan *deskhand.Plan, invalid int) {
	for _, change := range plan.Changes {
		held := report(change, change.State, "", fmt.Sprintf("waits: %d definitions of this commit are refused (onInvalid: hold)", invalid))
		plan.Reports = append(plan.Reports, held)
	}
	plan.Changes = []deskhand.Change{}
}
