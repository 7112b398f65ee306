package reconciler

import (
	"context"
	"fmt"

	"github.com/deskhand/deskhand"
)

// preserve makes sure that every value which the changes take away from somebody
// is in the audit branch before it is gone.
func (w *round) preserve(ctx context.Context, changes []deskhand.Change) error {
	var settlements []deskhand.Settlement
	overwrites := false
	for _, change := range changes {
		known := w.knownOf(change.ConfigID)
		if !change.Overwrites {
			// An echo was journalled with the write that it answered.
			overwrites = overwrites || known.Echo != (deskhand.Echo{})
			continue
		}
		overwrites = true
		if isOnRecord(known) && known.Live == change.Before {
			continue
		}
		if settlement := w.settlement(reported(found(change))); settlement.Record != nil {
			settlements = append(settlements, settlement)
		}
	}
	if !overwrites {
		return nil
	}
	if err := w.settle(ctx, settlements); err != nil {
		return err
	}
	if err := w.parts.Archive.Flush(ctx); err != nil {
		return fmt.Errorf("put the live values on record before they are overwritten: %w", err)
	}
	return nil
}

// found is the report of what a change is about to overwrite.
func found(change deskhand.Change) deskhand.Change {
	switch change.State {
	case deskhand.StateUnmanaged:
		return report(change, deskhand.StateUnmanaged, deskhand.EventAdopted, "met for the first time; git's values are to take over")
	case deskhand.StateConflict:
		return report(change, deskhand.StateConflict, deskhand.EventConflict, change.Why)
	default:
		return report(change, deskhand.StateDrifted, deskhand.EventDrifted, whyDrift)
	}
}
