package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/policy/report"
)

// validateJSON runs validate in the folder of a repository.
func validateJSON(t *testing.T, stdin string, args ...string) (report.Report, int) {
	t.Helper()
	text, talk, code := command(t, stdin, append([]string{"validate", "-o", "json"}, args...)...)
	var result report.Report
	if err := json.Unmarshal([]byte(text), &result); err != nil {
		t.Fatalf("validate %v: %v: %s%s", args, err, text, talk)
	}
	return result, code
}

func rulesOfReport(result report.Report) []string {
	var rules []string
	for _, finding := range result.Findings {
		rules = append(rules, filepath.Base(finding.File)+" "+finding.Rule)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

func TestValidateStandardInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeTree(t, dir, sampleFiles(t, nil))
	desktops := filepath.Join(dir, "desktops")
	for _, test := range []struct {
		name, path, draft string
		want              []string
		code              int
	}{
		{"a good draft of a file", "standard/voice-emea.yaml", "configId: dsk-voice-emea\nextends: ../_base/pci.yaml\nregion: EMEA\n", nil, exitDone},
		{"a bad draft of a file", "standard/voice-emea.yaml", "configId: dsk-voice-emea\nextends: ../_base/pci.yaml\nregion: EMEA\nlabel: {a: b}\n", []string{"voice-emea.yaml schema"}, exitRefused},
		{"a file that is not there yet", "standard/new.yaml", "configId: dsk-new\nextends: ../_base/recording.yaml\nregion: AMER\n", nil, exitDone},
		{"an id that another file has", "premium/new.yaml", "configId: dsk-voice-emea\nextends: ../_base/recording.yaml\nregion: AMER\n", []string{"new.yaml identity/duplicate"}, exitRefused},
		{"a draft of a shared file", "_base/brand.yaml", "theme: {foreground: \"#777\", background: \"#888\"}\n", []string{"brand.yaml contrast/text"}, exitRefused},
		{"no YAML at all", "standard/voice-emea.yaml", "{", []string{"voice-emea.yaml yaml/syntax"}, exitRefused},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			result, code := validateJSON(t, test.draft, "-", "--stdin-path", filepath.Join(desktops, filepath.FromSlash(test.path)))
			if diff := cmp.Diff(test.want, rulesOfReport(result)); diff != "" || code != test.code {
				t.Errorf("ends with %d: %s", code, diff)
			}
		})
	}
	for _, args := range [][]string{
		{"-"}, {"-", desktops, "--stdin-path", "x.yaml"}, {desktops, "--stdin-path", "x.yaml"},
		{"-", "--stdin-path", filepath.Join(desktops, "standard", "x.txt")},
		{"-", "--stdin-path", filepath.Join(dir, "outside.yaml")},
	} {
		if _, talk, code := command(t, "", append([]string{"validate"}, args...)...); code != exitError || !strings.Contains(talk, "hint: ") {
			t.Errorf("validate %v ends with %d and says %q", args, code, talk)
		}
	}
}

func TestValidateChangedSince(t *testing.T) {
	t.Parallel()
	needGit(t)
	base := sampleFiles(t, nil)
	for _, test := range []struct {
		name     string
		above    map[string]string
		desktops int
		rules    []string
		code     int
	}{
		{name: "nothing", code: exitDone},
		{
			name:     "a comment in one file",
			above:    map[string]string{"desktops/standard/voice-emea.yaml": base["desktops/standard/voice-emea.yaml"] + "# hello\n"},
			desktops: 1, code: exitDone,
		},
		{
			name:     "a mistake in one file",
			above:    map[string]string{"desktops/standard/voice-emea.yaml": base["desktops/standard/voice-emea.yaml"] + "foo: 1\n"},
			desktops: 1, rules: []string{"voice-emea.yaml schema"}, code: exitRefused,
		},
		{
			name:     "a shared file",
			above:    map[string]string{"desktops/_base/recording.yaml": strings.Replace(base["desktops/_base/recording.yaml"], "#0b3d2e", "#c0ffee", 1)},
			desktops: strings.Count(strings.Join(contentsOf(base), "\n"), "extends: ../_base/recording.yaml"),
			rules:    []string{"recording.yaml contrast/text", "voice-amer.yaml layout/columns", "voice-apac.yaml tier/entitlement"}, code: exitRefused,
		},
		{
			name:  "a shared file that others rest on, gone",
			above: map[string]string{"desktops/_base/brand.yaml": ""}, desktops: desktopsIn(base),
			rules: []string{"pci.yaml extends/missing", "recording.yaml extends/missing"}, code: exitRefused,
		},
		{
			name:  "the policy",
			above: map[string]string{"desktops/policy.yaml": base["desktops/policy.yaml"] + "# hello\n"}, desktops: desktopsIn(base),
			rules: []string{"voice-amer.yaml layout/columns", "voice-apac.yaml tier/entitlement"}, code: exitRefused,
		},
		{
			name:     "a new file",
			above:    map[string]string{"desktops/premium/new.yaml": "configId: dsk-voice-emea\nextends: ../_base/pci.yaml\nregion: EMEA\n"},
			desktops: 1, rules: []string{"new.yaml identity/duplicate"}, code: exitRefused,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeTree(t, dir, base)
			commitTree(t, dir)
			for name, content := range test.above {
				if content == "" {
					remove(t, dir, name)
					continue
				}
				writeTree(t, dir, map[string]string{name: content})
			}
			result, code := validateJSON(t, "", "--changed-since", "HEAD", dir)
			if diff := cmp.Diff(test.rules, warningsAndErrors(result)); diff != "" || code != test.code || result.Summary.Desktops != test.desktops {
				t.Errorf("ends with %d, %d desktops of %d: %s", code, result.Summary.Desktops, test.desktops, diff)
			}
		})
	}
}

func contentsOf(files map[string]string) []string {
	var contents []string
	for _, content := range files {
		contents = append(contents, content)
	}
	return contents
}

func desktopsIn(files map[string]string) int {
	count := 0
	for _, content := range files {
		count += strings.Count("\n"+content, "\nconfigId: ")
	}
	return count
}

func warningsAndErrors(result report.Report) []string {
	result.Findings = slices.DeleteFunc(result.Findings, func(finding deskhand.Finding) bool {
		return finding.Severity == deskhand.SeverityInfo
	})
	return rulesOfReport(result)
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		t.Fatal(err)
	}
}

// commitTree makes a folder a git repository with all of it in one commit.
func commitTree(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"}, {"add", "--all"}, {"commit", "--quiet", "--message=Start"},
	} {
		git := exec.CommandContext(t.Context(), "git", args...)
		git.Dir = dir
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com")
		if output, err := git.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", args, err, output)
		}
	}
}

func TestValidateFromInsideTheTree(t *testing.T) {
	dir := t.TempDir()
	writeTree(t, dir, sampleFiles(t, nil))
	t.Chdir(filepath.Join(dir, "desktops", "standard"))
	result, code := validateJSON(t, "", "voice-apac.yaml")
	if diff := cmp.Diff([]string{"voice-apac.yaml tier/entitlement"}, rulesOfReport(result)); diff != "" || code != exitRefused {
		t.Errorf("ends with %d: %s", code, diff)
	}
	if len(result.Findings) > 0 && result.Findings[0].File != "voice-apac.yaml" {
		t.Errorf("the file is called %s", result.Findings[0].File)
	}
}
