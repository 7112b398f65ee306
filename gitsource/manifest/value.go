package manifest

import (
	"maps"
	"strconv"

	"github.com/deskhand/deskhand"
)

// value is one YAML value in the terms of JSON, and the place that set it: for a
// scalar its own, for an object or a list that of the key that introduces it.
// Values are shared between desktops and never changed once read.
type value struct {
	kind   kind
	scalar any // string, bool, json.Number or nil
	items  []*value
	fields map[string]*value
	at     deskhand.Position
	// json is the value's text, and places are the places of it and of all inside
	// it, where they were made in advance, see prepare.
	json   deskhand.Value
	places deskhand.Origins
}

type kind uint8

const (
	scalarKind kind = iota
	listKind
	objectKind
)

func (v *value) isNull() bool { return v.kind == scalarKind && v.scalar == nil }

// text is the member's string, "" where there is none.
func (v *value) text(name string) string {
	if v == nil || v.fields[name] == nil {
		return ""
	}
	text, _ := v.fields[name].scalar.(string)
	return text
}

// merge applies the patch to the target as RFC 7396 says; a nil target is the
// absence of a value. What both name takes the patch's place.
func merge(target, patch *value) *value {
	if patch.kind != objectKind {
		return patch
	}
	if (target == nil || target.kind != objectKind) && !patch.removes() {
		return patch // as it is, so that desktops share it
	}
	merged := &value{kind: objectKind, at: patch.at, fields: make(map[string]*value, len(patch.fields))}
	if target != nil {
		maps.Copy(merged.fields, target.fields)
	}
	for name, member := range patch.fields {
		if member.isNull() {
			delete(merged.fields, name)
			continue
		}
		merged.fields[name] = merge(merged.fields[name], member)
	}
	return merged
}

// removes reports whether the value, as a patch, takes members away.
func (v *value) removes() bool {
	for _, member := range v.fields {
		if member.isNull() || member.kind == objectKind && member.removes() {
			return true
		}
	}
	return false
}

// prepare makes in advance what the members add to each of the many desktops
// that rest on them.
func (v *value) prepare() error {
	names := newInterner()
	for name, member := range v.fields {
		if member.isNull() || member.removes() {
			continue // no desktop has it as it is
		}
		var err error
		if member.json, err = member.canonical(); err != nil {
			return err
		}
		member.places = deskhand.NewOrigins(member.origins(nil, names.child("", name), names))
	}
	return nil
}

// canonical is the value's JSON.
func (v *value) canonical() (deskhand.Value, error) {
	if v.json != (deskhand.Value{}) {
		return v.json, nil
	}
	return deskhand.NewValue(v.decoded())
}

// decoded is the value as encoding/json would decode it with UseNumber.
func (v *value) decoded() any {
	switch v.kind {
	case objectKind:
		fields := make(map[string]any, len(v.fields))
		for name, member := range v.fields {
			fields[name] = member.decoded()
		}
		return fields
	case listKind:
		items := make([]any, len(v.items))
		for i, item := range v.items {
			items[i] = item.decoded()
		}
		return items
	default:
		return v.scalar
	}
}

// origins appends the places of the value at path and of all inside it.
func (v *value) origins(origins []deskhand.Origin, at deskhand.Pointer, names *interner) []deskhand.Origin {
	if v.places != nil {
		return append(origins, v.places...)
	}
	origins = append(origins, deskhand.Origin{Path: at, Position: v.at})
	for name, member := range v.fields {
		origins = member.origins(origins, names.child(at, name), names)
	}
	for i, item := range v.items {
		origins = item.origins(origins, names.child(at, strconv.Itoa(i)), names)
	}
	return origins
}

func (v *value) count() int {
	if v.places != nil {
		return len(v.places)
	}
	count := 1
	for _, member := range v.fields {
		count += member.count()
	}
	for _, item := range v.items {
		count += item.count()
	}
	return count
}
