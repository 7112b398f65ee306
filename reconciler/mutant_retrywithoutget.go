//go:build mutant_retrywithoutget

package reconciler

import "github.com/deskhand/deskhand"

// compareAgain is the mistake of taking the new ETag and none of what came with
// it. The model must catch it.
func (w *round) compareAgain(change deskhand.Change, live deskhand.Observed) (deskhand.Change, bool) {
	change.IfMatch = live.ETag
	return change, true
}
