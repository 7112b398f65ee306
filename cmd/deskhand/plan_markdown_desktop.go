package main

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// desktop is the collapsible block of one desktop.
func (p reviewedPlan) desktop(change deskhand.Change) string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n<details>\n<summary>%s</summary>\n\n", p.summary(change))
	text.WriteString(sentence(change) + ".")
	if change.File != "" {
		text.WriteString(" Definition: " + codeSpan(change.File))
	}
	text.WriteString("\n")
	if edits := seen(change); len(edits) > 0 {
		text.WriteString("\n**What agents will see**\n\n")
		for _, edit := range edits {
			text.WriteString(editLine(edit, change.After, change.Before))
		}
	}
	p.pictures(&text, change)
	p.optimised(&text, change)
	drift(&text, change)
	if findings := p.untold(change); len(findings) > 0 {
		text.WriteString("\n**Findings**\n\n" + findingList(findings))
	}
	text.WriteString("\n</details>\n")
	return text.String()
}

// summary is the one line of HTML that is seen while the block is closed.
func (p reviewedPlan) summary(change deskhand.Change) string {
	signs := map[string]string{
		"created": "🟢", "changed": "🔵", "deleted": "🗑️", "refused": "🔴", "in conflict": "🟠", "set back to git": "🟠",
	}
	icon, isKnown := signs[verdict(change)]
	if !isKnown {
		icon = "⚪"
	}
	line := fmt.Sprintf("%s <code>%s</code> %s", icon, html.EscapeString(shown(change.ConfigID, longestShown)), verdict(change))
	if n := len(seen(change)); n > 0 && change.Op != deskhand.OpCreate {
		line += ", " + counted(n, "value")
	}
	return line + p.score(change)
}

func (p reviewedPlan) score(change deskhand.Change) string {
	after, isKnown := p.after[change.ConfigID]
	if !isKnown {
		return ""
	}
	before, wasKnown := p.before[change.ConfigID]
	if wasKnown && before.Score != after.Score {
		return fmt.Sprintf(", score %d → %d", before.Score, after.Score)
	}
	return fmt.Sprintf(", score %d", after.Score)
}

// sentence says why, and for what is not sent also what that means.
func sentence(change deskhand.Change) string {
	why := prose(change.Why)
	switch {
	case change.State == deskhand.StateRefused:
		return "Not sent: " + why + ". CXone stays as it is"
	case change.Op == deskhand.OpReport:
		return "Nothing is written: " + why
	case why == "":
		return "Changed in git"
	default:
		return strings.ToUpper(why[:1]) + why[1:]
	}
}

// seen are the values that a write changes for agents, one by one, what they see
// first at the top.
func seen(change deskhand.Change) []deskhand.Edit {
	if !change.Op.Writes() {
		return nil
	}
	var edits []deskhand.Edit
	for _, edit := range change.Edits {
		edits = append(edits, apart(edit)...)
	}
	slices.SortStableFunc(edits, func(a, b deskhand.Edit) int { return prominence(a) - prominence(b) })
	return edits
}

func prominence(edit deskhand.Edit) int {
	order := []string{"layout", "shortcuts", "complianceBanners", "theme", "browserCompatibility", "licenseTier"}
	tokens := edit.Path.Tokens()
	if len(tokens) == 0 {
		return 0
	}
	if i := slices.Index(order, tokens[0]); i >= 0 {
		return i + 1
	}
	return len(order) + 1
}

// editLine is a value before and after, and the line of YAML that sets it. The
// documents are those that its path may point into, the one after the change first.
func editLine(edit deskhand.Edit, after, before deskhand.Document) string {
	value, documents := edit.After, []deskhand.Document{after, before}
	if value == nil {
		value, documents = edit.Before, []deskhand.Document{before, after}
	}
	_, isEntry := entryName(value)
	line := "- " + fieldWords(edit.Path, value, documents...) + ": "
	switch {
	case edit.After == nil && (edit.Path == "" || isEntry):
		line += "removed"
	case edit.Path == "":
		line += "written anew"
	case edit.Before == nil:
		line += valueWords(edit.Path, edit.After)
	default:
		line += valueWords(edit.Path, edit.Before) + " → " + valueWords(edit.Path, edit.After)
	}
	if !edit.Origin.IsZero() && edit.After != nil {
		line += " (" + codeSpan(edit.Origin.String()) + ")"
	}
	return line + "\n"
}

