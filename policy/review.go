package policy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/deskhand/deskhand"
)

// fullScore is that of a desktop in which no rule finds anything.
const fullScore = 100

// judge reviews single desktops under one rulebook. It only reads, so many may
// be judged at once, each goroutine with a memo of its own.
type judge struct {
	rules      []Rule
	optimisers []optimiser
	schema     *shape
	reserved   *reservedTable
	book       *rulebook
	now        time.Time
}

// review judges one desktop by itself. The error is the context's.
func (j judge) review(ctx context.Context, desktop deskhand.Desktop, seen *memo) (deskhand.Reviewed, error) {
	with, err := j.book.settingsFor(desktop)
	if err != nil {
		return deskhand.Reviewed{}, err
	}
	verdict := verdict{
		desktop: desktop, settings: with, waivers: j.book.waiversFor(desktop, j.now),
		passed: make([]string, 0, len(j.rules)+len(j.book.own)),
	}
	written := subject{
		view: readView(desktop, desktop.Document, seen), document: desktop.Document, definition: desktop.Definition,
		settings: with, reserved: j.reserved, seen: seen,
	}

	shapeFaults := j.schema.checkDocument(desktop.Definition, seen)
	sent, edits := written, []mended(nil)
	if len(shapeFaults) == 0 {
		rows := slices.DeleteFunc(slices.Clone(j.optimisers), func(row optimiser) bool {
			return with.Severities[row.rule] == severityOff || verdict.waiver(row.rule) != nil
		})
		document, done, err := optimise(desktop, written, rows)
		if err != nil {
			shapeFaults = append(shapeFaults, fault{message: err.Error(), hint: "compare the definition with its schema"})
		} else if len(done) > 0 {
			edits = done
			sent.document, sent.view = document, readView(desktop, document, seen)
		}
	}

	for _, rule := range j.rules {
		switch {
		case rule.ID == ruleSchema:
			verdict.add(rule, shapeFaults, nil)
		case rule.check == nil || with.severity(rule) == severityOff:
		default:
			var before []fault
			if len(edits) > 0 {
				before = rule.check(written)
			}
			verdict.add(rule, rule.check(sent), before)
		}
	}
	for _, own := range j.book.own {
		if with.severity(own.Rule) != severityOff {
			verdict.addOwn(ctx, own, sent.view)
		}
	}
	verdict.addEdits(edits)
	return verdict.close(sent.document, edits, seen), ctx.Err()
}

// verdict collects what the rules say of one desktop.
type verdict struct {
	desktop  deskhand.Desktop
	settings *settings
	waivers  []waiver
	findings []deskhand.Finding
	passed   []string
	lost     int // of the score
}

func (v *verdict) waiver(rule string) *waiver {
	for i, waived := range v.waivers {
		if waived.Rule == rule {
			return &v.waivers[i]
		}
	}
	return nil
}

// add takes what a rule finds in the desktop as it is sent, and what it found
// before optimisation, which is told and costs nothing.
func (v *verdict) add(rule Rule, sent, written []fault) {
	if len(sent) == 0 && len(written) == 0 {
		v.passed = append(v.passed, rule.ID)
		return
	}
	waived := v.waiver(rule.ID)
	fails := false
	for _, found := range sent {
		severity := v.severity(rule, found)
		if waived != nil {
			severity = deskhand.SeverityInfo
			found.hint = waived.text()
		}
		fails = fails || severity != deskhand.SeverityInfo
		v.find(rule.ID, severity, found)
	}
	for _, found := range written {
		if slices.ContainsFunc(sent, func(other fault) bool { return other.at == found.at }) {
			continue
		}
		severity := v.severity(rule, found)
		if severity == deskhand.SeverityError {
			severity = deskhand.SeverityWarning
		}
		v.find(rule.ID, severity, found)
	}
	if fails {
		v.lost += v.settings.weight(rule)
	}
}

func (v *verdict) severity(rule Rule, found fault) deskhand.Severity {
	if set, isSet := v.settings.Severities[rule.ID]; isSet {
		return set
	}
	if found.severity != "" {
		return found.severity
	}
	return rule.Severity
}

func (v *verdict) find(rule string, severity deskhand.Severity, found fault) {
	position := place(v.desktop, found.at)
	v.findings = append(v.findings, deskhand.Finding{
		Rule: rule, Severity: severity, File: position.File, Line: position.Line, Column: position.Column,
		ConfigID: v.desktop.ConfigID, Message: redact(found.message), Hint: redact(found.hint),
	})
}

// addOwn evaluates a repository's own rule. One that cannot be evaluated refuses
// the desktop: what it guards against cannot be ruled out.
func (v *verdict) addOwn(ctx context.Context, own ownRule, sent view) {
	faults, err := own.check(ctx, sent)
	if err != nil {
		v.find(ruleExpression, deskhand.SeverityError, fault{
			at:      own.text.At,
			message: fmt.Sprintf("the rule %s cannot be evaluated: %v", own.ID, err),
			hint:    "mend its expression in policy.yaml",
		})
		return
	}
	v.add(own.Rule, faults, nil)
}

// addEdits tells what was optimised.
func (v *verdict) addEdits(edits []mended) {
	for _, edit := range edits {
		v.find(edit.rule, deskhand.SeverityInfo, fault{
			at: edit.Path, message: edit.Why, hint: edit.sees + "run deskhand fix to write it into the file",
		})
	}
}

func (v *verdict) close(document deskhand.Document, done []mended, seen *memo) deskhand.Reviewed {
	var edits []deskhand.Edit
	for _, edit := range done {
		edits = append(edits, edit.Edit)
	}
	score := max(fullScore-v.lost, 0)
	if score < v.settings.Threshold {
		v.find(ruleScore, deskhand.SeverityError, fault{
			message: fmt.Sprintf("the score is %d, under the threshold of %d", score, v.settings.Threshold),
			hint:    "mend the warnings of this desktop; each rule that finds something costs its weight once",
		})
	} else {
		v.passed = append(v.passed, ruleScore)
	}
	deskhand.SortFindings(v.findings)
	slices.Sort(v.passed)
	return deskhand.Reviewed{
		Desktop: v.desktop, Optimised: document, Edits: edits, Score: score,
		Findings: v.findings, ChecksPassed: seen.share(v.passed), Refused: deskhand.HasErrors(v.findings),
	}
}

// place is where the definition's value at that path, or what is nearest around
// it, was set.
func place(desktop deskhand.Desktop, at deskhand.Pointer) deskhand.Position {
	if position, found := desktop.Origins.At(at); found {
		return position
	}
	return deskhand.Position{File: desktop.File}
}
