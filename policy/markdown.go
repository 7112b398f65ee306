package policy

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/deskhand/deskhand"
)

// RulesMarkdown is the reference of all rules, docs/rules.md.
func RulesMarkdown() []byte {
	var page bytes.Buffer
	page.WriteString(`# The rules

` + "`deskhand validate`" + ` judges every desktop by these rules, and nothing with an error is sent to CXone.
The score starts at 100. Each rule that finds an error or a warning takes its weight off, once. A
desktop whose score is under the threshold, 80, is refused, too. [policy.yaml](policy.md) sets
severities, weights and the threshold, and waives rules for a while.

The rules judge the desktop as it will be sent. What deskhand optimises by itself is told as a
warning that costs nothing, with an information of what was changed.

The examples show only the keys that matter. This page is generated from the rules, and each
example runs as a test.

| rule | severity | weight | checks |
|---|---|---|---|
`)
	for _, rule := range Rules() {
		fmt.Fprintf(&page, "| [%s](#%s) | %s | %s | %s |\n", rule.ID, anchor(rule.ID), rule.Severity, weightWords(rule), rule.What)
	}
	for _, rule := range Rules() {
		fmt.Fprintf(&page, "\n## %s\n\n", rule.ID)
		fmt.Fprintf(&page, "Severity: %s. Weight: %s.", rule.Severity, weightWords(rule))
		if rule.fixed {
			page.WriteString(" It can't be weighed or waived.")
		}
		fmt.Fprintf(&page, "\n\n**What.** %s\n\n**Why.** %s\n\n**How to mend it.** %s\n", rule.What, rule.Why, rule.Mend)
		fmt.Fprintf(&page, "\nGood:\n\n```yaml\n%s```\n\nBad:\n\n```yaml\n%s```\n", rule.Good, rule.Bad)
	}
	return page.Bytes()
}

func weightWords(rule Rule) string {
	switch {
	case rule.Weight > 0:
		return fmt.Sprintf("−%d", rule.Weight)
	case rule.Severity == deskhand.SeverityError:
		return "refused"
	}
	return "none"
}

// anchor is the fragment that forges give a heading.
func anchor(heading string) string { return strings.ReplaceAll(heading, "/", "") }
