package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/reconciler"
)

// largestPlan bounds the plan file that apply reads, in bytes.
const largestPlan = 256 << 20

func newApplyCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply [PLAN.json]",
		Short: "Make CXone equal to the branch's head, once",
		Long: `Make CXone equal to the branch's head, once, as the daemon would: the same comparison,
the same locks, the same records and events.

With a plan from "plan -o json" exactly that plan is applied; nothing is written
if the commit, a definition or an ETag has moved since.`,
		Example: `  deskhand apply
  deskhand plan -o json > plan.json && deskhand apply plan.json
  deskhand apply --force    # allow more deletions than prune.max`,
		Args: cobra.MaximumNArgs(1),
	}
	configPath := addConfigFlag(cmd)
	output := addOutputFlag(cmd, "text", "json")
	tenants := cmd.Flags().StringSlice("tenant", nil, "only these tenants")
	force := cmd.Flags().Bool("force", false, "lift the limit on deletions (prune.max)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config, err := loadConfig(*configPath, *tenants, env)
		if err != nil {
			return err
		}
		var expected map[deskhand.Tenant]deskhand.Plan
		if len(args) == 1 {
			if expected, err = readPlans(args[0], config); err != nil {
				return err
			}
		}
		results, err := applyOnce(cmd.Context(), config, env, expected, *force)
		if printErr := printResults(env, output.value, results); printErr != nil {
			return errors.Join(err, printErr)
		}
		if err != nil {
			return err
		}
		return applyVerdict(cmd.Context(), results)
	}
	return cmd
}

// applied is what apply did for one tenant.
type applied struct {
	Tenant   deskhand.Tenant    `json:"tenant"`
	Commit   deskhand.Commit    `json:"commit"`
	Outcomes []deskhand.Outcome `json:"outcomes"`
	Findings []deskhand.Finding `json:"findings"`
	result   reconciler.Result
}

func readPlans(path string, config configs.Config) (map[deskhand.Tenant]deskhand.Plan, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	defer func() { _ = file.Close() }()
	var set planSet
	decoder := json.NewDecoder(io.LimitReader(file, largestPlan))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&set); err != nil {
		return nil, withHint(fmt.Errorf("read plan %s: %w", path, err), "make it with: deskhand plan -o json > plan.json")
	}
	plans := make(map[deskhand.Tenant]deskhand.Plan, len(set.Plans))
	for _, plan := range set.Plans {
		plans[plan.Tenant] = plan
	}
	for _, tenant := range config.Tenants {
		if _, isPlanned := plans[tenant.Name]; !isPlanned {
			return nil, withHint(fmt.Errorf("plan %s has nothing for tenant %s", path, tenant.Name), "name the tenants that it is for with --tenant")
		}
	}
	return plans, nil
}

func applyOnce(ctx context.Context, config configs.Config, env environment, expected map[deskhand.Tenant]deskhand.Plan, force bool) ([]applied, error) {
	log := newLogger(configs.Log{Level: "warn", Format: configs.LogConsole}, env)
	s, err := openStation(ctx, config, log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.close() }()
	head, err := s.source.Head(ctx)
	if err != nil {
		return nil, err
	}
	stop := s.follow(ctx)
	defer stop()

	var results []applied
	var failed error
	for _, tenant := range s.tenants {
		pass := reconciler.Pass{Commit: head, Trigger: deskhand.TriggerManual, Full: true, Force: force}
		if plan, isPlanned := expected[tenant.config.Name]; isPlanned {
			pass.Exactly = &plan
		}
		result, err := tenant.reconciler.Once(ctx, pass)
		results = append(results, applied{
			Tenant: tenant.config.Name, Commit: head, result: result,
			Outcomes: append([]deskhand.Outcome{}, result.Outcomes...), // [] and not null in JSON, also where nothing was done
			Findings: append([]deskhand.Finding{}, result.Plan.Findings...),
		})
		if errors.Is(err, reconciler.ErrPlanMoved) {
			err = withHint(err, "nothing was written; make a new plan, look at it, and apply that")
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("tenant %s: %w", tenant.config.Name, err))
		}
	}
	s.settleFollowers(ctx)
	return results, failed
}

// longestFarewell is how long a command waits for the audit branches and the
// webhooks. What is not done by then stays in the journal for the next start.
const longestFarewell = 20 * time.Second

// settleFollowers waits until what was recorded is in the audit branches and
// delivered, as far as the other side takes it.
func (s *station) settleFollowers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestFarewell)
	defer cancel()
	for _, tenant := range s.tenants {
		if err := tenant.auditor.Flush(ctx); err != nil {
			s.log.Error().Err(err).Msg("the audit branch is behind; the journal keeps what is missing")
		}
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.isDelivered() {
		select {
		case <-ctx.Done():
			s.log.Warn().Msg("events wait in the journal for the next start")
			return
		case <-tick.C:
		}
	}
}

// isDelivered reports whether every sink had every event, or failed at it at
// least once.
func (s *station) isDelivered() bool {
	for _, notifier := range s.notifiers {
		status := notifier.Status()
		if status.Stop == nil && (status.Read < s.ledger.Tail() || status.Waiting > status.Failing) {
			return false
		}
	}
	return true
}

func printResults(env environment, format string, results []applied) error {
	if format == "json" {
		if results == nil {
			results = []applied{}
		}
		return writeJSON(env.stdout, struct {
			Tenants []applied `json:"tenants"`
		}{results})
	}
	for _, tenant := range results {
		for _, outcome := range tenant.Outcomes {
			line := fmt.Sprintf("%s %s %s %s", sign(outcome.Change.Op), outcome.Change.ConfigID, outcome.Kind, outcome.Change.Why)
			if outcome.Error != "" {
				line += ": " + outcome.Error
			}
			if _, err := fmt.Fprintln(env.stdout, line); err != nil {
				return err
			}
		}
		for _, finding := range tenant.Findings {
			if finding.Severity == deskhand.SeverityError {
				if _, err := fmt.Fprintln(env.stderr, finding); err != nil {
					return err
				}
			}
		}
		if _, err := fmt.Fprintf(env.stdout, "%s at %s: %d applied, %d adopted, %d reported, %d failed, %d skipped\n",
			tenant.Tenant, tenant.Commit.Revision(),
			tenant.result.Count(deskhand.OutcomeApplied), tenant.result.Count(deskhand.OutcomeAdopted),
			tenant.result.Count(deskhand.OutcomeReported), tenant.result.Count(deskhand.OutcomeFailed),
			tenant.result.Count(deskhand.OutcomeSkipped, deskhand.OutcomePending)); err != nil {
			return err
		}
	}
	return nil
}

func applyVerdict(ctx context.Context, results []applied) error {
	failures, refused := 0, false
	for _, tenant := range results {
		failures += tenant.result.Count(deskhand.OutcomeFailed, deskhand.OutcomeSkipped, deskhand.OutcomePending)
		refused = refused || deskhand.HasErrors(tenant.Findings)
	}
	switch {
	case failures > 0 && ctx.Err() != nil:
		return ctx.Err()
	case failures > 0:
		return withHint(fmt.Errorf("%d desktops were not applied", failures), "run apply again once the cause is mended; what was applied stays")
	case refused:
		return errRefused
	default:
		return nil
	}
}
