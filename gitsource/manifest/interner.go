package manifest

import (
	"strings"

	"github.com/deskhand/deskhand"
)

// interner keeps one copy of what ten thousand desktops have in common: the
// pointers to the same few hundred places, and their labels. One goroutine may
// use it at a time: each worker has its own.
type interner struct {
	pointers map[childKey]deskhand.Pointer
	labelled map[deskhand.Value]map[string]string
}

type childKey struct {
	parent deskhand.Pointer
	name   string
}

// maxInterned bounds each table: what is gone from the repository is forgotten
// when it is full.
const maxInterned = 1 << 14

func newInterner() *interner {
	return &interner{
		pointers: map[childKey]deskhand.Pointer{},
		labelled: map[deskhand.Value]map[string]string{},
	}
}

// child is the pointer to a member or an element of what parent points to.
func (n *interner) child(parent deskhand.Pointer, name string) deskhand.Pointer {
	key := childKey{parent, name}
	if child, known := n.pointers[key]; known {
		return child
	}
	if len(n.pointers) >= maxInterned {
		clear(n.pointers)
	}
	child := parent.Child(name)
	n.pointers[childKey{parent, strings.Clone(name)}] = child
	return child
}

// labels are those that the field gives as text; said is its JSON.
func (n *interner) labels(field *value, said deskhand.Value) map[string]string {
	if field == nil || len(field.fields) == 0 {
		return nil
	}
	if labels, known := n.labelled[said]; known {
		return labels
	}
	labels := make(map[string]string, len(field.fields))
	for name, member := range field.fields {
		if text, isText := member.scalar.(string); isText {
			labels[name] = text
		}
	}
	if len(n.labelled) >= maxInterned {
		clear(n.labelled)
	}
	n.labelled[said] = labels
	return labels
}
