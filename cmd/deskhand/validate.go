package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/policy/report"
)

// validateGCPercent trades memory for time: the process ends before most of what
// it frees would be needed again. 10,000 desktops stay under 200 MB.
const validateGCPercent = 200

func newValidateCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [PATH... | -]",
		Short: "Check definitions against the schema and the policy, offline",
		Long: `Check definitions against the schema and the policy, offline: all findings of all files
at once, each with the line that it is about and what to do.

PATH is a repository, a folder of definitions, or single files; what these files rest
on is read too. Without a PATH it is the current folder. With - one definition comes
from standard input and is judged in place of the file that --stdin-path names.`,
		Example: `  deskhand validate
  deskhand validate desktops/standard/voice-emea.yaml
  deskhand validate --changed-since origin/main desktops
  deskhand validate - --stdin-path desktops/standard/voice-emea.yaml < draft.yaml
  deskhand validate -o sarif > findings.sarif`,
	}
	var formats []string
	for _, format := range report.Formats() {
		formats = append(formats, string(format))
	}
	output := addOutputFlag(cmd, formats...)
	maxWarnings := cmd.Flags().Int("max-warnings", -1, "refuse more warnings than this; -1 for any number")
	stdinPath := cmd.Flags().String("stdin-path", "", "the file that standard input takes the place of")
	_ = cmd.MarkFlagFilename("stdin-path", "yaml", "yml")
	since := cmd.Flags().String("changed-since", "", "only files that differ from this revision of git, and what rests on them")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		debug.SetGCPercent(validateGCPercent)
		trees, err := treesToValidate(env, args, *stdinPath)
		if err != nil {
			return err
		}
		result, err := validate(cmd.Context(), trees, *since)
		if err != nil {
			return err
		}
		format, err := report.ParseFormat(output.value)
		if err != nil {
			return err
		}
		if err := report.Write(env.stdout, format, result.Report, report.Options{
			Color: env.hasColor(env.stdout), Source: source(trees), Version: buildVersion(), RuleInfo: ruleInfo, Files: result.files,
		}); err != nil {
			return err
		}
		if result.Summary.Errors > 0 || *maxWarnings >= 0 && result.Summary.Warnings > *maxWarnings {
			return errRefused
		}
		return nil
	}
	return cmd
}

func treesToValidate(env environment, args []string, stdinPath string) ([]tree, error) {
	readsStdin := slices.Contains(args, "-")
	switch {
	case readsStdin && len(args) > 1:
		return nil, withHint(errors.New("- reads one definition, and cannot go with other paths"), "leave the other paths out")
	case readsStdin:
		draft, err := stdinTree(env.stdin, stdinPath)
		return []tree{draft}, err
	case stdinPath != "":
		return nil, withHint(errors.New("--stdin-path is for a definition from standard input"), "give - as the PATH")
	case len(args) == 0:
		args = []string{"."}
	}
	return findTrees(args)
}

// validated is the report on what was selected, and the files that it is about.
type validated struct {
	report.Report

	files []string
}

// validate reviews the trees and reports on what is selected of them: where since
// is a revision, on what differs from it.
func validate(ctx context.Context, trees []tree, since string) (validated, error) {
	var (
		findings []deskhand.Finding
		files    = map[string]bool{}
		desktops int
	)
	for _, tree := range trees {
		snapshot, isWanted, err := tree.candidates(ctx, since)
		if err != nil {
			return validated{}, err
		}
		review, err := judge(ctx, snapshot)
		if err != nil {
			return validated{}, err
		}
		kept, defined := tree.selection(review, snapshot, isWanted)
		findings = append(findings, kept...)
		desktops += len(defined)
		for _, file := range defined {
			files[file] = true
		}
	}
	for _, finding := range findings {
		files[finding.File] = true
	}
	return validated{
		Report: report.New(len(files), desktops, findings),
		files:  slices.Sorted(maps.Keys(files)),
	}, nil
}

