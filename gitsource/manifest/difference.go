package manifest

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// step is the smallest change that is made to a text at once.
type step struct {
	kind  stepKind
	path  []string // reference tokens, the last one that of the value itself
	value any
}

type stepKind uint8

const (
	setStep stepKind = iota
	insertStep
	removeStep
)

// difference lists the steps that lead from have to want. Objects and lists are
// compared member by member, so that the comments inside them stay. No step
// empties a collection: an empty one is set as a whole.
func difference(have, want any, path []string) []step {
	if reflect.DeepEqual(have, want) {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		object, isObject := have.(map[string]any)
		if isObject && len(want) > 0 && (len(object) > 0 || len(path) > 0) {
			return objectDifference(object, want, path)
		}
	case []any:
		list, isList := have.([]any)
		if isList && len(want) > 0 && len(list) > 0 {
			return listDifference(list, want, path)
		}
	}
	return []step{{kind: setStep, path: path, value: want}}
}

func objectDifference(have, want map[string]any, path []string) []step {
	var steps []step
	for _, name := range slices.SortedFunc(maps.Keys(want), byRank) {
		if _, exists := have[name]; !exists {
			steps = append(steps, step{kind: insertStep, path: child(path, name), value: want[name]})
		}
	}
	for _, name := range slices.SortedFunc(maps.Keys(have), byRank) {
		if member, stays := want[name]; stays {
			steps = append(steps, difference(have[name], member, child(path, name))...)
		} else {
			steps = append(steps, step{kind: removeStep, path: child(path, name)})
		}
	}
	return steps
}

// listDifference leaves what is equal at both ends alone.
func listDifference(have, want []any, path []string) []step {
	shorter := min(len(have), len(want))
	head := 0
	for head < shorter && reflect.DeepEqual(have[head], want[head]) {
		head++
	}
	tail := 0
	for tail < shorter-head && reflect.DeepEqual(have[len(have)-1-tail], want[len(want)-1-tail]) {
		tail++
	}
	paired := shorter - tail
	var steps []step
	for i := head; i < paired; i++ {
		steps = append(steps, difference(have[i], want[i], child(path, strconv.Itoa(i)))...)
	}
	for i := len(have) - tail - 1; i >= paired; i-- {
		steps = append(steps, step{kind: removeStep, path: child(path, strconv.Itoa(i))})
	}
	for i := paired; i < len(want)-tail; i++ {
		steps = append(steps, step{kind: insertStep, path: child(path, strconv.Itoa(i)), value: want[i]})
	}
	return steps
}

func child(path []string, token string) []string { return append(slices.Clip(path), token) }

// definitionKeys are the keys of a definition in the order in which people write
// them: those about the definition itself, the payload's, what is passed through.
func definitionKeys() []string {
	return []string{
		"configId", "extends", "region", "labels", "targetResolutions",
		"licenseTier", "layout", "shortcuts", "complianceBanners", "browserCompatibility", "theme",
		"extra",
	}
}

// memberKeys are those inside of the payload's.
func memberKeys() []string {
	return []string{
		"gridColumns", "widgetOrder", "primaryWorkspace",
		"label", "action", "target", "keys",
		"title", "message", "acknowledgementRequired", "displayRegion",
		"supportedBrowsers", "minimumVersions",
		"foreground", "background", "accent",
	}
}

// rank is the key's place in the house's order, after all others where it has none.
func rank(name string) int {
	known := append(definitionKeys(), memberKeys()...)
	if i := slices.Index(known, name); i >= 0 {
		return i
	}
	return len(known)
}

func byRank(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) }
