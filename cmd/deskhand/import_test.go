package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// liveDesktop draws what a tenant may hold and no rule refuses.
func liveDesktop(tier deskhand.Tier) *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		text := rapid.SampledFrom([]string{"Read the notice.", "yes", "12", "a: b # c", "Größe – 大", " spaced ", "two\nlines"})
		fields := map[string]any{
			"licenseTier": string(tier),
			"layout": map[string]any{
				"gridColumns":      rapid.IntRange(1, 6).Draw(t, "columns"),
				"widgetOrder":      rapid.Permutation([]any{"contact-summary", "call-controls", "notes", "compliance"}).Draw(t, "widgets"),
				"primaryWorkspace": "voice",
			},
			"shortcuts": []any{},
			"complianceBanners": []any{map[string]any{
				"title": "Notice", "message": text.Draw(t, "message"), "acknowledgementRequired": rapid.Bool().Draw(t, "acknowledged"),
				"displayRegion": rapid.SampledFrom([]string{"EMEA", "APAC"}).Draw(t, "region"),
			}},
			"browserCompatibility": map[string]any{
				"supportedBrowsers": []any{"chrome"},
				"minimumVersions":   map[string]any{"chrome": rapid.SampledFrom([]string{"114", "120"}).Draw(t, "version")},
			},
		}
		if rapid.Bool().Draw(t, "labelled") {
			fields["shortcuts"] = []any{map[string]any{"label": text.Draw(t, "label"), "action": "transfer", "target": "queue:general"}}
		}
		if rapid.Bool().Draw(t, "has unknown fields") {
			fields["queueBar"] = map[string]any{"size": rapid.Float64Range(-1e9, 1e9).Draw(t, "size"), "on": []any{nil, true, text.Draw(t, "on")}}
		}
		return fields
	})
}

// TestImportIsWhatCXoneHas imports any desktops, in two goes, and reads the
// definitions as the daemon would: what it would send is what CXone has.
func TestImportIsWhatCXoneHas(t *testing.T) {
	t.Parallel()
	home, count := t.TempDir(), 0
	reviewer, err := newReviewer()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		count++
		dir := filepath.Join(home, fmt.Sprint(count))
		all := map[string]deskhand.Document{}
		for _, ids := range [][]string{{"dsk-1", "DSK-1", "policy", "x..y"}, {"dsk-2", "dsk_2", strings.Repeat("long", 32)}} {
			live := map[string]deskhand.Document{}
			for _, id := range ids {
				if !rapid.Bool().Draw(t, "is imported") {
					continue
				}
				tier := rapid.SampledFrom([]deskhand.Tier{deskhand.TierStandard, deskhand.TierEnterprise}).Draw(t, "tier")
				document, err := deskhand.NewDocument(liveDesktop(tier).Draw(t, id))
				if err != nil {
					t.Fatal(err)
				}
				live[id], all[id] = document, document
			}
			made, err := importInto(t.Context(), reviewer, dir, live, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			if deskhand.HasErrors(made.Findings) || len(made.Notes) > 0 {
				t.Fatalf("findings %v, notes %v", made.Findings, made.Notes)
			}
		}
		if len(all) == 0 {
			return
		}
		snapshot, err := tree{root: dir}.load(t.Context(), manifest.NewLoader(manifest.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		review, err := reviewer.Review(t.Context(), snapshot)
		if err != nil {
			t.Fatal(err)
		}
		sent := map[string]deskhand.Document{}
		for _, desktop := range review.Desktops {
			if desktop.Refused {
				t.Errorf("%s is refused: %v", desktop.ConfigID, desktop.Findings)
			}
			sent[desktop.ConfigID] = desktop.Optimised
		}
		if diff := cmp.Diff(fieldsOf(all), fieldsOf(sent)); diff != "" {
			t.Errorf("what CXone has, and what would be sent (-live +sent):\n%s", diff)
		}
	})
}

func fieldsOf(documents map[string]deskhand.Document) map[string]map[string]any {
	fields := map[string]map[string]any{}
	for id, document := range documents {
		fields[id] = document.Fields()
	}
	return fields
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"dsk-Voice_1": "dsk-voice_1", "policy": "desktop-policy", "..": "desktop", "_base": "base",
		"../../etc/passwd": "etc-passwd", "a.b": "a-b", "über": "ber", strings.Repeat("x", 300): strings.Repeat("x", longestFileName),
	} {
		if got := fileName(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}

// TestImportKeepsWhatIsThere overwrites a definition only where told to, and says
// nulls against defaults that others rest on.
func TestImportKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reviewer, err := newReviewer()
	if err != nil {
		t.Fatal(err)
	}
	desktop := func(columns int) deskhand.Document {
		document, err := deskhand.NewDocument(map[string]any{"licenseTier": "standard", "layout": map[string]any{"gridColumns": columns}})
		if err != nil {
			t.Fatal(err)
		}
		return document
	}
	shared := filepath.Join(dir, "standard", "_tier.yaml")
	if err := writeFile(shared, "theme: {accent: \"#0b57d0\"}\n"); err != nil {
		t.Fatal(err)
	}
	live := map[string]deskhand.Document{"dsk-1": desktop(4), "dsk-2": desktop(4)}
	if _, err := importInto(t.Context(), reviewer, dir, live, nil, false); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "standard", "dsk-1.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "configId: dsk-1\nlayout: {gridColumns: 4}\ntheme: null\n"; string(kept) != want {
		t.Errorf("got %s, want %s", kept, want)
	}
	live["dsk-1"] = desktop(5)
	if _, err := importInto(t.Context(), reviewer, dir, live, nil, false); err == nil || !strings.Contains(err.Error(), "dsk-1.yaml; nothing was written") {
		t.Errorf("got error %v, want one that names the file", err)
	}
	made, err := importInto(t.Context(), reviewer, dir, live, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.ToSlash(filepath.Join(dir, "standard", "dsk-1.yaml")), filepath.ToSlash(filepath.Join(dir, "standard", "dsk-2.yaml"))}
	if diff := cmp.Diff(want, made.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
