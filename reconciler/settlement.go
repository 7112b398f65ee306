package reconciler

import (
	"cmp"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

// settlement says what an outcome leaves behind: a record, unless the same
// transition was told before, and where the desktop stands now. The zero
// Settlement is nothing at all.
func (w *round) settlement(result ended) deskhand.Settlement {
	known := w.knownOf(result.Change.ConfigID)
	next := w.standing(result, known)
	settled := deskhand.Settlement{IntentID: result.intentID}
	switch result.Kind {
	case deskhand.OutcomePending:
		return deskhand.Settlement{} // the intent stays open, to be settled by a look
	case deskhand.OutcomeSkipped:
		return settled
	case refreshedOnly:
		settled.Managed, settled.Forget = &next, result.Live == deskhand.Observed{}
		return settled
	case deskhand.OutcomeApplied, deskhand.OutcomeAdopted:
		settled.Forget = result.Change.After.IsZero()
	default:
		if result.Change.Event == "" {
			return settled
		}
		if isRepeated(known, next) {
			if next != known {
				settled.Managed = &next
			}
			return settled
		}
	}
	settled.Managed = &next
	record := w.newRecord(w.pass.Commit, w.pass.Trigger, result.Outcome)
	settled.Record = &record
	return settled
}

// standing is the desktop after the outcome.
func (w *round) standing(result ended, known deskhand.Managed) deskhand.Managed {
	change, next := result.Change, known
	next.ConfigID = change.ConfigID
	next.File, next.Tier = cmp.Or(change.File, known.File), cmp.Or(change.Tier, known.Tier)
	next.Error = ""
	switch result.Kind {
	case deskhand.OutcomeApplied, deskhand.OutcomeAdopted:
		next.Base, next.Live, next.ETag = change.Base, result.Live.Document, result.Live.ETag
		next.Commit = w.pass.Commit.SHA
		if result.Kind == deskhand.OutcomeApplied {
			next.Echo = result.echo
		}
		next.State, next.Reported = deskhand.StateInSync, ""
		if keepsDrift(change) {
			next.State = deskhand.StateDrifted
			next.Reported = transition(deskhand.StateDrifted, next.Commit, next.ETag)
		}
	case deskhand.OutcomeReported:
		next.Live, next.ETag = result.Live.Document, result.Live.ETag
		next.State, next.Error = change.State, firstError(change.Policy.Findings)
		next.Reported = w.transitionOf(change.State, change, known)
	case deskhand.OutcomeFailed:
		next.State, next.Error = deskhand.StateFailed, result.Error
		next.Reported = w.transitionOf(deskhand.StateFailed, change, known)
	case refreshedOnly:
		next.Live, next.ETag = result.Live.Document, result.Live.ETag
	}
	if next.State != known.State || known.Since.IsZero() {
		next.Since = time.Now().UTC()
	}
	return next
}

// firstError is what the status says of a refused desktop.
func firstError(findings []deskhand.Finding) string {
	for _, finding := range findings {
		if finding.Severity == deskhand.SeverityError {
			return finding.String()
		}
	}
	return ""
}

// keepsDrift reports whether values changed by hand are still there after the
// change.
func keepsDrift(change deskhand.Change) bool {
	if change.After.IsZero() || change.After == change.Base {
		return false
	}
	wanted := change.Base.Fields()
	return merge(wanted, wanted, change.After.Fields(), choices{}).has(decidedDrift)
}

// transitionOf is the key under which a transition is told once: the desktop's
// state, the commit that it stands for, and the live ETag; never a text.
func (w *round) transitionOf(state deskhand.State, change deskhand.Change, known deskhand.Managed) string {
	switch state {
	case deskhand.StateInSync:
		return ""
	case deskhand.StateRefused, deskhand.StateFailed:
		// What was refused or failed is the definition, whichever commit carries it.
		if desired, isDefined := w.desired(change.ConfigID); isDefined {
			return transition(state, desired.Fingerprint, change.IfMatch)
		}
		return transition(state, w.pass.Commit.SHA, change.IfMatch)
	default:
		if change.Why == whyLoop {
			return loopKey
		}
		return transition(state, known.Commit, change.IfMatch)
	}
}

func transition(state deskhand.State, commit string, etag deskhand.ETag) string {
	return strings.Join([]string{string(state), commit, string(etag)}, "|")
}

// isRepeated reports whether next tells nothing that known did not tell: the
// same transition, or the same drifted document under a new ETag.
func isRepeated(known, next deskhand.Managed) bool {
	if known.Reported != "" && known.Reported == next.Reported {
		return true
	}
	return isOnRecord(known) && known.State == deskhand.StateDrifted && next.State == deskhand.StateDrifted &&
		known.Live == next.Live && known.Commit == next.Commit
}

// isOnRecord reports whether the live document that is known was told as it
// stands, so that a record holds it.
func isOnRecord(known deskhand.Managed) bool {
	return known.Reported == transition(known.State, known.Commit, known.ETag)
}

func (r *Reconciler) newRecord(commit deskhand.Commit, trigger deskhand.Trigger, outcome deskhand.Outcome) deskhand.Record {
	change := outcome.Change
	record := deskhand.Record{
		Time:     time.Now().UTC(),
		Tenant:   r.tenant,
		ConfigID: change.ConfigID,
		File:     change.File,
		Tier:     change.Tier,
		Event:    change.Event,
		State:    change.State,
		Commit: deskhand.RecordCommit{
			SHA: commit.SHA, Ref: commit.Ref, Author: commit.Author.String(), Subject: commit.Subject,
		},
		Trigger: trigger,
		Request: outcome.Request,
		ETag:    deskhand.ETagChange{Before: change.IfMatch, After: outcome.Live.ETag},
		Changes: change.Edits,
		Drift:   change.Drift,
		Policy:  change.Policy,
		Outcome: outcome.Kind,
		Why:     change.Why,
		Error:   outcome.Error,
	}
	if record.Request.Statuses == nil {
		record.Request.Statuses = []int{}
	}
	if record.Changes == nil || outcome.Kind == deskhand.OutcomeReported {
		record.Changes = []deskhand.Edit{}
	}
	if outcome.Kind == deskhand.OutcomeFailed {
		record.Event = deskhand.EventFailed
	}
	return record
}
