package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
)

// failer is a test, or one try of a property.
type failer interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

// writeTree puts files, with paths from the root of a repository, into a folder.
func writeTree(t failer, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// readTree is all files below a folder by path.
func readTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// command runs deskhand in this process.
func command(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, talk bytes.Buffer
	code = run(t.Context(), args, environment{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &talk,
		getenv: func(string) string { return "" }, isTerminal: func(any) bool { return false },
	})
	return out.String(), talk.String(), code
}

func TestFixWritesOnlyTheValuesThatDiffer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := sampleFiles(t, map[string]string{
		"desktops/premium/_tier.yaml": strings.Replace(sampleFiles(t, nil)["desktops/premium/_tier.yaml"],
			"Control+Shift+1", "ctrl+shift+1", 1),
	})
	writeTree(t, dir, files)

	patch, _, code := command(t, "", "fix", "--dry-run", dir)
	if code != exitDone || !strings.Contains(patch, "-  gridColumns: 12 # more") || !strings.Contains(patch, "+  gridColumns: 8 # more") {
		t.Errorf("fix --dry-run ends with %d and prints:\n%s", code, patch)
	}
	if diff := cmp.Diff(files, readTree(t, dir)); diff != "" {
		t.Errorf("fix --dry-run writes: %s", diff)
	}

	said, _, code := command(t, "", "fix", filepath.Join(dir, "desktops", "standard"))
	if code != exitDone || !strings.Contains(said, "/layout/gridColumns: 12 → 8") {
		t.Errorf("fix ends with %d and prints %q", code, said)
	}
	voice := "desktops/standard/voice-amer.yaml"
	files[voice] = strings.Replace(files[voice], "gridColumns: 12 #", "gridColumns: 8 #", 1)
	if diff := cmp.Diff(files, readTree(t, dir)); diff != "" {
		t.Errorf("fix of one folder: %s", diff)
	}

	if _, _, code := command(t, "", "fix", dir); code != exitDone {
		t.Errorf("fix ends with %d", code)
	}
	fixed := readTree(t, dir)
	if fixed["desktops/premium/_tier.yaml"] != files["desktops/premium/_tier.yaml"] {
		t.Error("a shared file was edited")
	}
	if !strings.Contains(fixed["desktops/premium/blended-amer.yaml"], "Control+Shift+1") {
		t.Errorf("the value of the shared file is not overridden:\n%s", fixed["desktops/premium/blended-amer.yaml"])
	}
	again, _, _ := command(t, "", "fix", dir)
	if diff := cmp.Diff(fixed, readTree(t, dir)); diff != "" || again != "" {
		t.Errorf("a second run prints %q and changes %s", again, diff)
	}
}

// TestFixKeepsOtherDesktops has one desktop extend another's file: what the first
// is fixed to must not change the second, whose screens are larger.
func TestFixKeepsOtherDesktops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeTree(t, dir, sampleFiles(t, map[string]string{
		"desktops/standard/wide.yaml": "configId: dsk-wide\nextends: voice-amer.yaml\ntargetResolutions: [2560x1440]\n",
	}))
	before := payloads(reviewed(t, dir))
	if _, talk, code := command(t, "", "fix", filepath.Join(dir, "desktops", "standard", "voice-amer.yaml")); code != exitDone {
		t.Fatalf("fix ends with %d: %s", code, talk)
	}
	if diff := cmp.Diff(before, payloads(reviewed(t, dir))); diff != "" {
		t.Error(diff)
	}
}

// testReviewer is for the tests that review many trees: to make one takes longer
// than most reviews.
var testReviewer = sync.OnceValues(newReviewer)

// reviewed are the desktops of a repository on disk.
func reviewed(t failer, dir string) []deskhand.Reviewed {
	t.Helper()
	on := tree{root: filepath.ToSlash(filepath.Join(dir, "desktops"))}
	snapshot, err := on.load(t.Context(), manifest.NewLoader(manifest.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	reviewer, err := testReviewer()
	if err != nil {
		t.Fatal(err)
	}
	snapshot.Tenant = deskhand.Tenant(dir)
	review, err := reviewer.Review(t.Context(), snapshot)
	if err != nil {
		t.Fatal(err)
	}
	return review.Desktops
}

// payloads are what is sent for each desktop.
func payloads(desktops []deskhand.Reviewed) map[string]string {
	payloads := map[string]string{}
	for _, desktop := range desktops {
		payloads[desktop.File] = desktop.Optimised.String()
	}
	return payloads
}

func TestFixThenValidateFindsNothingToFix(t *testing.T) {
	t.Parallel()
	sample := sampleFiles(t, nil)
	maps.DeleteFunc(sample, func(name, _ string) bool { // enough folders for what can happen
		return strings.Contains(name, "/omnichannel/") || strings.Contains(name, "/enterprise/")
	})
	keys := []string{"ctrl+shift+1", "Control+Shift+1", "shift+ctrl+2", "alt+k", "cmd+9", "no such key", "Control+T"}
	reviewer, err := testReviewer()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir() // the same for all tries, so that the policy is read once
	rapid.Check(t, func(t *rapid.T) {
		files := map[string]string{}
		for name, content := range sample {
			if strings.Contains(name, "/_base/") || strings.HasSuffix(name, "/policy.yaml") {
				files[name] = content
				continue
			}
			columns := rapid.IntRange(1, 12).Draw(t, "columns of "+name)
			content = strings.ReplaceAll(content, "gridColumns: 12", fmt.Sprintf("gridColumns: %d", columns))
			content = strings.ReplaceAll(content, "gridColumns: 8", fmt.Sprintf("gridColumns: %d", columns))
			content = strings.ReplaceAll(content, "Control+Shift+1", rapid.SampledFrom(keys).Draw(t, "keys of "+name))
			if rapid.Bool().Draw(t, "small screens in "+name) && !strings.Contains(content, "targetResolutions") {
				content = "targetResolutions: [1024x768] # old ones\n" + content
			}
			files[name] = content
		}
		writeTree(t, root, files)
		desktops := tree{root: filepath.ToSlash(filepath.Join(root, "desktops")), selected: map[string]bool{".": true}}
		before := reviewed(t, root)

		fixed, err := fix(t.Context(), desktops, reviewer)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range fixed.files {
			onlyValuesDiffer(t, file)
			writeTree(t, root, map[string]string{"desktops/" + file.file: string(file.after)})
		}
		after := reviewed(t, root)
		for _, desktop := range after {
			if len(desktop.Edits) > 0 {
				t.Fatalf("%s still has %v", desktop.File, desktop.Edits)
			}
		}
		if diff := cmp.Diff(payloads(before), payloads(after)); diff != "" {
			t.Fatalf("what is sent differs: %s", diff)
		}
	})
}

// onlyValuesDiffer compares a file with what it was: every line is still there in
// its place, but for those of the values, and comments are kept.
func onlyValuesDiffer(t *rapid.T, file fixedFile) {
	kept := func(text []byte) (lines []string) {
		for line := range strings.Lines(string(text)) {
			_, comment, hasComment := strings.Cut(line, " #")
			switch {
			case strings.Contains(line, "gridColumns"), strings.Contains(line, "keys:"):
				if hasComment {
					lines = append(lines, comment)
				}
			case strings.TrimSpace(line) != "layout:" && strings.TrimSpace(line) != "shortcuts:":
				lines = append(lines, line)
			}
		}
		return lines
	}
	if diff := cmp.Diff(kept(file.before), kept(file.after)); diff != "" {
		t.Fatalf("%s: more than the values differs: %s\n%s", file.file, diff, file.after)
	}
}
