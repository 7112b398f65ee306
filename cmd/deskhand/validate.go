package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource/manifest"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/policy/report"
)

func newValidateCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "validate [PATH...]",
		Short: "Check definitions against the schema and the policy, offline",
		Long: `Check definitions against the schema and the policy, offline: all findings of all files
at once, each with the line that it is about and what to do.

PATH is a repository, a folder of definitions, or single files; what these files rest
on is read too. Without a PATH it is the current folder.`,
		Example: `  deskhand validate
  deskhand validate desktops/standard/voice-emea.yaml
  deskhand validate -o sarif > findings.sarif`,
	}
	var formats []string
	for _, format := range report.Formats() {
		formats = append(formats, string(format))
	}
	output := addOutputFlag(cmd, formats...)
	maxWarnings := cmd.Flags().Int("max-warnings", -1, "refuse more warnings than this; -1 for any number")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			args = []string{"."}
		}
		trees, err := findTrees(args)
		if err != nil {
			return err
		}
		result, source, err := validate(cmd.Context(), trees)
		if err != nil {
			return err
		}
		format, err := report.ParseFormat(output.value)
		if err != nil {
			return err
		}
		if err := report.Write(env.stdout, format, result.Report, report.Options{
			Color: env.hasColor(env.stdout), Source: source, Version: buildVersion(), RuleInfo: ruleInfo, Files: result.files,
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

// validated is the report on what was selected, and the files that it is about.
type validated struct {
	report.Report

	files []string
}

// validate reviews the trees and reports on what is selected of them. The
// returned function reads a file that a finding names.
func validate(ctx context.Context, trees []tree) (validated, func(string) ([]byte, error), error) {
	var (
		findings []deskhand.Finding
		files    []string
		desktops int
	)
	for _, tree := range trees {
		review, snapshot, err := tree.review(ctx)
		if err != nil {
			return validated{}, nil, err
		}
		kept, defined := tree.selection(review, snapshot)
		findings = append(findings, kept...)
		desktops += len(defined)
		files = append(files, defined...)
	}
	for _, finding := range findings {
		if !slices.Contains(files, finding.File) {
			files = append(files, finding.File)
		}
	}
	slices.Sort(files)
	read := func(file string) ([]byte, error) { return os.ReadFile(file) } //nolint:gosec // findings name files that were just read
	return validated{Report: report.New(len(files), desktops, findings), files: files}, read, nil
}

// review resolves and reviews everything below the tree's root.
func (t tree) review(ctx context.Context) (deskhand.Review, deskhand.Snapshot, error) {
	entries, read, err := manifest.Dir(filepath.FromSlash(t.root))
	if err != nil {
		return deskhand.Review{}, deskhand.Snapshot{}, err
	}
	snapshot, err := manifest.NewLoader(manifest.Options{}).Load(ctx, entries, read)
	if err != nil {
		return deskhand.Review{}, deskhand.Snapshot{}, err
	}
	reviewer, err := newReviewer()
	if err != nil {
		return deskhand.Review{}, deskhand.Snapshot{}, err
	}
	review, err := reviewer.Review(ctx, snapshot)
	if err != nil {
		return deskhand.Review{}, deskhand.Snapshot{}, err
	}
	if len(snapshot.Desktops)+len(snapshot.Unreadable)+len(snapshot.Findings) == 0 {
		return review, snapshot, withHint(fmt.Errorf("there are no definitions below %s", t.root),
			"a definition is a YAML file in a folder named "+strings.Join(tierNames(), ", "))
	}
	return review, snapshot, nil
}

// selection is the findings about what is selected, and the files of the desktops
// among it, with paths as the user would write them.
func (t tree) selection(review deskhand.Review, snapshot deskhand.Snapshot) (findings []deskhand.Finding, files []string) {
	keep := func(finding deskhand.Finding) {
		finding.File = t.path(finding.File)
		findings = append(findings, finding)
	}
	for _, finding := range review.Findings {
		if t.isSelected(finding.File) {
			keep(finding)
		}
	}
	for _, desktop := range review.Desktops {
		isSelected := t.isSelected(desktop.File)
		if isSelected {
			files = append(files, t.path(desktop.File))
		}
		for _, finding := range desktop.Findings {
			if isSelected || t.isSelected(finding.File) {
				keep(finding)
			}
		}
	}
	for _, unreadable := range snapshot.Unreadable {
		if t.isSelected(unreadable.File) {
			files = append(files, t.path(unreadable.File))
		}
	}
	return findings, files
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
