package reconciler_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

func pruning() reconciler.Rules {
	return rulesWith(func(r *reconciler.Rules) { r.Prune.Policy = reconciler.PruneDelete })
}

// fleet is a world with so many desktops in sync, dsk-00 and up.
func fleet(t *testing.T, rules reconciler.Rules, desktops int) (*world, deskhand.Commit) {
	t.Helper()
	w := newWorld(t, rules)
	commit := w.git.merge(func(next *revision) {
		for i := range desktops {
			next.desktops[fmt.Sprintf("dsk-%02d", i)] = voice(t, 8)
		}
	})
	w.sync(commit)
	return w, commit
}

func (w *world) without(ids ...string) deskhand.Commit {
	return w.git.merge(func(next *revision) {
		for _, id := range ids {
			delete(next.desktops, id)
		}
	})
}

func TestOrphansAreReported(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, reconciler.DefaultRules(), 3)
		commit := w.without("dsk-01")
		for range 2 {
			w.sync(commit)
			w.sweep(commit)
		}
		equal(t, "story", w.story("dsk-01"), []string{"created applied", "orphaned reported"})
		equal(t, "ids", len(w.sim.IDs()), 3)

		w.sync(w.git.set("dsk-01", voice(t, 8)))
		equal(t, "story", w.story("dsk-01"), []string{"created applied", "orphaned reported", "resolved reported"})
	})
}

func TestPruneDeletesWithinItsLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, pruning(), 20)
		w.sync(w.without("dsk-00", "dsk-01"))
		equal(t, "left", len(w.sim.IDs()), 18)
		equal(t, "story", w.story("dsk-00"), []string{"created applied", "deleted applied"})
		equal(t, "forgotten", w.managed("dsk-00"), deskhand.Managed{})

		commit := w.without("dsk-02", "dsk-03", "dsk-04")
		w.sync(commit)
		equal(t, "three are too many", len(w.sim.IDs()), 18)
		equal(t, "story", w.story("dsk-02"), []string{"created applied", "orphaned reported"})

		w.pass(reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual, Force: true})
		equal(t, "forced", len(w.sim.IDs()), 15)
		equal(t, "requests", w.requests(http.MethodDelete), map[int]int{http.StatusNoContent: 5})
	})
}

func TestPruneNeverDeletesEverything(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, pruning(), 3)
		commit := w.without("dsk-00", "dsk-01", "dsk-02")
		w.pass(reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual, Full: true, Force: true})
		equal(t, "left", len(w.sim.IDs()), 3)
	})
}

func TestPruneRacesWithAHand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, pruning(), 10)
		w.sim.Inject(simulator.Fault{
			Kind: simulator.FaultEditBefore, Method: http.MethodDelete, ID: "dsk-03", Next: 1, Edit: setColumns(12),
		})
		w.sync(w.without("dsk-03"))
		equal(t, "left", len(w.sim.IDs()), 9)
		if _, found := w.branch.holding("dsk-03", voice(t, 12)); !found {
			t.Error("what a hand had changed is not in the audit branch")
		}
		equal(t, "requests", w.requests(http.MethodDelete), map[int]int{http.StatusPreconditionFailed: 1, http.StatusNoContent: 1})
		equal(t, "story", w.story("dsk-03"), []string{"created applied", "drifted reported", "deleted applied"})
	})
}

func TestGoneFromGitAndFromCXone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, pruning(), 3)
		w.sim.Remove("dsk-01")
		commit := w.without("dsk-01")
		w.sync(commit)
		w.sweep(commit)
		equal(t, "forgotten", w.managed("dsk-01"), deskhand.Managed{})
		equal(t, "left", len(w.sim.IDs()), 2)
		equal(t, "story", w.story("dsk-01"), []string{"created applied", "resolved adopted"})
	})
}

func TestUnreadableFileIsNoOrphan(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := fleet(t, pruning(), 3)
		commit := w.git.merge(func(next *revision) {
			delete(next.desktops, "dsk-01")
			next.unreadable = []deskhand.Unreadable{{File: fileOf("dsk-01")}}
		})
		for range 2 {
			w.sync(commit)
			w.sweep(commit)
		}
		equal(t, "left", len(w.sim.IDs()), 3)
		equal(t, "no DELETE", w.requests(http.MethodDelete), nil)
		equal(t, "story", w.story("dsk-01"), []string{"created applied"})
	})
}
