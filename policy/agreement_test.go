package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	google "github.com/google/jsonschema-go/jsonschema"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
)

// whole is a definition that uses every key.
const whole = `{
	"configId": "dsk-whole", "region": "EMEA", "labels": {"wave": "canary"}, "targetResolutions": ["1366x768"],
	"licenseTier": "standard",
	"layout": {"gridColumns": 8, "widgetOrder": ["contact-summary", "notes"], "primaryWorkspace": "voice"},
	"shortcuts": [
		{"label": "Hold", "action": "hold"},
		{"label": "Transfer", "action": "transfer", "target": "queue:general", "keys": "Control+Shift+1"}
	],
	"complianceBanners": [{
		"title": "PCI", "message": "Use tokens.", "acknowledgementRequired": true, "displayRegion": "EMEA",
		"foreground": "#1a1a1a", "background": "#fff4ce"
	}],
	"browserCompatibility": {"supportedBrowsers": ["chrome"], "minimumVersions": {"chrome": "114"}},
	"theme": {"foreground": "#202124", "background": "#ffffff", "accent": "#0b57d0", "widgets": {"notes": {"background": "#eeeeee"}}},
	"extra": {"agentAssist": {"enabled": true}}
}`

// minAgreements is the least number of definitions that two implementations of
// JSON Schema have to judge alike.
const minAgreements = 200

// TestAnotherValidatorAgrees judges mutated definitions by our validator and by
// one that shares no code with it.
func TestAnotherValidatorAgrees(t *testing.T) {
	t.Parallel()
	ours, err := newShape(configs.DesktopSchema, "/$defs/complete")
	if err != nil {
		t.Fatal(err)
	}
	theirs := resolveTheirs(t)
	definition, err := deskhand.ParseDocument([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}

	corpus := mutations(t, definition)
	remembered := newMemo()
	valid := 0
	for name, text := range corpus {
		document, err := deskhand.ParseDocument([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var decoded any
		if err := json.Unmarshal([]byte(text), &decoded); err != nil {
			t.Fatal(err)
		}
		faults, other := ours.check(document.Fields()), theirs.Validate(decoded)
		if (len(faults) == 0) != (other == nil) {
			t.Errorf("%s: we say %v, they say %v\n%s", name, faults, other, text)
		}
		for _, seen := range []*memo{nil, remembered, remembered} {
			if again := ours.checkDocument(document, seen); len(again) != len(faults) {
				t.Errorf("%s: as a whole %v, member by member %v", name, faults, again)
			}
		}
		if other == nil {
			valid++
		}
		for _, found := range faults {
			if found.message == "" {
				t.Errorf("%s: a fault without words: %+v", name, found)
			}
		}
	}
	if len(corpus) < minAgreements || valid == 0 || valid == len(corpus) {
		t.Errorf("the corpus has %d definitions, %d of them valid", len(corpus), valid)
	}
}

func resolveTheirs(t *testing.T) *google.Resolved {
	t.Helper()
	var schema google.Schema
	if err := json.Unmarshal(configs.DesktopSchema, &schema); err != nil {
		t.Fatal(err)
	}
	schema.Ref = "#/$defs/complete"
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// mutations are the definition with each of its values removed, or replaced by
// each of the others, or joined by an unknown key; and a number of definitions
// with several such changes. The name tells the change.
func mutations(t *testing.T, definition deskhand.Document) map[string]string {
	t.Helper()
	corpus := map[string]string{"unchanged": definition.String()}
	values := []any{nil, true, "text", "", "1366x768", json.Number("0"), json.Number("8"), json.Number("8.5"), []any{}, []any{"a", "a"}, map[string]any{}}
	var paths []deskhand.Pointer
	eachPath("", definition.Fields(), func(at deskhand.Pointer) { paths = append(paths, at) })
	for _, at := range paths {
		for i, value := range values {
			fields := definition.Fields()
			mutate(fields, at, value)
			corpus[fmt.Sprintf("%s = value %d", at, i)] = string(mustJSON(t, fields))
		}
		fields := definition.Fields()
		remove(fields, at)
		corpus[fmt.Sprintf("%s removed", at)] = string(mustJSON(t, fields))
		fields = definition.Fields()
		if holder, isMap := lookUp(fields, at.Tokens()).(map[string]any); isMap {
			holder["unknown"] = "x"
			corpus[fmt.Sprintf("%s with an unknown key", at)] = string(mustJSON(t, fields))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range minAgreements {
		fields := definition.Fields()
		for range 1 + random.IntN(4) {
			mutate(fields, paths[random.IntN(len(paths))], values[random.IntN(len(values))])
		}
		corpus[fmt.Sprintf("several changes, %d", i)] = string(mustJSON(t, fields))
	}
	return corpus
}

func eachPath(at deskhand.Pointer, value any, visit func(deskhand.Pointer)) {
	if at != "" {
		visit(at)
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range sortedKeys(value) {
			eachPath(at.Child(key), value[key], visit)
		}
	case []any:
		for i, entry := range value {
			eachPath(at.Index(i), entry, visit)
		}
	}
}

// mutate sets a value; a path that an earlier change took away is left alone.
func mutate(fields map[string]any, at deskhand.Pointer, value any) {
	tokens := at.Tokens()
	last := tokens[len(tokens)-1]
	switch holder := lookUp(fields, tokens[:len(tokens)-1]).(type) {
	case map[string]any:
		holder[last] = value
	case []any:
		var i int
		if _, err := fmt.Sscan(last, &i); err == nil && i < len(holder) {
			holder[i] = value
		}
	}
}

func remove(fields map[string]any, at deskhand.Pointer) {
	tokens := at.Tokens()
	if holder, isMap := lookUp(fields, tokens[:len(tokens)-1]).(map[string]any); isMap {
		delete(holder, tokens[len(tokens)-1])
	}
}
