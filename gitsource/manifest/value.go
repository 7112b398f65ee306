package manifest

import (
	"maps"
	"strconv"
	"strings"

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
func (v *value) origins(origins []deskhand.Origin, at deskhand.Pointer, names interner) []deskhand.Origin {
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
	count := 1
	for _, member := range v.fields {
		count += member.count()
	}
	for _, item := range v.items {
		count += item.count()
	}
	return count
}

// interner keeps one copy of each pointer, because ten thousand desktops point
// to the same few hundred places. One goroutine may use it at a time: each worker
// has its own.
type interner map[childKey]deskhand.Pointer

type childKey struct {
	parent deskhand.Pointer
	name   string
}

// maxInterned bounds the table: names that are gone from the repository are
// forgotten when it is full.
const maxInterned = 1 << 14

func (n interner) child(parent deskhand.Pointer, name string) deskhand.Pointer {
	key := childKey{parent, name}
	if child, known := n[key]; known {
		return child
	}
	if len(n) >= maxInterned {
		clear(n)
	}
	child := parent.Child(name)
	n[childKey{parent, strings.Clone(name)}] = child
	return child
}
