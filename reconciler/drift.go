package reconciler

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/deskhand/deskhand"
)

// Drift is how a desktop in CXone differs from what was last agreed, for reasons
// that did not come through git.
type Drift struct {
	ConfigID string        `json:"configId"`
	File     string        `json:"file"`
	Tier     deskhand.Tier `json:"tier"`
	// State is drifted, pending+drifted, conflict, absent (deleted by hand) or
	// orphaned (git no longer defines it).
	State  deskhand.State `json:"state"`
	Why    string         `json:"why"`
	ETag   deskhand.ETag  `json:"etag"`
	Commit string         `json:"commit"` // the SHA under which it was agreed
	// Edits lead from the agreed document to the live one. Each has the place in
	// git that sets the value.
	Edits []deskhand.Edit `json:"edits"`
	// Definition is what git says now. Accepted is the payload that it has to ask
	// for to agree with what people did; none where no edit of the definition can
	// say it. Settled is what is sent then, unless the optimiser has its own mind
	// about the values that people chose.
	Definition deskhand.Document `json:"-"`
	Accepted   deskhand.Document `json:"-"`
	Settled    deskhand.Document `json:"-"`
}

// The reasons of drift that a plan has no words for.
const (
	whyConflictOpen = "changed in CXone by hand, and in git too"
	whyOrphaned     = "git no longer defines it, and CXone still has it"
)

// Drift compares every managed desktop with what was last agreed, sorted by
// configId. Like Plan, it takes no lock and changes nothing.
func (r *Reconciler) Drift(ctx context.Context, pass Pass) ([]Drift, error) {
	pass.Full = true
	sight, err := r.survey(ctx, pass)
	if err != nil {
		return nil, err
	}
	for _, missed := range sight.missed {
		return nil, fmt.Errorf("read %s: %w", missed.Change.ConfigID, missed.err)
	}
	return driftOf(sight.Input), nil
}

func driftOf(in Input) []Drift {
	defined := map[string]deskhand.Reviewed{}
	for _, desired := range in.Review.Desktops {
		if _, isTwice := defined[desired.ConfigID]; !isTwice {
			defined[desired.ConfigID] = desired
		}
	}
	found := []Drift{}
	for _, configID := range slices.Sorted(maps.Keys(in.Managed)) {
		known := in.Managed[configID]
		if !isAgreed(known) {
			continue
		}
		desired, isDefined := defined[configID]
		isReadable := isDefined && !desired.Refused
		if !isReadable {
			desired.Optimised = known.Base // git says nothing that could be compared
		}
		live, _ := in.standing(configID)
		drift, isDrift := driftFrom(known, desired, live)
		switch {
		case isReadable && isDrift && live.Exists:
			drift.accept(known, desired, live)
		case !isDefined && live.Exists && !in.mayDefine(known):
			drift.State, drift.Why, isDrift = deskhand.StateOrphaned, whyOrphaned, true
		case !isDefined && !live.Exists:
			isDrift = false // gone from both
		}
		if isDrift {
			found = append(found, drift)
		}
	}
	return found
}

// mayDefine reports whether a definition that cannot be read is the desktop's.
func (in Input) mayDefine(known deskhand.Managed) bool {
	return slices.ContainsFunc(in.Unreadable, func(unreadable deskhand.Unreadable) bool {
		return unreadable.ConfigID == known.ConfigID || unreadable.File == known.File
	})
}

func driftFrom(known deskhand.Managed, desired deskhand.Reviewed, live deskhand.Observed) (Drift, bool) {
	drift := Drift{
		ConfigID: known.ConfigID, File: known.File, Tier: known.Tier,
		State: deskhand.StateDrifted, Why: whyDrift, ETag: live.ETag, Commit: known.Commit,
		Edits: []deskhand.Edit{},
	}
	if desired.File != "" {
		drift.File, drift.Tier = desired.File, desired.Tier
	}
	base := known.Base.Fields()
	if !live.Exists {
		drift.State, drift.Why = deskhand.StateAbsent, whyRecreated
		drift.Edits = append(drift.Edits, deskhand.Edit{
			Path: "", Before: base, Origin: deskhand.Position{File: drift.File}, Why: whyRecreated,
		})
		return drift, true
	}
	fields := live.Document.Fields()
	outcome := merge(base, desired.Optimised.Fields(), unechoed(known.Echo, fields), choices{})
	show := newEditor(desired, base, fields)
	for _, decided := range outcome.decisions {
		switch decided.kind {
		case decidedDrift:
			drift.Edits = append(drift.Edits, show.edit(decided.path, decided.base, decided.live, whyDrift))
		case decidedConflict:
			drift.Edits = append(drift.Edits, show.edit(decided.path, decided.base, decided.live, whyConflictOpen))
		}
	}
	switch {
	case outcome.has(decidedConflict):
		drift.State, drift.Why = deskhand.StateConflict, whyConflictOpen
	case outcome.has(decidedPending):
		drift.State = deskhand.StateDiverged
	}
	return drift, len(drift.Edits) > 0
}

// accept fills in what git has to say so that the values set by hand stay. The
// optimiser's own edits are no part of that: the definition keeps the values
// that they start from.
func (d *Drift) accept(known deskhand.Managed, desired deskhand.Reviewed, live deskhand.Observed) {
	optimised := desired.Optimised.Fields()
	byHand := merge(known.Base.Fields(), optimised, unechoed(known.Echo, live.Document.Fields()), choices{liveWins: true, leavesForeign: true})
	wanted := merge(optimised, byHand.fields, desired.Document.Fields(), choices{})
	settled, err := deskhand.NewDocument(byHand.fields)
	if err != nil {
		return // merged from documents, so it is one
	}
	accepted, err := deskhand.NewDocument(wanted.fields)
	if err != nil {
		return
	}
	d.Definition, d.Accepted, d.Settled = desired.Definition, accepted, settled
}
