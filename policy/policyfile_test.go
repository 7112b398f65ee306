package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
)

const exampleFile = "desktops/standard/example.yaml"

// reviewWith reviews one desktop under a policy.
func reviewWith(t *testing.T, policy, definition string) (deskhand.Reviewed, deskhand.Review) {
	t.Helper()
	snapshot := deskhand.Snapshot{
		Desktops: []deskhand.Desktop{desktopOf(t, exampleFile, faultless, definition)},
		Policy:   &deskhand.File{Path: "desktops/policy.yaml", Content: []byte(policy)},
	}
	whole := reviewAlone(t, snapshot)
	return whole.Desktops[0], whole
}

const withoutCompliance = "layout: {widgetOrder: [call-controls]}\n"

func TestPolicyRulings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		policy, definition string
		score              int
		refused            bool
		severity           deskhand.Severity // of layout/compliance, "" for no finding
	}{
		"the defaults": {definition: withoutCompliance, score: 80, severity: deskhand.SeverityWarning},
		"a weight":     {policy: "weights: {layout/compliance: 30}", definition: withoutCompliance, score: 70, refused: true, severity: deskhand.SeverityWarning},
		"a threshold":  {policy: "threshold: 81", definition: withoutCompliance, score: 80, refused: true, severity: deskhand.SeverityWarning},
		"a severity":   {policy: "severities: {layout/compliance: error}", definition: withoutCompliance, score: 80, refused: true, severity: deskhand.SeverityError},
		"only told":    {policy: "severities: {layout/compliance: info}", definition: withoutCompliance, score: 100, severity: deskhand.SeverityInfo},
		"off":          {policy: "severities: {layout/compliance: off}", definition: withoutCompliance, score: 100},
		"a profile":    {policy: "profile: strict", definition: withoutCompliance, score: 80, refused: true, severity: deskhand.SeverityError},
		"a profile of one's own, and a word against it": {
			policy:     "profile: ours\nprofiles: {ours: {threshold: 95, weights: {layout/compliance: 1}}}\nthreshold: 90",
			definition: withoutCompliance, score: 99, severity: deskhand.SeverityWarning,
		},
		"an override by path": {
			policy:     "overrides: [{path: 'standard/*', weights: {layout/compliance: 50}}]",
			definition: withoutCompliance, score: 50, refused: true, severity: deskhand.SeverityWarning,
		},
		"an override of other paths": {
			policy:     "overrides: [{path: 'premium/**', weights: {layout/compliance: 50}}]",
			definition: withoutCompliance, score: 80, severity: deskhand.SeverityWarning,
		},
		"an override by labels": {
			policy:     "overrides: [{labels: {wave: canary}, profile: strict}]",
			definition: withoutCompliance + "labels: {wave: canary}", score: 80, refused: true, severity: deskhand.SeverityError,
		},
		"the last override wins": {
			policy:     "overrides: [{path: '**', severities: {layout/compliance: error}}, {path: 'standard/example.yaml', severities: {layout/compliance: info}}]",
			definition: withoutCompliance, score: 100, severity: deskhand.SeverityInfo,
		},
		"a waiver": {
			policy:     "waivers: [{rule: layout/compliance, path: 'standard/*', reason: soon, expires: 2026-11-22}]",
			definition: withoutCompliance, score: 100, severity: deskhand.SeverityInfo,
		},
		"a waiver of yesterday": {
			policy:     "waivers: [{rule: layout/compliance, path: 'standard/*', reason: soon, expires: 2026-11-21}]",
			definition: withoutCompliance, score: 80, severity: deskhand.SeverityWarning,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, whole := reviewWith(t, test.policy, test.definition)
			if deskhand.HasErrors(whole.Findings) {
				t.Fatal(whole.Findings)
			}
			if got.Score != test.score || got.Refused != test.refused {
				t.Errorf("score %d, refused %t: %v", got.Score, got.Refused, got.Findings)
			}
			found := withRule(got.Findings, "layout/compliance")
			switch {
			case len(found) == 0 && test.severity != "", len(found) > 0 && found[0].Severity != test.severity:
				t.Errorf("findings: %v, want severity %q", got.Findings, test.severity)
			}
		})
	}
}

func TestPolicyIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ policy, want string }{
		"no YAML":          {"threshold: 1\n b: c", `:2:1: error: this is not YAML`},
		"an unknown key":   {"treshold: 10", `:1:11: error: unknown key "treshold" [policy/invalid] (did you mean "threshold"?)`},
		"a wrong type":     {"threshold: high", `:1:12: error: threshold must be a whole number, is text`},
		"an unknown rule":  {"weights:\n  layout/colums: 1", `:2:18: error: there is no rule "layout/colums"`},
		"a fixed rule":     {"severities: {schema: off}", `:1:22: error: there is no rule "schema" that a policy can weigh or waive`},
		"a lost profile":   {"profile: strickt", `:1:10: error: there is no profile "strickt" [policy/invalid] (did you mean "strict"?)`},
		"a day of no year": {"waivers: [{rule: layout/columns, path: a, reason: b, expires: 2026-02-30}]", `:1:63: error: "2026-02-30" is no day of the calendar`},
		"a path outside":   {"overrides: [{path: ../x, threshold: 1}]", `:1:20: error: "../x" is no path below the folder of policy.yaml`},
		"no scope":         {"overrides: [{threshold: 1}]", `:1:13: error: overrides[0] is not of the right form`},
		"an unknown field": {
			"rules: [{id: a/b, message: c, expression: 'desktop.layot.gridColumns > 1'}]",
			`:1:43: error: the expression does not compile: undefined field 'layot'`,
		},
		"no truth value": {
			"rules: [{id: a/b, message: c, expression: desktop.layout.gridColumns}]",
			`:1:43: error: the expression does not compile: the expression gives int, where a rule needs true or false`,
		},
		"a name that is taken": {
			"rules: [{id: layout/columns, message: c, expression: 'true'}]", `:1:14: error: there already is a rule "layout/columns"`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, whole := reviewWith(t, test.policy, withoutCompliance)
			if len(whole.Findings) == 0 || !strings.HasPrefix(whole.Findings[0].String(), "desktops/policy.yaml"+test.want) {
				t.Errorf("findings: %v", whole.Findings)
			}
			if got.Score != 80 || got.Refused {
				t.Errorf("the defaults are not in force: score %d, refused %t", got.Score, got.Refused)
			}
		})
	}
}

func TestLastGoodPolicyStaysInForce(t *testing.T) {
	t.Parallel()
	reviewer := newReviewer(t)
	snapshot := deskhand.Snapshot{Tenant: "acme", Desktops: []deskhand.Desktop{desktopOf(t, exampleFile, faultless, withoutCompliance)}}
	for _, step := range []struct {
		policy  string
		score   int
		refused bool
		wrong   bool
	}{
		{policy: "weights: {layout/compliance: 50}", score: 50, refused: true},
		{policy: "weights: {layout/compliance: fifty}", score: 50, refused: true, wrong: true},
		{policy: "weights: {layout/compliance: fifty}", score: 50, refused: true, wrong: true},
		{policy: "weights: {layout/compliance: 5}", score: 95},
	} {
		snapshot.Policy = &deskhand.File{Path: "desktops/policy.yaml", Content: []byte(step.policy)}
		got := review(t, reviewer, snapshot)
		if got.Desktops[0].Score != step.score || got.Desktops[0].Refused != step.refused || deskhand.HasErrors(got.Findings) != step.wrong {
			t.Errorf("%s: score %d, findings %v", step.policy, got.Desktops[0].Score, got.Findings)
		}
	}
	snapshot.Policy = nil
	if got := review(t, reviewer, snapshot); got.Desktops[0].Score != 80 {
		t.Errorf("without policy.yaml the score is %d", got.Desktops[0].Score)
	}
}

