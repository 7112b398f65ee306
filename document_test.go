package deskhand_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

func TestEqualJSONIsEqualDocument(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":2}`, ` { "b" : 2, "a" : 1 } `, true},
		{`{"n":1}`, `{"n":1.0}`, true},
		{`{"n":100}`, `{"n":1e2}`, true},
		{`{"n":0.000001}`, `{"n":1e-6}`, true},
		{`{"n":-0}`, `{"n":0}`, true},
		{`{"n":0.1}`, `{"n":0.10}`, true},
		{`{"n":12345678901234567890}`, `{"n":12345678901234567891}`, false},
		{`{"s":"\u0041<&>"}`, `{"s":"A\u003c\u0026\u003e"}`, true},
		{`{"n":null}`, `{}`, false},
		{`{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{`{"n":"1"}`, `{"n":1}`, false},
	}
	for _, test := range tests {
		if got := parse(t, test.a) == parse(t, test.b); got != test.want {
			t.Errorf("%s == %s is %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func parse(t *testing.T, text string) deskhand.Document {
	t.Helper()
	document, err := deskhand.ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return document
}

func TestNumbersAreSpelledAsRFC8785Does(t *testing.T) {
	t.Parallel()
	for literal, want := range map[string]string{
		"333333333.33333329": "333333333.33333329", // beyond a float64: kept, not rounded
		"1E30":               "1e+30",
		"4.50":               "4.5",
		"2e-3":               "0.002",
		"1e21":               "1e+21",
		"999999999999999999": "999999999999999999",
		"1e-7":               "1e-7",
		"0e5":                "0",
	} {
		if got := parse(t, `{"n":`+literal+`}`).String(); got != `{"n":`+want+`}` {
			t.Errorf("%s is spelled %s, want %s", literal, got, want)
		}
	}
}

func TestWhatIsNoObjectIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "null", "[]", `"a"`, `{"a":1} {"b":2}`} {
		if _, err := deskhand.ParseDocument([]byte(text)); !errors.Is(err, deskhand.ErrNotObject) {
			t.Errorf("%q: got %v, want ErrNotObject", text, err)
		}
	}
	if _, err := deskhand.ParseDocument([]byte(`{"a":`)); err == nil {
		t.Error("broken JSON is accepted")
	}
}

func TestDocumentsSurviveEncoding(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.MapOf(rapid.String(), rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }),
			rapid.Map(rapid.Float64(), func(n float64) any { return n }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }),
			rapid.Map(rapid.SliceOf(rapid.String()), func(list []string) any {
				elements := make([]any, len(list))
				for i, element := range list {
					elements[i] = element
				}
				return elements
			}),
		)).Draw(t, "fields")
		document, err := deskhand.NewDocument(fields)
		if err != nil {
			t.Fatal(err)
		}
		again, err := deskhand.NewDocument(document.Fields())
		if err != nil || again != document {
			t.Fatalf("decoded and encoded again: %s, %v, want %s", again, err, document)
		}
		encoded, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		var decoded deskhand.Document
		if err := json.Unmarshal(encoded, &decoded); err != nil || decoded != document {
			t.Fatalf("through json: %s, %v, want %s", decoded, err, document)
		}
	})
}

func TestNumbersKeepTheirValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?`).Draw(t, "literal")
		document, err := deskhand.ParseDocument([]byte(`{"n":` + literal + `}`))
		if err != nil {
			t.Fatal(err)
		}
		number, _ := document.Fields()["n"].(json.Number)
		want, _ := new(big.Rat).SetString(literal)
		got, isNumber := new(big.Rat).SetString(number.String())
		if !isNumber || got.Cmp(want) != 0 {
			t.Fatalf("%s became %s", literal, number)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"a":[1,2.50,{"b":null}],"c":"\ud800"}`))
	f.Add([]byte(`{"n":1e999999999}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		document, err := deskhand.ParseDocument(text)
		if err != nil {
			return
		}
		again, err := deskhand.ParseDocument([]byte(document.String()))
		if err != nil || again != document {
			t.Fatalf("canonical text is not stable: %s, then %s (%v)", document, again, err)
		}
	})
}

func TestWithout(t *testing.T) {
	t.Parallel()
	document := parse(t, `{"id":"x","version":3,"layout":{"id":"kept"}}`)
	if got, want := document.Without("id", "version"), parse(t, `{"layout":{"id":"kept"}}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := (deskhand.Document{}).Without("id"); !got.IsZero() {
		t.Errorf("no document became %s", got)
	}
}

func TestPointersEscape(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "tokens")
		var pointer deskhand.Pointer
		for _, token := range tokens {
			pointer = pointer.Child(token)
		}
		if diff := cmp.Diff(tokens, pointer.Tokens()); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", pointer, diff)
		}
		if got, want := pointer.Parent().Child(tokens[len(tokens)-1]), pointer; got != want {
			t.Fatalf("parent and child: %s, want %s", got, want)
		}
	})
}

func TestOriginOfTheNearestValue(t *testing.T) {
	t.Parallel()
	at := func(line int) deskhand.Position { return deskhand.Position{File: "a.yaml", Line: line, Column: 1} }
	origins := deskhand.NewOrigins([]deskhand.Origin{
		{Path: "/layout/gridColumns", Position: at(3)}, {Path: "", Position: at(1)}, {Path: "/layout", Position: at(2)},
	})
	for path, want := range map[deskhand.Pointer]int{
		"/layout/gridColumns": 3, "/layout/widgetOrder/0": 2, "/theme/accent": 1, "": 1,
	} {
		if got, found := origins.At(path); !found || got != at(want) {
			t.Errorf("%s is from %s, want %s", path, got, at(want))
		}
	}
}

func TestPositionsAsText(t *testing.T) {
	t.Parallel()
	for _, position := range []deskhand.Position{{File: "a:b.yaml", Line: 3, Column: 7}, {File: "policy.yaml"}, {}} {
		var again deskhand.Position
		if err := again.UnmarshalText([]byte(position.String())); err != nil || again != position {
			t.Errorf("%q became %+v (%v)", position, again, err)
		}
	}
}

func TestOnlyExactPreconditions(t *testing.T) {
	t.Parallel()
	for name, precondition := range map[string]deskhand.Precondition{
		"none": {}, "any": deskhand.IfMatch("*"), "empty": deskhand.IfMatch(""),
	} {
		if err := precondition.Valid(); !errors.Is(err, deskhand.ErrNoPrecondition) {
			t.Errorf("%s: got %v, want ErrNoPrecondition", name, err)
		}
	}
	for name, precondition := range map[string]deskhand.Precondition{
		"a tag": deskhand.IfMatch(`"1"`), "absent": deskhand.IfAbsent(),
	} {
		if err := precondition.Valid(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
