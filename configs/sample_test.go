package configs_test

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
)

// TestSampleTellsItsStory reviews the sample as the daemon does: one desktop is
// refused for one plain mistake, another is brought down to eight columns, and
// nobody has anything to say about the rest.
func TestSampleTellsItsStory(t *testing.T) {
	t.Parallel()
	review := reviewSample(t)
	if len(review.Desktops) < 10 {
		t.Errorf("the sample has %d desktops, want at least 10", len(review.Desktops))
	}
	if len(review.Findings) > 0 {
		t.Errorf("findings about the whole: %v", review.Findings)
	}
	var tiers []deskhand.Tier
	var refused, optimised, troubled []string
	for _, desktop := range review.Desktops {
		tiers = append(tiers, desktop.Tier)
		if desktop.Refused {
			refused = append(refused, desktop.ConfigID)
		}
		for _, edit := range desktop.Edits {
			if edit.Path == "/layout/gridColumns" {
				optimised = append(optimised, desktop.ConfigID+": "+edit.Why)
			}
		}
		for _, finding := range desktop.Findings {
			if finding.Severity != deskhand.SeverityInfo {
				troubled = append(troubled, finding.ConfigID+": "+finding.Rule)
			}
		}
	}
	slices.Sort(tiers)
	if got, want := len(slices.Compact(tiers)), len(deskhand.Tiers()); got != want {
		t.Errorf("the sample has %d tiers, want %d", got, want)
	}
	if diff := cmp.Diff([]string{"dsk-voice-apac"}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dsk-voice-amer: optimised: 12 → 8 columns (1366x768)"}, optimised); diff != "" {
		t.Errorf("optimised (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"dsk-voice-amer: layout/columns", "dsk-voice-apac: tier/entitlement"}, slices.Compact(troubled)); diff != "" {
		t.Errorf("errors and warnings (-want +got):\n%s", diff)
	}
}

func reviewSample(t *testing.T) deskhand.Review {
	t.Helper()
	sample := configs.Sample()
	var entries []manifest.Entry
	err := fs.WalkDir(sample, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			entries = append(entries, manifest.Entry{Path: path, Hash: path})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	loader := manifest.NewLoader(manifest.Options{Root: "desktops"})
	snapshot, err := loader.Load(t.Context(), entries, func(entry manifest.Entry) ([]byte, error) {
		return fs.ReadFile(sample, entry.Path)
	})
	if err != nil {
		t.Fatal(err)
	}
	reviewer, err := policy.New(policy.Options{
		DesktopSchema: configs.DesktopSchema,
		PolicySchema:  configs.PolicySchema,
		Defaults:      configs.PolicyDefaults,
	})
	if err != nil {
		t.Fatal(err)
	}
	review, err := reviewer.Review(t.Context(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return review
}
