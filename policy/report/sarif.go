package report

import (
	"bytes"
	"cmp"
	"net/url"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/deskhand/deskhand"
)

const (
	toolName = "deskhand"
	toolURI  = "https://github.com/deskhand/deskhand"
	// sourceRoot is what GitHub code scanning calls the root of the repository.
	sourceRoot = "%SRCROOT%"
)

// renderSARIF writes one run of SARIF 2.1.0. Columns count characters, which
// SARIF calls unicodeCodePoints.
func renderSARIF(r Report, opts Options) ([]byte, error) {
	run := sarif.NewRunWithInformationURI(toolName, toolURI).WithColumnKind("unicodeCodePoints")
	if opts.Version != "" {
		run.Tool.Driver.WithVersion(opts.Version)
	}
	described := make(map[string]bool)
	for _, g := range groupFindings(r.Findings) {
		if !described[g.Rule] {
			described[g.Rule] = true
			describeRule(run.AddRule(g.Rule), opts)
		}
		run.AddResult(newResult(g, run.GetRuleIndex(g.Rule)))
	}
	var text bytes.Buffer
	if err := sarif.NewReport().AddRun(run).PrettyWrite(&text); err != nil {
		return nil, err
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

func describeRule(rule *sarif.ReportingDescriptor, opts Options) {
	if opts.RuleInfo == nil {
		return
	}
	what, why, mend, known := opts.RuleInfo(*rule.ID)
	if !known {
		return
	}
	text := func(text string) *sarif.MultiformatMessageString {
		return sarif.NewMultiformatMessageString().WithText(text)
	}
	rule.WithShortDescription(text(what)).WithFullDescription(text(why)).WithHelp(text(mend))
}

func newResult(g group, ruleIndex int) *sarif.Result {
	message := strings.Join(append([]string{cleanLine(g.Message)}, g.details()...), "\n")
	result := sarif.NewRuleResult(g.Rule).
		WithRuleIndex(ruleIndex).
		WithLevel(sarifLevel(g.Severity)).
		WithMessage(sarif.NewTextMessage(message))
	// GitHub refuses a file of which any result lacks a place.
	reference, region := url.URL{Path: cmp.Or(g.File, ".")}, sarif.NewRegion().WithStartLine(max(g.Line, 1))
	if g.Line > 0 && g.Column > 0 {
		region.WithStartColumn(g.Column)
	}
	location := sarif.NewPhysicalLocation().
		WithArtifactLocation(sarif.NewSimpleArtifactLocation(reference.String()).WithURIBaseID(sourceRoot)).
		WithRegion(region)
	return result.WithLocations([]*sarif.Location{sarif.NewLocationWithPhysicalLocation(location)})
}

func sarifLevel(severity deskhand.Severity) string {
	switch severity {
	case deskhand.SeverityError:
		return sarif.LevelError
	case deskhand.SeverityWarning:
		return sarif.LevelWarning
	default:
		return sarif.LevelNote
	}
}
