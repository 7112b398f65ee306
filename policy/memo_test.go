package policy

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
)

func TestRecallAsksOnce(t *testing.T) {
	t.Parallel()
	voice, digital := valueOf(t, "voice"), valueOf(t, "digital")
	asked := map[string]int{}
	count := func(name string, value deskhand.Value) string {
		asked[name+" "+value.String()]++
		return name + value.String()
	}
	seen := newMemo()
	for range 3 {
		for _, value := range []deskhand.Value{voice, digital} {
			for _, name := range []string{"region", "configId"} {
				if got, want := recall(seen, askView, name, value, count), name+value.String(); got != want {
					t.Errorf("got %s, want %s", got, want)
				}
			}
		}
	}
	// Another question about the same member has an answer of its own.
	if !recall(seen, askShape, "region", voice, func(string, deskhand.Value) bool { return true }) {
		t.Error("the answer to another question was recalled")
	}
	want := map[string]int{`region "voice"`: 1, `region "digital"`: 1, `configId "voice"`: 3, `configId "digital"`: 3}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
}

func TestMemoIsBounded(t *testing.T) {
	t.Parallel()
	seen := newMemo()
	for i := range 3 * maxKnown {
		recall(seen, askView, "region", valueOf(t, fmt.Sprint(i)), decodeMember[string])
		seen.reservedFor(&reservedTable{}, keys{key: "A"}, []string{fmt.Sprint(i)})
	}
	if len(seen.known) > maxKnown || len(seen.kept) > maxKnown {
		t.Errorf("the memo keeps %d answers and %d keys, more than %d", len(seen.known), len(seen.kept), maxKnown)
	}
}

func TestMembersAreJudgedAloneOnlyWhereTheSchemaAllows(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		schema   string
		apart    bool // the schema says nothing of how members go together
		accepted []string
		left     []string // to the schema as a whole
	}{
		"properties": {
			schema:   `{"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}, "b": {"minimum": 3}}}`,
			apart:    true,
			accepted: []string{`{"a":"x"}`, `{"a":"x","b":3}`},
			left:     []string{`{}`, `{"b":3}`, `{"a":1}`, `{"a":"x","b":2}`, `{"a":"x","c":1}`},
		},
		"two closed lists of keys": {
			schema: `{"allOf": [
				{"additionalProperties": false, "properties": {"a": {}, "b": {}}},
				{"$ref": "#/$defs/other"}]}`,
			apart:    true,
			accepted: []string{`{"b":1}`, `{}`},
			left:     []string{`{"a":1}`, `{"c":1}`, `{"b":"x"}`},
		},
		"members that depend on each other": {
			schema: `{"properties": {"a": {}}, "dependentRequired": {"a": ["b"]}}`, left: []string{`{"a":1}`},
		},
		"a schema for other keys": {
			schema: `{"properties": {"a": {}}, "additionalProperties": {"type": "string"}}`, left: []string{`{"a":1}`},
		},
		"no object": {schema: `{"type": "string"}`, left: []string{`{}`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const other = `{"$defs": {
				"other": {"additionalProperties": false, "properties": {"b": {"type": "integer"}, "c": {}}},
				"judged": %s}}`
			judging, err := newShape(fmt.Appendf(nil, other, test.schema), "/$defs/judged")
			if err != nil {
				t.Fatal(err)
			}
			if (judging.members != nil) != test.apart {
				t.Fatalf("taken apart: %v, want %v", judging.members != nil, test.apart)
			}
			seen := newMemo()
			for _, text := range append(test.accepted, test.left...) {
				document, err := deskhand.ParseDocument([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				accepted := judging.members.accepts(document, seen)
				if accepted && len(judging.check(document.Fields())) > 0 {
					t.Errorf("%s is accepted, and as a whole it is wrong", text)
				}
				if want := slices.Contains(test.accepted, text); accepted != want {
					t.Errorf("%s is accepted: %v, want %v", text, accepted, want)
				}
			}
		})
	}
}

func valueOf(t *testing.T, decoded any) deskhand.Value {
	t.Helper()
	value, err := deskhand.NewValue(decoded)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
