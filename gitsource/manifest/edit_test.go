package manifest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

const definition = `# yaml-language-server: $schema=desktop.schema.json
configId: "dsk-voice"   # the id
extends: ../_base/pci.yaml

# the screen
layout: # of the agents
  gridColumns:   12  # wide
  widgetOrder: [contact-summary, call-controls, notes] # order matters
  # more to come
shortcuts:
  # the first
  - {label: Transfer, action: transfer, target: 'queue:a'}
  - label: Hold # second
    action: hold
    target: ""
complianceBanners:
- title: PCI
  message: |-
    Use tokens.

    Never numbers.
browserCompatibility:
  supportedBrowsers:
    - chrome # ours
    - edge
  minimumVersions: {
    chrome: "114", # a
    edge: "115" # b
  }
`

func TestApplyChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	set := func(path deskhand.Pointer, value any) manifest.Edit { return manifest.Edit{Path: path, Value: value} }
	remove := func(path deskhand.Pointer) manifest.Edit { return manifest.Edit{Path: path, Remove: true} }
	tests := map[string]struct {
		edit     manifest.Edit
		old, new string // the part of the text that changes
	}{
		"number":              {set("/layout/gridColumns", 8), ":   12 ", ":   8 "},
		"double quotes stay":  {set("/configId", "dsk-two"), `"dsk-voice" `, `"dsk-two" `},
		"single quotes stay":  {set("/shortcuts/0/target", "it's"), `'queue:a'`, `'it''s'`},
		"text of digits":      {set("/shortcuts/1/label", "114"), "label: Hold #", `label: "114" #`},
		"old boolean":         {set("/shortcuts/1/label", "yes"), "label: Hold #", `label: "yes" #`},
		"empty text":          {set("/shortcuts/1/target", "queue:b"), `target: ""`, `target: "queue:b"`},
		"flow item":           {set("/layout/widgetOrder/1", "screen-pop"), "call-controls,", "screen-pop,"},
		"flow append":         {set("/layout/widgetOrder/-", "compliance"), "notes]", "notes, compliance]"},
		"flow remove first":   {remove("/layout/widgetOrder/0"), "[contact-summary, ", "["},
		"flow remove last":    {remove("/layout/widgetOrder/2"), ", notes]", "]"},
		"flow list as whole":  {set("/layout/widgetOrder", []any{"notes", "call-controls"}), "[contact-summary, call-controls, notes]", "[notes, call-controls]"},
		"flow member":         {set("/shortcuts/0/keys", "Control+Alt+1"), "'queue:a'}", "'queue:a', keys: Control+Alt+1}"},
		"flow lines":          {remove("/browserCompatibility/minimumVersions/edge"), "    edge: \"115\" # b\n", ""},
		"flow lines, first":   {remove("/browserCompatibility/minimumVersions/chrome"), "    chrome: \"114\", # a\n", ""},
		"block member":        {set("/layout/primaryWorkspace", "voice"), "  # more to come\n", "  # more to come\n  primaryWorkspace: voice\n"},
		"block item":          {set("/browserCompatibility/supportedBrowsers/-", "firefox"), "    - edge\n", "    - edge\n    - firefox\n"},
		"block item first":    {set("/browserCompatibility/supportedBrowsers", []any{"firefox", "chrome", "edge"}), "    - chrome #", "    - firefox\n    - chrome #"},
		"block remove item":   {remove("/browserCompatibility/supportedBrowsers/0"), "    - chrome # ours\n", ""},
		"block remove member": {remove("/shortcuts/1/action"), "    action: hold\n", ""},
		"remove first member": {remove("/shortcuts/1/label"), "label: Hold # second\n    ", ""},
		"top level in order":  {set("/region", "EMEA"), "pci.yaml\n", "pci.yaml\nregion: EMEA\n"},
		"top level at end":    {set("/theme/accent", "#0b57d0"), "# b\n  }\n", "# b\n  }\ntheme: {accent: \"#0b57d0\"}\n"},
		"literal":             {set("/complianceBanners/0/message", "One.\nTwo."), "    Use tokens.\n\n    Never numbers.\n", "    One.\n    Two.\n"},
		"literal to line":     {set("/complianceBanners/0/message", "One."), "|-\n    Use tokens.\n\n    Never numbers.\n", "One.\n"},
		"line to literal":     {set("/complianceBanners/0/title", "One\nTwo\n"), "title: PCI\n", "title: |\n    One\n    Two\n"},
		"block to scalar":     {set("/layout", nil), "layout: # of the agents\n  gridColumns:   12  # wide\n  widgetOrder: [contact-summary, call-controls, notes] # order matters\n", "layout: null # of the agents\n"},
		"scalar to block":     {set("/layout/gridColumns", map[string]any{"a": map[string]any{"b": 1}}), "gridColumns:   12  # wide\n", "gridColumns:  # wide\n    a: {b: 1}\n"},
		"banner":              {set("/complianceBanners/-", map[string]any{"title": "GDPR", "message": "a\nb"}), "    Never numbers.\n", "    Never numbers.\n- title: GDPR\n  message: |-\n    a\n    b\n"},
		"nothing changes":     {set("/layout/gridColumns", json.Number("12.0")), "", ""},
	}
	for name, test := range tests {
		for _, lineEnd := range []string{"\n", "\r\n"} {
			t.Run(fmt.Sprintf("%s %q", name, lineEnd), func(t *testing.T) {
				t.Parallel()
				if strings.Count(definition, test.old) != 1 && test.old != "" {
					t.Fatalf("%q is not in the definition once", test.old)
				}
				ends := func(text string) string { return strings.ReplaceAll(text, "\n", lineEnd) }
				got, err := manifest.Apply([]byte(ends(definition)), []manifest.Edit{test.edit})
				if err != nil {
					t.Fatal(err)
				}
				want := ends(strings.Replace(definition, test.old, test.new, 1))
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestApplyOddShapes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, content, path, value, want string }{
		{"no line end", "a: 1", "/b", `2`, "a: 1\nb: 2"},
		{"empty value", "a:\nb: 1\n", "/a", `2`, "a: 2\nb: 1\n"},
		{"empty value with comment", "a: # c\nb: 1\n", "/a", `{"x":{"z":[]}}`, "a: # c\n  x:\n    z: []\nb: 1\n"},
		{"empty item", "a:\n  -\n  - 1\n", "/a/0", `2`, "a:\n  - 2\n  - 1\n"},
		{"empty flow", "a: {}\n", "/a/b", `1`, "a: {b: 1}\n"},
		{"empty root", "# c\n{}\n", "/configId", `"x"`, "# c\nconfigId: x\n"},
		{"json", `{"a": [1, {"b": "c"}]}`, "/a/1/b", `"d"`, `{"a": [1, {"b": "d"}]}`},
		{"byte order mark", "\ufeffa: 1\n", "/a", `2`, "\ufeffa: 2\n"},
		{"plain over lines", "a: one\n  two\nb: 1\n", "/a", `"three"`, "a: three\nb: 1\n"},
		{"wide characters", "{ä: ü, b: ö} # é\n", "/b", `"x"`, "{ä: ü, b: x} # é\n"},
		{"tag", "a: !!str 1 # c\n", "/a", `"2"`, "a: \"2\" # c\n"},
		{"alias", "a: &x 1\nb: *x # c\n", "/b", `2`, "a: &x 1\nb: 2 # c\n"},
		{"merge key", "a: &x {k: 1}\nb:\n  <<: *x\n", "/b/k", `2`, "a: &x {k: 1}\nb:\n  <<: *x\n  k: 2\n"},
		{"four spaces", "a:\n    b: 1\n", "/c", `{"d":{"e":{}, "f": "` + strings.Repeat("x", 100) + `"}}`, "a:\n    b: 1\nc:\n    d:\n        e: {}\n        f: xxx"},
		{"list becomes mapping", "a:\n- 1\n- 2\n", "/a", `{"b":{"c":"d"}}`, "a:\n  b: {c: d}\n"},
		{"nested lists", "a:\n- - 1\n  - 2\n- 3\n", "/a/0/1", `4`, "a:\n- - 1\n  - 4\n- 3\n"},
		{"unused anchor", "a: &x\n  b: 1\nc: 2\n", "/a/b", `3`, "a: &x\n  b: 3\nc: 2\n"},
		{"document marks", "---\na: 1\n...\n", "/b", `2`, "---\na: 1\nb: 2\n...\n"},
		{"emptied", "a:\n  - 1 # c\nb: 2\n", "/a", `[]`, "a: []\nb: 2\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var value any
			if err := json.Unmarshal([]byte(test.value), &value); err != nil {
				t.Fatal(err)
			}
			got, err := manifest.Apply([]byte(test.content), []manifest.Edit{{Path: deskhand.Pointer(test.path), Value: value}})
			if err != nil {
				t.Fatal(err)
			}
			if test.name == "four spaces" {
				got = got[:len(test.want)]
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, content string
		edits         []manifest.Edit
		editable      bool // the edit is wrong, not the text
	}{
		{"broken file", "a: [\n", []manifest.Edit{{Path: "/a", Value: 1}}, true},
		{"behind an alias", "a: &x {k: 1}\nb: *x\n", []manifest.Edit{{Path: "/b/k", Value: 2}}, false},
		{"what aliases stand for", "a: &x {k: 1}\nb: *x\n", []manifest.Edit{{Path: "/a/k", Value: 2}}, false},
		{"removed anchor", "a: &x 1\nb: *x\n", []manifest.Edit{{Path: "/a", Value: 2}}, false},
		{"from a merge key", "a: &x {k: 1, l: 2}\nb: {<<: *x}\n", []manifest.Edit{{Path: "/b/k", Remove: true}}, false},
		{"missing", "a: 1\n", []manifest.Edit{{Path: "/b", Remove: true}}, true},
		{"through a scalar", "a: 1\n", []manifest.Edit{{Path: "/a/b", Value: 1}}, true},
		{"outside the list", "a: [1]\n", []manifest.Edit{{Path: "/a/2", Value: 1}}, true},
		{"the whole file", "a: 1\n", []manifest.Edit{{Path: "", Remove: true}}, true},
		{"two files", "a: 1\n", []manifest.Edit{{File: "a", Path: "/a", Value: 1}, {File: "b", Path: "/a", Value: 1}}, true},
		{"no JSON", "a: 1\n", []manifest.Edit{{Path: "/a", Value: make(chan int)}}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := manifest.Apply([]byte(test.content), test.edits)
			if err == nil || got != nil || errors.Is(err, manifest.ErrNotEditable) == test.editable {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// jsonValue draws any JSON value, with texts that YAML readers trip over.
func jsonValue(depth int) *rapid.Generator[any] {
	text := rapid.OneOf(
		rapid.SampledFrom([]string{"", " ", "yes", "null", "114", "1e3", "a: b", "a #b", "- a", "<<", "~", "x\ny\n", "\n", "a\n\nb", "'", `"`, "…", "\u0085", "\u2028", "0o14", "2024-01-01", "{", "*a", "&a", "!a", "%", "@", "`", "a:", ":", "?", "| x", "> x", "\ttab", "---", "...", "1:30", "\U0001F600"}),
		rapid.String(),
	)
	scalar := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Float64Range(-1e12, 1e12), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	)
	if depth == 0 {
		return scalar
	}
	return rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(jsonValue(depth-1), 0, 4), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(text, jsonValue(depth-1), 0, 4), func(m map[string]any) any { return m }),
	)
}

func jsonObject() *rapid.Generator[map[string]any] {
	name := rapid.SampledFrom([]string{"configId", "layout", "shortcuts", "theme", "extra", "other", "a b", "yes", "1", ""})
	return rapid.MapOfN(name, jsonValue(3), 0, 6)
}

func TestMarshalThenParseIsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		fields := jsonObject().Draw(t, "fields")
		text, err := manifest.Marshal(fields, "a comment", "")
		if err != nil {
			t.Fatal(err) // Marshal compares what it wrote with what it was given
		}
		if !strings.HasPrefix(string(text), "# a comment\n#\n") {
			t.Fatalf("the comment is missing: %s", text)
		}
	})
}

func TestApplyReachesAnyValueFromAnyOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := jsonObject().Draw(t, "before")
		after := jsonObject().Draw(t, "after")
		text, err := manifest.Marshal(before, "kept")
		if err != nil {
			t.Fatal(err)
		}
		edited, err := manifest.Apply(text, []manifest.Edit{{Path: "", Value: after}})
		if err != nil {
			t.Fatalf("%v\n%s", err, text) // Apply compares the result with what was asked for
		}
		if !strings.HasPrefix(string(edited), "# kept\n") {
			t.Fatalf("the comment is gone: %s", edited)
		}
		again, err := manifest.Apply(edited, []manifest.Edit{{Path: "", Value: after}})
		if err != nil || string(again) != string(edited) {
			t.Fatalf("an edit that changes nothing changed the text (%v):\n%s\n%s", err, edited, again)
		}
	})
}

