package manifest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// files are the contents of a repository by path; what follows "-> " is that of
// a symbolic link, and has the hash that a file of that content would have.
type files map[string]string

func (f files) entries() []manifest.Entry {
	var entries []manifest.Entry
	for _, name := range slices.Sorted(maps.Keys(f)) {
		content, isLink := strings.CutPrefix(f[name], "-> ")
		sum := sha256.Sum256([]byte(content))
		entries = append(entries, manifest.Entry{Path: name, Hash: hex.EncodeToString(sum[:]), Symlink: isLink})
	}
	return entries
}

func (f files) read(entry manifest.Entry) ([]byte, error) {
	content, known := f[entry.Path]
	if !known {
		return nil, fs.ErrNotExist
	}
	return []byte(strings.TrimPrefix(content, "-> ")), nil
}

func (f files) load(t testing.TB, loader *manifest.Loader) deskhand.Snapshot {
	t.Helper()
	snapshot, err := loader.Load(t.Context(), f.entries(), f.read)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// places prints the findings as file:line:col rule.
func places(findings []deskhand.Finding) []string {
	var list []string
	for _, finding := range findings {
		list = append(list, fmt.Sprintf("%s %s", finding.Position(), finding.Rule))
	}
	return list
}

func only(t *testing.T, snapshot deskhand.Snapshot) deskhand.Desktop {
	t.Helper()
	if len(snapshot.Desktops) != 1 || len(snapshot.Findings) != 0 {
		t.Fatalf("%d desktops; findings: %v", len(snapshot.Desktops), snapshot.Findings)
	}
	return snapshot.Desktops[0]
}

func TestLoadResolvesInOrder(t *testing.T) {
	t.Parallel()
	repository := files{
		"desktops/_tier.yaml":          "theme: {accent: outer, foreground: outer}\nregion: EMEA\n",
		"desktops/standard/_tier.yaml": "theme: {accent: inner, background: inner}\nlayout:\n  gridColumns: 8\n",
		"desktops/_base/pci.yaml":      "extends: deep.yaml\ncomplianceBanners:\n  - title: PCI\n    message: Use tokens.\n",
		"desktops/_base/deep.yaml":     "theme:\n  background: deep\nlayout: {primaryWorkspace: voice}\n",
		"desktops/standard/voice.yaml": `configId: dsk-voice
extends: [../_base/pci.yaml]
labels: {wave: canary}
theme:
  foreground: null
layout:
  widgetOrder: [notes, "114"]
shortcuz: 1
extra: {beta: {on: yes, off: null}, gamma: [null, {off: null}]}
`,
	}
	desktop := only(t, repository.load(t, manifest.NewLoader(manifest.Options{Root: "desktops"})))

	wantDefinition := `{"complianceBanners":[{"message":"Use tokens.","title":"PCI"}],"configId":"dsk-voice",` +
		`"extra":{"beta":{"on":"yes"},"gamma":[null,{"off":null}]},"labels":{"wave":"canary"},` +
		`"layout":{"gridColumns":8,"primaryWorkspace":"voice","widgetOrder":["notes","114"]},"licenseTier":"standard",` +
		`"region":"EMEA","shortcuz":1,"theme":{"accent":"inner","background":"deep"}}`
	if diff := cmp.Diff(wantDefinition, desktop.Definition.String()); diff != "" {
		t.Errorf("definition (-want +got):\n%s", diff)
	}
	wantDocument := `{"beta":{"on":"yes"},"complianceBanners":[{"displayRegion":"EMEA","message":"Use tokens.","title":"PCI"}],` +
		`"gamma":[null,{"off":null}],"layout":{"gridColumns":8,"primaryWorkspace":"voice","widgetOrder":["notes","114"]},"licenseTier":"standard",` +
		`"theme":{"accent":"inner","background":"deep"}}`
	if diff := cmp.Diff(wantDocument, desktop.Document.String()); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	wantOrigins := map[deskhand.Pointer]string{
		"/theme/accent":                      "desktops/standard/_tier.yaml:1:17",
		"/theme/background":                  "desktops/_base/deep.yaml:2:15",
		"/theme":                             "desktops/standard/voice.yaml:4:1",
		"/layout":                            "desktops/standard/voice.yaml:6:1",
		"/layout/gridColumns":                "desktops/standard/_tier.yaml:3:16",
		"/layout/widgetOrder/1":              "desktops/standard/voice.yaml:7:24",
		"/layout/primaryWorkspace":           "desktops/_base/deep.yaml:3:28",
		"/complianceBanners/0":               "desktops/_base/pci.yaml:3:5",
		"/complianceBanners/0/displayRegion": "desktops/_tier.yaml:2:9",
		"/beta/on":                           "desktops/standard/voice.yaml:9:20",
		"/licenseTier":                       "desktops/standard/voice.yaml:1:1",
	}
	for path, want := range wantOrigins {
		if got := desktop.Origin(path).String(); got != want {
			t.Errorf("origin of %s: %s, want %s", path, got, want)
		}
	}
	if desktop.ConfigID != "dsk-voice" || desktop.Tier != deskhand.TierStandard || desktop.Labels["wave"] != "canary" {
		t.Errorf("desktop: %+v", desktop)
	}
}
