package manifest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

var update = flag.Bool("update", false, "write the golden files")

// broken is a repository in which every file is wrong in its own way, but for one.
func broken() files {
	bomb := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	repository := files{
		"d/standard/good.yaml":             "configId: good\nextends: ../_base/sound.yaml\n",
		"d/_base/sound.yaml":               "layout: {gridColumns: 12}\n",
		"d/standard/alias-bomb.yaml":       "configId: alias-bomb\n" + bomb,
		"d/standard/alias-cycle.yaml":      "configId: alias-cycle\ntheme: &t\n  accent: *t\n",
		"d/standard/alias-unknown.yaml":    "configId: alias-unknown\ntheme: *t\n",
		"d/standard/binary.yaml":           "configId: binary\n# \xff\n",
		"d/standard/bracket.yaml":          "configId: bracket\nlabels: {a: b\nlayout: {}\n",
		"d/standard/colon.yaml":            "configId: colon\nlayout:\n  title: a: b\n",
		"d/standard/custom-tag.yaml":       "configId: !secret x\nlabels: !!set {a, b}\n",
		"d/standard/cycle.yaml":            "configId: cycle\nextends: ../_base/b.yaml\n",
		"d/_base/a.yaml":                   "extends: b.yaml\n",
		"d/_base/b.yaml":                   "region: EMEA\nextends: [c.yaml]\n",
		"d/_base/c.yaml":                   "extends: [a.yaml]\n",
		"d/standard/deep.yaml":             "configId: deep\nextra: " + strings.Repeat("[", 150) + strings.Repeat("]", 150) + "\n",
		"d/standard/documents.yaml":        "configId: documents\n---\nconfigId: two\n",
		"d/standard/duplicate.yaml":        "configId: duplicate\nlayout: {}\ntheme: {accent: a, accent: b}\nlayout: {}\n",
		"d/standard/empty.yaml":            "# configId: empty\n",
		"d/standard/extends-type.yaml":     "configId: extends-type\nextends: [1, ../_base/sound.yaml, {a: b}]\n",
		"d/standard/extra.yaml":            "configId: extra\nextra: {layout: {gridColumns: 99}, beta: 1}\n",
		"d/standard/indentation.yaml":      "configId: indentation\nlayout:\n  gridColumns: 12\n  primaryWorkspace: voice\n   widgetOrder: []\n",
		"d/standard/infinite.yaml":         "configId: infinite\nextra: {a: .nan, b: -.inf}\n",
		"d/standard/itself.yaml":           "configId: itself\nextends: itself.yaml\n",
		"d/standard/key.yaml":              "configId: key\nextra: {1: a, true: b, [c]: d, on: e}\n",
		"d/standard/large.yaml":            "configId: large\n# " + strings.Repeat("x", 1<<20) + "\n",
		"d/standard/link.yaml":             "-> ../_base/sound.yaml",
		"d/standard/links":                 "-> ../elsewhere",
		"d/standard/list.yaml":             "- configId: list\n",
		"d/standard/merge-type.yaml":       "configId: merge-type\ntheme: {<<: x}\n",
		"d/standard/many.yaml":             "configId: many\nextends: [" + strings.Repeat("a.yaml, ", 101) + "]\n",
		"d/standard/doubling.yaml":         "configId: doubling\nextends: ../_base/double9.yaml\n",
		"d/standard/missing.yaml":          "configId: missing\nextends: [../_base/sund.yaml, nowhere/at/all.yaml]\n",
		"d/standard/outside.yaml":          "configId: outside\nextends: [../../secrets.yaml, /etc/passwd, ../_base/link.yaml]\n",
		"d/_base/link.yaml":                "-> sound.yaml",
		"d/standard/quote.yaml":            "configId: quote\nlayout:\n  title: \"open\nshortcuts: []\n",
		"d/standard/rests-on-broken.yaml":  "configId: rests-on-broken\nextends: ../_base/broken.yaml\n",
		"d/standard/rests-on-broken2.yaml": "configId: rests-on-broken2\nextends: ../_base/broken.yaml\n",
		"d/_base/broken.yaml":              "layout: {}\nlayout: {}\n",
		"d/standard/tab.yaml":              "configId: tab\nlayout:\n\tgridColumns: 12\n",
		"d/standard/text.yaml":             "just text\n",
		"d/standard/_tier.yml":             "layout: {}\n",
		"d/standard/policy.yaml":           "threshold: 0\n",
		"d/Standard/folder.yaml":           "configId: folder\n",
		"d/loose.yml":                      "configId: loose\n",
		"d/policy.yaml":                    "threshold: 80\n",
		"d/standard/.hidden.yaml":          "[",
		"d/.ci/hidden.yaml":                "[",
		"d/README.md":                      "no YAML",
		"elsewhere/standard/other.yaml":    "[",
	}
	repository["d/_base/double0.yaml"] = "region: EMEA\n"
	for i := 1; i < 10; i++ {
		repository[fmt.Sprintf("d/_base/double%d.yaml", i)] = fmt.Sprintf("extends: [double%d.yaml, double%d.yaml]\n", i-1, i-1)
	}
	return repository
}