// TestApplyLeavesOtherLinesAlone edits one member of many, in a text with
// comments everywhere.
func TestApplyLeavesOtherLinesAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"one", "two", "three", "four"}
		var text strings.Builder
		for i, name := range names {
			fmt.Fprintf(&text, "# above %s\n", name)
			content, err := manifest.Marshal(map[string]any{name: jsonValue(2).Draw(t, name)})
			if err != nil {
				t.Fatal(err)
			}
			text.Write(content)
			if i%2 == 0 {
				text.WriteString("\n")
			}
		}
		chosen := rapid.IntRange(0, len(names)-1).Draw(t, "chosen")
		edit := manifest.Edit{Path: deskhand.Pointer("").Child(names[chosen])}
		if edit.Remove = rapid.Bool().Draw(t, "remove"); !edit.Remove {
			edit.Value = jsonValue(2).Draw(t, "value")
		}
		got, err := manifest.Apply([]byte(text.String()), []manifest.Edit{edit})
		if err != nil {
			t.Fatalf("%v\n%s", err, text.String())
		}
		head, rest, _ := strings.Cut(text.String(), "# above "+names[chosen]+"\n")
		if !strings.HasPrefix(string(got), head+"# above "+names[chosen]+"\n") {
			t.Fatalf("what stands before changed:\n%s\n%s", text.String(), got)
		}
		if chosen+1 < len(names) {
			_, tail, _ := strings.Cut(rest, "# above "+names[chosen+1]+"\n")
			if !strings.HasSuffix(string(got), "# above "+names[chosen+1]+"\n"+tail) {
				t.Fatalf("what stands behind changed:\n%s\n%s", text.String(), got)
			}
		}
	})
}
