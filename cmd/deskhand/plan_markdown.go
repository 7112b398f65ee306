package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/configs"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/reconciler"
)

// largestComment is where a plan is cut, in bytes: GitHub takes 65,536 characters,
// and a workflow may add a line of its own.
const largestComment = 65_000

// writePlanMarkdown writes the plans as a comment on a pull request.
func writePlanMarkdown(ctx context.Context, env environment, config configs.Config, plans []deskhand.Plan) error {
	reviewed, err := reviewPlans(ctx, config, plans)
	if err != nil {
		return err
	}
	_, err = io.WriteString(env.stdout, planMarkdown(reviewed))
	return err
}

// reviewedPlan is a plan and what the policy says of the desktops that it is about.
type reviewedPlan struct {
	deskhand.Plan

	after  map[string]deskhand.Reviewed // by configId, at the plan's commit
	before map[string]deskhand.Reviewed // at the branch's head, where that is another commit
	screen func(deskhand.Desktop, deskhand.Document) (policy.Screen, bool)
}

// reviewPlans adds to each plan the review of its commit, and of the branch that
// it would be merged into.
func reviewPlans(ctx context.Context, config configs.Config, plans []deskhand.Plan) ([]reviewedPlan, error) {
	source, err := openSource(ctx, config, filepath.Join(config.DataDir, "plan", "source.git"), nil, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }()
	base, err := source.Commit(ctx, config.Source.Branch)
	if err != nil {
		return nil, err
	}
	reviewer, err := newReviewer()
	if err != nil {
		return nil, err
	}
	baseReviewer, err := newReviewer() // the branch may have another policy
	if err != nil {
		return nil, err
	}
	reviewed := make([]reviewedPlan, 0, len(plans))
	for i, plan := range plans {
		tree := source.Tenant(plan.Tenant, sourcePath(config, config.Tenants[i]))
		one := reviewedPlan{Plan: plan}
		if base.SHA != plan.Commit.SHA {
			if one.before, err = reviewAt(ctx, baseReviewer, tree, base); err != nil {
				return nil, fmt.Errorf("tenant %s: %w", plan.Tenant, err)
			}
		}
		if one.after, err = reviewAt(ctx, reviewer, tree, plan.Commit); err != nil {
			return nil, fmt.Errorf("tenant %s: %w", plan.Tenant, err)
		}
		one.screen = func(desktop deskhand.Desktop, payload deskhand.Document) (policy.Screen, bool) {
			return reviewer.Screen(plan.Tenant, desktop, payload)
		}
		reviewed = append(reviewed, one)
	}
	return reviewed, nil
}

func reviewAt(ctx context.Context, reviewer *policy.Reviewer, source reconciler.Source, commit deskhand.Commit) (map[string]deskhand.Reviewed, error) {
	snapshot, err := source.Snapshot(ctx, commit)
	if err != nil {
		return nil, err
	}
	review, err := reviewer.Review(ctx, snapshot)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]deskhand.Reviewed, len(review.Desktops))
	for _, desktop := range review.Desktops {
		byID[desktop.ConfigID] = desktop
	}
	return byID, nil
}

// block is a part of the comment that is shown whole or not at all.
type block struct {
	name string // "" for one that needs no mention where it is cut
	text string
}

// planMarkdown is the plans as a comment on a pull request, at most largestComment bytes.
// Equal plans give equal texts.
func planMarkdown(plans []reviewedPlan) string {
	blocks := []block{{text: "## What merging this does\n"}}
	for _, plan := range plans {
		blocks = append(blocks, plan.blocks()...)
	}
	return fitted(blocks, largestComment)
}

// room is what the note about cut blocks may take, in bytes.
const room = 4_000

// fitted is the blocks that fit, in their order, and a note of the others.
func fitted(blocks []block, limit int) string {
	whole := 0
	for _, b := range blocks {
		whole += len(b.text)
	}
	if whole > limit {
		limit -= room
	}
	var page strings.Builder
	var cut []string
	for _, b := range blocks {
		if page.Len()+len(b.text) <= limit {
			page.WriteString(b.text)
			continue
		}
		cut = append(cut, b.name)
	}
	if len(cut) > 0 {
		page.WriteString(cutNote(cut))
	}
	return page.String()
}

