package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/policy/report"
)

func TestNewDefinitionsPassValidate(t *testing.T) {
	t.Parallel()
	for _, place := range []struct {
		name  string
		files map[string]string
	}{{"in the sample", sampleFiles(t, nil)}, {"in an empty repository", nil}} {
		t.Run(place.name, func(t *testing.T) {
			t.Parallel()
			for _, tier := range deskhand.Tiers() {
				for _, region := range []string{"EMEA", "AMER", "a: region, with #signs"} {
					dir := t.TempDir()
					writeTree(t, dir, place.files)
					desktops := filepath.Join(dir, "desktops")
					path, talk, code := command(t, "", "new", "--dir", desktops, "--tier", string(tier), "--region", region, "--id", "dsk-fresh")
					if code != exitDone || talk != "" {
						t.Fatalf("new for %s in %s ends with %d: %s", tier, region, code, talk)
					}
					text, talk, code := command(t, "", "validate", "--max-warnings", "0", "-o", "json", strings.TrimSpace(path))
					var result report.Report
					if err := json.Unmarshal([]byte(text), &result); err != nil {
						t.Fatalf("%v: %s%s", err, text, talk)
					}
					if code != exitDone || result.Summary.Desktops != 1 {
						t.Errorf("validate for %s in %s ends with %d: %s", tier, region, code, text)
					}
				}
			}
		})
	}
}

func TestNewDefinitionHelpsEditors(t *testing.T) {
	t.Parallel()
	text, _, code := command(t, "", "new", "--tier", "premium", "--region", "EMEA", "--id", "dsk-x", "--out", "-")
	if code != exitDone || !strings.HasPrefix(text, "# yaml-language-server: $schema=../desktop.schema.json\n") {
		t.Errorf("new ends with %d and prints:\n%s", code, text)
	}
	if strings.Count(text, "#") < 10 {
		t.Errorf("the definition has few comments:\n%s", text)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "desktops")
	existing := filepath.Join(dir, "standard", "dsk-x.yaml")
	writeTree(t, dir, map[string]string{"standard/dsk-x.yaml": "configId: dsk-x\n"})
	for _, test := range []struct {
		name, tier, region, id, want string
	}{
		{"a file that exists", "standard", "EMEA", "dsk-x", "exists and is not overwritten"},
		{"an unknown tier", "gold", "EMEA", "dsk-y", "standard, premium, omnichannel, enterprise"},
		{"an id that is a path", "standard", "EMEA", "../../dsk-y", "needs an id"},
		{"no region", "standard", "", "dsk-y", "region"},
	} {
		_, talk, code := command(t, "", "new", "--dir", dir, "--tier", test.tier, "--region", test.region, "--id", test.id)
		if code != exitError || !strings.Contains(talk, test.want) {
			t.Errorf("%s: ends with %d and says %q, not %q", test.name, code, talk, test.want)
		}
	}
	if content, err := os.ReadFile(existing); err != nil || string(content) != "configId: dsk-x\n" {
		t.Errorf("the file is now %q, %v", content, err)
	}
	if _, talk, code := command(t, "", "new", "--dir", dir, "--tier", "premium", "--region", "EMEA", "--id", "dsk-x"); code != exitRefused ||
		!strings.Contains(talk, "identity/duplicate") {
		t.Errorf("an id that is taken: ends with %d and says %q", code, talk)
	}
}
