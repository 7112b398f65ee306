package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
	golden(t, "sample.md", planMarkdown([]reviewedPlan{samplePlan(t)}))
}

// hostile is a text that tries to break out of every place it may stand in.
const hostile = "``` ` </details></summary><script>alert(1)</script> | @acme/admins #12 GH-12 !7 " +
	"[click](https://evil.example) www.evil.example **bold** \u202e\x1b[31m\n# Heading\n```\n<!--"

func hostilePlan(t *testing.T) reviewedPlan {
	t.Helper()
	definition := map[string]any{
		"configId": "dsk-hostile", "region": hostile, "licenseTier": "standard",
		"layout": map[string]any{"gridColumns": 4, "widgetOrder": []any{hostile, "notes", "```"}, "primaryWorkspace": "voice"},
		"shortcuts": []any{
			map[string]any{"label": hostile, "action": "transfer", "target": hostile, "keys": hostile},
		},
		"complianceBanners": []any{
			map[string]any{"title": hostile, "message": "Dial 4111 1111 1111 1111, password=hunter2secret", "acknowledgementRequired": true},
		},
		"browserCompatibility": map[string]any{"supportedBrowsers": []any{hostile}, "minimumVersions": map[string]any{hostile: hostile}},
		"theme":                map[string]any{"foreground": hostile, "background": "#fff", "widgets": map[string]any{hostile: map[string]any{"foreground": "red"}}},
		"extra":                map[string]any{hostile: hostile, "apiKey": "hunter2secret"},
	}
	content, err := manifest.Marshal(definition)
	if err != nil {
		t.Fatal(err)
	}
	file := "desktops/standard/hostile.yaml"
	agreed := strings.ReplaceAll(sampleFiles(t, nil)["desktops/standard/voice-emea.yaml"], "dsk-voice-emea", "dsk-hostile")
	plan := planned(t, sampleFiles(t, map[string]string{file: agreed}), sampleFiles(t, map[string]string{file: string(content)}), map[string]func(map[string]any){
		"dsk-hostile": func(fields map[string]any) {
			fields["token"] = "hunter2secret"
			fields["complianceBanners"] = []any{map[string]any{"title": hostile, "message": "5500 0000 0000 0004"}}
		},
	})
	plan.Commit.Subject = hostile
	// The policy would refuse it; here it is sent, so that every value is shown.
	written := plan.Reports[0]
	for i, change := range plan.Reports {
		if change.ConfigID == "dsk-hostile" {
			written = change
			plan.Reports = append(plan.Reports[:i:i], plan.Reports[i+1:]...)
			break
		}
	}
	desired := plan.after["dsk-hostile"].Optimised
	written.Op, written.State, written.After = deskhand.OpUpdate, deskhand.StatePending, desired
	for name, value := range desired.Fields() {
		written.Edits = append(written.Edits, deskhand.Edit{
			Path: deskhand.Pointer("").Child(name), Before: written.Before.Fields()[name], After: value,
			Origin: deskhand.Position{File: file, Line: 1, Column: 1}, Why: hostile,
		})
	}
	slices.SortFunc(written.Edits, func(a, b deskhand.Edit) int { return strings.Compare(string(a.Path), string(b.Path)) })
	written.Drift, written.Why = written.Edits, hostile
	plan.Changes = append(plan.Changes, written)
	orphan := deskhand.Change{ConfigID: hostile, File: hostile, Op: deskhand.OpReport, State: deskhand.StateOrphaned, Why: hostile}
	plan.Reports = append(plan.Reports, orphan)
	return plan
}

var (
	codeBlock   = regexp.MustCompile("(?s)\n```text\n.*?\n```\n")
	htmlSummary = regexp.MustCompile("(?m)^<summary>.*</summary>$")
)

// outsideCode is what a forge reads as Markdown of a page: the code spans, which end
// at a run of as many backticks as they begin with, left out.
func outsideCode(page string) string {
	page = htmlSummary.ReplaceAllString(codeBlock.ReplaceAllString(page, "\n"), "")
	var words strings.Builder
	for page != "" {
		if page[0] == '\\' && len(page) > 1 {
			words.WriteString(page[:2])
			page = page[2:]
			continue
		}
		rest := strings.TrimLeft(page, "`")
		if ticks := len(page) - len(rest); ticks > 0 {
			if end := closing(rest, ticks); end >= 0 {
				page = rest[end:]
				continue
			}
		}
		words.WriteByte(page[0])
		page = page[1:]
	}
	return words.String()
}

