package deskhand

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity says what a finding does to a desktop.
type Severity string

// The severities, gravest first. A desktop with an error is never sent.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Finding is one thing that a rule, or the reading of a file, has to say.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1; 0 where the finding is about the whole file
	Column   int      `json:"column"` // from 1
	ConfigID string   `json:"configId"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint"` // what to do about it
}

// Position is where the finding points.
func (f Finding) Position() Position {
	return Position{File: f.File, Line: f.Line, Column: f.Column}
}

// String prints file:line:col: severity: message [rule], and the hint.
func (f Finding) String() string {
	text := fmt.Sprintf("%s: %s: %s [%s]", f.Position(), f.Severity, f.Message, f.Rule)
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	return text
}

// SortFindings puts findings in the order of their places, then their rules.
func SortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.ConfigID, b.ConfigID),
			cmp.Compare(a.Message, b.Message),
		)
	})
}

// HasErrors reports whether any finding refuses.
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}

// Review is what the policy says of a snapshot.
type Review struct {
	Desktops []Reviewed // in the order of the snapshot
	// Findings are those of the snapshot and of the policy itself; each
	// desktop carries its own.
	Findings []Finding
}

// Reviewed is one desktop after policy and optimisation.
type Reviewed struct {
	Desktop
	// Optimised is the payload to send.
	Optimised Document
	// Edits are what optimisation changed, from Desktop.Document to Optimised.
	Edits []Edit
	// Score is 0 to 100.
	Score        int
	Findings     []Finding
	ChecksPassed []string // ids of the rules that found nothing, sorted
	Refused      bool     // never to be sent
}
