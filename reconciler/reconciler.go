// Package reconciler makes CXone equal to git, one tenant at a time, and loses
// nothing that somebody else changed in the meantime.
//
// Its heart is Diff, a pure function: the documents last agreed, desired and
// live go in, a plan comes out. Once is the way of one commit; Daemon.Run keeps
// going that way. The package knows no HTTP, no git and no YAML: what it needs
// of the world are the interfaces below.
package reconciler

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
)

// Source reads what a commit asks of one tenant.
type Source interface {
	Snapshot(ctx context.Context, commit deskhand.Commit) (deskhand.Snapshot, error)
}

// Reviewer applies the policy to a snapshot and optimises what passes.
type Reviewer interface {
	Review(ctx context.Context, snapshot deskhand.Snapshot) (deskhand.Review, error)
}

// Platform is one tenant's CXone. Documents come back without the fields that
// the server manages. Errors wrap the sentinels of package deskhand. Cancelling
// ctx ends waits and retries, and lets a write that is on the wire finish.
type Platform interface {
	Get(ctx context.Context, requestID, configID string, known deskhand.ETag) (deskhand.Observed, deskhand.Request, error)
	Put(ctx context.Context, requestID, configID string, body deskhand.Document, precondition deskhand.Precondition) (deskhand.Observed, deskhand.Request, error)
	Delete(ctx context.Context, requestID, configID string, etag deskhand.ETag) (deskhand.Request, error)
}

// Memory is what was agreed before.
type Memory interface {
	Managed(ctx context.Context, tenant deskhand.Tenant) ([]deskhand.Managed, error)
}

// Journal makes writes recoverable: an intent is durable before its write goes
// out, and stays until it is settled.
type Journal interface {
	Intend(ctx context.Context, intents []deskhand.Intent) error
	Settle(ctx context.Context, tenant deskhand.Tenant, settlements []deskhand.Settlement) error
	Intents(ctx context.Context, tenant deskhand.Tenant) ([]deskhand.Intent, error)
}

// Archive is the audit branch. Flush returns once all that was journalled for
// the tenant is committed there.
type Archive interface {
	Flush(ctx context.Context) error
}

// Meter counts what happens.
type Meter interface {
	Reconciled(tenant deskhand.Tenant, trigger deskhand.Trigger, took time.Duration, err error)
	Applied(tenant deskhand.Tenant, event deskhand.EventType)
	States(tenant deskhand.Tenant, counts map[deskhand.State]int)
}

// Parts are the neighbours of one tenant's Reconciler.
type Parts struct {
	Source   Source
	Reviewer Reviewer
	Platform Platform
	Memory   Memory
	Journal  Journal
	Archive  Archive
	Meter    Meter
	Logger   zerolog.Logger
}

// Reconciler keeps one tenant equal to git.
type Reconciler struct {
	tenant deskhand.Tenant
	rules  Rules
	parts  Parts
	log    zerolog.Logger

	turn    chan struct{} // holds one token: one pass at a time
	known   knowledge
	listing listing
	reverts revertGuard
	parked  map[string]string // configId → SHA of the commit under which trying again is futile
	board   statusBoard
}

// New makes a Reconciler of its parts. Rules are used as they are; see
// DefaultRules.
func New(tenant deskhand.Tenant, rules Rules, parts Parts) *Reconciler {
	return &Reconciler{
		tenant:  tenant,
		rules:   rules,
		parts:   parts,
		log:     parts.Logger.With().Str("tenant", string(tenant)).Logger(),
		turn:    make(chan struct{}, 1),
		reverts: revertGuard{},
		parked:  map[string]string{},
		board:   statusBoard{status: deskhand.TenantStatus{Name: tenant, Desktops: []deskhand.DesktopStatus{}}},
	}
}

// Tenant is the name of the tenant that r keeps.
func (r *Reconciler) Tenant() deskhand.Tenant { return r.tenant }
