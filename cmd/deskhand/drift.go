package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler"
)

func newDriftCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Show what people changed in CXone by hand",
		Long: `Show what people changed in CXone since it was last agreed: each desktop, each value
before and after with the line of YAML that sets it, what was deleted by hand, and
what git no longer defines. The exit code is 2 where there is drift.

Nothing is written to CXone, and a running daemon is not disturbed: what was agreed
is read from the audit branch.

With --accept the live values are written into the definitions of a work tree, so
that a hand edit becomes a diff that can be reviewed. Comments stay. A value that a
shared file sets goes to the desktop's own file. Nothing is committed.`,
		Example: `  deskhand drift
  deskhand drift -o markdown >> "$GITHUB_STEP_SUMMARY"
  deskhand drift --accept --dir ~/desktops && git -C ~/desktops diff`,
		Args: cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json", "markdown")
	tenants := cmd.Flags().StringSlice("tenant", nil, "only these tenants")
	accepts := cmd.Flags().Bool("accept", false, "write the live values into the definitions of a work tree")
	dir := cmd.Flags().String("dir", "", "the work tree for --accept (default: source.url where that is one)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, *tenants, env)
		if err != nil {
			return err
		}
		found, err := findDrift(cmd.Context(), config)
		if err != nil {
			return err
		}
		if err := printDrift(env, output.value, found); err != nil {
			return err
		}
		if !found.any() {
			return nil
		}
		if !*accepts {
			return errChanges
		}
		tree, err := findWorkTree(*dir, config)
		if err != nil {
			return err
		}
		return acceptDrift(cmd.Context(), env, config, tree, found)
	}
	return cmd
}

// driftSet is the shape of drift -o json.
type driftSet struct {
	Tenants []tenantDrift `json:"tenants"`
}

type tenantDrift struct {
	Tenant   deskhand.Tenant    `json:"tenant"`
	Commit   deskhand.Commit    `json:"commit"`
	Desktops []reconciler.Drift `json:"desktops"`
}

func (s driftSet) any() bool {
	for _, tenant := range s.Tenants {
		if len(tenant.Desktops) > 0 {
			return true
		}
	}
	return false
}

func findDrift(ctx context.Context, config configs.Config) (driftSet, error) {
	found := driftSet{Tenants: make([]tenantDrift, 0, len(config.Tenants))}
	err := eachPlanner(ctx, config, "", func(tenant configs.Tenant, planner *reconciler.Reconciler, commit deskhand.Commit) error {
		desktops, err := planner.Drift(ctx, reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual})
		found.Tenants = append(found.Tenants, tenantDrift{Tenant: tenant.Name, Commit: commit, Desktops: desktops})
		return err
	})
	return found, err
}

func printDrift(env environment, format string, found driftSet) error {
	switch format {
	case "json":
		return writeJSON(env.stdout, found)
	case "markdown":
		_, err := io.WriteString(env.stdout, driftMarkdown(found))
		return err
	default:
		_, err := io.WriteString(env.stdout, driftText(found, planPrinter{color: env.hasColor(env.stdout)}))
		return err
	}
}

// driftText is drift for people, in the looks of plan.
func driftText(found driftSet, p planPrinter) string {
	var text strings.Builder
	for _, tenant := range found.Tenants {
		fmt.Fprintf(&text, "%s at %s\n", p.bold("tenant "+string(tenant.Tenant)), tenant.Commit.Revision())
		for _, desktop := range tenant.Desktops {
			fmt.Fprintf(&text, "\n%s %s (%s) %s: %s\n", p.paint(deskhand.OpReport, sign(deskhand.OpReport)),
				p.bold(desktop.ConfigID), desktop.File, desktop.State, desktop.Why)
			for _, edit := range desktop.Edits {
				if edit.Why == desktop.Why {
					edit.Why = ""
				}
				p.edit(&text, "    ", edit)
			}
		}
		fmt.Fprintf(&text, "\n%s\n", driftSummary(tenant.Desktops))
	}
	return text.String()
}

func driftSummary(desktops []reconciler.Drift) string {
	if len(desktops) == 0 {
		return "drift: none"
	}
	states := map[deskhand.State]int{}
	for _, desktop := range desktops {
		states[desktop.State]++
	}
	var parts []string
	for _, word := range []struct {
		state deskhand.State
		text  string
	}{
		{deskhand.StateDrifted, "changed by hand"},
		{deskhand.StateDiverged, "changed by hand, and elsewhere in git"},
		{deskhand.StateConflict, "in conflict with git"},
		{deskhand.StateAbsent, "deleted by hand"},
		{deskhand.StateOrphaned, "orphaned"},
	} {
		if states[word.state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", states[word.state], word.text))
		}
	}
	return "drift: " + strings.Join(parts, ", ")
}
