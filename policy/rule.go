package policy

import (
	"slices"

	"github.com/deskhand/deskhand"
)

// Rule is one row of the policy: what is checked, why, and how to mend it.
//
// Good and Bad are YAML, parted by --- into files, each of which begins with a
// comment that names it. They show only the keys that matter to the rule.
type Rule struct {
	ID       string
	Severity deskhand.Severity // of its findings, unless policy.yaml sets another
	// Weight is what the rule takes off a score of 100, once, however many
	// findings it has.
	Weight int
	What   string // what is checked, in one sentence
	Why    string // and why, with the WCAG criterion or another source
	Mend   string // what to do about a finding
	Good   string
	Bad    string

	// fixed rules hold the rest up: policy.yaml can neither weigh nor waive them.
	fixed bool
	// check judges one desktop; nil for what is found elsewhere: by the schema,
	// among several desktops, or in policy.yaml.
	check func(subject) []fault
}

// Rules are all the rules, in the order of the reference.
func Rules() []Rule {
	return slices.Concat(
		structureRules(), tierRules(), layoutRules(), contrastRules(), shortcutRules(), bannerRules(), browserRules(), policyRules(),
	)
}

// subject is what a rule judges: one desktop and the rulings that hold for it.
type subject struct {
	view
	document   deskhand.Document // what view was read from
	definition deskhand.Document
	settings   *settings
	reserved   *reservedTable
	seen       *memo
}

// fault is what a rule finds; the review adds the place and the rule.
type fault struct {
	at            deskhand.Pointer
	severity      deskhand.Severity // "" for the rule's
	message, hint string
}

// The ids of rules that are not found by a row's check.
const (
	ruleSchema     = "schema"
	ruleDuplicate  = "identity/duplicate"
	ruleScore      = "policy/score"
	ruleInvalid    = "policy/invalid"
	ruleExpression = "policy/expression"
	ruleExpired    = "policy/waiver-expired"
	ruleColumns    = "layout/columns"
	ruleKeys       = "shortcut/keys"
)
