package manifest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/deskhand/deskhand"
)

// Edit sets or removes one value of a file.
type Edit struct {
	File string // slash-separated, from the root of the repository
	// Path points into the file's own document, before anything is merged into it.
	Path deskhand.Pointer
	// Value is decoded JSON or Go's own numbers; nil writes null, which in a
	// definition takes away what it inherits.
	Value  any
	Remove bool
}

// ErrNotEditable means that an edit cannot be made without changing something
// else, as where the value stands behind an alias.
var ErrNotEditable = errors.New("edit the file by hand")

// Apply makes the edits, in order, in the text of one file. Only the bytes of the
// values that differ change: comments, order, quotes, indentation and line ends
// stay. A missing key is inserted where the house's order has it, with the
// objects that must hold it; "-" or the length of a list appends to it.
//
// The result is parsed again and compared with what was asked for. Where they
// differ, or the text is not YAML to begin with, there is an error and no result.
func Apply(content []byte, edits []Edit) ([]byte, error) {
	for i, edit := range edits {
		if edit.File != edits[0].File {
			return nil, fmt.Errorf("edit %s and %s: one call edits one file", edits[0].File, edit.File)
		}
		edited, err := apply(content, edit)
		if err != nil {
			return nil, fmt.Errorf("edit %d of %s at %q: %w", i+1, edit.File, edit.Path, err)
		}
		content = edited
	}
	return content, nil
}

func apply(content []byte, edit Edit) ([]byte, error) {
	have, err := decodeFile(edit.File, content)
	if err != nil {
		return nil, err
	}
	value, err := normalised(edit.Value)
	if err != nil {
		return nil, err
	}
	want, err := edited(have, edit.Path.Tokens(), value, edit.Remove)
	if err != nil {
		return nil, err
	}
	for _, step := range difference(have, want, nil) {
		page, err := newPage(content)
		if err != nil {
			return nil, err
		}
		if content, err = page.apply(step); err != nil {
			return nil, err
		}
	}
	got, err := decodeFile(edit.File, content)
	if err != nil {
		return nil, fmt.Errorf("the edit would break the file: %w: %w", err, ErrNotEditable)
	}
	if !reflect.DeepEqual(got, want) {
		return nil, fmt.Errorf("the edit would change other values too: %w", ErrNotEditable)
	}
	return content, nil
}

// decodeFile is the document of the file as JSON, numbers in canonical spelling.
func decodeFile(file string, content []byte) (any, error) {
	parsed, findings := parse(file, content)
	if parsed == nil {
		return nil, errors.New(findings[0].String())
	}
	return normalised(parsed.decoded())
}

// normalised is a copy in which equal values are deeply equal.
func normalised(value any) (any, error) {
	document, err := deskhand.NewDocument(map[string]any{"value": value})
	if err != nil {
		return nil, err
	}
	return document.Fields()["value"], nil
}

// edited is a copy of have with the value at the tokens set or removed.
func edited(have any, tokens []string, value any, remove bool) (any, error) {
	if len(tokens) == 0 {
		if _, isObject := value.(map[string]any); remove || !isObject {
			return nil, errors.New("the whole of a file must stay a mapping")
		}
		return value, nil
	}
	token, rest := tokens[0], tokens[1:]
	switch have := have.(type) {
	case map[string]any:
		return editedObject(have, token, rest, value, remove)
	case []any:
		return editedList(have, token, rest, value, remove)
	case nil:
		return editedObject(nil, token, rest, value, remove)
	default:
		return nil, fmt.Errorf("there is %v where %q should be a member", have, token)
	}
}

func editedObject(have map[string]any, name string, rest []string, value any, remove bool) (any, error) {
	object := maps.Clone(have)
	if object == nil {
		object = map[string]any{}
	}
	member, exists := have[name]
	switch {
	case remove && !exists:
		return nil, fmt.Errorf("there is no %q to remove", name)
	case remove && len(rest) == 0:
		delete(object, name)
		return object, nil
	case len(rest) == 0:
		object[name] = value
		return object, nil
	}
	var err error
	object[name], err = edited(member, rest, value, remove)
	return object, err
}

func editedList(have []any, token string, rest []string, value any, remove bool) (any, error) {
	if token == "-" {
		token = strconv.Itoa(len(have))
	}
	i, err := strconv.Atoi(token)
	appends := i == len(have) && len(rest) == 0 && !remove
	if err != nil || i < 0 || i >= len(have) && !appends {
		return nil, fmt.Errorf("%q is no place in a list of %d", token, len(have))
	}
	list := slices.Clone(have)
	switch {
	case appends:
		return append(list, value), nil
	case remove && len(rest) == 0:
		return slices.Delete(list, i, i+1), nil
	case len(rest) == 0:
		list[i] = value
		return list, nil
	}
	list[i], err = edited(have[i], rest, value, remove)
	return list, err
}
