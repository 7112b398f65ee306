package deskhand

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
)

// Document is the body of one CXone configuration: an immutable JSON object in
// canonical form (keys sorted, no white space, numbers in one spelling), so that
// two documents are equal as JSON exactly if they are equal as Go values.
// The zero Document is the absence of one.
type Document struct {
	text string
}

// ErrNotObject means that a JSON text is no single object.
var ErrNotObject = errors.New("not a JSON object")

// ParseDocument reads exactly one JSON object. Numbers keep every digit they
// were written with. The error wraps ErrNotObject or the syntax error.
func ParseDocument(text []byte) (Document, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		if errors.Is(err, io.EOF) {
			return Document{}, fmt.Errorf("parse document: %w: it is empty", ErrNotObject)
		}
		return Document{}, fmt.Errorf("parse document: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Document{}, fmt.Errorf("parse document: %w: something follows it", ErrNotObject)
	}
	fields, isObject := value.(map[string]any)
	if !isObject {
		return Document{}, fmt.Errorf("parse document: %w", ErrNotObject)
	}
	return NewDocument(fields)
}

// NewDocument makes a document of decoded JSON: maps with string keys, slices,
// strings, booleans, nil, json.Number, and Go's own numbers.
func NewDocument(fields map[string]any) (Document, error) {
	if fields == nil {
		fields = map[string]any{}
	}
	text, err := canonicalJSON(fields)
	if err != nil {
		return Document{}, fmt.Errorf("make document: %w", err)
	}
	return Document{text: text}, nil
}

// IsZero reports whether there is no document; an empty object is one.
func (d Document) IsZero() bool { return d.text == "" }

// String is the canonical JSON text, "" for no document.
func (d Document) String() string { return d.text }

// Fields decodes the document into a map of the caller's own. Numbers are
// json.Number in canonical spelling. No document has nil fields.
func (d Document) Fields() map[string]any {
	if d.IsZero() {
		return nil
	}
	fields, _ := decode(d.text).(map[string]any)
	return fields
}

// decode reads canonical JSON.
func decode(text string) any {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		panic("deskhand: a Document holds invalid JSON: " + err.Error()) // only canonicalJSON makes them
	}
	return value
}

// Without returns the document less the given members of its top level.
func (d Document) Without(names ...string) Document {
	if d.IsZero() || len(names) == 0 {
		return d
	}
	members := maps.Collect(d.Members())
	before := len(members)
	for _, name := range names {
		delete(members, name)
	}
	if len(members) == before {
		return d
	}
	return NewObject(members)
}

// MarshalJSON writes the document as the object that it is, or null.
func (d Document) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return []byte(d.text), nil
}

// UnmarshalJSON reads an object, or null for no document.
func (d *Document) UnmarshalJSON(text []byte) error {
	if string(bytes.TrimSpace(text)) == "null" {
		*d = Document{}
		return nil
	}
	parsed, err := ParseDocument(text)
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
