package reconciler

import "time"

// revertGuard keeps deskhand out of an endless fight with somebody's script:
// each revert of the same desktop within the calm period of the last makes the
// next one wait longer.
type revertGuard map[string]revertHistory

type revertHistory struct {
	count int
	last  time.Time
}

const (
	freeReverts   = 3 // so many may follow each other at once
	firstWait     = time.Minute
	longestWait   = time.Hour
	calmAfterLast = 2 * time.Hour

	whyLoop = "something changes it back after every revert; waiting longer before each further one"
	loopKey = "revert-loop"
)

// allows reports whether the desktop may be reverted now.
func (g revertGuard) allows(configID string, now time.Time) bool {
	history := g[configID]
	if now.Sub(history.last) >= calmAfterLast {
		delete(g, configID)
		return true
	}
	return history.count < freeReverts || now.Sub(history.last) >= waitAfter(history.count)
}

// note counts a revert.
func (g revertGuard) note(configID string, now time.Time) {
	history := g[configID]
	g[configID] = revertHistory{count: history.count + 1, last: now}
}

func waitAfter(reverts int) time.Duration {
	doublings := min(reverts-freeReverts, 16)
	return min(firstWait<<doublings, longestWait)
}
