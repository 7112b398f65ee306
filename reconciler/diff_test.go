package reconciler

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
)

const id = "dsk-voice-emea"

// document is a small configuration; the arguments replace or add members.
func document(t *testing.T, changes ...string) deskhand.Document {
	t.Helper()
	fields := parse(t, `{
		"licenseTier": "standard",
		"layout": {"gridColumns": 8, "primaryWorkspace": "voice"},
		"shortcuts": [
			{"label": "Hold", "action": "hold", "target": "a"},
			{"label": "Transfer", "action": "transfer", "target": "b"}
		]
	}`).Fields()
	for _, change := range changes {
		for name, value := range parse(t, change).Fields() {
			if value == nil {
				delete(fields, name)
				continue
			}
			fields[name] = value
		}
	}
	made, err := deskhand.NewDocument(fields)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func parse(t *testing.T, text string) deskhand.Document {
	t.Helper()
	parsed, err := deskhand.ParseDocument([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return parsed
}

const (
	columns6   = `{"layout": {"gridColumns": 6, "primaryWorkspace": "voice"}}`
	columns4   = `{"layout": {"gridColumns": 4, "primaryWorkspace": "voice"}}`
	otherTheme = `{"theme": {"accent": "#123456"}}`
)

// TestDiffTable has a case for each row of the state table in the design, under
// each policy that the row knows.
func TestDiffTable(t *testing.T) {
	t.Parallel()
	base, etag := document(t), deskhand.ETag(`"1"`)
	managed := func(base deskhand.Document) *deskhand.Managed {
		return &deskhand.Managed{
			ConfigID: id, File: "standard/voice.yaml", Base: base, Live: base, ETag: etag, State: deskhand.StateInSync,
		}
	}
	exists := func(document deskhand.Document) *deskhand.Observed {
		return &deskhand.Observed{Exists: true, ETag: `"2"`, Document: document}
	}
	with := func(change func(*Rules)) Rules {
		rules := DefaultRules()
		change(&rules)
		return rules
	}
	revert := with(func(r *Rules) { r.Drift = DriftRevert })
	holds := with(func(r *Rules) { r.Conflict = ConflictHold })
	prune := with(func(r *Rules) { r.Prune = Prune{Policy: PruneDelete, Percent: 10} })

	tests := []struct {
		name    string
		rules   Rules
		base    *deskhand.Managed
		desired *deskhand.Document
		live    *deskhand.Observed
		want    string // op state event if-match [overwrites]; edits
	}{
		{"same same: in sync", DefaultRules(), managed(base), &base, exists(base), ""},
		{"an unchanged ETag is proof", DefaultRules(), managed(base), &base, &deskhand.Observed{Exists: true, NotModified: true}, ""},
		{"not looked at: pending under the known ETag", DefaultRules(), managed(base), ptr(document(t, columns6)), nil,
			`update pending updated "1"; /layout/gridColumns 8→6 changed in git`},
		{"differs same: pending", DefaultRules(), managed(base), ptr(document(t, columns6)), exists(base),
			`update pending updated "2"; /layout/gridColumns 8→6 changed in git`},
		{"same differs: drift is reported", DefaultRules(), managed(base), &base, exists(document(t, columns6)),
			`report drifted drifted "2"; drift /layout/gridColumns 8→6`},
		{"same differs: drift is reverted", revert, managed(base), &base, exists(document(t, columns6)),
			`update drifted reverted "2" overwrites; /layout/gridColumns 6→8 drift reverted; drift /layout/gridColumns 8→6`},
		{"differs differs, other fields: merged, drift kept", DefaultRules(), managed(base),
			ptr(document(t, `{"licenseTier": "premium"}`)), exists(document(t, columns6)),
			`update pending+drifted updated "2"; /licenseTier standard→premium changed in git; drift /layout/gridColumns 8→6`},
		{"differs differs, other fields: merged, drift reset", revert, managed(base),
			ptr(document(t, `{"licenseTier": "premium"}`)), exists(document(t, columns6)),
			`update pending+drifted updated "2" overwrites; /layout/gridColumns 6→8 drift reverted; /licenseTier standard→premium changed in git; drift /layout/gridColumns 8→6`},
		{"differs differs, same field: git wins", DefaultRules(), managed(base), ptr(document(t, columns4)), exists(document(t, columns6)),
			`update conflict updated "2" overwrites; /layout/gridColumns 6→4 conflict: git wins; drift /layout/gridColumns 8→6`},
		{"differs differs, same field: held", holds, managed(base), ptr(document(t, columns4)), exists(document(t, columns6)),
			`report conflict conflict "2"; /layout/gridColumns 6→4 conflict: git wins; drift /layout/gridColumns 8→6`},
		{"live equals desired: converged", DefaultRules(), managed(base), ptr(document(t, columns6)), exists(document(t, columns6)),
			`adopt converged adopted "2"`},
		{"no base, live equals desired: adopted", DefaultRules(), nil, &base, exists(base), `adopt unmanaged adopted "2"`},
		{"no base, live differs: takeover", DefaultRules(), nil, &base, exists(document(t, columns6)),
			`update unmanaged updated "2" overwrites; /layout/gridColumns 6→8 takeover: first contact`},
		{"no base, live differs, adopt: false", with(func(r *Rules) { r.Adopt = false }), nil, &base, exists(document(t, columns6)),
			`report unmanaged conflict "2"; /layout/gridColumns 6→8 takeover: first contact`},
		{"no live: created", DefaultRules(), nil, ptr(parse(t, `{"licenseTier": "standard"}`)), &deskhand.Observed{},
			`create absent created ; /licenseTier <nil>→standard `},
		{"no live, but a base: deleted out of band", DefaultRules(), managed(base), &base, &deskhand.Observed{},
			`report absent drifted ; drift  …→<nil>`},
		{"no live, but a base: made again", revert, managed(parse(t, `{"a": 1}`)), ptr(parse(t, `{"a": 1}`)), &deskhand.Observed{},
			`create absent reverted ; /a <nil>→1 deleted in CXone by hand; drift  …→<nil>`},
		{"no live, but a base, and git changed", DefaultRules(), managed(parse(t, `{"a": 1}`)), ptr(parse(t, `{"a": 2}`)), &deskhand.Observed{},
			`create absent created ; /a <nil>→2 deleted in CXone by hand; drift  …→<nil>`},
		{"no live, but a base, and git changed: held", holds, managed(parse(t, `{"a": 1}`)), ptr(parse(t, `{"a": 2}`)), &deskhand.Observed{},
			`report conflict conflict ; drift  …→<nil>`},
		{"not desired: orphan is reported", DefaultRules(), managed(base), nil, exists(base),
			`report orphaned orphaned "2";  …→<nil> removed from git`},
		{"not desired: orphan is deleted", prune, managed(base), nil, exists(base),
			`delete orphaned deleted "2";  …→<nil> removed from git`},
		{"not desired, changed by hand: on record before it is deleted", prune, managed(base), nil, exists(document(t, columns6)),
			`delete orphaned deleted "2" overwrites;  …→<nil> removed from git`},
		{"not desired, and gone: forgotten", prune, managed(base), nil, &deskhand.Observed{}, `adopt orphaned resolved `},
		{"drift that went away", DefaultRules(), &deskhand.Managed{ConfigID: id, Base: base, Live: document(t, columns6), ETag: etag, State: deskhand.StateDrifted},
			&base, exists(base), `report in-sync resolved "2"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := Input{Tenant: "acme", Managed: map[string]deskhand.Managed{}, Live: map[string]deskhand.Observed{}}
			// Another desktop, in sync, so that the commit leaves one.
			in.Managed["other"] = deskhand.Managed{ConfigID: "other", Base: base, Live: base, ETag: `"9"`, State: deskhand.StateInSync}
			in.Review.Desktops = []deskhand.Reviewed{reviewed("other", base)}
			if test.base != nil {
				in.Managed[id] = *test.base
			}
			if test.desired != nil {
				in.Review.Desktops = append(in.Review.Desktops, reviewed(id, *test.desired))
			}
			if test.live != nil {
				in.Live[id] = *test.live
			}
			if diff := cmp.Diff(test.want, summary(Diff(in, test.rules))); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func ptr[T any](value T) *T { return &value }

func reviewed(configID string, document deskhand.Document) deskhand.Reviewed {
	return deskhand.Reviewed{
		Desktop:   deskhand.Desktop{ConfigID: configID, File: "standard/" + configID + ".yaml", Document: document, Fingerprint: document.String()},
		Optimised: document, Score: 100,
	}
}

// summary prints a plan of at most one change as a line.
func summary(plan deskhand.Plan) string {
	var lines []string
	for _, change := range append(plan.Changes, plan.Reports...) {
		line := fmt.Sprintf("%s %s %s %s", change.Op, change.State, strings.TrimPrefix(string(change.Event), "cxone.desktop.config."), change.IfMatch)
		if change.Overwrites {
			line += " overwrites"
		}
		parts := []string{line}
		for _, edit := range change.Edits {
			parts = append(parts, fmt.Sprintf("%s %s→%s %s", edit.Path, short(edit.Before), short(edit.After), edit.Why))
		}
		for _, edit := range change.Drift {
			parts = append(parts, fmt.Sprintf("drift %s %s→%s", edit.Path, short(edit.Before), short(edit.After)))
		}
		lines = append(lines, strings.Join(parts, "; "))
	}
	return strings.Join(lines, "\n")
}

func short(value any) string {
	if _, isObject := value.(map[string]any); isObject {
		return "…"
	}
	return fmt.Sprint(value)
}

func TestDiffCarriesWhatNobodyNamed(t *testing.T) {
	t.Parallel()
	base := document(t)
	live := document(t, otherTheme, `{"layout": {"gridColumns": 8, "primaryWorkspace": "voice", "density": "compact"}}`)
	in := Input{
		Managed: map[string]deskhand.Managed{id: {ConfigID: id, Base: base, Live: base, ETag: `"1"`, State: deskhand.StateInSync}},
		Live:    map[string]deskhand.Observed{id: {Exists: true, ETag: `"2"`, Document: live}},
		Review:  deskhand.Review{Desktops: []deskhand.Reviewed{reviewed(id, base)}},
	}
	if plan := Diff(in, DefaultRules()); !plan.Empty() || len(plan.Reports) > 0 {
		t.Errorf("fields that git does not name are no drift: %s", summary(plan))
	}
	in.Review.Desktops = []deskhand.Reviewed{reviewed(id, document(t, columns6))}
	plan := Diff(in, DefaultRules())
	want := document(t, otherTheme, `{"layout": {"gridColumns": 6, "primaryWorkspace": "voice", "density": "compact"}}`)
	if diff := cmp.Diff(want.String(), plan.Changes[0].After.String()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestDiffMergesEntriesByKey(t *testing.T) {
	t.Parallel()
	entries := func(labels ...string) string {
		var list []string
		for _, label := range labels {
			name, target, _ := strings.Cut(label, "=")
			list = append(list, fmt.Sprintf(`{"label": %q, "target": %q}`, name, target))
		}
		return fmt.Sprintf(`{"shortcuts": [%s]}`, strings.Join(list, ","))
	}
	tests := []struct{ name, base, desired, live, want string }{
		{"both add", entries("A=1"), entries("A=1", "G=1"), entries("A=1", "L=1"), entries("A=1", "L=1", "G=1")},
		{"one changes, one adds", entries("A=1"), entries("A=2"), entries("A=1", "L=1"), entries("A=2", "L=1")},
		{"each changes another", entries("A=1", "B=1"), entries("A=2", "B=1"), entries("A=1", "B=2"), entries("A=2", "B=2")},
		{"git removes, a hand adds", entries("A=1", "B=1"), entries("A=1"), entries("A=1", "B=1", "L=1"), entries("A=1", "L=1")},
		{"a hand removes, git adds", entries("A=1", "B=1"), entries("A=1", "B=1", "G=1"), entries("A=1"), entries("A=1", "G=1")},
		{"git reorders, a hand adds", entries("A=1", "B=1"), entries("B=1", "A=1"), entries("A=1", "L=1", "B=1"), entries("B=1", "A=1", "L=1")},
		{"a hand reorders, git changes", entries("A=1", "B=1"), entries("A=2", "B=1"), entries("B=1", "A=1"), entries("B=1", "A=2")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			base := parse(t, test.base)
			in := Input{
				Managed: map[string]deskhand.Managed{id: {ConfigID: id, Base: base, Live: base, ETag: `"1"`, State: deskhand.StateInSync}},
				Live:    map[string]deskhand.Observed{id: {Exists: true, ETag: `"2"`, Document: parse(t, test.live)}},
				Review:  deskhand.Review{Desktops: []deskhand.Reviewed{reviewed(id, parse(t, test.desired))}},
			}
			plan := Diff(in, DefaultRules())
			if len(plan.Changes) != 1 {
				t.Fatalf("want one change, got %s", summary(plan))
			}
			if diff := cmp.Diff(parse(t, test.want).String(), plan.Changes[0].After.String()); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPruneLimits(t *testing.T) {
	t.Parallel()
	base := document(t)
	world := func(managed, kept int) Input {
		in := Input{Managed: map[string]deskhand.Managed{}, Live: map[string]deskhand.Observed{}}
		for i := range managed {
			name := fmt.Sprintf("dsk-%03d", i)
			in.Managed[name] = deskhand.Managed{ConfigID: name, File: "standard/" + name + ".yaml", Base: base, Live: base, ETag: `"1"`, State: deskhand.StateInSync}
			if i < kept {
				in.Review.Desktops = append(in.Review.Desktops, reviewed(name, base))
			}
		}
		return in
	}
	prune := DefaultRules()
	prune.Prune.Policy = PruneDelete
	force := prune
	force.Force = true
	unreadable := func(in Input, file, configID string) Input {
		in.Unreadable = append(in.Unreadable, deskhand.Unreadable{File: file, ConfigID: configID})
		return in
	}
	tests := []struct {
		name    string
		in      Input
		rules   Rules
		deleted int
	}{
		{"ten of a hundred", world(100, 90), prune, 10},
		{"eleven of a hundred", world(100, 89), prune, 0},
		{"eleven of a hundred, forced", world(100, 89), force, 11},
		{"one of three", world(3, 2), prune, 1},
		{"everything", world(3, 0), force, 0},
		{"the file is only broken", unreadable(world(3, 2), "standard/dsk-002.yaml", ""), prune, 0},
		{"the id is in a broken file", unreadable(world(3, 2), "standard/renamed.yaml", "dsk-002"), prune, 0},
		{"it may be in a broken file", unreadable(world(3, 2), "standard/renamed.yaml", ""), prune, 0},
		{"another file is broken", unreadable(world(30, 28), "standard/dsk-029.yaml", ""), prune, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plan := Diff(test.in, test.rules)
			if got := len(plan.Changes); got != test.deleted {
				t.Errorf("deletes %d desktops, want %d: %s", got, test.deleted, summary(plan))
			}
		})
	}
}

func TestRefusedDesktopIsNeverSent(t *testing.T) {
	t.Parallel()
	refused := reviewed(id, document(t))
	refused.Refused = true
	refused.Findings = []deskhand.Finding{{Rule: "tier/entitlement", Severity: deskhand.SeverityError}}
	good := reviewed("good", document(t))
	in := Input{
		Live:   map[string]deskhand.Observed{id: {}, "good": {}},
		Review: deskhand.Review{Desktops: []deskhand.Reviewed{refused, good}},
	}
	plan := Diff(in, DefaultRules())
	if len(plan.Changes) != 1 || plan.Changes[0].ConfigID != "good" {
		t.Errorf("want only the good one to be sent: %s", summary(plan))
	}
	if len(plan.Reports) != 1 || plan.Reports[0].Event != deskhand.EventRejected {
		t.Errorf("want the refusal reported: %s", summary(plan))
	}
	holding := DefaultRules()
	holding.OnInvalid = InvalidHold
	if plan := Diff(in, holding); !plan.Empty() {
		t.Errorf("onInvalid: hold sends nothing: %s", summary(plan))
	}
}
