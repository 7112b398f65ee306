package deskhand

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Value is one immutable JSON value in the canonical form of a Document, so that
// equal values are equal in Go, and many documents can share one. The zero Value
// is the absence of one.
type Value struct {
	text string
}

// NewValue makes a value of decoded JSON, as NewDocument does.
func NewValue(decoded any) (Value, error) {
	text, err := canonicalJSON(decoded)
	if err != nil {
		return Value{}, fmt.Errorf("make value: %w", err)
	}
	return Value{text: text}, nil
}

// String is the canonical JSON text, "" for no value.
func (v Value) String() string { return v.text }

// Decode returns decoded JSON of the caller's own, numbers as json.Number; nil
// for null and for no value.
func (v Value) Decode() any {
	switch {
	case v.text == "":
		return nil
	case v.text[0] == '"':
		return unquote(v.text)
	default:
		return decode(v.text)
	}
}

// NewObject makes a document of its members; a member without a value is left
// out. It copies texts that are canonical already, and so costs much less than
// NewDocument.
func NewObject(members map[string]Value) Document {
	names := slices.Sorted(maps.Keys(members))
	size := len("{}")
	for _, name := range names {
		size += len(name) + len(`"":,`) + len(members[name].text)
	}
	text := make([]byte, 0, size)
	text = append(text, '{')
	for _, name := range names {
		if members[name].text == "" {
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = appendString(text, name)
		text = append(text, ':')
		text = append(text, members[name].text...)
	}
	return Document{text: string(append(text, '}'))}
}

// Members are the members of the document by sorted name. The values share the
// document's memory: who keeps one for long should keep the document anyway.
func (d Document) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		rest := d.text
		for len(rest) > len("{}") {
			rest = rest[1:] // the brace, or the comma
			quoted := rest[:valueEnd(rest)]
			rest = rest[len(quoted)+1:] // and the colon
			member := rest[:valueEnd(rest)]
			rest = rest[len(member):]
			if !yield(unquote(quoted), Value{text: member}) {
				return
			}
		}
	}
}

// valueEnd is the length of the canonical value that the text begins with.
func valueEnd(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth < 0 {
				return i // of the object around a number or a word
			}
			if depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// stringEnd is the length of the JSON string that the text begins with.
func stringEnd(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func unquote(quoted string) string {
	if !strings.Contains(quoted, `\`) {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	if err := json.Unmarshal([]byte(quoted), &text); err != nil {
		panic("deskhand: a Document holds invalid JSON: " + err.Error()) // only canonicalJSON makes them
	}
	return text
}
