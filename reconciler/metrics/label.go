package metrics

import (
	"strings"

	"github.com/deskhand/deskhand"
)

func result(err error) string {
	if err != nil {
		return ResultError
	}
	return ResultOK
}

// word is the last word of an event's type: created for
// cxone.desktop.config.created.
func word(event deskhand.EventType) string {
	return string(event)[strings.LastIndexByte(string(event), '.')+1:]
}

// states are those that a desktop can be in; each has a series from the start,
// so that an alert on one does not wait for its first case.
func states() []deskhand.State {
	return []deskhand.State{
		deskhand.StateInSync, deskhand.StatePending, deskhand.StateDrifted, deskhand.StateDiverged,
		deskhand.StateConflict, deskhand.StateConverged, deskhand.StateUnmanaged, deskhand.StateAbsent,
		deskhand.StateOrphaned, deskhand.StateRefused, deskhand.StateFailed,
	}
}
