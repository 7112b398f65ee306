package reconciler

import (
	"cmp"

	"github.com/deskhand/deskhand"
)

// compare is the table of DESIGN section 4 for one desktop that git defines. It
// returns false where there is nothing to do and nothing to tell.
//
// known is the zero Managed before the first agreement. live is what CXone
// holds, or what it held when last seen.
func compare(desired deskhand.Reviewed, known deskhand.Managed, live deskhand.Observed, rules Rules) (deskhand.Change, bool) {
	change := deskhand.Change{
		ConfigID: cmp.Or(desired.ConfigID, desired.File),
		File:     desired.File,
		Tier:     desired.Tier,
		IfMatch:  live.ETag,
		Before:   live.Document,
		Base:     desired.Optimised,
		Edits:    []deskhand.Edit{},
		Policy:   policyOf(desired),
	}
	switch {
	case desired.Refused:
		return refuse(change), true
	case !live.Exists:
		return compareAbsent(change, desired, known, rules)
	case known.Base.IsZero():
		return compareUnmanaged(change, desired, rules)
	default:
		return compareManaged(change, desired, known, rules)
	}
}

func refuse(change deskhand.Change) deskhand.Change {
	return report(change, deskhand.StateRefused, deskhand.EventRejected, "refused by the policy")
}

// report makes the change one that tells and leaves CXone as it is.
func report(change deskhand.Change, state deskhand.State, event deskhand.EventType, why string) deskhand.Change {
	change.Op, change.State, change.Event, change.Why = deskhand.OpReport, state, event, why
	change.After, change.Overwrites = change.Before, false
	return change
}

func compareAbsent(change deskhand.Change, desired deskhand.Reviewed, known deskhand.Managed, rules Rules) (deskhand.Change, bool) {
	change.State, change.Event = deskhand.StateAbsent, deskhand.EventCreated
	change.Why = "CXone holds nothing under this id"
	why := ""
	change.IfMatch, change.Before = "", deskhand.Document{}
	if !known.Base.IsZero() {
		change.Drift = []deskhand.Edit{{Path: "", Before: known.Base.Fields(), Why: whyRecreated}}
		gitChanged := known.Base != desired.Optimised
		switch {
		case gitChanged && rules.Conflict == ConflictHold:
			return report(change, deskhand.StateConflict, deskhand.EventConflict,
				"deleted in CXone by hand while git changed it; decide, then merge or restore"), true
		case !gitChanged && rules.Drift == DriftReport:
			return report(change, deskhand.StateAbsent, deskhand.EventDrifted, whyRecreated), true
		case !gitChanged:
			change.Event = deskhand.EventReverted
		}
		change.Why = whyRecreated
		why = whyRecreated
	}
	change.Op, change.After = deskhand.OpCreate, desired.Optimised
	change.Edits = newEditor(desired, nil, desired.Optimised.Fields()).created(why)
	return change, true
}

func compareUnmanaged(change deskhand.Change, desired deskhand.Reviewed, rules Rules) (deskhand.Change, bool) {
	outcome := merge(nil, desired.Optimised.Fields(), change.Before.Fields(), choices{takeover: true})
	change.State = deskhand.StateUnmanaged
	if len(outcome.decisions) == 0 {
		return adopt(change, whyAdopted), true
	}
	if change = write(change, desired, outcome, rules); change.Op == "" {
		return change, false
	}
	change.Event, change.Overwrites = deskhand.EventUpdated, true
	change.Why = "first contact with a configuration that exists: git's values take over"
	if !rules.Adopt {
		return report(change, deskhand.StateUnmanaged, deskhand.EventConflict,
			"exists in CXone and is not managed; set adopt: true to let git's values take over"), true
	}
	return change, true
}

