package reconciler_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

func TestLostAnswerIsNoSecondWrite(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.sim.ResetCounts()
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultLostAnswer, Method: http.MethodPut, Next: 1})
		w.sync(w.git.set(voiceID, voice(t, 6)))
		equal(t, "live", w.live(voiceID), voice(t, 6))
		equal(t, "one PUT", w.requests(http.MethodPut), map[int]int{0: 1})
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied"})
	})
}

// TestRemovalThatFailedIsMadeAgain has a write fail that only takes a member away:
// all that it sends was there before.
func TestRemovalThatFailedIsMadeAgain(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(map[string]any){"and nobody else writes": nil, "and a hand adds a note": addNote} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, reconciler.DefaultRules())
				w.sync(w.git.set(voiceID, voice(t, 8, `{"theme": {"accent": "#123456"}}`)))
				w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodPut, Status: http.StatusServiceUnavailable, Next: 1})
				if meanwhile != nil {
					w.sim.Inject(simulator.Fault{Kind: simulator.FaultEditBefore, Method: http.MethodGet, Next: 1, Edit: meanwhile})
				}
				w.sync(w.git.set(voiceID, voice(t, 8)))
				if w.live(voiceID).Fields()["theme"] != nil {
					t.Errorf("the theme is still there: %s", w.live(voiceID))
				}
				equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied"})
			})
		})
	}
}

func addNote(fields map[string]any) { fields["note"] = "by hand" }

// TestLostAnswerThenAHand has somebody save between the write whose answer was
// lost and the look at what became of it.
func TestLostAnswerThenAHand(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultLostAnswer, Method: http.MethodPut, Next: 1})
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultEditBefore, Method: http.MethodGet, Next: 1, Edit: dropShortcut("Hold")})
		commit := w.git.set(voiceID, voice(t, 6))
		w.sync(commit)
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied", "drifted reported"})
		want := voice(t, 6).Fields()
		dropShortcut("Hold")(want)
		equal(t, "live", w.live(voiceID), made(t, want))
	})
}

func TestUnknownOutcomeIsSettledByALook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		write simulator.FaultKind
		story []string
	}{
		{"it was applied", simulator.FaultLostAnswer, []string{"created applied", "updated applied"}},
		{"it never arrived", simulator.FaultDropped, []string{"created applied", "updated applied"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w, _ := managing(t, reconciler.DefaultRules())
				w.sim.Inject(simulator.Fault{Kind: test.write, Method: http.MethodPut, Next: 1})
				w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodGet, Status: http.StatusBadGateway})
				commit := w.git.set(voiceID, voice(t, 6))
				result := w.attempt(commit)
				equal(t, "pending", result.Count(deskhand.OutcomePending), 1)
				equal(t, "open intents", len(w.intents()), 1)
				equal(t, "nothing is claimed", w.story(voiceID), []string{"created applied"})

				w.sim.ClearFaults()
				w.sync(commit)
				equal(t, "live", w.live(voiceID), voice(t, 6))
				equal(t, "story", w.story(voiceID), test.story)
				equal(t, "open intents", len(w.intents()), 0)
				equal(t, "the record's commit", w.records()[1].Commit.SHA, commit.SHA)
			})
		})
	}
}

func TestFailedDesktopBesideGoodOnes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodPut, ID: "bad", Status: http.StatusInternalServerError})
		commit := w.git.merge(func(next *revision) {
			next.desktops["good"], next.desktops["bad"], next.desktops["fine"] = voice(t, 8), voice(t, 8), voice(t, 8)
		})
		for range 2 {
			result := w.attempt(commit)
			equal(t, "failed", result.Count(deskhand.OutcomeFailed), 1)
		}
		equal(t, "ids", w.sim.IDs(), []string{"fine", "good"})
		equal(t, "told once", w.story("bad"), []string{"failed failed"})
		equal(t, "the good one", w.story("good"), []string{"created applied"})

		w.sim.ClearFaults()
		w.sync(commit)
		equal(t, "mended", w.story("bad"), []string{"failed failed", "created applied"})
	})
}

