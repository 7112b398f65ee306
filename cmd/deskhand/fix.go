package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
)

func newFixCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fix [PATH...]",
		Short: "Write into the YAML what the optimiser would change on the way to CXone",
		Long: `Write into the YAML what the optimiser would change on the way to CXone, such as grid
columns that fit the agents' screens, so that git says what agents see.

Only the values that differ are written; comments, order and layout of the file
stay. A value that a shared file sets is overridden in the desktop's own file,
because other desktops rest on the shared one. A second run changes nothing.`,
		Example: `  deskhand fix
  deskhand fix desktops/standard/voice-amer.yaml
  deskhand fix --dry-run desktops | git apply --check -p0`,
	}
	dryRun := cmd.Flags().Bool("dry-run", false, "print a unified diff, and write nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"."}
		}
		trees, err := findTrees(args)
		if err != nil {
			return err
		}
		reviewer, err := newReviewer()
		if err != nil {
			return err
		}
		var failed error
		for _, tree := range trees {
			fixed, err := fix(cmd.Context(), tree, reviewer)
			failed = errors.Join(failed, err)
			if err := fixed.write(env, tree, *dryRun); err != nil {
				return errors.Join(failed, err)
			}
		}
		return failed
	}
	return cmd
}

// fixes are the files of a tree that get other content, and those that cannot be
// read and so not fixed, both sorted.
type fixes struct {
	files      []fixedFile
	unreadable []string
}

type fixedFile struct {
	file          string // from the root of the tree
	before, after []byte
	edits         []deskhand.Edit // that the optimiser asked for; none for a desktop that another's fix would change
}

// fix makes the payload of each selected desktop what the optimiser makes of it.
// A desktop that extends another's file keeps its own payload. The error names
// the files that only a person can edit; the others are fixed all the same.
func fix(ctx context.Context, on tree, reviewer *policy.Reviewer) (fixes, error) {
	loader := manifest.NewLoader(manifest.Options{})
	on.standIns = map[string][]byte{}
	snapshot, err := on.load(ctx, loader)
	if err != nil {
		return fixes{}, err
	}
	snapshot.Tenant = deskhand.Tenant(on.root) // whose policy is its own
	review, err := reviewer.Review(ctx, snapshot)
	if err != nil {
		return fixes{}, err
	}
	want := map[string]deskhand.Document{}
	edits := map[string][]deskhand.Edit{}
	for _, desktop := range review.Desktops {
		want[desktop.File] = desktop.Document
		if on.isSelected(desktop.File) && len(desktop.Edits) > 0 {
			want[desktop.File], edits[desktop.File] = desktop.Optimised, desktop.Edits
		}
	}
	failed := on.settle(ctx, loader, snapshot, want)

	var fixed fixes
	for _, desktop := range snapshot.Desktops {
		after, isFixed := on.standIns[desktop.File]
		if !isFixed {
			continue
		}
		before, err := os.ReadFile(on.disk(desktop.File))
		if err != nil {
			return fixes{}, err
		}
		fixed.files = append(fixed.files, fixedFile{file: desktop.File, before: before, after: after, edits: edits[desktop.File]})
	}
	for _, unreadable := range snapshot.Unreadable {
		if on.isSelected(unreadable.File) {
			fixed.unreadable = append(fixed.unreadable, unreadable.File)
		}
	}
	return fixed, failed
}

// settle edits, in the tree's stand-ins, until every desktop has the wanted
// payload. Where desktops extend each other's files, an edit of one changes
// the next, which then states its own value: a round for each step of extends.
func (t tree) settle(ctx context.Context, loader *manifest.Loader, snapshot deskhand.Snapshot, want map[string]deskhand.Document) error {
	var failed error
	givenUp := map[string]bool{}
	for range len(snapshot.Desktops) + 1 {
		isSettled := true
		for _, desktop := range snapshot.Desktops {
			if desktop.Document == want[desktop.File] || givenUp[desktop.File] {
				continue
			}
			isSettled = false
			content, err := t.edited(desktop, want[desktop.File])
			if err != nil {
				givenUp[desktop.File] = true
				failed = errors.Join(failed, fmt.Errorf("fix %s: %w", t.path(desktop.File), err))
				continue
			}
			t.standIns[desktop.File] = content
		}
		if isSettled {
			break
		}
		var err error
		if snapshot, err = t.load(ctx, loader); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// edited is the desktop's own file after the edits that lead to the payload.
func (t tree) edited(desktop deskhand.Desktop, want deskhand.Document) ([]byte, error) {
	before, isEdited := t.standIns[desktop.File]
	if !isEdited {
		var err error
		if before, err = os.ReadFile(t.disk(desktop.File)); err != nil {
			return nil, err
		}
	}
	after, err := manifest.Apply(before, manifest.Edits(desktop, want))
	if err == nil && string(after) == string(before) {
		err = fmt.Errorf("no edit of this file leads there: %w", manifest.ErrNotEditable)
	}
	return after, err
}

// disk is where a file of the tree is.
func (t tree) disk(file string) string {
	return filepath.Join(filepath.FromSlash(t.root), filepath.FromSlash(file))
}

// write prints what is fixed, and unless it is a dry run puts it into the files.
func (f fixes) write(env environment, on tree, isDryRun bool) error {
	for _, fixed := range f.files {
		name := on.path(fixed.file)
		if isDryRun {
			if _, err := env.stdout.Write(unifiedDiff(name, fixed.before, fixed.after)); err != nil {
				return err
			}
			continue
		}
		if err := replaceFile(on.disk(fixed.file), fixed.after); err != nil {
			return fmt.Errorf("fix %s: %w", name, err)
		}
		if _, err := fmt.Fprint(env.stdout, fixed.describe(on)); err != nil {
			return err
		}
	}
	for _, file := range f.unreadable {
		_, _ = fmt.Fprintf(env.stderr, "%s cannot be read; see deskhand validate\n", on.path(file))
	}
	verb := "fixed"
	if isDryRun {
		verb = "to fix"
	}
	_, err := fmt.Fprintf(env.stderr, "%s %s\n", counted(len(f.files), "file"), verb)
	return err
}

// counted is a number of things in words.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// describe says in a line for each value what was written.
func (f fixedFile) describe(on tree) string {
	if len(f.edits) == 0 {
		return fmt.Sprintf("%s: kept as it was, though it extends a file that was fixed\n", on.path(f.file))
	}
	var lines strings.Builder
	for _, edit := range f.edits {
		place := edit.Origin
		place.File = on.path(place.File)
		fmt.Fprintf(&lines, "%s: %s: %s → %s", on.path(f.file), edit.Path, valueText(edit.Before), valueText(edit.After))
		if edit.Origin.File != f.file {
			fmt.Fprintf(&lines, " (instead of %s)", place)
		}
		fmt.Fprintf(&lines, "  # %s\n", edit.Why)
	}
	return lines.String()
}

// unifiedDiff is the change of a file as patch(1) and git apply -p0 read it.
func unifiedDiff(name string, before, after []byte) []byte {
	text := diff.Diff(name, before, name, after)
	_, hunks, _ := strings.Cut(string(text), "\n") // the first line is a command, which patch skips
	return []byte(hunks)
}

// replaceFile gives a file new content at once, so that no reader and no crash
// sees half of it.
func replaceFile(name string, content []byte) (err error) {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(draft.Name())
		}
	}()
	_, err = draft.Write(content)
	if err := errors.Join(err, draft.Chmod(info.Mode()), draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), name)
}