func TestFindings(t *testing.T) {
	t.Parallel()
	snapshot := broken().load(t, manifest.NewLoader(manifest.Options{Root: "d"}))

	var text strings.Builder
	for _, finding := range snapshot.Findings {
		if finding.Severity != deskhand.SeverityError || finding.Hint == "" || finding.Message == "" {
			t.Errorf("incomplete: %+v", finding)
		}
		fmt.Fprintf(&text, "%s\n", finding)
	}
	text.WriteString("\nunreadable:\n")
	for _, unreadable := range snapshot.Unreadable {
		fmt.Fprintf(&text, "%s %s\n", unreadable.File, unreadable.ConfigID)
	}
	golden(t, "findings.golden", text.String())

	if len(snapshot.Desktops) != 1 || snapshot.Desktops[0].ConfigID != "good" {
		t.Errorf("desktops: %v", snapshot.Desktops)
	}
	if snapshot.Policy == nil || snapshot.Policy.Path != "d/policy.yaml" || string(snapshot.Policy.Content) != "threshold: 80\n" {
		t.Errorf("policy: %v", snapshot.Policy)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts):\n%s", name, diff)
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	repository := files{"standard/a.yaml": "configId: a\n", "standard/b.yaml": "configId: b\n"}
	loader := manifest.NewLoader(manifest.Options{})
	failure := errors.New("the disk is gone")

	_, err := loader.Load(t.Context(), repository.entries(), func(manifest.Entry) ([]byte, error) {
		return nil, failure
	})
	if !errors.Is(err, failure) || !strings.Contains(err.Error(), "standard/") {
		t.Errorf("error of read: %v", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := loader.Load(stopped, repository.entries(), repository.read); !errors.Is(err, context.Canceled) {
		t.Errorf("error of the context: %v", err)
	}
	snapshot, err := loader.Load(t.Context(), repository.entries(), func(entry manifest.Entry) ([]byte, error) {
		if entry.Path == "standard/a.yaml" {
			return nil, fmt.Errorf("blob: %w", manifest.ErrTooLarge)
		}
		return repository.read(entry)
	})
	if err != nil || len(snapshot.Desktops) != 1 {
		t.Fatalf("%v, %v", snapshot, err)
	}
	if diff := cmp.Diff([]string{"standard/a.yaml file/size"}, places(snapshot.Findings)); diff != "" {
		t.Error(diff)
	}
}

func TestDir(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("desktops/standard/a.yaml", "configId: a\n")
	write("desktops/standard/large.yaml", strings.Repeat("#", manifest.DefaultMaxFileSize+1))
	write("desktops/.git/x.yaml", "[")
	write("desktops/README.md", "text")
	if err := os.Symlink("standard/a.yaml", filepath.Join(root, "desktops", "link.yaml")); err != nil {
		t.Fatal(err)
	}

	entries, read, err := manifest.Dir(root)
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := manifest.NewLoader(manifest.Options{Root: "desktops"}).Load(t.Context(), entries, read)
	if err != nil {
		t.Fatal(err)
	}
	if len(snapshot.Desktops) != 1 || snapshot.Desktops[0].File != "desktops/standard/a.yaml" {
		t.Errorf("desktops: %v", snapshot.Desktops)
	}
	want := []string{"desktops/link.yaml file/symlink", "desktops/standard/large.yaml file/size"}
	if diff := cmp.Diff(want, places(snapshot.Findings)); diff != "" {
		t.Error(diff)
	}
	if _, _, err := manifest.Dir(filepath.Join(root, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing folder: %v", err)
	}
}
