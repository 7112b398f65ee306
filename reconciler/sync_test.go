package reconciler_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

const voiceID = "dsk-voice-emea"

func TestFirstSyncCreates(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		commit := w.git.set(voiceID, voice(t, 8))
		result := w.sync(commit)
		equal(t, "applied", result.Count(deskhand.OutcomeApplied), 1)
		equal(t, "live", w.live(voiceID), voice(t, 8))
		equal(t, "story", w.story(voiceID), []string{"created applied"})

		record := w.records()[0]
		equal(t, "the record's commit", record.Commit.SHA, commit.SHA)
		request := w.sim.Requests()[len(w.sim.Requests())-1]
		equal(t, "precondition", request.IfNoneMatch, "*")
		equal(t, "request id", record.Request.ID, request.RequestID)
		equal(t, "state", w.managed(voiceID).State, deskhand.StateInSync)
	})
}

// TestCostIsWhatChanged holds deskhand to the price of a change in a large
// tenant, whatever else is in it.
func TestCostIsWhatChanged(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		const desktops = 1000
		w := newWorld(t, reconciler.DefaultRules())
		commit := w.git.merge(func(next *revision) {
			for i := range desktops {
				next.desktops[fmt.Sprintf("dsk-%04d", i)] = voice(t, 8)
			}
		})
		result := w.sync(commit)
		equal(t, "applied", result.Count(deskhand.OutcomeApplied), desktops)

		w.sim.ResetCounts()
		commit = w.git.set("dsk-0500", voice(t, 6))
		w.sync(commit)
		equal(t, "one PUT", w.requests(http.MethodPut), map[int]int{http.StatusOK: 1})
		equal(t, "no GET", w.requests(http.MethodGet), nil)

		w.sim.ResetCounts()
		w.sync(commit)
		equal(t, "nothing again", w.sim.Counts().Total(), 0)

		w.sim.ResetCounts()
		w.sweep(commit)
		const pages = desktops / 100
		equal(t, "a full pass reads the list", w.sim.Counts().Requests, map[string]map[int]int{http.MethodGet: {http.StatusOK: pages}})
		equal(t, "records", len(w.records()), desktops+1)

		w.sim.Inject(simulator.Fault{Kind: simulator.FaultListUnsupported})
		w.sweep(commit)
		w.sim.ResetCounts()
		w.sweep(commit)
		equal(t, "or without a list, asks for each", w.sim.Counts().Requests,
			map[string]map[int]int{http.MethodGet: {http.StatusNotModified: desktops}})
	})
}

func TestAdoptsWhatIsRightAlready(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.sim.Put(voiceID, voice(t, 8).Fields())
		w.sync(w.git.set(voiceID, voice(t, 8)))
		equal(t, "story", w.story(voiceID), []string{"adopted adopted"})
		equal(t, "no write", w.requests(http.MethodPut), nil)
	})
}

func TestTakeoverIsOnRecordFirst(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		foreign := voice(t, 12, `{"notes": "kept by nobody"}`)
		w.sim.Put(voiceID, foreign.Fields())
		w.sync(w.git.set(voiceID, voice(t, 8)))

		equal(t, "live", w.live(voiceID), voice(t, 8, `{"notes": "kept by nobody"}`))
		equal(t, "story", w.story(voiceID), []string{"adopted reported", "updated applied"})
		preserved, found := w.branch.holding(voiceID, foreign)
		if !found {
			t.Fatal("the document that was taken over is not in the audit branch")
		}
		if put := w.writes(voiceID)[0]; preserved.requests > put {
			t.Errorf("committed after %d requests, and the PUT was the %dth", preserved.requests, put+1)
		}
	})
}

func TestTakeoverWaitsForTheAuditBranch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		foreign := voice(t, 12)
		w.sim.Put(voiceID, foreign.Fields())
		w.branch.broken = fmt.Errorf("disk full")
		commit := w.git.set(voiceID, voice(t, 8))
		w.sync(commit)
		equal(t, "live", w.live(voiceID), foreign)

		w.branch.broken = nil
		w.sync(commit)
		equal(t, "live", w.live(voiceID), voice(t, 8))
	})
}

func TestUnmanagedIsLeftAloneWhereAdoptIsOff(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, rulesWith(func(r *reconciler.Rules) { r.Adopt = false }))
		w.sim.Put(voiceID, voice(t, 12).Fields())
		commit := w.git.set(voiceID, voice(t, 8))
		for range 3 {
			w.sweep(commit)
		}
		equal(t, "live", w.live(voiceID), voice(t, 12))
		equal(t, "told once", w.story(voiceID), []string{"conflict reported"})
	})
}

func TestDuplicatesAreRefusedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		commit := w.git.merge(func(next *revision) {
			next.desktops[voiceID], next.copies[voiceID] = voice(t, 8), voice(t, 6)
		})
		for range 3 {
			w.sync(commit)
			w.sweep(commit)
		}
		equal(t, "story", w.story(voiceID), []string{"rejected reported"})
		equal(t, "writes", w.requests(http.MethodPut), nil)

		w.sync(w.git.merge(func(next *revision) { delete(next.copies, voiceID) }))
		equal(t, "live", w.live(voiceID), voice(t, 8))
	})
}

func TestRefusalLeavesTheOthersBe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		commit := w.git.merge(func(next *revision) {
			next.desktops["good"] = voice(t, 8)
			next.desktops["bad"] = voice(t, 8, `{"licenseTier": "forbidden"}`)
		})
		w.sync(commit)
		w.sweep(commit)
		equal(t, "ids", w.sim.IDs(), []string{"good"})
		equal(t, "story", w.story("bad"), []string{"rejected reported"})

		// An unrelated merge is no news about it.
		w.sync(w.git.set("good", voice(t, 6)))
		equal(t, "story", w.story("bad"), []string{"rejected reported"})
	})
}

func TestExactlyThePlan(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.sync(w.git.set(voiceID, voice(t, 8)))
		commit := w.git.set(voiceID, voice(t, 6))
		full := reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerManual, Full: true}
		plan, err := w.reconciler.Plan(t.Context(), full)
		if err != nil {
			t.Fatal(err)
		}

		expected := full
		expected.Exactly = &plan
		w.edit(voiceID, setColumns(4))
		if _, err := w.reconciler.Once(t.Context(), expected); !errors.Is(err, reconciler.ErrPlanMoved) {
			t.Errorf("the ETag moved: %v", err)
		}
		w.edit(voiceID, setColumns(8))
		if plan, err = w.reconciler.Plan(t.Context(), full); err != nil {
			t.Fatal(err)
		}
		moved := expected
		moved.Commit = w.git.set("another", voice(t, 8))
		if _, err := w.reconciler.Once(t.Context(), moved); !errors.Is(err, reconciler.ErrPlanMoved) {
			t.Errorf("the commit moved: %v", err)
		}
		w.sim.ResetCounts()
		result, err := w.reconciler.Once(t.Context(), expected)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the plan", result.Plan, plan)
		equal(t, "live", w.live(voiceID), voice(t, 6))
		equal(t, "writes", w.requests(http.MethodPut), map[int]int{http.StatusOK: 1})
	})
}
