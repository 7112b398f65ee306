package main

import (
	"context"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/gitsource"
	"github.com/deskhand/deskhand/policy"
	"github.com/deskhand/deskhand/reconciler/metrics"
)

// meteredSource counts the definitions that each commit made anew, so that it can
// be seen that a change costs what changed.
type meteredSource struct {
	tenant deskhand.Tenant
	tree   *gitsource.Tree
	meter  *metrics.Metrics
}

func (s meteredSource) Snapshot(ctx context.Context, commit deskhand.Commit) (deskhand.Snapshot, error) {
	snapshot, err := s.tree.Snapshot(ctx, commit)
	if err != nil {
		return deskhand.Snapshot{}, err
	}
	stats, err := s.tree.Stats(ctx)
	s.meter.Resolved(s.tenant, stats.Resolved)
	return snapshot, err
}

// meteredReviewer counts the definitions that were judged anew. It is its
// tenant's own: the counts are those of the last review.
type meteredReviewer struct {
	tenant   deskhand.Tenant
	reviewer *policy.Reviewer
	meter    *metrics.Metrics
}

func (r meteredReviewer) Review(ctx context.Context, snapshot deskhand.Snapshot) (deskhand.Review, error) {
	review, err := r.reviewer.Review(ctx, snapshot)
	if err == nil {
		r.meter.Reviewed(r.tenant, r.reviewer.Stats().Reviewed)
	}
	return review, err
}

// meteredBranch counts the polls.
type meteredBranch struct{ *station }

func (b meteredBranch) Head(ctx context.Context) (deskhand.Commit, error) {
	head, err := b.source.Head(ctx)
	b.metrics.Polled(err)
	return head, err
}
