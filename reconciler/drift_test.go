package reconciler_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

// The rules under which drift does not stay, and under which conflicts wait.
func reverting() reconciler.Rules {
	return rulesWith(func(r *reconciler.Rules) { r.Drift = reconciler.DriftRevert })
}

func holding() reconciler.Rules {
	return rulesWith(func(r *reconciler.Rules) { r.Conflict = reconciler.ConflictHold })
}

// managing is a world with one desktop that is in sync.
func managing(t *testing.T, rules reconciler.Rules) (*world, deskhand.Commit) {
	t.Helper()
	w := newWorld(t, rules)
	commit := w.git.set(voiceID, voice(t, 8))
	w.sync(commit)
	return w, commit
}

func TestDriftIsToldOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managing(t, reconciler.DefaultRules())
		w.edit(voiceID, setColumns(12))
		for range 3 {
			w.sweep(commit)
		}
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported"})
		equal(t, "live", w.live(voiceID), voice(t, 12))

		// The same content under a new ETag is no new drift.
		w.edit(voiceID, func(map[string]any) {})
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported"})

		w.edit(voiceID, setColumns(11))
		w.sweep(commit)
		w.edit(voiceID, setColumns(8))
		w.sweep(commit)
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{
			"created applied", "drifted reported", "drifted reported", "resolved reported",
		})
	})
}

func TestDriftInOtherFieldsSurvivesAMerge(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.edit(voiceID, addShortcut("Local"))
		commit := w.git.set(voiceID, voice(t, 6))
		w.sync(commit)
		want := voice(t, 6).Fields()
		addShortcut("Local")(want)
		equal(t, "live", w.live(voiceID), made(t, want))
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied"})
		for range 2 {
			w.sweep(commit)
		}
		equal(t, "no news", w.story(voiceID), []string{"created applied", "updated applied"})
		equal(t, "state", w.managed(voiceID).State, deskhand.StateDrifted)
	})
}

func TestDriftIsRevertedOnceItIsOnRecord(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managing(t, reverting())
		w.edit(voiceID, setColumns(12))
		w.sweep(commit)
		equal(t, "live", w.live(voiceID), voice(t, 8))
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported", "reverted applied"})
		preserved, found := w.branch.holding(voiceID, voice(t, 12))
		if puts := w.writes(voiceID); !found || preserved.requests > puts[1] {
			t.Errorf("want the drift in the audit branch before it goes: %v", preserved)
		}
	})
}

func TestRevertLoopBacksOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managing(t, reverting())
		reverts := func() int {
			count := 0
			for _, record := range w.records() {
				if record.Event == deskhand.EventReverted {
					count++
				}
			}
			return count
		}
		for range 60 {
			w.edit(voiceID, setColumns(12)) // a script that never gives up
			w.sweep(commit)
			time.Sleep(10 * time.Second)
		}
		if got := reverts(); got > 8 {
			t.Errorf("%d reverts in ten minutes of somebody's script", got)
		}
		loops := 0
		for _, record := range w.records() {
			if record.Event == deskhand.EventDrifted && record.Why != "changed in CXone by hand" {
				loops++
			}
		}
		if loops == 0 {
			t.Error("the loop is not told")
		}

		time.Sleep(3 * time.Hour)
		before := reverts()
		w.edit(voiceID, setColumns(12))
		w.sweep(commit)
		equal(t, "reverts after a calm time", reverts(), before+1)
	})
}

// TestRaceWithAHandLosesNothing has somebody save in CXone while deskhand's write
// is on its way.
func TestRaceWithAHandLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.sim.Inject(simulator.Fault{
			Kind: simulator.FaultEditBefore, Method: http.MethodPut, ID: voiceID, Next: 1, Edit: addShortcut("Local"),
		})
		w.sim.ResetCounts()
		w.sync(w.git.set(voiceID, voice(t, 6)))
		want := voice(t, 6).Fields()
		addShortcut("Local")(want)
		equal(t, "both survive", w.live(voiceID), made(t, want))
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied"})
		equal(t, "requests", w.sim.Counts().Requests, map[string]map[int]int{
			http.MethodPut: {http.StatusPreconditionFailed: 1, http.StatusOK: 1},
			http.MethodGet: {http.StatusOK: 1},
		})
		equal(t, "attempts on record", w.records()[1].Request.Statuses, []int{412, 200, 200})
	})
}

func TestConflictGitWinsOnceTheOtherIsOnRecord(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.sim.Inject(simulator.Fault{
			Kind: simulator.FaultEditBefore, Method: http.MethodPut, ID: voiceID, Next: 1, Edit: setColumns(12),
		})
		w.sync(w.git.set(voiceID, voice(t, 6)))
		equal(t, "live", w.live(voiceID), voice(t, 6))
		equal(t, "story", w.story(voiceID), []string{"created applied", "conflict reported", "updated applied"})
		preserved, found := w.branch.holding(voiceID, voice(t, 12))
		puts := w.writes(voiceID)
		if !found || preserved.requests <= puts[1] || preserved.requests > puts[2] {
			t.Errorf("want the overwritten value committed between the lost PUT and the next: found %t after %d requests, PUTs at %v",
				found, preserved.requests, puts)
		}
		last := w.records()[2]
		equal(t, "named in the event", last.Drift[0].Path, deskhand.Pointer("/layout/gridColumns"))
	})
}

func TestConflictHoldWritesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, holding())
		w.edit(voiceID, setColumns(12))
		commit := w.git.set(voiceID, voice(t, 6))
		for range 3 {
			w.sync(commit)
			w.sweep(commit)
		}
		equal(t, "live", w.live(voiceID), voice(t, 12))
		equal(t, "story", w.story(voiceID), []string{"created applied", "conflict reported"})
		equal(t, "intents", w.intents(), nil)

		w.edit(voiceID, setColumns(8)) // somebody gives way
		w.sweep(commit)
		equal(t, "live", w.live(voiceID), voice(t, 6))
	})
}

func TestDeletedByHand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managing(t, reconciler.DefaultRules())
		w.sim.Remove(voiceID)
		for range 3 {
			w.sweep(commit)
		}
		equal(t, "ids", w.sim.IDs(), nil)
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported"})

		w.sync(w.git.set(voiceID, voice(t, 6))) // git wants it, changed
		equal(t, "live", w.live(voiceID), voice(t, 6))
		equal(t, "story", w.story(voiceID), []string{"created applied", "drifted reported", "created applied"})
	})
}

func TestDeletedByHandWhileHeld(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, holding())
		w.sim.Remove(voiceID)
		commit := w.git.set(voiceID, voice(t, 6))
		w.sweep(commit)
		w.sim.ResetCounts()
		for range 3 {
			w.sync(commit)
		}
		equal(t, "writes", w.requests(http.MethodPut), nil)
		equal(t, "story", w.story(voiceID), []string{"created applied", "conflict reported"})
	})
}

func TestDeletedByHandIsMadeAgainUnderRevert(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := managing(t, reverting())
		w.sim.Remove(voiceID)
		w.sweep(commit)
		equal(t, "live", w.live(voiceID), voice(t, 8))
		equal(t, "story", w.story(voiceID), []string{"created applied", "reverted applied"})
	})
}

func made(t *testing.T, fields map[string]any) deskhand.Document {
	t.Helper()
	document, err := deskhand.NewDocument(fields)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
