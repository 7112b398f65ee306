package report

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

// The elements of JUnit XML that Jenkins, GitLab and GitHub's actions agree on
// (jenkins-junit.xsd). There is no time in it, so that equal reports are equal.
type (
	junitSuites struct {
		XMLName  xml.Name   `xml:"testsuites"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Suite    junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string        `xml:"name,attr"`
		ClassName string        `xml:"classname,attr"`
		File      string        `xml:"file,attr,omitempty"`
		Failure   *junitFailure `xml:"failure"`
		Output    *junitText    `xml:"system-out"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",cdata"`
	}
	junitText struct {
		Text string `xml:",cdata"`
	}
)

// renderJUnit writes a test case for each file. Errors fail it; everything else
// is its output.
func renderJUnit(r Report, opts Options) ([]byte, error) {
	byFile := make(map[string][]group)
	for _, file := range opts.Files {
		byFile[file] = nil
	}
	for _, g := range groupFindings(r.Findings) {
		byFile[g.File] = append(byFile[g.File], g)
	}
	files := make([]string, 0, len(byFile))
	for file := range byFile {
		files = append(files, file)
	}
	slices.Sort(files)

	suite := junitSuite{Name: "deskhand validate", Tests: len(files)}
	for _, file := range files {
		test := newJUnitCase(file, byFile[file])
		if test.Failure != nil {
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, test)
	}
	text, err := xml.MarshalIndent(junitSuites{
		Name: "deskhand", Tests: suite.Tests, Failures: suite.Failures, Suite: suite,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	return []byte(xml.Header + string(text) + "\n"), nil
}

func newJUnitCase(file string, groups []group) junitCase {
	test := junitCase{Name: clean(file), ClassName: "deskhand.validate", File: clean(file)}
	if file == "" {
		test.Name = "repository"
	}
	var failures, others []string
	for _, g := range groups {
		lines := []string{fmt.Sprintf("%s: %s [%s]", cleanLine(string(g.Severity)), cleanLine(g.Message), cleanLine(g.Rule))}
		if place := cleanLine(g.Position().String()); place != "" {
			lines[0] = place + ": " + lines[0]
		}
		for _, detail := range g.details() {
			lines = append(lines, "  "+detail)
		}
		text := strings.Join(lines, "\n")
		if g.Severity == deskhand.SeverityError {
			failures = append(failures, text)
		} else {
			others = append(others, text)
		}
	}
	if len(failures) > 0 {
		test.Failure = &junitFailure{
			Message: count(len(failures), "error"),
			Type:    "error",
			Text:    strings.Join(failures, "\n"),
		}
	}
	if len(others) > 0 {
		test.Output = &junitText{Text: strings.Join(others, "\n")}
	}
	return test
}
