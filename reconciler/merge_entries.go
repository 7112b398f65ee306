package reconciler

import (
	"slices"
)

// entries merges arrays whose elements have a key, so that an entry that one
// person adds and an entry that another changes both survive.
func (m *merger) entries(path []string, key string, base, desired, live any) any {
	inBase, inDesired, inLive := keyed(key, base), keyed(key, desired), keyed(key, live)

	results := map[string]any{}
	for _, name := range candidates(inBase, inDesired, inLive) {
		entryPath := append(slices.Clone(path), name)
		if result := m.entry(entryPath, inBase.at(name), inDesired.at(name), inLive.at(name)); result != absent {
			results[name] = result
		}
	}
	if len(results) == 0 && desired == absent {
		return absent
	}

	primary, secondary := inDesired.order, inLive.order
	if m.liveOrderStands(path, inBase, inDesired, inLive) {
		primary, secondary = secondary, primary
	}
	merged := make([]any, 0, len(results))
	for _, name := range interleave(primary, secondary) {
		if result, stays := results[name]; stays {
			merged = append(merged, result)
		}
	}
	return merged
}

// entry merges one entry. An entry that git removes goes as a whole, even where
// CXone has added members of its own to it, unless somebody changed it.
func (m *merger) entry(path []string, base, desired, live any) any {
	if desired == absent && isObject(base) && isObject(live) && !m.takeover {
		untouched := merger{choices: m.choices}
		untouched.value(path, base, base, live)
		if len(untouched.decisions) == 0 {
			m.takesAway = m.takesAway || !equal(base, live)
			return m.atom(path, live, absent, live)
		}
		return m.atom(path, base, absent, live)
	}
	return m.value(path, base, desired, live)
}

// liveOrderStands decides whether the live order of the entries that all sides
// share is to be kept. The order is a value of its own: agents see it.
func (m *merger) liveOrderStands(path []string, base, desired, live keyedEntries) bool {
	shared := func(order []string) []string {
		return slices.DeleteFunc(slices.Clone(order), func(name string) bool {
			inBase := base.at(name) != absent || m.takeover
			return !inBase || desired.at(name) == absent || live.at(name) == absent
		})
	}
	baseOrder, desiredOrder, liveOrder := shared(base.order), shared(desired.order), shared(live.order)
	if slices.Equal(desiredOrder, liveOrder) {
		return false
	}
	order := merger{choices: m.choices}
	kept := order.atom(path, names(baseOrder), names(desiredOrder), names(liveOrder))
	for _, decided := range order.decisions {
		decided.base, decided.desired, decided.live = base.array, desired.array, live.array
		m.decisions = append(m.decisions, decided)
	}
	return equal(kept, names(liveOrder))
}

func names(order []string) any {
	values := make([]any, len(order))
	for i, name := range order {
		values[i] = name
	}
	return values
}

// keyedEntries is an array of objects, by their keys and in its order.
type keyedEntries struct {
	array any
	order []string
	byKey map[string]any
}

func (k keyedEntries) at(name string) any { return lookup(k.byKey, name) }

func keyed(key string, value any) keyedEntries {
	entries := keyedEntries{array: value, byKey: map[string]any{}}
	array, _ := value.([]any)
	for _, element := range array {
		name, _ := members(element)[key].(string)
		entries.order = append(entries.order, name)
		entries.byKey[name] = element
	}
	return entries
}

// mergeableEntries reports whether live, and what else there is, are arrays of
// objects whose keys are strings and all different.
func mergeableEntries(key string, base, desired, live any) bool {
	if _, isArray := live.([]any); !isArray || (base == absent && desired == absent) {
		return false
	}
	for _, value := range []any{base, desired, live} {
		if value == absent {
			continue
		}
		array, isArray := value.([]any)
		if !isArray {
			return false
		}
		seen := map[string]bool{}
		for _, element := range array {
			name, isString := members(element)[key].(string)
			if !isString || seen[name] {
				return false
			}
			seen[name] = true
		}
	}
	return true
}

// union is every name once, in the order of first sight.
func union(orders ...[]string) []string {
	var all []string
	seen := map[string]bool{}
	for _, order := range orders {
		for _, name := range order {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
			}
		}
	}
	return all
}

// interleave keeps the order of primary, and puts each name that only secondary
// has behind the name it follows there.
func interleave(primary, secondary []string) []string {
	result := slices.Clone(primary)
	for i, name := range secondary {
		if slices.Contains(result, name) {
			continue
		}
		at := 0
		if i > 0 {
			at = slices.Index(result, secondary[i-1]) + 1
		}
		result = slices.Insert(result, at, name)
	}
	return result
}
