package manifest

import (
	"maps"
	"reflect"
	"slices"

	"github.com/deskhand/deskhand"
)

// Define is the inverse of resolution: the fields of a definition in the tier's
// folder whose payload is the given one, ready for Marshal. What no key of its own
// says goes to extra.
//
// Left are the values of the payload that no definition can say: a null, which
// takes away what a definition inherits, and a member outside extra that has the
// name of a key about the definition itself.
func Define(configID string, tier deskhand.Tier, payload deskhand.Document) (fields map[string]any, left []deskhand.Pointer) {
	fields = map[string]any{}
	extra := map[string]any{}
	asked := payload.Fields()
	for name := range asked {
		if isKnown(name) && !isPayload(name) {
			delete(asked, name)
			left = append(left, deskhand.Pointer("").Child(name))
		}
	}
	asked, nulls := withoutNulls(asked, "")
	left = append(left, nulls...)
	for name, value := range asked {
		switch {
		case name == "licenseTier" && value == string(tier):
		case isPayload(name):
			fields[name] = value
		default:
			extra[name] = value
		}
	}
	if len(extra) > 0 {
		fields["extra"] = extra
	}
	fields["configId"] = configID
	slices.Sort(left)
	return fields, left
}

// withoutNulls leaves the nulls out of an object, but not out of its lists, which
// are no part of a merge.
func withoutNulls(object map[string]any, at deskhand.Pointer) (kept map[string]any, left []deskhand.Pointer) {
	kept = make(map[string]any, len(object))
	for name, member := range object {
		switch member := member.(type) {
		case nil:
			left = append(left, at.Child(name))
		case map[string]any:
			fields, without := withoutNulls(member, at.Child(name))
			kept[name], left = fields, append(left, without...)
		default:
			kept[name] = member
		}
	}
	return kept, left
}

// Share takes out of definitions what they all have, for the _tier.yaml of their
// folder: merged on it, each of the rest is the definition that it was. One
// definition shares nothing.
func Share(definitions []map[string]any) (shared map[string]any, rest []map[string]any) {
	if len(definitions) < 2 {
		return nil, definitions
	}
	shared = maps.Clone(definitions[0])
	delete(shared, "configId")
	for _, definition := range definitions[1:] {
		shared = common(shared, definition)
	}
	for _, definition := range definitions {
		rest = append(rest, beyond(definition, shared))
	}
	return shared, rest
}

// common is what both objects have.
func common(a, b map[string]any) map[string]any {
	both := map[string]any{}
	for name, inA := range a {
		inB, exists := b[name]
		fieldsA, isObjectA := inA.(map[string]any)
		fieldsB, isObjectB := inB.(map[string]any)
		switch {
		case !exists:
		case reflect.DeepEqual(inA, inB):
			both[name] = inA
		case isObjectA && isObjectB:
			if fields := common(fieldsA, fieldsB); len(fields) > 0 {
				both[name] = fields
			}
		}
	}
	return both
}

// beyond is what object has and shared has not.
func beyond(object, shared map[string]any) map[string]any {
	rest := map[string]any{}
	for name, member := range object {
		inShared, isShared := shared[name]
		fields, isObject := member.(map[string]any)
		sharedFields, isSharedObject := inShared.(map[string]any)
		switch {
		case !isShared:
			rest[name] = member
		case reflect.DeepEqual(member, inShared):
		case isObject && isSharedObject:
			rest[name] = beyond(fields, sharedFields)
		default:
			rest[name] = member
		}
	}
	return rest
}
