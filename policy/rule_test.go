package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/deskhand/deskhand"
)

func TestRulesGoodExamplesPass(t *testing.T) {
	t.Parallel()
	for _, rule := range Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			found := allFindings(reviewAlone(t, example(t, rule.Good)))
			for _, finding := range found {
				allowed := rule.ID == "policy/score" && finding.Severity == deskhand.SeverityWarning
				if finding.Rule == rule.ID || !allowed {
					t.Errorf("the good example has a finding: %s", finding)
				}
			}
		})
	}
}

func TestRulesBadExamplesAreFound(t *testing.T) {
	t.Parallel()
	for _, rule := range Rules() {
		t.Run(rule.ID, func(t *testing.T) {
			t.Parallel()
			all := allFindings(reviewAlone(t, example(t, rule.Bad)))
			found := withRule(all, rule.ID)
			if len(found) == 0 {
				t.Fatalf("the bad example has no such finding, only %v", all)
			}
			for _, finding := range found {
				t.Log(finding)
				if finding.Message == "" || finding.Hint == "" || finding.File == "" {
					t.Errorf("a finding without file, message or hint: %+v", finding)
				}
				if finding.Line == 0 && rule.ID != ruleScore && rule.ID != ruleExpression {
					t.Errorf("a finding without a line: %s", finding)
				}
			}
			if rule.Severity == deskhand.SeverityError && !deskhand.HasErrors(found) {
				t.Errorf("an error rule found no error: %v", found)
			}
		})
	}
}

func TestRulesAreDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, rule := range Rules() {
		if seen[rule.ID] {
			t.Errorf("%s is there twice", rule.ID)
		}
		seen[rule.ID] = true
		for name, text := range map[string]string{
			"What": rule.What, "Why": rule.Why, "Mend": rule.Mend, "Good": rule.Good, "Bad": rule.Bad, "Severity": string(rule.Severity),
		} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", rule.ID, name)
			}
		}
	}
}

func TestFaultlessDesktop(t *testing.T) {
	t.Parallel()
	got := reviewAlone(t, example(t, "# desktops/standard/example.yaml\n")).Desktops[0]
	if got.Score != fullScore || got.Refused || len(got.Findings) > 0 || len(got.Edits) > 0 {
		t.Errorf("score %d, refused %t, findings %v, edits %v", got.Score, got.Refused, got.Findings, got.Edits)
	}
	if got.Optimised != got.Document {
		t.Error("a desktop with nothing to mend was changed")
	}
	if !slices.IsSorted(got.ChecksPassed) || !slices.Contains(got.ChecksPassed, ruleDuplicate) || !slices.Contains(got.ChecksPassed, "contrast/text") {
		t.Errorf("checks passed: %v", got.ChecksPassed)
	}
}