// closing is the offset behind the next run of exactly that many backticks, -1 for
// none.
func closing(text string, ticks int) int {
	for _, run := range regexp.MustCompile("`+").FindAllStringIndex(text, -1) {
		if run[1]-run[0] == ticks {
			return run[1]
		}
	}
	return -1
}

func TestPlanMarkdownKeepsHostileTextInItsPlace(t *testing.T) {
	t.Parallel()
	page := planMarkdown([]reviewedPlan{hostilePlan(t)})
	golden(t, "hostile.md", page)

	for _, secret := range []string{"hunter2secret", "4111 1111 1111 1111", "5500 0000 0000 0004"} {
		if strings.Contains(page, secret) {
			t.Errorf("the page repeats %s", secret)
		}
	}
	if strings.ContainsAny(page, "\x1b\u202e") {
		t.Error("the page has characters without a shape")
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "<") &&
			line != "<details>\n" && line != "</details>\n" && !strings.HasPrefix(line, "<summary>") {
			t.Errorf("a value begins a line of its own: %s", line)
		}
		if strings.HasPrefix(line, "<summary>") && strings.Count(line, "<") != strings.Count(line, "</")*2 {
			t.Errorf("a summary is not balanced: %s", line)
		}
	}
	for line := range strings.Lines(outsideCode(page)) {
		for _, active := range []string{"<script", "@acme", "#12", "GH-12", "!7", " [click", "://", "www.", " **bold", "<!--"} {
			if strings.Contains(line, active) {
				t.Errorf("%q takes effect in: %s", active, line)
			}
		}
	}
}

func TestCodeSpanHoldsAnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("`a \\<|\n@"))).Draw(t, "text")
		span := codeSpan(text)
		if text == "" {
			return
		}
		fence := span[:len(span)-len(strings.TrimLeft(span, "`"))]
		inside := strings.TrimSuffix(strings.TrimPrefix(span, fence), fence)
		for run := range strings.SplitSeq(strings.Trim(inside, " "), " ") {
			for ticks := range strings.FieldsFuncSeq(run, func(r rune) bool { return r != '`' }) {
				if len(ticks) >= len(fence) {
					t.Fatalf("%q ends within %q", span, text)
				}
			}
		}
		if strings.Contains(span, "\n") || strings.HasPrefix(inside, "`") || strings.HasSuffix(inside, "`") {
			t.Fatalf("%q does not hold %q", span, text)
		}
	})
}

func TestPlanMarkdownIsCutBetweenBlocks(t *testing.T) {
	t.Parallel()
	plan := samplePlan(t)
	voice := plan.Changes[slices.IndexFunc(plan.Changes, func(change deskhand.Change) bool { return change.ConfigID == "dsk-voice-emea" })]
	for i := range 500 {
		another := voice
		another.ConfigID = fmt.Sprintf("dsk-%03d", i)
		plan.Changes = append(plan.Changes, another)
	}
	page := planMarkdown([]reviewedPlan{plan})
	if len(page) > largestComment {
		t.Errorf("the page has %d bytes, more than %d", len(page), largestComment)
	}
	if len(page) < largestComment*3/4 {
		t.Errorf("the page has %d bytes only", len(page))
	}
	if opened, closed := strings.Count(page, "<details>"), strings.Count(page, "</details>"); opened != closed {
		t.Errorf("%d blocks are opened, %d closed", opened, closed)
	}
	if !strings.Contains(page, "Left out: ") || !strings.Contains(page, "`dsk-499`") && !strings.Contains(page, "more. See all of it") {
		t.Errorf("the page does not say what was cut: %s", page[len(page)-400:])
	}
	if again := planMarkdown([]reviewedPlan{plan}); again != page {
		t.Error("the same plan makes another page")
	}
}