// pictures shows where the widgets lie, and where they lay if that changes.
func (p reviewedPlan) pictures(text *strings.Builder, change deskhand.Change) {
	desktop, isKnown := p.after[change.ConfigID]
	if !isKnown || p.screen == nil || !change.Op.Writes() {
		return
	}
	after, isDrawable := p.screen(desktop.Desktop, change.After)
	if !isDrawable {
		return
	}
	picture := drawScreen(after)
	if before, wasDrawable := p.screen(desktop.Desktop, change.Before); wasDrawable {
		if was := drawScreen(before); was != picture {
			fmt.Fprintf(text, "\n**Layout now**, %s\n\n%s", screenWords(before), fenced(was))
			fmt.Fprintf(text, "\n**Layout after the merge**, %s\n\n%s", screenWords(after), fenced(picture))
			return
		}
	}
	fmt.Fprintf(text, "\n**Layout**, %s\n\n%s", screenWords(after), fenced(picture))
}

// optimised tells what deskhand sends other than the YAML says.
func (p reviewedPlan) optimised(text *strings.Builder, change deskhand.Change) {
	edits := p.after[change.ConfigID].Edits
	if len(edits) == 0 || change.State == deskhand.StateRefused {
		return
	}
	text.WriteString("\n**Optimised on the way**; `deskhand fix` writes it into the YAML\n\n")
	for _, edit := range edits {
		text.WriteString(strings.TrimSuffix(editLine(edit, change.After, change.Before), "\n") + ": " + prose(edit.Why) + "\n")
	}
}

// untold are the findings, less those that only say what was optimised.
func (p reviewedPlan) untold(change deskhand.Change) []deskhand.Finding {
	return slices.DeleteFunc(slices.Clone(change.Policy.Findings), func(finding deskhand.Finding) bool {
		return change.State != deskhand.StateRefused && finding.Severity == deskhand.SeverityInfo &&
			slices.ContainsFunc(p.after[change.ConfigID].Edits, func(edit deskhand.Edit) bool { return edit.Why == finding.Message })
	})
}

// drift tells what people changed in CXone, and what the merge does to it.
func drift(text *strings.Builder, change deskhand.Change) {
	if len(change.Drift) == 0 {
		return
	}
	fates := map[deskhand.Pointer]string{}
	for _, edit := range change.Edits {
		fates[edit.Path] = "set to what git says; the value by hand stays on record"
	}
	text.WriteString("\n**Changed by hand in CXone**\n\n")
	for _, edit := range change.Drift {
		edit.Origin = deskhand.Position{}
		fate, isWritten := fates[edit.Path]
		switch {
		case edit.Path == "" && change.Op.Writes():
			fate = "written anew"
		case !isWritten || !change.Op.Writes():
			fate = "stays"
		}
		for _, part := range apart(edit) {
			text.WriteString(strings.TrimSuffix(editLine(part, change.Before, change.Base), "\n") + ": " + fate + "\n")
		}
	}
}

// mostFindings is how many findings a block lists.
const mostFindings = 25

// findingList is a line for each finding; one that several desktops have through
// a shared file is listed once. The gravest come first.
func findingList(findings []deskhand.Finding) string {
	desktops := map[deskhand.Finding]int{}
	var kinds []deskhand.Finding
	for _, finding := range findings {
		finding.ConfigID = ""
		if desktops[finding] == 0 {
			kinds = append(kinds, finding)
		}
		desktops[finding]++
	}
	gravity := map[deskhand.Severity]int{deskhand.SeverityError: -2, deskhand.SeverityWarning: -1}
	slices.SortStableFunc(kinds, func(a, b deskhand.Finding) int { return gravity[a.Severity] - gravity[b.Severity] })

	var text strings.Builder
	for i, finding := range kinds {
		if i == mostFindings {
			fmt.Fprintf(&text, "- and %d more\n", len(kinds)-mostFindings)
			break
		}
		fmt.Fprintf(&text, "- **%s** %s: %s", finding.Severity, codeSpan(finding.Rule), prose(finding.Message))
		if finding.Hint != "" {
			text.WriteString(" — to mend it: " + prose(finding.Hint))
		}
		text.WriteString(" (" + codeSpan(finding.Position().String()))
		if n := desktops[finding]; n > 1 {
			text.WriteString(", in " + counted(n, "desktop"))
		}
		text.WriteString(")\n")
	}
	return text.String()
}
