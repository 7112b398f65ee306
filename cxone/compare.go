package cxone

import (
	"reflect"

	"github.com/deskhand/deskhand"
)

// covers reports whether live holds all that was sent. Members that only live
// has are the server's own; a null may have been sent for a member to go.
func covers(live, sent deskhand.Document) bool {
	if live == sent {
		return true
	}
	return coversObject(live.Fields(), sent.Fields())
}

func coversObject(live, sent map[string]any) bool {
	for name, value := range sent {
		member, found := live[name]
		if !found && value != nil || !coversValue(member, value) {
			return false
		}
	}
	return true
}

// coversValue compares canonical JSON, where a number has one spelling.
func coversValue(live, sent any) bool {
	switch sent := sent.(type) {
	case map[string]any:
		fields, isObject := live.(map[string]any)
		return isObject && coversObject(fields, sent)
	case []any:
		elements, isArray := live.([]any)
		if !isArray || len(elements) != len(sent) {
			return false
		}
		for i := range sent {
			if !coversValue(elements[i], sent[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(live, sent)
}
