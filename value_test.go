package deskhand_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

// jsonValues generates decoded JSON, texts that need escapes included.
func jsonValues() *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Bool().AsAny(),
		rapid.String().AsAny(),
		rapid.SampledFrom([]any{
			"", `quoted " and \`, "tab\t\b\f\r\n\x00\x7f", "<&>", "\u2028\u2029", "ä€😀", "}],{[",
			json.Number("0"), json.Number("12"), json.Number("-1.5"), json.Number("1e+21"),
		}),
		rapid.Int64().AsAny(),
	)
	var nested func(depth int) *rapid.Generator[any]
	nested = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf,
			rapid.SliceOfN(nested(depth-1), 0, 4).AsAny(),
			rapid.MapOfN(rapid.String(), nested(depth-1), 0, 4).AsAny(),
		)
	}
	return nested(3)
}

func TestDocumentIsWrittenAsEncodingJSONWouldWriteIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.MapOfN(rapid.String(), jsonValues(), 0, 6).Draw(t, "fields")
		document, err := deskhand.NewDocument(fields)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(fields); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSuffix(want.String(), "\n"), document.String()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestObjectOfItsMembersIsTheDocument(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.MapOfN(rapid.String(), jsonValues(), 0, 6).Draw(t, "fields")
		document, err := deskhand.NewDocument(fields)
		if err != nil {
			t.Fatal(err)
		}
		members := maps.Collect(document.Members())
		if joined := deskhand.NewObject(members); joined != document {
			t.Fatalf("the document %s comes back as %s", document, joined)
		}
		decoded := map[string]any{}
		for name, member := range members {
			decoded[name] = member.Decode()
			again, err := deskhand.NewValue(decoded[name])
			if err != nil || again != member {
				t.Fatalf("%s comes back as %s (%v)", member, again, err)
			}
		}
		if diff := cmp.Diff(document.Fields(), decoded); diff != "" {
			t.Fatal(diff)
		}
		for name := range members {
			if _, kept := document.Without(name).Fields()[name]; kept {
				t.Fatalf("without %q it still is there", name)
			}
		}
	})
}

func TestObjectLeavesOutMembersWithoutValue(t *testing.T) {
	t.Parallel()
	truth, err := deskhand.NewValue(true)
	if err != nil {
		t.Fatal(err)
	}
	object := deskhand.NewObject(map[string]deskhand.Value{"a": {}, "b": truth, "c": {}})
	if want := `{"b":true}`; object.String() != want {
		t.Errorf("got %s, want %s", object, want)
	}
	if empty := deskhand.NewObject(nil); empty.String() != "{}" {
		t.Errorf("no members make %s, want {}", empty)
	}
}

func TestNumbersHaveOneSpelling(t *testing.T) {
	t.Parallel()
	for literal, want := range map[json.Number]string{
		"1.0": "1", "-0": "0", "1e3": "1000", "0.10": "0.1", "1E-7": "1e-7", "": "0",
		"12345678901234567890123": "1.2345678901234567890123e+22",
	} {
		value, err := deskhand.NewValue(literal)
		if err != nil || value.String() != want {
			t.Errorf("%q is written %s (%v), want %s", literal, value, err, want)
		}
	}
	for _, literal := range []json.Number{"1 ", " 1", "01", "+1", "1.", "0x1", "NaN", "-", "1,2", "null", `"1"`} {
		if value, err := deskhand.NewValue(literal); err == nil {
			t.Errorf("%q is taken for the number %s", literal, value)
		}
	}
}