// TestUnreadDesktopIsNotWritten has one desktop that can't be read in a full pass.
func TestUnreadDesktopIsNotWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, _ := managing(t, reconciler.DefaultRules())
		w.sync(w.git.set("other", voice(t, 8)))
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodGet, ID: voiceID, Status: http.StatusInternalServerError})
		w.sim.ResetCounts()
		commit := w.git.merge(func(next *revision) {
			next.desktops[voiceID], next.desktops["other"] = voice(t, 6), voice(t, 6)
		})
		w.sweep(commit)
		equal(t, "one PUT", w.requests(http.MethodPut), map[int]int{http.StatusOK: 1})
		equal(t, "story", w.story(voiceID), []string{"created applied", "failed failed"})

		w.sim.ClearFaults()
		w.sweep(commit)
		equal(t, "story", w.story(voiceID), []string{"created applied", "failed failed", "updated applied"})
	})
}

func TestForbiddenWaitsForAnotherCommit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodPut, Status: http.StatusForbidden})
		commit := w.git.set(voiceID, voice(t, 8))
		for range 3 {
			w.sync(commit)
		}
		equal(t, "one try", w.requests(http.MethodPut), map[int]int{http.StatusForbidden: 1})
		equal(t, "told once", w.story(voiceID), []string{"failed failed"})

		w.sim.ClearFaults()
		w.sync(w.git.set(voiceID, voice(t, 6)))
		equal(t, "story", w.story(voiceID), []string{"failed failed", "created applied"})
	})
}

// TestDeadTenantIsNoStorm has everything fail: that is one event about the
// platform, which the client tells, and none about a desktop.
func TestDeadTenantIsNoStorm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		ids := []string{"a", "b", "c", "d", "e"}
		all := func(columns int) deskhand.Commit {
			return w.git.merge(func(next *revision) {
				for _, id := range ids {
					next.desktops[id] = voice(t, columns)
				}
			})
		}
		w.sync(all(8))
		before := len(w.records())

		w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable})
		commit := all(6)
		for _, isFull := range []bool{false, true} {
			_, err := w.reconciler.Once(t.Context(), reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerPush, Full: isFull})
			if err == nil {
				t.Errorf("want the pass to fail (full: %t)", isFull)
			}
		}
		equal(t, "events", len(w.records()), before)

		w.sim.ClearFaults()
		w.sync(commit)
		for _, id := range ids {
			equal(t, id, w.live(id), voice(t, 6))
			equal(t, id, w.story(id), []string{"created applied", "updated applied"})
		}
	})
}

// TestEveryAnswerLost has every write applied and no answer, nor any other look:
// all are settled later, with a record each.
func TestEveryAnswerLost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		ids := []string{"a", "b", "c", "d", "e"}
		commit := w.git.merge(func(next *revision) {
			for _, id := range ids {
				next.desktops[id] = voice(t, 8)
			}
		})
		w.wire.after = func(method, _ string, _ []byte) {
			if method == http.MethodPut {
				w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Method: http.MethodGet, Status: http.StatusBadGateway})
			}
		}
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultLostAnswer, Method: http.MethodPut})
		w.attempt(commit)
		w.wire.after = nil
		w.sim.ClearFaults()
		w.sim.ResetCounts()
		w.sync(commit)
		for _, id := range ids {
			equal(t, id, w.story(id), []string{"created applied"})
		}
		equal(t, "no write again", w.requests(http.MethodPut), nil)
	})
}

// attempt is a sync that may find CXone out of reach.
func (w *world) attempt(commit deskhand.Commit) reconciler.Result {
	w.t.Helper()
	result, err := w.reconciler.Once(w.t.Context(), reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerPush})
	if err != nil && !errors.Is(err, deskhand.ErrUnavailable) && !errors.Is(err, deskhand.ErrUnknownOutcome) {
		w.t.Fatalf("pass over %s: %v", commit.Subject, err)
	}
	return result
}

// dropShortcut is the hand that removes an entry.
func dropShortcut(label string) func(map[string]any) {
	return func(fields map[string]any) {
		var left []any
		for _, entry := range fields["shortcuts"].([]any) {
			if entry.(map[string]any)["label"] != label {
				left = append(left, entry)
			}
		}
		fields["shortcuts"] = left
	}
}
