package manifest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// shared is a desktop that takes some of its values from other files.
func shared() files {
	return files{
		"standard/_tier.yaml": "layout:\n  gridColumns: 12\nshortcuts:\n  - {label: Hold, action: hold, target: \"\"}\n",
		"standard/voice.yaml": `configId: voice
region: EMEA
layout:
  widgetOrder: [notes, compliance] # kept
complianceBanners:
  - title: PCI # kept
    message: Use tokens.
  - {title: GDPR, message: Ask first., displayRegion: EMEA}
extra:
  beta: {on: true}
`,
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	desktop := only(t, shared().load(t, manifest.NewLoader(manifest.Options{})))
	tests := map[deskhand.Pointer]deskhand.Pointer{
		"/layout/gridColumns":                "/layout/gridColumns", // set elsewhere, and overridden here
		"/layout/widgetOrder/1":              "/layout/widgetOrder/1",
		"/shortcuts/0/target":                "/shortcuts", // a list is overridden as a whole
		"/complianceBanners/0/displayRegion": "/complianceBanners/0/displayRegion",
		"/beta/on":                           "/extra/beta/on",
		"/unknown":                           "/extra/unknown",
		"/theme/accent":                      "/theme/accent",
	}
	for path, want := range tests {
		if diff := cmp.Diff(manifest.Edit{File: "standard/voice.yaml", Path: want}, manifest.Locate(desktop, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestEditsReachAPayload(t *testing.T) {
	t.Parallel()
	repository := shared()
	desktop := only(t, repository.load(t, manifest.NewLoader(manifest.Options{})))
	fields := desktop.Document.Fields()
	fields["layout"].(map[string]any)["gridColumns"] = 8
	fields["shortcuts"].([]any)[0].(map[string]any)["keys"] = "Control+Alt+2"
	fields["complianceBanners"].([]any)[0].(map[string]any)["message"] = "Use tokens only."
	fields["later"] = map[string]any{"a": 1}
	delete(fields, "beta")

	got := accept(t, repository, desktop, fields)
	want := `configId: voice
region: EMEA
layout:
  gridColumns: 8
  widgetOrder: [notes, compliance] # kept
shortcuts:
  - {label: Hold, action: hold, target: "", keys: Control+Alt+2}
complianceBanners:
  - title: PCI # kept
    message: Use tokens only.
  - {title: GDPR, message: Ask first., displayRegion: EMEA}
extra:
  beta: null
  later: {a: 1}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type fataler interface {
	Helper()
	Context() context.Context
	Fatal(args ...any)
}

// accept edits the desktop's file towards the payload, loads it again, and checks
// that the payload is what was wanted.
func accept(t fataler, repository files, desktop deskhand.Desktop, payload map[string]any) string {
	t.Helper()
	want, err := deskhand.NewDocument(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := manifest.Apply([]byte(repository[desktop.File]), manifest.Edits(desktop, want))
	if err != nil {
		t.Fatal(err)
	}
	repository[desktop.File] = string(text)
	snapshot, err := manifest.NewLoader(manifest.Options{}).Load(t.Context(), repository.entries(), repository.read)
	if err != nil || len(snapshot.Desktops) != 1 {
		t.Fatal(err, snapshot.Findings)
	}
	if got := snapshot.Desktops[0].Document; got != want {
		t.Fatal(fmt.Sprintf("%s\ngives %s\nwant  %s", text, got, want))
	}
	return string(text)
}

func TestEditsReachAnyPayload(t *testing.T) {
	t.Parallel()
	members := map[string]*rapid.Generator[any]{
		"layout":            object("gridColumns", "widgetOrder", "primaryWorkspace"),
		"shortcuts":         list(object("label", "action", "keys")),
		"complianceBanners": list(object("title", "message", "displayRegion")),
		"theme":             object("accent", "foreground"),
		"later":             object("a", "b"),
	}
	rapid.Check(t, func(t *rapid.T) {
		repository := shared()
		snapshot, err := manifest.NewLoader(manifest.Options{}).Load(t.Context(), repository.entries(), repository.read)
		if err != nil {
			t.Fatal(err)
		}
		desktop := snapshot.Desktops[0]
		fields := desktop.Document.Fields()
		for name, generator := range members {
			if rapid.Bool().Draw(t, "change "+name) {
				fields[name] = generator.Draw(t, name)
			}
		}
		// A banner without a region gets that of the definition.
		if banners, isList := fields["complianceBanners"].([]any); isList {
			for _, banner := range banners {
				if banner, _ := banner.(map[string]any); banner["displayRegion"] == nil {
					banner["displayRegion"] = "EMEA"
				}
			}
		}
		accept(t, repository, desktop, fields)
	})
}

func object(names ...string) *rapid.Generator[any] {
	scalar := rapid.SampledFrom([]any{1, "x", "EMEA", true, []any{"a", "b"}})
	return rapid.Map(rapid.MapOfN(rapid.SampledFrom(names), scalar, 1, 3), func(m map[string]any) any { return m })
}

func list(item *rapid.Generator[any]) *rapid.Generator[any] {
	return rapid.Map(rapid.SliceOfN(item, 0, 4), func(items []any) any { return items })
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	desktop := only(t, shared().load(t, manifest.NewLoader(manifest.Options{})))
	fields := desktop.Definition.Fields()
	fields["theme"] = map[string]any{"accent": "#0b57d0", "foreground": "red"}
	fields["browserCompatibility"] = map[string]any{
		"minimumVersions": map[string]any{"chrome": "114"}, "supportedBrowsers": []any{"chrome"},
	}
	text, err := manifest.Marshal(fields, "yaml-language-server: $schema=desktop.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "marshal.golden.yaml", string(text))
}