func cutNote(cut []string) string {
	const most = 10
	named := slices.DeleteFunc(slices.Clone(cut), func(name string) bool { return name == "" })
	note := "\n> **Cut to what a comment can hold.** Left out: " + counted(len(cut), "block")
	for i, name := range named[:min(len(named), most)] {
		separator := ", "
		if i == 0 {
			separator = ", of "
		}
		note += separator + codeSpan(name)
	}
	if len(named) > most {
		note += fmt.Sprintf(" and %d more", len(named)-most)
	}
	return note + ". See all of it with `deskhand plan`.\n"
}

// blocks are the tenant's part of the comment: what is refused first, then what
// changes, then what only is told.
func (p reviewedPlan) blocks() []block {
	changes := slices.Concat(p.Reports, p.Changes)
	slices.SortStableFunc(changes, func(a, b deskhand.Change) int { return urgency(a) - urgency(b) })

	blocks := []block{{text: p.headline()}}
	shown := map[string]bool{}
	for _, change := range changes {
		shown[change.ConfigID] = true
		blocks = append(blocks, block{name: change.ConfigID, text: p.desktop(change)})
	}
	var others []deskhand.Finding
	for _, finding := range p.Findings {
		if !shown[finding.ConfigID] && !shown[finding.File] && finding.Severity != deskhand.SeverityInfo {
			others = append(others, finding)
		}
	}
	if len(others) > 0 {
		text := fmt.Sprintf("\n<details>\n<summary>%s outside the desktops above</summary>\n\n%s\n</details>\n",
			counted(len(others), "finding"), findingList(others))
		blocks = append(blocks, block{name: "other findings", text: text})
	}
	return blocks
}

func urgency(change deskhand.Change) int {
	switch {
	case change.State == deskhand.StateRefused:
		return 0
	case change.State == deskhand.StateConflict:
		return 1
	case change.Op == deskhand.OpDelete:
		return 2
	case change.Op == deskhand.OpReport:
		return 4
	default:
		return 3
	}
}

// headline says in one sentence what happens to the tenant.
func (p reviewedPlan) headline() string {
	counts := map[string]int{}
	for _, change := range slices.Concat(p.Changes, p.Reports) {
		counts[verdict(change)]++
	}
	var parts []string
	for _, words := range verdicts() {
		if n := counts[words]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	sentence := "Nothing changes for agents."
	if len(parts) > 0 {
		sentence = "Desktops: " + strings.Join(parts, ", ") + "."
	}
	return fmt.Sprintf("\n**%s** Tenant %s at commit %s, %s.\n",
		sentence, codeSpan(string(p.Tenant)), codeSpan(p.Commit.Short()), prose(p.Commit.Subject))
}

// verdicts are what can happen to a desktop, in the order of the headline.
func verdicts() []string {
	return []string{
		"created", "changed", "deleted", "adopted", "set back to git", "refused", "in conflict",
		"changed by hand in CXone", "deleted by hand in CXone", "not in git any more", "waiting",
	}
}

func verdict(change deskhand.Change) string {
	switch {
	case change.State == deskhand.StateRefused:
		return "refused"
	case change.Event == deskhand.EventReverted:
		return "set back to git"
	case change.Op == deskhand.OpCreate:
		return "created"
	case change.Op == deskhand.OpUpdate:
		return "changed"
	case change.Op == deskhand.OpDelete:
		return "deleted"
	case change.Op == deskhand.OpAdopt:
		return "adopted"
	case change.State == deskhand.StateDrifted:
		return "changed by hand in CXone"
	case change.State == deskhand.StateAbsent && len(change.Drift) > 0:
		return "deleted by hand in CXone"
	case change.State == deskhand.StateConflict, change.State == deskhand.StateUnmanaged:
		return "in conflict"
	case change.State == deskhand.StateOrphaned:
		return "not in git any more"
	default:
		return "waiting"
	}
}
