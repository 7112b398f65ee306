package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/deskhand/deskhand"
)

// planPrinter prints plans for people.
type planPrinter struct {
	out   io.Writer
	color bool
}

// The signs of the operations, as diffs have them.
func sign(op deskhand.Op) string {
	switch op {
	case deskhand.OpCreate:
		return "+"
	case deskhand.OpDelete:
		return "-"
	case deskhand.OpAdopt:
		return "="
	case deskhand.OpReport:
		return "!"
	default:
		return "~"
	}
}

func (p planPrinter) print(plan deskhand.Plan) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s at %s\n", p.bold("tenant "+string(plan.Tenant)), plan.Commit.Revision())
	for _, change := range plan.Changes {
		p.change(&text, change)
	}
	for _, change := range plan.Reports {
		p.change(&text, change)
	}
	p.findings(&text, plan.Findings)
	fmt.Fprintf(&text, "\n%s\n", planSummary(plan))
	_, err := io.WriteString(p.out, text.String())
	return err
}

func (p planPrinter) change(text *strings.Builder, change deskhand.Change) {
	name := change.ConfigID
	if change.File != "" && change.File != name {
		name += " (" + change.File + ")"
	}
	fmt.Fprintf(text, "\n%s %s %s: %s\n", p.paint(change.Op, sign(change.Op)), p.bold(name), change.Op, change.Why)
	for _, edit := range change.Edits {
		p.edit(text, "    ", edit)
	}
	if len(change.Drift) > 0 {
		text.WriteString("    in CXone, by hand:\n")
		for _, edit := range change.Drift {
			p.edit(text, "      ", edit)
		}
	}
}

func (p planPrinter) edit(text *strings.Builder, indent string, edit deskhand.Edit) {
	path := string(edit.Path)
	if path == "" {
		path = "/"
	}
	fmt.Fprintf(text, "%s%s: %s → %s", indent, path, valueText(edit.Before), valueText(edit.After))
	var notes []string
	if !edit.Origin.IsZero() {
		notes = append(notes, edit.Origin.String())
	}
	if edit.Why != "" {
		notes = append(notes, edit.Why)
	}
	if len(notes) > 0 {
		text.WriteString("  " + p.dim("# "+strings.Join(notes, ", ")))
	}
	text.WriteString("\n")
}

// longestValue is where a value is cut in the terminal; -o json has it whole.
const longestValue = 120

func valueText(value any) string {
	if value == nil {
		return "(none)"
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	text := []rune(string(encoded))
	if len(text) > longestValue {
		return string(text[:longestValue]) + "…"
	}
	return string(text)
}

func (p planPrinter) findings(text *strings.Builder, findings []deskhand.Finding) {
	if len(findings) == 0 {
		return
	}
	text.WriteString("\nfindings:\n")
	for _, finding := range findings {
		fmt.Fprintf(text, "    %s\n", finding)
	}
}

func planSummary(plan deskhand.Plan) string {
	counts := map[deskhand.Op]int{}
	for _, change := range plan.Changes {
		counts[change.Op]++
	}
	states := map[deskhand.State]int{}
	for _, change := range plan.Reports {
		states[change.State]++
	}
	parts := []string{
		fmt.Sprintf("%d to create", counts[deskhand.OpCreate]),
		fmt.Sprintf("%d to update", counts[deskhand.OpUpdate]),
		fmt.Sprintf("%d to delete", counts[deskhand.OpDelete]),
		fmt.Sprintf("%d to adopt", counts[deskhand.OpAdopt]),
	}
	for _, state := range []deskhand.State{
		deskhand.StateDrifted, deskhand.StateAbsent, deskhand.StateConflict, deskhand.StateUnmanaged,
		deskhand.StateOrphaned, deskhand.StateRefused,
	} {
		if states[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", states[state], state))
		}
	}
	return "plan: " + strings.Join(parts, ", ")
}

func (p planPrinter) bold(text string) string { return p.escape("1", text) }
func (p planPrinter) dim(text string) string  { return p.escape("2", text) }

func (p planPrinter) paint(op deskhand.Op, text string) string {
	switch op {
	case deskhand.OpCreate:
		return p.escape("32", text)
	case deskhand.OpDelete:
		return p.escape("31", text)
	default:
		return p.escape("33", text)
	}
}

func (p planPrinter) escape(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
