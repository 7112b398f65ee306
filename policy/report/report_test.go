package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/policy/report"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGolden(t *testing.T) {
	t.Parallel()
	clean := report.New(2, 1, nil)
	colored, bounded := options(), options()
	colored.Color = true
	bounded.MaxFindings, bounded.Width = 2, 60
	for _, test := range []struct {
		golden string
		format report.Format
		report report.Report
		opts   report.Options
	}{
		{"report.txt", report.Text, sample(), options()},
		{"report.color.txt", report.Text, sample(), colored},
		{"report.bounded.txt", report.Text, sample(), bounded},
		{"report.json", report.JSON, sample(), options()},
		{"report.sarif", report.SARIF, sample(), options()},
		{"report.junit.xml", report.JUnit, sample(), options()},
		{"report.github.txt", report.GitHub, sample(), options()},
		{"report.github.bounded.txt", report.GitHub, sample(), bounded},
		{"report.md", report.Markdown, sample(), options()},
		{"report.bounded.md", report.Markdown, sample(), bounded},
		{"clean.txt", report.Text, clean, options()},
		{"clean.json", report.JSON, clean, options()},
		{"clean.sarif", report.SARIF, clean, options()},
		{"clean.junit.xml", report.JUnit, clean, options()},
		{"clean.github.txt", report.GitHub, clean, options()},
		{"clean.md", report.Markdown, clean, options()},
	} {
		t.Run(test.golden, func(t *testing.T) {
			t.Parallel()
			got := write(t, test.format, test.report, test.opts)
			path := filepath.Join("testdata", "golden", test.golden)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is not as the golden file has it; if that is right, run the test with -update (-want +got):\n%s", path, diff)
			}
		})
	}
}

