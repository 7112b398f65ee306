package reconciler_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

func floorID(i int) string { return fmt.Sprintf("dsk-floor-%05d", i) }

// managingMany is a world with so many desktops in sync, and no request counted.
func managingMany(t *testing.T, count int) (*world, deskhand.Commit) {
	t.Helper()
	w := newWorld(t, reconciler.DefaultRules())
	known, desktop := make([]deskhand.Managed, count), voice(t, 8)
	commit := w.git.merge(func(next *revision) {
		for i := range known {
			next.desktops[floorID(i)] = desktop
		}
	})
	for i := range known {
		w.sim.Put(floorID(i), desktop.Fields())
		live, _ := w.sim.Configuration(floorID(i))
		known[i] = deskhand.Managed{
			ConfigID: floorID(i), File: fileOf(floorID(i)), Tier: deskhand.TierStandard, State: deskhand.StateInSync,
			Base: desktop, Live: live.Document, ETag: live.ETag, Commit: commit.SHA,
		}
	}
	if err := w.journal.Restore(t.Context(), acme, known, ""); err != nil {
		t.Fatal(err)
	}
	return w, commit
}

func TestSweepByListing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const count = 2_000
		w, commit := managingMany(t, count)
		lists := map[int]int{http.StatusOK: count / 100}

		w.sweep(commit)
		equal(t, "a sweep over what is in sync", w.requests(http.MethodGet), lists)

		w.sim.ResetCounts()
		w.edit(floorID(7), setColumns(12))
		w.edit(floorID(count-1), addShortcut("Local"))
		w.sweep(commit)
		equal(t, "first story", w.story(floorID(7)), []string{"drifted reported"})
		equal(t, "last story", w.story(floorID(count-1)), []string{"drifted reported"})
		equal(t, "what changed is read", w.requests(http.MethodGet), map[int]int{http.StatusOK: count/100 + 2})

		w.sim.ResetCounts()
		w.sweep(commit)
		equal(t, "the sweep after", w.requests(http.MethodGet), lists)
	})
}

func TestSweepWithoutAList(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"no list":             {Kind: simulator.FaultListUnsupported},
		"no ETags in it":      {Kind: simulator.FaultListWithoutETags},
		"other ETags in it":   {Kind: simulator.FaultWeakETag, Target: simulator.TargetList},
		"no right to read it": {Kind: simulator.FaultStatus, Target: simulator.TargetList, Status: http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				const count = 150
				w, commit := managingMany(t, count)
				w.sim.Inject(fault)
				w.edit(floorID(7), setColumns(12))
				w.sweep(commit)
				equal(t, "story", w.story(floorID(7)), []string{"drifted reported"})

				w.sweep(commit)
				w.sim.ResetCounts()
				w.sweep(commit)
				equal(t, "once learnt, each is asked about", w.requests(http.MethodGet),
					map[int]int{http.StatusNotModified: count})
			})
		})
	}
}

// TestListThatChangesMeanwhile has a desktop slip through between two pages: what
// the list leaves out is not deleted.
func TestListThatChangesMeanwhile(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const count = 250
		w, commit := managingMany(t, count)
		w.sim.Put("dsk-a", voice(t, 8).Fields()) // the first of all
		pages := 0
		w.wire.page = func() {
			if pages++; pages == 2 {
				w.sim.Remove("dsk-a")
			}
		}
		w.sweep(commit)
		if pages < 3 {
			t.Fatalf("%d pages were read, want the list in three", pages)
		}
		for i := range count {
			equal(t, "story", w.story(floorID(i)), nil)
		}

		w.wire.page = nil
		w.sim.Remove(floorID(7))
		w.sweep(commit)
		equal(t, "what is gone is told", w.story(floorID(7)), []string{"drifted reported"})
	})
}

// TestFewAreAskedAboutOneByOne keeps small tenants as they are.
func TestFewAreAskedAboutOneByOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managingMany(t, 100)
		w.sweep(commit)
		equal(t, "requests", w.requests(http.MethodGet), map[int]int{http.StatusNotModified: 100})
	})
}
