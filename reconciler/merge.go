package reconciler

import (
	"maps"
	"reflect"
	"slices"
)

// merge is the three-way comparison of one desktop's values, DESIGN section 4:
// what git changed since the last agreement meets what people changed in CXone
// since then. It is pure; the result shares values with its inputs.
//
// Objects are merged by member. The entries of keyed arrays are merged by their
// key. Other arrays and scalars are atomic. A member of a live object that
// neither base nor desired names is carried through and is no difference.
func merge(base, desired, live map[string]any, choice choices) merged {
	m := merger{choices: choice}
	var baseValue any = absent
	if base != nil {
		baseValue = base
	}
	result := m.object(nil, baseValue, desired, live)
	fields, isObject := result.(map[string]any)
	if !isObject {
		fields = map[string]any{}
	}
	return merged{fields: fields, decisions: m.decisions, takesAway: m.takesAway}
}

// choices are the rules that bear on a merge.
type choices struct {
	revertDrift   bool
	takeover      bool // first contact: there is no base, and desired wins
	liveWins      bool // a value that both sides changed stays as it is live
	leavesForeign bool // what neither base nor desired names is left out of the result
}

// merged is the outcome of a merge: what to send, and why it differs from what
// was there.
type merged struct {
	fields    map[string]any
	decisions []decision
	// takesAway means that members which CXone has and git never named go with the
	// entry that they belong to.
	takesAway bool
}

// has reports whether any decision is of one of the kinds.
func (m merged) has(kinds ...decisionKind) bool {
	return slices.ContainsFunc(m.decisions, func(d decision) bool { return slices.Contains(kinds, d.kind) })
}

// decision is one value on which base, desired and live did not all agree.
type decision struct {
	kind decisionKind
	// path names object members by name and entries of keyed arrays by key.
	path                []string
	base, desired, live any // absent where there is none
}

type decisionKind int

const (
	decidedPending   decisionKind = iota + 1 // git changed it
	decidedDrift                             // CXone was changed by hand
	decidedConflict                          // both changed it, differently
	decidedConverged                         // both changed it to the same
	decidedTakeover                          // first contact, and the values differ
)

// missing is the type of absent: the value of a member that is not there, as
// opposed to one that is null.
type missing int

const absent missing = 0

// keyOf names the member that identifies the entries of the arrays in which
// different people's entries are merged.
func keyOf(path []string) (string, bool) {
	if len(path) != 1 {
		return "", false
	}
	switch path[0] {
	case "shortcuts":
		return "label", true
	case "complianceBanners":
		return "title", true
	default:
		return "", false
	}
}

type merger struct {
	choices

	decisions []decision
	takesAway bool
}

func (m *merger) value(path []string, base, desired, live any) any {
	if key, isKeyed := keyOf(path); isKeyed && mergeableEntries(key, base, desired, live) {
		return m.entries(path, key, base, desired, live)
	}
	if isObject(live) && (isObject(desired) || isObject(base)) && isObjectOrAbsent(desired) && isObjectOrAbsent(base) {
		return m.object(path, base, desired, live)
	}
	return m.atom(path, base, desired, live)
}

// atom decides about a value as a whole.
func (m *merger) atom(path []string, base, desired, live any) any {
	decide := func(kind decisionKind) {
		m.decisions = append(m.decisions, decision{
			kind: kind, path: slices.Clone(path), base: base, desired: desired, live: live,
		})
	}
	switch {
	case equal(desired, live):
		if !m.takeover && !equal(desired, base) {
			decide(decidedConverged)
		}
		return live
	case m.takeover:
		decide(decidedTakeover)
		return desired
	case equal(desired, base):
		decide(decidedDrift)
		if m.revertDrift {
			return desired
		}
		return live
	case equal(live, base):
		decide(decidedPending)
		return desired
	default:
		decide(decidedConflict)
		if m.liveWins {
			return live
		}
		return desired
	}
}

func (m *merger) object(path []string, base, desired, live any) any {
	baseFields, desiredFields, liveFields := members(base), members(desired), members(live)
	names := maps.Clone(liveFields)
	if names == nil {
		names = map[string]any{}
	}
	maps.Copy(names, baseFields)
	maps.Copy(names, desiredFields)

	result := make(map[string]any, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		inBase, inDesired := lookup(baseFields, name), lookup(desiredFields, name)
		inLive := lookup(liveFields, name)
		var value any
		if inBase == absent && inDesired == absent {
			value = inLive // not ours: carried through
			if m.leavesForeign {
				value = absent
			}
		} else {
			value = m.value(append(path, name), inBase, inDesired, inLive)
		}
		if value != absent {
			result[name] = value
		}
	}
	if len(result) == 0 && desired == absent {
		return absent
	}
	return result
}

func members(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

func lookup(fields map[string]any, name string) any {
	if value, found := fields[name]; found {
		return value
	}
	return absent
}

func isObject(value any) bool {
	_, is := value.(map[string]any)
	return is
}

func isObjectOrAbsent(value any) bool { return value == absent || isObject(value) }

// equal compares decoded JSON; numbers are in one spelling already.
func equal(a, b any) bool { return reflect.DeepEqual(a, b) }
