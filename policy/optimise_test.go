package policy

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
)

func TestOptimise(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		policy, definition string
		want               []deskhand.Edit // positions left out
		columns            string          // that are sent
	}{
		"columns of the default screen": {
			definition: "layout: {gridColumns: 12}",
			want:       []deskhand.Edit{{Path: "/layout/gridColumns", Why: "optimised: 12 → 8 columns (1366x768)"}},
			columns:    "8",
		},
		"columns that fit": {definition: "layout: {gridColumns: 12}\ntargetResolutions: [1920x1080]", columns: "12"},
		"the smallest of several screens": {
			definition: "layout: {gridColumns: 12}\ntargetResolutions: [1920x1080, 1024x768, 1366x768]",
			want:       []deskhand.Edit{{Path: "/layout/gridColumns", Why: "optimised: 12 → 6 columns (1024x768)"}},
			columns:    "6",
		},
		"a device scale": {
			policy:     "settings: {deviceScale: 1.25}",
			definition: "layout: {gridColumns: 8}",
			want:       []deskhand.Edit{{Path: "/layout/gridColumns", Why: "optimised: 8 → 6 columns (1366x768)"}},
			columns:    "6",
		},
		"a widget that needs more": {
			policy:     "settings: {widgets: {notes: {columns: 1, minWidth: 300}}}",
			definition: "layout: {gridColumns: 8}",
			want:       []deskhand.Edit{{Path: "/layout/gridColumns", Why: "optimised: 8 → 4 columns (1366x768)"}},
			columns:    "4",
		},
		"nothing that fits": {policy: "settings: {minColumnWidth: 5000}", definition: "layout: {gridColumns: 8}", columns: "8"},
		"a rule that is off": {
			policy: "severities: {layout/columns: off}", definition: "layout: {gridColumns: 12}", columns: "12",
		},
		"a rule that is waived": {
			policy:     "waivers: [{rule: layout/columns, path: '**', reason: wide screens, expires: 2026-12-31}]",
			definition: "layout: {gridColumns: 12}", columns: "12",
		},
		"keys": {
			definition: "shortcuts: [{label: Note, action: note, keys: shift + ctrl + f2}]",
			want:       []deskhand.Edit{{Path: "/shortcuts/0/keys", Why: "optimised: shift + ctrl + f2 → Control+Shift+F2 (aria-keyshortcuts)"}},
			columns:    "8",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, whole := reviewWith(t, test.policy, test.definition)
			if len(whole.Findings) > 0 {
				t.Fatal(whole.Findings)
			}
			ignored := cmpopts.IgnoreFields(deskhand.Edit{}, "Before", "After", "Origin")
			if diff := cmp.Diff(test.want, got.Edits, ignored); diff != "" {
				t.Error(diff)
			}
			if sent := fmt.Sprint(lookUp(got.Optimised.Fields(), []string{"layout", "gridColumns"})); sent != test.columns {
				t.Errorf("%s columns are sent, want %s", sent, test.columns)
			}
			for _, edit := range got.Edits {
				if fmt.Sprint(lookUp(got.Document.Fields(), edit.Path.Tokens())) != fmt.Sprint(edit.Before) ||
					fmt.Sprint(lookUp(got.Optimised.Fields(), edit.Path.Tokens())) != fmt.Sprint(edit.After) {
					t.Errorf("the edit does not lead from the document to what is sent: %+v", edit)
				}
				if edit.Origin.File != exampleFile || edit.Origin.Line == 0 {
					t.Errorf("the edit points at %q", edit.Origin)
				}
			}
		})
	}
}

func TestOptimisedDesktopLosesNoPoints(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"", "severities: {layout/columns: error}"} {
		got, _ := reviewWith(t, policy, "layout: {gridColumns: 12}")
		if got.Score != fullScore || got.Refused {
			t.Errorf("score %d, refused %t", got.Score, got.Refused)
		}
		severities := map[deskhand.Severity]int{}
		for _, finding := range withRule(got.Findings, ruleColumns) {
			severities[finding.Severity]++
		}
		if severities[deskhand.SeverityWarning] == 0 || severities[deskhand.SeverityInfo] != 1 {
			t.Errorf("findings: %v", got.Findings)
		}
	}
}

func TestLayoutSaysWhatAgentsSee(t *testing.T) {
	t.Parallel()
	got, _ := reviewWith(t, "", "layout: {gridColumns: 12}\ntargetResolutions: [1280x720, 1366x768]")
	var messages []string
	for _, finding := range withRule(got.Findings, ruleColumns) {
		if finding.Severity == deskhand.SeverityWarning {
			messages = append(messages, finding.Message)
		}
	}
	want := []string{
		"12 columns are 96 px each at 1280x720, 103 px each at 1366x768; below 140 px agents scroll sideways",
		"contact-summary needs 280 px, gets 193 px at 1280x720, 207 px at 1366x768; " +
			"call-controls needs 240 px, gets 193 px at 1280x720, 207 px at 1366x768; " +
			"notes needs 320 px, gets 290 px at 1280x720, 311 px at 1366x768",
	}
	if diff := cmp.Diff(want, messages, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
		t.Error(diff)
	}
}

func TestOptimiseTwiceIsOptimiseOnce(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	rapid.Check(t, func(rt *rapid.T) {
		definition := fmt.Sprintf("layout: {gridColumns: %d, widgetOrder: %s}\ntargetResolutions: [%dx768]\nshortcuts: [{label: a, action: hold, keys: %q}]",
			rapid.IntRange(1, 12).Draw(rt, "columns"),
			mustJSON(t, rapid.SliceOfN(rapid.SampledFrom([]string{"notes", "screen-pop", "compliance", "other"}), 1, 6).Draw(rt, "widgets")),
			rapid.IntRange(320, 4000).Draw(rt, "width"),
			rapid.SampledFrom([]string{"ctrl+1", "cmd+shift+k", "F9", "Option+a", "a b", "Control+Alt+Delete", "Shift+Control+1"}).Draw(rt, "keys"))
		policy := fmt.Sprintf("settings: {deviceScale: %g, minColumnWidth: %d, browserChrome: %d, widgets: {notes: {columns: %d, minWidth: %d}}}",
			rapid.Float64Range(0.5, 4).Draw(rt, "scale"), rapid.IntRange(1, 400).Draw(rt, "least"), rapid.IntRange(0, 500).Draw(rt, "chrome"),
			rapid.IntRange(1, 12).Draw(rt, "span"), rapid.IntRange(0, 600).Draw(rt, "needs"))
		book, findings := reviewer.files.read(&deskhand.File{Path: "policy.yaml", Content: []byte(policy)})
		if book == nil {
			rt.Fatal(findings)
		}
		desktop := desktopOf(t, exampleFile, faultless, definition)
		with, err := book.settingsFor(desktop)
		if err != nil {
			rt.Fatal(err)
		}
		before := subject{view: newView(desktop, desktop.Document), document: desktop.Document, settings: with, reserved: reviewer.judge.reserved}
		once, _, err := optimise(desktop, before, optimisers())
		if err != nil {
			rt.Fatal(err)
		}
		after := before
		after.document, after.view = once, newView(desktop, once)
		twice, edits, err := optimise(desktop, after, optimisers())
		if err != nil || twice != once || len(edits) > 0 {
			rt.Fatalf("%v: %s became %s", err, once, twice)
		}
		if fitting := mostColumns(before.view, with.Layout); fitting > 0 && len(layoutColumns(after)) > 0 {
			rt.Fatalf("what was optimised does not fit: %v", layoutColumns(after))
		}
	})
}
