package reconciler

import (
	"context"
	"fmt"
	"slices"

	"github.com/deskhand/deskhand"
)

// settleOpen closes the intents that a crash, or a lost answer, left open: each
// by a look at what CXone holds. A write that happened gets the one record that
// it is owed; one that did not is forgotten, and planned anew.
func (r *Reconciler) settleOpen(ctx context.Context) error {
	intents, err := r.parts.Journal.Intents(ctx, r.tenant)
	if err != nil || len(intents) == 0 {
		return err
	}
	if _, err := r.managed(ctx); err != nil {
		return err
	}
	settlements := make([]deskhand.Settlement, 0, len(intents))
	for _, intent := range intents {
		live, request, err := r.parts.Platform.Get(ctx, intent.RequestID, intent.Change.ConfigID, "")
		if err != nil {
			return fmt.Errorf("%s: %w", intent.Change.ConfigID, err)
		}
		if !wasApplied(intent.Change, live) {
			settlements = append(settlements, deskhand.Settlement{IntentID: intent.ID})
			continue
		}
		request.ID = intent.RequestID
		carriedOut := &round{
			Reconciler: r, rules: r.rules,
			pass: Pass{Commit: intent.Commit, Trigger: intent.Trigger},
		}
		settlements = append(settlements, carriedOut.settlement(ended{
			intentID: intent.ID,
			Outcome: deskhand.Outcome{
				Kind: deskhand.OutcomeApplied, Change: intent.Change, Live: asWritten(intent.Change, live), Request: request,
			},
		}))
		r.log.Info().Str("configId", intent.Change.ConfigID).Str("requestId", intent.RequestID).
			Msg("a write without a record was found in CXone and is on record now")
	}
	return r.settle(ctx, settlements)
}

// wasApplied tells from what CXone holds whether a write happened. Where somebody
// changed the configuration since, the values that the write set tell.
func wasApplied(change deskhand.Change, live deskhand.Observed) bool {
	switch {
	case change.Op == deskhand.OpDelete:
		return !live.Exists
	case !live.Exists:
		return false
	case change.Op == deskhand.OpUpdate && live.ETag == change.IfMatch:
		return false
	}
	// From what was there to what was sent: a value that is still as it was says
	// that the write did not happen, one that is as it was sent that it did.
	outcome := merge(change.Before.Fields(), change.After.Fields(), live.Document.Fields(), choices{})
	// Where somebody changed others since, a value that is gone says nothing: the
	// configuration may have been made anew.
	isSet := slices.ContainsFunc(outcome.decisions, func(d decision) bool { return d.kind == decidedConverged && d.live != absent })
	return !outcome.has(decidedPending) && (isSet || !outcome.has(decidedConflict))
}

// asWritten is the desktop right after a write that was found to be applied. What
// somebody changed since is left for the next look to find: the desktop is
// remembered as it was written, under no ETag, since that one was never seen.
func asWritten(change deskhand.Change, live deskhand.Observed) deskhand.Observed {
	if change.Op == deskhand.OpDelete {
		return live
	}
	since := merge(change.After.Fields(), change.After.Fields(), live.Document.Fields(), choices{})
	if len(since.decisions) == 0 {
		return live
	}
	return deskhand.Observed{Exists: true, Document: change.After}
}
