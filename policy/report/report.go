// Package report writes what `deskhand validate` found: for people, for
// programs, and for the forges that show findings beside the code.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// Report is the result of a validation. Its JSON is a stable interface.
type Report struct {
	Summary  Summary            `json:"summary"`
	Findings []deskhand.Finding `json:"findings"`
}

// Summary counts. Errors and warnings are findings, so that one place on which
// twelve desktops rest counts twelve times.
type Summary struct {
	Files    int `json:"files"`
	Desktops int `json:"desktops"`
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
}

// New is the report of the findings, sorted, about that many files and desktops.
func New(files, desktops int, findings []deskhand.Finding) Report {
	report := Report{
		Summary:  Summary{Files: files, Desktops: desktops},
		Findings: append([]deskhand.Finding{}, findings...), // never null in JSON
	}
	deskhand.SortFindings(report.Findings)
	for _, finding := range report.Findings {
		switch finding.Severity {
		case deskhand.SeverityError:
			report.Summary.Errors++
		case deskhand.SeverityWarning:
			report.Summary.Warnings++
		case deskhand.SeverityInfo:
		}
	}
	return report
}

// Format is a way to write a report.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal, with code frames
	JSON     Format = "json"     // the Report itself
	SARIF    Format = "sarif"    // SARIF 2.1.0, for code scanning
	JUnit    Format = "junit"    // JUnit XML, a test case for each file
	GitHub   Format = "github"   // workflow commands, which GitHub shows as annotations
	Markdown Format = "markdown" // a table, for a comment or a job summary
)

// Formats lists every format.
func Formats() []Format { return []Format{Text, JSON, SARIF, JUnit, GitHub, Markdown} }

// ParseFormat returns the format of that name, or an error that lists them.
func ParseFormat(name string) (Format, error) {
	if format := Format(name); slices.Contains(Formats(), format) {
		return format, nil
	}
	names := make([]string, 0, len(Formats()))
	for _, format := range Formats() {
		names = append(names, string(format))
	}
	return "", fmt.Errorf("unknown format %q (known: %s)", name, strings.Join(names, ", "))
}

// Options are what the formats need beside the findings. The zero Options are
// those of a pipe: no colour, no code frames, every finding.
type Options struct {
	Color bool // text: SGR colours
	Width int  // text: columns that a code frame may take; 0 for 100
	// Source returns a file's content for code frames, nil for none. A file that
	// cannot be read has no frame.
	Source func(file string) ([]byte, error)
	// Version of deskhand, for SARIF.
	Version string
	// RuleInfo describes a rule, for SARIF; nil for none.
	RuleInfo func(id string) (what, why, mend string, ok bool)
	// MaxFindings bounds text, github and markdown, which say how many they left
	// out; 0 for no bound. The formats for programs are always whole.
	MaxFindings int
	// Files are the files that were judged, so that JUnit has a test case for
	// those without findings also.
	Files []string
}

// Write renders the report. Equal reports give equal bytes. What the files,
// messages and names hold cannot leave its place in the format: no control
// character, markup or workflow command in it takes effect.
func Write(w io.Writer, format Format, r Report, opts Options) error {
	findings := slices.Clone(r.Findings)
	deskhand.SortFindings(findings)
	r.Findings = findings

	var text []byte
	var err error
	switch format {
	case Text:
		text = renderText(r, opts)
	case JSON:
		text, err = renderJSON(r)
	case SARIF:
		text, err = renderSARIF(r, opts)
	case JUnit:
		text, err = renderJUnit(r, opts)
	case GitHub:
		text = renderGitHub(r, opts)
	case Markdown:
		text = renderMarkdown(r, opts)
	default:
		_, err = ParseFormat(string(format))
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func renderJSON(r Report) ([]byte, error) {
	if r.Findings == nil {
		r.Findings = []deskhand.Finding{}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(r)
	return text.Bytes(), err
}