func TestWaiverExpiresBetweenReviews(t *testing.T) {
	t.Parallel()
	now := today()
	reviewer := newReviewerAt(t, func() time.Time { return now })
	snapshot := deskhand.Snapshot{
		Desktops: []deskhand.Desktop{desktopOf(t, exampleFile, faultless, withoutCompliance)},
		Policy: &deskhand.File{Path: "desktops/policy.yaml", Content: []byte(
			"waivers: [{rule: layout/compliance, path: '**', reason: soon, expires: 2026-11-22}]")},
	}
	if got := review(t, reviewer, snapshot); got.Desktops[0].Score != fullScore || len(got.Findings) > 0 {
		t.Errorf("score %d, findings %v", got.Desktops[0].Score, got.Findings)
	}
	now = now.Add(12 * time.Hour)
	if got := review(t, reviewer, snapshot); got.Desktops[0].Score != 80 || len(withRule(got.Findings, ruleExpired)) != 1 {
		t.Errorf("the day after: score %d, findings %v", got.Desktops[0].Score, got.Findings)
	}
}

func TestOwnRules(t *testing.T) {
	t.Parallel()
	const rule = "rules: [{id: acme/rule, severity: error, message: not so, hint: mend it, at: /layout/gridColumns, expression: %}]"
	expression := func(text string) string { return strings.Replace(rule, "%", "'"+text+"'", 1) }
	tests := map[string]struct {
		expression string
		want       string // the rule that finds something
	}{
		"holds":              {`desktop.layout.gridColumns <= 8 && desktop.tier == "standard"`, ""},
		"does not hold":      {`desktop.layout.gridColumns > 8`, "acme/rule"},
		"lists":              {`desktop.complianceBanners.all(b, size(b.message) < 200 && b.displayRegion == "EMEA")`, ""},
		"maps":               {`"wave" in desktop.labels`, "acme/rule"},
		"browsers":           {`desktop.browserCompatibility.supportedBrowsers.exists(b, b == "chrome")`, ""},
		"extra":              {`desktop.extra.size() == 0 && desktop.file.endsWith(".yaml")`, ""},
		"a string of no end": {`[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e > 0)))))`, ruleExpression},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, whole := reviewWith(t, expression(test.expression), "")
			if len(whole.Findings) > 0 {
				t.Fatal(whole.Findings)
			}
			var rules []string
			for _, finding := range got.Findings {
				rules = append(rules, finding.Rule)
			}
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if diff := cmp.Diff(want, rules); diff != "" {
				t.Errorf("%s\n%v", diff, got.Findings)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	tests := []struct {
		glob, file string
		want       bool
	}{
		{"standard/*.yaml", "standard/voice.yaml", true},
		{"standard/*.yaml", "standard/emea/voice.yaml", false},
		{"standard/**", "standard/emea/voice.yaml", true},
		{"**/voice-*.yaml", "voice-emea.yaml", true},
		{"**/voice-*.yaml", "premium/a/voice-emea.yaml", true},
		{"**/voice-?.yaml", "premium/voice-emea.yaml", false},
		{"a+b(c).yaml", "a+b(c).yaml", true},
		{"standard", "standard/voice.yaml", false},
	}
	for _, test := range tests {
		parsed, err := parseGlob(test.glob)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.matches(test.file); got != test.want {
			t.Errorf("%s matches %s: %t", test.glob, test.file, got)
		}
	}
	for _, wrong := range []string{"/a", "../a", "a/../b", "./a", "a//b"} {
		if _, err := parseGlob(wrong); err == nil {
			t.Errorf("%s is taken for a glob", wrong)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{
		"", "threshold: 90", "profile: strict", "a: &a [*a]", "? [a]\n: b",
		"rules: [{id: a/b, message: c, expression: 'desktop.labels.size() < 3'}]",
		"waivers: [{rule: layout/columns, path: '**', reason: x, expires: 2026-12-31}]",
		"overrides: [{path: 'a/*', settings: {deviceScale: 1.25, widgets: {notes: {minWidth: 1e3}}}}]",
	} {
		f.Add([]byte(seed))
	}
	reviewer := newReviewer(f)
	desktop := desktopOf(f, exampleFile, faultless, "")
	f.Fuzz(func(t *testing.T, text []byte) {
		book, findings := reviewer.files.read(&deskhand.File{Path: "policy.yaml", Content: text})
		if (book == nil) != deskhand.HasErrors(findings) {
			t.Fatalf("a rulebook and errors, or neither: %v", findings)
		}
		if book == nil {
			return
		}
		with := reviewer.judge
		with.book, with.now = book, today()
		if _, err := with.review(t.Context(), desktop, nil); err != nil {
			t.Fatal(err)
		}
	})
}
