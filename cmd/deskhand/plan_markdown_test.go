package main

import (
	"context"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/reconciler"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sampleFiles are the definitions of the sample repository by path, with the given
// files above them; an empty text takes a file away.
func sampleFiles(t *testing.T, above map[string]string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(configs.Sample(), "desktops", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(configs.Sample(), name)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range above {
		files[name] = content
		if content == "" {
			delete(files, name)
		}
	}
	return files
}

// fakeSource is a repository whose commits are sets of files.
type fakeSource struct{ commits map[string]map[string]string }

func (s fakeSource) Snapshot(ctx context.Context, commit deskhand.Commit) (deskhand.Snapshot, error) {
	var entries []manifest.Entry
	for name, content := range s.commits[commit.SHA] {
		entries = append(entries, manifest.Entry{Path: name, Hash: gitsource.BlobHash([]byte(content))})
	}
	snapshot, err := manifest.NewLoader(manifest.Options{Root: "desktops"}).Load(ctx, entries, func(entry manifest.Entry) ([]byte, error) {
		return []byte(s.commits[commit.SHA][entry.Path]), nil
	})
	snapshot.Tenant, snapshot.Commit = "acme", commit
	return snapshot, err
}

// planned plans the way from one set of files to another. All of the first is
// agreed; byHand then changes what CXone holds.
func planned(t *testing.T, before, after map[string]string, byHand map[string]func(fields map[string]any)) reviewedPlan {
	t.Helper()
	base := deskhand.Commit{SHA: strings.Repeat("a", 40), Ref: "main"}
	head := deskhand.Commit{
		SHA: strings.Repeat("b", 40), Ref: "main", Subject: "Fewer columns, a new banner",
		Author: deskhand.Person{Name: "Ada", Email: "ada@example.com"}, Time: time.Unix(1_790_000_000, 0).UTC(),
	}
	source := fakeSource{map[string]map[string]string{base.SHA: before, head.SHA: after}}
	reviewers := [2]*policy.Reviewer{}
	for i := range reviewers {
		var err error
		if reviewers[i], err = newReviewer(); err != nil {
			t.Fatal(err)
		}
	}
	agreed, err := reviewAt(t.Context(), reviewers[0], source, base)
	if err != nil {
		t.Fatal(err)
	}
	desired, err := reviewAt(t.Context(), reviewers[1], source, head)
	if err != nil {
		t.Fatal(err)
	}
	input := reconciler.Input{Tenant: "acme", Commit: head, Managed: map[string]deskhand.Managed{}, Live: map[string]deskhand.Observed{}}
	for id := range desired {
		input.Live[id] = deskhand.Observed{}
	}
	for id, desktop := range agreed {
		if desktop.Refused {
			continue
		}
		live := desktop.Optimised
		if change := byHand[id]; change != nil {
			fields := live.Fields()
			change(fields)
			if live, err = deskhand.NewDocument(fields); err != nil {
				t.Fatal(err)
			}
		}
		input.Managed[id] = deskhand.Managed{
			ConfigID: id, File: desktop.File, Tier: desktop.Tier, Base: desktop.Optimised, Live: desktop.Optimised,
			ETag: `"1"`, State: deskhand.StateInSync, Commit: base.SHA,
		}
		input.Live[id] = deskhand.Observed{Exists: true, ETag: `"1"`, Document: live}
	}
	snapshot, err := source.Snapshot(t.Context(), head)
	if err != nil {
		t.Fatal(err)
	}
	input.Unreadable = snapshot.Unreadable
	if input.Review, err = reviewers[1].Review(t.Context(), snapshot); err != nil {
		t.Fatal(err)
	}
	return reviewedPlan{
		Plan:   reconciler.Diff(input, reconciler.Rules{Prune: reconciler.Prune{Policy: reconciler.PruneDelete, Percent: 10}, Adopt: true}),
		before: agreed, after: desired,
		screen: func(desktop deskhand.Desktop, payload deskhand.Document) (policy.Screen, bool) {
			return reviewers[1].Screen("acme", desktop, payload)
		},
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "plan", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", path, diff)
	}
}

// samplePlan has something of everything that can happen to a desktop.
func samplePlan(t *testing.T) reviewedPlan {
	t.Helper()
	after := sampleFiles(t, map[string]string{
		"desktops/standard/voice-emea.yaml": `configId: dsk-voice-emea
extends: ../_base/pci.yaml
region: EMEA
labels: {wave: canary}
layout:
  gridColumns: 12
  widgetOrder: [call-controls, contact-summary, notes, compliance]
shortcuts:
  - {label: Transfer, action: transfer, target: "queue:emea-support", keys: ctrl+shift+1}
  - {label: Note, action: note, keys: Control+Shift+3}
`,
		"desktops/standard/voice-latam.yaml": "configId: dsk-voice-latam\nextends: ../_base/recording.yaml\nregion: LATAM\n",
		"desktops/premium/blended-amer.yaml": "",
		"desktops/_base/pci.yaml": strings.Replace(sampleFiles(t, nil)["desktops/_base/pci.yaml"],
			"Never write down a card number.", "Never write down or repeat a card number.", 1),
	})
	return planned(t, sampleFiles(t, nil), after, map[string]func(map[string]any){
		"dsk-concierge-emea": func(fields map[string]any) {
			fields["layout"].(map[string]any)["gridColumns"] = 10
		},
		"dsk-omni-amer": func(fields map[string]any) {
			fields["layout"].(map[string]any)["primaryWorkspace"] = "voice"
		},
		"dsk-fraud-amer": func(fields map[string]any) {
			fields["complianceBanners"].([]any)[0].(map[string]any)["message"] = "Ask for the card number."
		},
	})
}

func TestPlanMarkdownOfTheSample(t *testing.T) {
	t.Parallel()
	golden(t, "sample.md", planMarkdown([]reviewedPlan{samplePlan(t)}, largestComment))
}