func TestWriteIsStable(t *testing.T) {
	t.Parallel()
	reversed := sample()
	slices.Reverse(reversed.Findings)
	for _, format := range report.Formats() {
		want := write(t, format, sample(), options())
		if diff := cmp.Diff(string(want), string(write(t, format, reversed, options()))); diff != "" {
			t.Errorf("%s depends on the order of the findings (-want +got):\n%s", format, diff)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	if err := report.Write(io.Discard, "html", sample(), options()); err == nil || !strings.Contains(err.Error(), "known: text, json") {
		t.Errorf("an unknown format gives %v, want an error that lists the known ones", err)
	}
	if _, err := report.ParseFormat("TEXT"); err == nil {
		t.Error("a name in another case is accepted")
	}
	for _, format := range report.Formats() {
		if parsed, err := report.ParseFormat(string(format)); err != nil || parsed != format {
			t.Errorf("%s is read as %s, %v", format, parsed, err)
		}
		if err := report.Write(brokenWriter{}, format, sample(), options()); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s to a broken pipe gives %v", format, err)
		}
	}
}

func TestJSONShape(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal(write(t, report.JSON, report.New(1, 1, []deskhand.Finding{{
		Rule: "layout/columns", Severity: deskhand.SeverityError, File: "a.yaml", Line: 1, Column: 2,
		ConfigID: "a", Message: "m", Hint: "h",
	}}), report.Options{}), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"summary": map[string]any{"files": 1.0, "desktops": 1.0, "errors": 1.0, "warnings": 0.0},
		"findings": []any{map[string]any{
			"rule": "layout/columns", "severity": "error", "file": "a.yaml", "line": 1.0, "column": 2.0,
			"configId": "a", "message": "m", "hint": "h",
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestSARIFIsValid(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Report{"sample": sample(), "empty": {}} {
		text := write(t, report.SARIF, r, options())
		parsed, err := sarif.FromBytes(text, sarif.WithStrictValidation())
		if err != nil {
			t.Fatal(err)
		}
		if err := parsed.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, run := range parsed.Runs {
			for _, result := range run.Results {
				if rule := run.Tool.Driver.Rules[result.RuleIndex]; *rule.ID != *result.RuleID {
					t.Errorf("%s: result %s points at rule %s", name, *result.RuleID, *rule.ID)
				}
				if len(result.Locations) != 1 {
					t.Errorf("%s: result %s has %d places, want 1", name, *result.RuleID, len(result.Locations))
				}
			}
		}
	}
}

func TestJUnitStructure(t *testing.T) {
	t.Parallel()
	type testCase struct {
		Name      string   `xml:"name,attr"`
		ClassName string   `xml:"classname,attr"`
		Failures  []string `xml:"failure"`
		Output    string   `xml:"system-out"`
	}
	var got struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Tests    int        `xml:"tests,attr"`
			Failures int        `xml:"failures,attr"`
			Cases    []testCase `xml:"testcase"`
		} `xml:"testsuite"`
	}
	decoder := xml.NewDecoder(bytes.NewReader(write(t, report.JUnit, sample(), options())))
	decoder.Strict = true
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got.Suites) != 1 || got.Tests != got.Suites[0].Tests || got.Failures != got.Suites[0].Failures {
		t.Fatalf("the counts of %+v do not agree", got)
	}
	failed, names := 0, map[string]bool{}
	for _, test := range got.Suites[0].Cases {
		failed += len(test.Failures)
		names[test.Name] = true
		if test.ClassName == "" {
			t.Errorf("%s has no class name", test.Name)
		}
	}
	if failed != got.Failures || len(got.Suites[0].Cases) != got.Tests || len(names) != got.Tests {
		t.Errorf("%d failures in %d differently named cases, want %d in %d", failed, len(names), got.Failures, got.Tests)
	}
	if !names["desktops/standard/good.yaml"] {
		t.Error("a file without a finding has no test case")
	}
}

// What a file, a name or a message holds stays where it was put.
func TestHostileContent(t *testing.T) {
	t.Parallel()
	const escape, override = "\x1b]0;owned\x07\x1b[2J", "\u202e\u200b\u2066"
	hostile := report.New(1, 1, []deskhand.Finding{{
		Rule:     "x::y\n::error::z" + escape,
		Severity: deskhand.SeverityError,
		File:     "a,line=1::\n::stop-commands::x|`<b>.yaml" + escape,
		Line:     1, Column: 3,
		ConfigID: "id" + escape,
		Message:  "100%\r\n::set-env name=A::b | <script>alert(1)</script> ]]> `code` ![i](http://x)" + escape + override,
		Hint:     "a\nb" + override + "\xff",
	}})
	opts := report.Options{Source: func(string) ([]byte, error) {
		return []byte("a" + escape + "\xff" + override + "b"), nil
	}}
	for _, format := range report.Formats() {
		text := string(write(t, format, hostile, opts))
		if strings.ContainsAny(text, "\x1b\x07\r") {
			t.Errorf("%s lets a control character through:\n%q", format, text)
		}
		if format != report.JSON && strings.ContainsAny(text, "\u202e\u2066\u200b") {
			t.Errorf("%s lets an invisible character through:\n%q", format, text)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(string(write(t, report.GitHub, hostile, opts))), "\n") {
		if !strings.HasPrefix(line, "::error file=a%2Cline=1%3A%3A") {
			t.Errorf("github: a line of its own: %q", line)
		}
	}
	if table := string(write(t, report.Markdown, hostile, opts)); strings.Contains(table, "<script>") || strings.Contains(table, "![i]") {
		t.Errorf("markdown lets markup through:\n%s", table)
	}
}

// A frame near what a rule found as a secret would copy it into a log.
func TestSecretsHaveNoFrame(t *testing.T) {
	t.Parallel()
	for _, format := range report.Formats() {
		if text := write(t, format, sample(), options()); bytes.Contains(text, []byte("4111")) {
			t.Errorf("%s repeats what banner/secret found:\n%s", format, text)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("a: 1\n\tb: 2\n"), "message", "hint", "a.yaml", 2, 2, 80)
	f.Add([]byte("\x1b[2J\u202e\xff"), "\x1b]0;x\x07", "\r\n", "\x00", 1, 3, 0)
	f.Add([]byte(strings.Repeat("長", 500)), "m", "", "b.yaml", 1, 300, -5)
	f.Fuzz(func(t *testing.T, source []byte, message, hint, file string, line, column, width int) {
		r := report.New(1, 1, []deskhand.Finding{{
			Rule: "schema", Severity: deskhand.SeverityError, File: file, Line: line, Column: column,
			ConfigID: message, Message: message, Hint: hint,
		}})
		opts := report.Options{Width: width % 200, Source: func(string) ([]byte, error) { return source, nil }}
		text := string(write(t, report.Text, r, opts))
		for _, character := range text {
			if character != '\n' && !unicode.IsGraphic(character) {
				t.Fatalf("%q holds %U", text, character)
			}
		}
		// finding, line before, line, caret, hint, blank, summary
		if lines := strings.Count(text, "\n"); lines > 7 {
			t.Fatalf("%d lines:\n%s", lines, text)
		}
	})
}

func write(t *testing.T, format report.Format, r report.Report, opts report.Options) []byte {
	t.Helper()
	var text bytes.Buffer
	if err := report.Write(&text, format, r, opts); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func options() report.Options {
	return report.Options{
		Source: func(file string) ([]byte, error) {
			return os.ReadFile(filepath.Join("testdata", filepath.FromSlash(file)))
		},
		Version: "1.2.3",
		RuleInfo: func(id string) (what, why, mend string, ok bool) {
			if id != "layout/columns" {
				return "", "", "", false
			}
			return "Columns are wide enough.", "Narrow columns scroll sideways (WCAG 2.1 SC 1.4.10).", "Take fewer columns.", true
		},
		Files: []string{"desktops/premium/chat.yaml", "desktops/standard/good.yaml", "desktops/standard/voice-emea.yaml"},
	}
}

// sample has findings of every severity, with and without a place, a hint, and
// a file that can be read.
func sample() report.Report {
	const (
		base   = "desktops/_base/pci.yaml"
		chat   = "desktops/premium/chat.yaml"
		secret = "desktops/standard/test.yaml"
		voice  = "desktops/standard/voice-emea.yaml"
	)
	findings := []deskhand.Finding{
		{
			Rule: "layout/columns", Severity: deskhand.SeverityWarning, File: voice, Line: 4, Column: 16, ConfigID: "dsk-voice-emea",
			Message: "12 columns are 113 px wide at 1366x768, less than 140 px", Hint: "take 8 columns or fewer",
		},
		{
			Rule: "shortcut/reserved", Severity: deskhand.SeverityError, File: voice, Line: 7, Column: 41, ConfigID: "dsk-voice-emea",
			Message: "Control+T is kept by Chrome and Edge on Windows", Hint: "take keys that nothing else uses, such as Control+Shift+Y",
		},
		{
			Rule: "banner/secret", Severity: deskhand.SeverityError, File: secret, Line: 3, Column: 14, ConfigID: "dsk-test",
			Message: "the text holds a card number", Hint: "remove it",
		},
		{
			Rule: "banner/region", Severity: deskhand.SeverityWarning, File: secret, Line: 4, Column: 20, ConfigID: "dsk-test",
			Message: `unknown region "MOON"`, Hint: "write one such as EMEA",
		},
		{
			Rule: "tier/entitlement", Severity: deskhand.SeverityError, File: chat, Line: 3, Column: 168, ConfigID: "dsk-chat",
			Message: `premium has no workspace "everything"`, Hint: `did you mean "digital"?`,
		},
		{
			Rule: "layout/optimised", Severity: deskhand.SeverityInfo, File: chat, Line: 2, Column: 9, ConfigID: "dsk-chat",
			Message: "optimised: 6 → 4 columns (1366x768)",
		},
		{
			Rule: "schema", Severity: deskhand.SeverityError, File: "desktops/standard/gone file.yaml", Line: 3, Column: 1,
			Message: `unknown key "shortcutz"`, Hint: `did you mean "shortcuts"?`,
		},
		{Rule: "policy/score", Severity: deskhand.SeverityError, File: voice, ConfigID: "dsk-voice-emea", Message: "the score is 60, under 80"},
		{Rule: "source/empty", Severity: deskhand.SeverityWarning, Message: "the repository defines no enterprise desktop"},
	}
	for i := range 12 {
		findings = append(findings, deskhand.Finding{
			Rule: "contrast/text", Severity: deskhand.SeverityError, File: base, Line: 4, Column: 17, ConfigID: fmt.Sprintf("dsk-%02d", i+1),
			Message: "#777777 on #ffffff has a contrast of 4.47:1, less than 4.5:1", Hint: "darken the text",
		})
	}
	return report.New(6, 15, findings)
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
