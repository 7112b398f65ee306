package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/reconciler"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/metrics"
)

func newPlanCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what would change in CXone, and why",
		Long: `Show what applying the branch's head would change in CXone: each desktop, each value
before and after with the line of YAML that sets it, what the optimiser changes,
what people changed by hand, and the findings of the policy.

Nothing is written. What was agreed before is read from the audit branch, so plan
can run anywhere, also beside a running daemon.`,
		Example: `  deskhand plan
  deskhand plan --commit feature/new-banner
  deskhand plan -o json > plan.json && deskhand apply plan.json
  deskhand plan --commit HEAD -o markdown    # a comment for the pull request
  deskhand plan --detailed-exitcode    # 2 where something would change`,
		Args: cobra.NoArgs,
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json", "markdown")
	revision := cmd.Flags().String("commit", "", "plan this revision instead of the branch's head")
	tenants := cmd.Flags().StringSlice("tenant", nil, "only these tenants")
	detailed := cmd.Flags().Bool("detailed-exitcode", false, "exit with 2 where there are changes or drift")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		config, err := loadConfig(*configPath, *tenants, env)
		if err != nil {
			return err
		}
		plans, err := makePlans(cmd.Context(), config, *revision)
		if err != nil {
			return err
		}
		switch output.value {
		case "json":
			err = writeJSON(env.stdout, planSet{Plans: plans})
		case "markdown":
			err = writePlanMarkdown(cmd.Context(), env, config, plans)
		default:
			err = printPlans(env, plans)
		}
		if err != nil {
			return err
		}
		return planVerdict(plans, *detailed)
	}
	return cmd
}

// planSet is the shape of plan -o json.
type planSet struct {
	Plans []deskhand.Plan `json:"plans"`
}

func printPlans(env environment, plans []deskhand.Plan) error {
	printer := planPrinter{out: env.stdout, color: env.hasColor(env.stdout)}
	for _, plan := range plans {
		if err := printer.print(plan); err != nil {
			return err
		}
	}
	return nil
}

func planVerdict(plans []deskhand.Plan, detailed bool) error {
	for _, plan := range plans {
		if deskhand.HasErrors(plan.Findings) {
			return errRefused
		}
	}
	for _, plan := range plans {
		if detailed && (!plan.Empty() || len(plan.Reports) > 0) {
			return errChanges
		}
	}
	return nil
}

// makePlans plans every tenant of the configuration at a revision, "" for the
// branch's head.
func makePlans(ctx context.Context, config configs.Config, revision string) ([]deskhand.Plan, error) {
	plans := make([]deskhand.Plan, 0, len(config.Tenants))
	err := eachPlanner(ctx, config, revision, func(_ configs.Tenant, planner *reconciler.Reconciler, commit deskhand.Commit) error {
		plan, err := planner.Plan(ctx, reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual, Full: true})
		plans = append(plans, plan)
		return err
	})
	return plans, err
}

// eachPlanner visits every tenant of the configuration with a reconciler that can
// plan and never writes, and the commit that the revision names, "" for the
// branch's head. It needs no data directory of its own and takes no lock.
func eachPlanner(ctx context.Context, config configs.Config, revision string,
	visit func(tenant configs.Tenant, planner *reconciler.Reconciler, commit deskhand.Commit) error,
) error {
	log := zerolog.Nop()
	scratch := filepath.Join(config.DataDir, "plan")
	source, err := openSource(ctx, config, filepath.Join(scratch, "source.git"), nil, log)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	commit, err := source.Head(ctx)
	if err == nil && revision != "" {
		commit, err = source.Commit(ctx, revision)
	}
	if err != nil {
		return err
	}
	reviewer, err := newReviewer()
	if err != nil {
		return err
	}
	for _, tenant := range config.Tenants {
		branch, err := openAuditBranch(ctx, config, tenant.Name, scratch, log)
		if err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
		defer func() { _ = branch.Close() }()
		client, err := newClient(tenant, log, metrics.New(buildVersion()), func(deskhand.EventType, cxone.Trouble) {})
		if err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
		defer client.Close()
		planner := reconciler.New(tenant.Name, rulesOf(tenant), reconciler.Parts{
			Source:   source.Tenant(tenant.Name, sourcePath(config, tenant)),
			Reviewer: reviewer,
			Platform: client,
			Memory:   branchMemory{branch},
			Logger:   log,
		})
		if err := visit(tenant, planner, commit); err != nil {
			return fmt.Errorf("tenant %s: %w", tenant.Name, err)
		}
	}
	return nil
}

// branchMemory is what was agreed before, as the audit branch has it.
type branchMemory struct{ branch ledger.Branch }

func (m branchMemory) Managed(ctx context.Context, tenant deskhand.Tenant) ([]deskhand.Managed, error) {
	managed, _, err := ledger.NewAuditor(nil, tenant, m.branch, zerolog.Nop()).Load(ctx)
	return managed, err
}

// loadConfig reads the configuration, less the tenants that are not asked for.
func loadConfig(path string, only []string, env environment) (configs.Config, error) {
	config, err := configs.Load(path, env.getenv)
	if err != nil {
		return configs.Config{}, err
	}
	if len(only) == 0 {
		return config, nil
	}
	var kept []configs.Tenant
	for _, name := range only {
		found := false
		for _, tenant := range config.Tenants {
			if string(tenant.Name) == name {
				kept, found = append(kept, tenant), true
			}
		}
		if !found {
			return configs.Config{}, withHint(fmt.Errorf("no tenant %q in %s", name, path), "the names stand under tenants[].name")
		}
	}
	config.Tenants = kept
	return config, nil
}