func compareManaged(change deskhand.Change, desired deskhand.Reviewed, known deskhand.Managed, rules Rules) (deskhand.Change, bool) {
	if known.Base == desired.Optimised && known.Live == change.Before && known.State == deskhand.StateInSync {
		return change, false
	}
	revert := rules.Drift == DriftRevert
	outcome := merge(known.Base.Fields(), desired.Optimised.Fields(), unechoed(known.Echo, change.Before.Fields()), choices{revertDrift: revert})
	pending := outcome.has(decidedPending)
	drifted := outcome.has(decidedDrift)
	conflict := outcome.has(decidedConflict)

	change = write(change, desired, outcome, rules)
	change.Overwrites = conflict || drifted && revert || outcome.takesAway
	switch {
	case conflict && rules.Conflict == ConflictHold:
		return report(change, deskhand.StateConflict, deskhand.EventConflict,
			"git and a hand in CXone changed the same value; decide, then merge or undo one"), true
	case conflict:
		change.State, change.Event = deskhand.StateConflict, deskhand.EventUpdated
		change.Why = "git and a hand in CXone changed the same value; git wins, the other is on record"
	case pending && drifted:
		change.State, change.Event = deskhand.StateDiverged, deskhand.EventUpdated
		change.Why = "changed in git, and elsewhere by hand"
	case pending:
		change.State, change.Event, change.Why = deskhand.StatePending, deskhand.EventUpdated, whyGit
	case drifted && revert:
		change.State, change.Event, change.Why = deskhand.StateDrifted, deskhand.EventReverted, whyReverted
	case drifted:
		return report(change, deskhand.StateDrifted, deskhand.EventDrifted, whyDrift), true
	case known.Base != desired.Optimised:
		change.State = deskhand.StateConverged
		return adopt(change, whyAdopted), true
	case isTold(known.State):
		return report(change, deskhand.StateInSync, deskhand.EventResolved, "back in sync"), true
	default:
		return change, false
	}
	return change, true
}

// isTold reports whether leaving the state is worth an event, since entering it
// was one.
func isTold(state deskhand.State) bool {
	switch state {
	case deskhand.StateDrifted, deskhand.StateConflict, deskhand.StateOrphaned, deskhand.StateAbsent,
		deskhand.StateRefused, deskhand.StateFailed:
		return true
	default:
		return false
	}
}

func adopt(change deskhand.Change, why string) deskhand.Change {
	change.Op, change.Event, change.Why = deskhand.OpAdopt, deskhand.EventAdopted, why
	change.After = change.Before
	return change
}

// write fills in the update that the merge asks for.
func write(change deskhand.Change, desired deskhand.Reviewed, outcome merged, rules Rules) deskhand.Change {
	after, err := deskhand.NewDocument(outcome.fields)
	if err != nil {
		return change // merged from documents, so it is one
	}
	show := newEditor(desired, change.Before.Fields(), after.Fields())
	change.Op, change.After = deskhand.OpUpdate, after
	change.Edits = append(change.Edits, show.writes(outcome.decisions, rules.Drift == DriftRevert)...)
	change.Drift = show.drift(outcome.decisions)
	return change
}

// compareOrphan is the row of a desktop that git no longer defines.
func compareOrphan(known deskhand.Managed, live deskhand.Observed) deskhand.Change {
	change := deskhand.Change{
		ConfigID: known.ConfigID, File: known.File, Tier: known.Tier,
		State:   deskhand.StateOrphaned,
		IfMatch: live.ETag, Before: live.Document, Edits: []deskhand.Edit{},
	}
	if !live.Exists {
		change.Op, change.Event = deskhand.OpAdopt, deskhand.EventResolved
		change.Why = "gone from git and from CXone"
		return change
	}
	change.Op, change.Event, change.Why = deskhand.OpDelete, deskhand.EventDeleted, "git no longer defines it"
	change.Overwrites = live.Document != known.Base
	change.Edits = []deskhand.Edit{{Path: "", Before: live.Document.Fields(), Why: "removed from git"}}
	return change
}

func policyOf(desired deskhand.Reviewed) deskhand.PolicyResult {
	findings, passed := desired.Findings, desired.ChecksPassed
	if findings == nil {
		findings = []deskhand.Finding{}
	}
	if passed == nil {
		passed = []string{}
	}
	return deskhand.PolicyResult{Score: desired.Score, Findings: findings, ChecksPassed: passed}
}
