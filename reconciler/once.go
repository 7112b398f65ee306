package reconciler

import (
	"context"
	"fmt"
	"time"

	"github.com/deskhand/deskhand"
)

// Pass says what one run of Once is about.
type Pass struct {
	Commit  deskhand.Commit
	Trigger deskhand.Trigger
	// Full asks CXone about every desktop. Otherwise only those are asked about
	// of which nothing certain is known.
	Full bool
	// Force lifts the limit on deletions for this pass.
	Force bool
	// Exactly is a plan made earlier: nothing is written unless the plan of this
	// pass makes the same changes under the same ETags.
	Exactly *deskhand.Plan
}

// Result is what one pass found and did.
type Result struct {
	Plan     deskhand.Plan
	Outcomes []deskhand.Outcome
}

// Count is how many outcomes are of one of the kinds.
func (r Result) Count(kinds ...deskhand.OutcomeKind) int {
	count := 0
	for _, outcome := range r.Outcomes {
		for _, kind := range kinds {
			if outcome.Kind == kind {
				count++
			}
		}
	}
	return count
}

// Once is the way of a commit:
// lock → desired → review → observe → diff → apply → record → unlock.
//
// The audit branch and the webhooks follow what was recorded, each at its own
// pace. Cancelling ctx ends the pass after the writes that are on the wire; what
// they did is recorded all the same. The error is about the pass as a whole; a
// desktop that failed is an Outcome.
func (r *Reconciler) Once(ctx context.Context, pass Pass) (result Result, err error) {
	unlock, err := r.lock(ctx)
	if err != nil {
		return Result{}, err
	}
	defer unlock()
	started := time.Now()
	defer func() { r.conclude(pass, result, started, err) }()

	if err := r.settleOpen(ctx); err != nil {
		return Result{}, fmt.Errorf("settle the writes that were left open: %w", err)
	}
	sight, err := r.survey(ctx, pass)
	if err != nil {
		return Result{}, err
	}
	plan := Diff(sight.Input, r.rulesFor(pass))
	if err := pass.check(plan); err != nil {
		return Result{Plan: plan}, err
	}
	round := r.newRound(pass, sight)
	outcomes, err := round.record(ctx, round.apply(ctx, plan))
	return Result{Plan: plan, Outcomes: outcomes}, err
}

// Plan is Once up to the diff. It takes no lock and changes nothing.
func (r *Reconciler) Plan(ctx context.Context, pass Pass) (deskhand.Plan, error) {
	sight, err := r.survey(ctx, pass)
	if err != nil {
		return deskhand.Plan{}, err
	}
	for _, missed := range sight.missed {
		return deskhand.Plan{}, fmt.Errorf("read %s: %w", missed.Change.ConfigID, missed.err)
	}
	return Diff(sight.Input, r.rulesFor(pass)), nil
}

// sight is what one pass saw of git, of the past and of CXone.
type sight struct {
	Input

	missed []missed
}

// missed is a desktop that could not be read from CXone.
type missed struct {
	deskhand.Outcome

	err error
}

// survey is desired → review → observe.
func (r *Reconciler) survey(ctx context.Context, pass Pass) (sight, error) {
	desired, err := r.parts.Source.Snapshot(ctx, pass.Commit)
	if err != nil {
		return sight{}, fmt.Errorf("read the definitions at %s: %w", pass.Commit.Revision(), err)
	}
	review, err := r.parts.Reviewer.Review(ctx, desired)
	if err != nil {
		return sight{}, fmt.Errorf("review the definitions at %s: %w", pass.Commit.Revision(), err)
	}
	managed, err := r.managed(ctx)
	if err != nil {
		return sight{}, err
	}
	seen := sight{Input: Input{
		Tenant: r.tenant, Commit: pass.Commit,
		Review: review, Unreadable: desired.Unreadable, Managed: managed,
	}}
	seen.Live, seen.missed, err = r.observe(ctx, pass, seen.Input)
	if err != nil {
		return sight{}, fmt.Errorf("read the live desktops: %w", err)
	}
	return seen, nil
}

func (r *Reconciler) rulesFor(pass Pass) Rules {
	rules := r.rules
	rules.Force = rules.Force || pass.Force
	if pass.Exactly != nil {
		rules.MaxAttempts = 1 // a merge would be another plan
	}
	return rules
}

func (r *Reconciler) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case r.turn <- struct{}{}:
		return func() { <-r.turn }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the pass before: %w", context.Cause(ctx))
	}
}
