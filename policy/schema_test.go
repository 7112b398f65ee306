package policy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deskhand/deskhand"
)

func TestSchemaSpeaksToPeople(t *testing.T) {
	t.Parallel()
	const file = "desktops/standard/voice.yaml"
	tests := map[string]struct {
		below string // "" for the faultless definition
		yaml  string
		want  []string // position, message and hint
	}{
		"an unknown key": {
			yaml: "layout:\n  gridColums: 8\n",
			want: []string{`:2:15: unknown key "gridColums" (did you mean "gridColumns"?)`},
		},
		"an unknown key that is near none": {
			yaml: "layout:\n  zzzzzzzzzz: 8\n",
			want: []string{`:2:15: unknown key "zzzzzzzzzz" (known keys: gridColumns, primaryWorkspace, widgetOrder)`},
		},
		"a number as text": {
			yaml: "layout:\n  gridColumns: \"8\"\n",
			want: []string{`:2:16: layout.gridColumns must be a whole number, is text (write it without quotes: 8)`},
		},
		"a version as a number": {
			yaml: "browserCompatibility:\n  minimumVersions: {chrome: 114}\n",
			want: []string{`:2:29: browserCompatibility.minimumVersions.chrome must be text, is a number (put it in quotes: "114")`},
		},
		"text for a truth value": {
			yaml: "complianceBanners:\n  - {title: A, message: B, displayRegion: EMEA, acknowledgementRequired: yes}\n",
			want: []string{`:2:74: complianceBanners[0].acknowledgementRequired must be true or false, is text (write true or false, without quotes)`},
		},
		"a value that is not listed": {
			yaml: "layout: {primaryWorkspace: voise}\n",
			want: []string{`:1:28: layout.primaryWorkspace is "voise", must be one of omni, voice, digital, blended (did you mean "voice"?)`},
		},
		"a number out of range": {
			yaml: "layout: {gridColumns: 13}\n",
			want: []string{`:1:23: layout.gridColumns is 13, must be at least 1 and at most 12 (`},
		},
		"an entry without a key": {
			yaml: "shortcuts:\n  - {label: Go, action: route}\n",
			want: []string{`:2:5: shortcuts[0] has no target (add target to shortcuts[0])`},
		},
		"nothing at all": {
			below: "configId: dsk-empty\n",
			yaml:  "region: EMEA\n",
			want: []string{
				`:1:1: the file has no browserCompatibility (add browserCompatibility to the file, here, in _tier.yaml, or in a file that it extends)`,
				`:1:1: the file has no complianceBanners (`, `:1:1: the file has no layout (`, `:1:1: the file has no shortcuts (`,
			},
		},
		"a known key in extra": {
			yaml: "extra: {layout: {}}\n",
			want: []string{`:1:9: extra can't hold "layout" (write layout at the top level of the definition, where it is checked)`},
		},
		"an id that is no file name": {
			yaml: "configId: ../dsk\n",
			want: []string{`:1:11: configId is "../dsk", which is not of the right form (`},
		},
		"an empty list": {
			yaml: "layout: {widgetOrder: []}\n",
			want: []string{`:1:10: layout.widgetOrder is empty (`},
		},
		"the same screen twice": {
			yaml: "targetResolutions: [1366x768, 1366x768]\n",
			want: []string{`:1:1: targetResolutions has an entry twice (`},
		},
		"several at once": {
			yaml: "layout: {gridColumns: 0}\nshortcutz: []\n",
			want: []string{`:1:23: layout.gridColumns is 0, must be`, `:2:1: unknown key "shortcutz"`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			below := test.below
			if below == "" {
				below = faultless
			}
			snapshot := deskhand.Snapshot{Desktops: []deskhand.Desktop{desktopOf(t, file, below, test.yaml)}}
			got := reviewAlone(t, snapshot).Desktops[0]
			if !got.Refused || len(got.Edits) > 0 {
				t.Errorf("refused %t, edits %v", got.Refused, got.Edits)
			}
			found := withRule(got.Findings, ruleSchema)
			if len(found) != len(test.want) {
				t.Fatalf("findings: %v", found)
			}
			for i, finding := range found {
				text := strings.Replace(finding.String(), "error: ", "", 1)
				text = strings.TrimPrefix(strings.Replace(text, " [schema]", "", 1), file)
				if !strings.HasPrefix(text, test.want[i]) {
					t.Errorf("got  %s\nwant %s", text, test.want[i])
				}
			}
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"layout", "labels", "shortcuts"}
	for name, want := range map[string]string{"layuot": "layout", "shortcutz": "shortcuts", "label": "labels", "browser": ""} {
		if got, _ := nearest(name, known); got != want {
			t.Errorf("nearest to %s is %q, want %q", name, got, want)
		}
	}
}

func TestParseYAML(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		yaml string
		want map[string]any
		line int // of the error
	}{
		"nothing":         {yaml: "", want: map[string]any{}},
		"comments":        {yaml: "# none\n", want: map[string]any{}},
		"a date is text":  {yaml: "a: 2026-12-31", want: map[string]any{"a": "2026-12-31"}},
		"an alias":        {yaml: "a: &x [b]\nc: *x", want: map[string]any{"a": []any{"b"}, "c": []any{"b"}}},
		"a list":          {yaml: "- a", line: 1},
		"a key twice":     {yaml: "a: 1\na: 2", line: 2},
		"two documents":   {yaml: "a: 1\n---\nb: 2", line: 2},
		"not a number":    {yaml: "a: .nan", line: 1},
		"no YAML":         {yaml: "a: b\n c: d", line: 2},
		"a merge key":     {yaml: "a: &x {b: c}\nd:\n  <<: *x", line: 3},
		"an alias bomb":   {yaml: bomb(), line: 9},
		"a map as key":    {yaml: "? {a: b}\n: c", line: 1},
		"its own content": {yaml: "a: &x [*x]", line: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, broken := parseYAML("policy.yaml", []byte(test.yaml))
			if (broken != nil) != (test.line > 0) || broken != nil && (broken.line == 0 || broken.hint == "") {
				t.Fatalf("got %v, %+v", got, broken)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); broken == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func bomb() string {
	var text strings.Builder
	text.WriteString("a: &a [x, x, x, x, x, x, x, x]\n")
	for letter := 'b'; letter < 'k'; letter++ {
		below := string(letter - 1)
		text.WriteString(string(letter) + ": &" + string(letter) + " [" + strings.Repeat("*"+below+", ", 7) + "*" + below + "]\n")
	}
	return text.String()
}