// candidates is everything below the tree's root, and which files of it are to be
// reported on.
func (t tree) candidates(ctx context.Context, since string) (deskhand.Snapshot, func(file string) bool, error) {
	if since == "" {
		snapshot, err := t.load(ctx, manifest.NewLoader(manifest.Options{}))
		return snapshot, t.isSelected, err
	}
	snapshot, changed, err := t.changedSince(ctx, since)
	return snapshot, func(file string) bool { return changed(file) && t.isSelected(file) }, err
}

// selection is the findings about what is wanted, and the files of the desktops
// among it, with paths as the user would write them.
func (t tree) selection(review deskhand.Review, snapshot deskhand.Snapshot, isWanted func(string) bool) (findings []deskhand.Finding, files []string) {
	keep := func(finding deskhand.Finding) {
		finding.File = t.path(finding.File)
		findings = append(findings, finding)
	}
	blames := blamesShared(snapshot, isWanted)
	for _, finding := range review.Findings {
		if isWanted(finding.File) || blames && isShared(finding.File) {
			keep(finding)
		}
	}
	for _, desktop := range review.Desktops {
		isDesktopWanted := isWanted(desktop.File)
		if isDesktopWanted {
			files = append(files, t.path(desktop.File))
		}
		for _, finding := range desktop.Findings {
			if isDesktopWanted || isWanted(finding.File) {
				keep(finding)
			}
		}
	}
	for _, unreadable := range snapshot.Unreadable {
		if isWanted(unreadable.File) {
			files = append(files, t.path(unreadable.File))
		}
	}
	return findings, files
}

// blamesShared reports whether a wanted file cannot be read though nothing is
// wrong in it: what it rests on is to blame.
func blamesShared(snapshot deskhand.Snapshot, isWanted func(string) bool) bool {
	hasOwn := map[string]bool{}
	for _, finding := range snapshot.Findings {
		hasOwn[finding.File] = true
	}
	return slices.ContainsFunc(snapshot.Unreadable, func(unreadable deskhand.Unreadable) bool {
		return isWanted(unreadable.File) && !hasOwn[unreadable.File]
	})
}

// isShared reports whether desktops may rest on the file: it or a folder above it
// begins with _.
func isShared(file string) bool {
	return strings.HasPrefix(file, "_") || strings.Contains(file, "/_")
}

func ruleInfo(id string) (what, why, mend string, ok bool) {
	for _, rule := range policy.Rules() {
		if rule.ID == id {
			return rule.What, rule.Why, rule.Mend, true
		}
	}
	return "", "", "", false
}

func newExplainCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "explain [RULE]",
		Short:   "Explain a rule of the policy: what it checks, why, and how to mend a finding",
		Example: "  deskhand explain layout/columns",
		Args:    cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var ids []string
			for _, rule := range policy.Rules() {
				ids = append(ids, rule.ID)
			}
			return ids, cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			for _, rule := range policy.Rules() {
				if _, err := fmt.Fprintf(env.stdout, "%-24s %s\n", rule.ID, rule.What); err != nil {
					return err
				}
			}
			return nil
		}
		for _, rule := range policy.Rules() {
			if rule.ID == args[0] {
				_, err := fmt.Fprint(env.stdout, explanation(rule))
				return err
			}
		}
		return withHint(errors.New("there is no rule "+args[0]), "deskhand explain lists them")
	}
	return cmd
}

func explanation(rule policy.Rule) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s", rule.ID, rule.Severity)
	if rule.Weight > 0 {
		fmt.Fprintf(&text, ", −%d", rule.Weight)
	}
	fmt.Fprintf(&text, ")\n\n%s\n\nWhy: %s\nHow to mend it: %s\n", rule.What, rule.Why, rule.Mend)
	for _, example := range []struct{ title, yaml string }{{"Good", rule.Good}, {"Bad", rule.Bad}} {
		if example.yaml != "" {
			fmt.Fprintf(&text, "\n%s:\n\n  %s\n", example.title, strings.ReplaceAll(strings.TrimSpace(example.yaml), "\n", "\n  "))
		}
	}
	return text.String()
}
