//go:build !mutant_retrywithoutget

package reconciler

import "github.com/deskhand/deskhand"

// compareAgain is the change that is to be made now, after the one that was
// planned met another state. It reports false where none is needed.
func (w *round) compareAgain(change deskhand.Change, live deskhand.Observed) (deskhand.Change, bool) {
	known := w.knownOf(change.ConfigID)
	if change.Op == deskhand.OpDelete {
		return compareOrphan(known, live), true
	}
	desired, _ := w.desired(change.ConfigID)
	return compare(desired, known, live, w.rules)
}
