package reconciler

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
)

// statusBoard is what the outside may know of a tenant between passes.
type statusBoard struct {
	mutex   sync.Mutex
	status  deskhand.TenantStatus
	isReady bool
}

// conclude is the end of a pass: it is counted, and the status shows it.
func (r *Reconciler) conclude(pass Pass, result Result, started time.Time, err error) {
	r.parts.Meter.Reconciled(r.tenant, pass.Trigger, time.Since(started), err)
	desktops := r.known.list()
	counts := map[deskhand.State]int{}
	for _, desktop := range desktops {
		counts[desktop.State]++
	}
	r.parts.Meter.States(r.tenant, counts)

	r.board.mutex.Lock()
	defer r.board.mutex.Unlock()
	r.board.status.LastAttempted = pass.Commit.Revision()
	r.board.status.Error = ""
	if err != nil {
		r.board.status.Error = err.Error()
		return
	}
	if result.Count(deskhand.OutcomeFailed, deskhand.OutcomeSkipped, deskhand.OutcomePending) == 0 {
		r.board.status.LastApplied = pass.Commit.Revision()
	}
	r.board.isReady = r.board.isReady || pass.Full
}

// Status is where the tenant's desktops stand, sorted by configId.
func (r *Reconciler) Status() deskhand.TenantStatus {
	desktops := r.known.list()
	r.board.mutex.Lock()
	defer r.board.mutex.Unlock()
	status := r.board.status
	status.Desktops = make([]deskhand.DesktopStatus, 0, len(desktops))
	for _, desktop := range desktops {
		status.Desktops = append(status.Desktops, desktop.Status())
	}
	return status
}

// Problem is what kept the last pass as a whole from being done, "" for nothing.
func (r *Reconciler) Problem() string {
	r.board.mutex.Lock()
	defer r.board.mutex.Unlock()
	return r.board.status.Error
}

// IsReady reports whether a full pass came to its end since the start.
func (r *Reconciler) IsReady() bool {
	r.board.mutex.Lock()
	defer r.board.mutex.Unlock()
	return r.board.isReady
}

func (k *knowledge) list() []deskhand.Managed {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	desktops := make([]deskhand.Managed, 0, len(k.desktops))
	for _, desktop := range k.desktops {
		desktops = append(desktops, desktop)
	}
	slices.SortFunc(desktops, func(a, b deskhand.Managed) int { return cmp.Compare(a.ConfigID, b.ConfigID) })
	return desktops
}
