package manifest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// anyJSON draws JSON that may be a member of an object.
func anyJSON(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.SampledFrom([]any{"", "yes", "114", "a: b # c", "line\nline\n", "ünï", nil, true, false, 1.5, -7, 12345678901234}),
		rapid.Map(rapid.String(), func(text string) any { return text }),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	return rapid.OneOf(append(scalars,
		rapid.Map(anyObject(depth-1), func(fields map[string]any) any { return fields }),
		rapid.Map(rapid.SliceOfN(anyJSON(depth-1), 0, 3), func(list []any) any { return list }),
	)...)
}

func anyObject(depth int) *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{
		"licenseTier", "layout", "shortcuts", "theme", "region", "extra", "configId", "queueBar", "a/b~c", "y", "12", "null",
	}), anyJSON(depth), 0, 5)
}

// TestDefinitionsAreTheirPayloads writes any payloads as definitions with shared
// values, and reads them again.
func TestDefinitionsAreTheirPayloads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		payloads := make([]deskhand.Document, rapid.IntRange(1, 4).Draw(t, "desktops"))
		like := anyObject(2).Draw(t, "like")
		definitions := make([]map[string]any, len(payloads))
		for i := range payloads {
			fields := anyObject(2).Draw(t, "payload")
			for _, name := range slices.Sorted(maps.Keys(like)) {
				if rapid.IntRange(0, 3).Draw(t, "likeness") > 0 {
					fields[name] = like[name]
				}
			}
			payloads[i] = document(t, fields)
			var left []deskhand.Pointer
			definitions[i], left = manifest.Define(fmt.Sprintf("dsk-%d", i), deskhand.TierStandard, payloads[i])
			payloads[i] = less(t, payloads[i], left)
		}
		shared, rest := manifest.Share(definitions)
		files := map[string]map[string]any{}
		if len(shared) > 0 {
			files["standard/_tier.yaml"] = shared
		}
		for i, own := range rest {
			files[fmt.Sprintf("standard/%d.yaml", i)] = own
		}
		snapshot := loadFields(t, files)
		if len(snapshot.Desktops) != len(payloads) {
			t.Fatalf("%d desktops, want %d: %v", len(snapshot.Desktops), len(payloads), snapshot.Findings)
		}
		for i, desktop := range snapshot.Desktops {
			if desktop.Document != payloads[i] {
				t.Errorf("payload (-want +got):\n%s", cmp.Diff(payloads[i].Fields(), desktop.Document.Fields()))
			}
		}
	})
}

// less is the payload that a definition can ask for: without what is left, and
// with the folder's tier where it names none.
func less(t *rapid.T, payload deskhand.Document, left []deskhand.Pointer) deskhand.Document {
	fields := payload.Fields()
	for _, path := range left {
		holder, tokens := fields, path.Tokens()
		for _, token := range tokens[:len(tokens)-1] {
			holder = holder[token].(map[string]any)
		}
		delete(holder, tokens[len(tokens)-1])
	}
	if _, exists := fields["licenseTier"]; !exists {
		fields["licenseTier"] = string(deskhand.TierStandard)
	}
	return document(t, fields)
}

func document(t *rapid.T, fields map[string]any) deskhand.Document {
	made, err := deskhand.NewDocument(fields)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func loadFields(t *rapid.T, files map[string]map[string]any) deskhand.Snapshot {
	var entries []manifest.Entry
	contents := map[string][]byte{}
	for name, fields := range files {
		content, err := manifest.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		entries, contents[name] = append(entries, manifest.Entry{Path: name, Hash: name}), content
	}
	snapshot, err := manifest.NewLoader(manifest.Options{}).Load(t.Context(), entries, func(entry manifest.Entry) ([]byte, error) {
		return contents[entry.Path], nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func TestShareTakesWhatAllHave(t *testing.T) {
	t.Parallel()
	object := func(members ...any) map[string]any {
		fields := map[string]any{}
		for i := 0; i < len(members); i += 2 {
			fields[members[i].(string)] = members[i+1]
		}
		return fields
	}
	shared, rest := manifest.Share([]map[string]any{
		object("configId", "a", "layout", object("gridColumns", 8, "primaryWorkspace", "voice"), "theme", object()),
		object("configId", "b", "layout", object("gridColumns", 6, "primaryWorkspace", "voice"), "theme", object()),
	})
	if diff := cmp.Diff(object("layout", object("primaryWorkspace", "voice"), "theme", object()), shared); diff != "" {
		t.Errorf("shared (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]any{
		object("configId", "a", "layout", object("gridColumns", 8)),
		object("configId", "b", "layout", object("gridColumns", 6)),
	}, rest); diff != "" {
		t.Errorf("rest (-want +got):\n%s", diff)
	}
	if alone, _ := manifest.Share([]map[string]any{object("configId", "a", "region", "EMEA")}); alone != nil {
		t.Errorf("one definition shares %v", alone)
	}
}
