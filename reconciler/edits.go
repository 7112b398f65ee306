package reconciler

import (
	"maps"
	"slices"

	"github.com/deskhand/deskhand"
)

// The reasons that edits and changes give, where the optimiser gives none of its own.
const (
	whyGit       = "changed in git"
	whyReverted  = "drift reverted"
	whyConflict  = "conflict: git wins"
	whyTakeover  = "takeover: first contact"
	whyRecreated = "deleted in CXone by hand"
	whyDrift     = "changed in CXone by hand"
	whyAdopted   = "CXone already holds what git wants"
)

// editor turns decisions into edits that people can read: with JSON Pointers
// into real documents, and the place in git that set the value.
type editor struct {
	desired deskhand.Reviewed
	wanted  map[string]any // what desired asks for
	before  map[string]any
	after   map[string]any
}

func newEditor(desired deskhand.Reviewed, before, after map[string]any) editor {
	return editor{desired: desired, wanted: desired.Optimised.Fields(), before: before, after: after}
}

// writes are the edits that a write makes, from before to after.
func (e editor) writes(decisions []decision, revertDrift bool) []deskhand.Edit {
	var edits []deskhand.Edit
	for _, decided := range decisions {
		var why string
		switch decided.kind {
		case decidedPending:
			why = whyGit
		case decidedConflict:
			why = whyConflict
		case decidedTakeover:
			why = whyTakeover
		case decidedDrift:
			if !revertDrift {
				continue
			}
			why = whyReverted
		default:
			continue
		}
		edits = append(edits, e.edit(decided.path, decided.live, decided.desired, why))
	}
	return edits
}

// drift are the values changed by hand, from the agreed document to the live one.
func (e editor) drift(decisions []decision) []deskhand.Edit {
	live := editor{desired: e.desired, wanted: e.wanted, before: e.before, after: e.before}
	var edits []deskhand.Edit
	for _, decided := range decisions {
		if decided.kind != decidedDrift && decided.kind != decidedConflict {
			continue
		}
		edits = append(edits, live.edit(decided.path, decided.base, decided.live, whyDrift))
	}
	return edits
}

func (e editor) edit(path []string, before, after any, why string) deskhand.Edit {
	pointer := pointerTo(path, e.after)
	if after == absent {
		pointer = pointerTo(path, e.before)
	}
	edit := deskhand.Edit{Path: pointer, Before: orNil(before), After: orNil(after), Why: why}
	edit.Origin = e.desired.Origin(pointerTo(path, e.wanted))
	if why == whyGit {
		for _, optimised := range e.desired.Edits {
			if optimised.Path == pointer {
				edit.Why = optimised.Why
			}
		}
	}
	return edit
}

// created are the edits of a configuration that is made from nothing: its
// values, objects taken apart and array entries whole.
func (e editor) created(why string) []deskhand.Edit {
	var edits []deskhand.Edit
	var walk func(path []string, value any)
	walk = func(path []string, value any) {
		key, isKeyed := keyOf(path)
		switch value := value.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				walk(append(slices.Clone(path), name), value[name])
			}
			return
		case []any:
			if isKeyed && mergeableEntries(key, absent, value, value) {
				for _, name := range keyed(key, value).order {
					edits = append(edits, e.edit(append(slices.Clone(path), name), absent, keyed(key, value).at(name), why))
				}
				return
			}
		}
		edits = append(edits, e.edit(path, absent, value, why))
	}
	walk(nil, e.after)
	return edits
}

// pointerTo spells a path with the indexes that keyed entries have in document.
func pointerTo(path []string, document map[string]any) deskhand.Pointer {
	var pointer deskhand.Pointer
	var value any = document
	for i, token := range path {
		if array, isArray := value.([]any); isArray {
			key, _ := keyOf(path[:i])
			index := slices.IndexFunc(array, func(element any) bool { return members(element)[key] == token })
			if index < 0 {
				return pointer
			}
			pointer, value = pointer.Index(index), array[index]
			continue
		}
		pointer, value = pointer.Child(token), members(value)[token]
	}
	return pointer
}

func orNil(value any) any {
	if value == absent {
		return nil
	}
	return value
}
