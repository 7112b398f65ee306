package policy

import (
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// memo keeps, through one review, what was found out about the members of
// definitions: thousands of desktops take them from the same few shared files.
// One goroutine may use it at a time. A nil memo keeps nothing.
type memo struct {
	known  map[memoKey]any
	passed map[string][]string // by the rules' ids joined
	kept   map[pressedIn][]reservation
}

// pressedIn are keys in browsers, whose names are joined.
type pressedIn struct {
	pressed  keys
	browsers string
}

// memoKey is one question about one member.
type memoKey struct {
	question question
	name     string
	value    deskhand.Value
}

// question is what is asked about a member. Its answer depends on nothing but
// the member's name and value.
type question uint8

const (
	askView question = iota
	askShape
	askSecret
)

// maxKnown bounds the memo where every desktop is different.
const maxKnown = 1 << 12

func newMemo() *memo {
	return &memo{known: map[memoKey]any{}, passed: map[string][]string{}, kept: map[pressedIn][]reservation{}}
}

// recall returns the answer that find gave when the question was asked first.
// Answers are shared, so they are only to be read.
func recall[T any](m *memo, question question, name string, value deskhand.Value, find func(name string, value deskhand.Value) T) T {
	if m == nil || name == "configId" { // each desktop has its own
		return find(name, value)
	}
	key := memoKey{question, name, value}
	if answer, known := m.known[key].(T); known {
		return answer
	}
	if len(m.known) >= maxKnown {
		clear(m.known)
	}
	answer := find(name, value)
	m.known[key] = answer
	return answer
}

// share returns the one copy of equal lists, sorted, of the rules that passed: ten
// thousand desktops have a handful of them.
func (m *memo) share(passed []string) []string {
	if m == nil {
		return slices.Clone(passed)
	}
	key := strings.Join(passed, ",")
	if known, found := m.passed[key]; found {
		return known
	}
	m.passed[key] = slices.Clone(passed)
	return m.passed[key]
}

// reservedFor is that of the table, looked up once.
func (m *memo) reservedFor(table *reservedTable, pressed keys, browsers []string) []reservation {
	if m == nil {
		return table.reservedFor(pressed, browsers)
	}
	key := pressedIn{pressed, strings.Join(browsers, ",")}
	kept, known := m.kept[key]
	if !known {
		if len(m.kept) >= maxKnown {
			clear(m.kept)
		}
		kept = table.reservedFor(pressed, browsers)
		m.kept[key] = kept
	}
	return kept
}
