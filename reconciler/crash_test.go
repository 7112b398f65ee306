package reconciler_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler"
)

// TestDeathAroundAWrite ends the process at the instants before and after its
// write reached CXone. The next life owes exactly one record.
func TestDeathAroundAWrite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		commit func(*world) deskhand.Commit
		method string
		// meanwhile is what a hand does while no deskhand runs.
		meanwhile func(*world)
		story     []string
		unsent    []string // the story where the write never arrived, if another
	}{
		{
			name:   "update",
			commit: func(w *world) deskhand.Commit { return w.git.set("dsk-01", voice(w.t, 6)) },
			method: http.MethodPut, meanwhile: func(*world) {},
			story: []string{"created applied", "updated applied"},
		},
		{
			name:   "create",
			commit: func(w *world) deskhand.Commit { return w.git.set("new", voice(w.t, 6)) },
			method: http.MethodPut, meanwhile: func(*world) {},
			story: []string{"created applied"},
		},
		{
			name:   "delete",
			commit: func(w *world) deskhand.Commit { return w.without("dsk-01") },
			method: http.MethodDelete, meanwhile: func(*world) {},
			story: []string{"created applied", "deleted applied"},
		},
		{
			name:   "update, then a hand elsewhere",
			commit: func(w *world) deskhand.Commit { return w.git.set("dsk-01", voice(w.t, 6)) },
			method: http.MethodPut, meanwhile: func(w *world) { w.edit("dsk-01", addShortcut("Local")) },
			story:  []string{"created applied", "updated applied", "drifted reported"},
			unsent: []string{"created applied", "updated applied"}, // it is made now, and both are in it
		},
	}
	for _, test := range tests {
		for _, instant := range []string{"before", "after"} {
			t.Run(test.name+" "+instant, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					w, _ := fleet(t, pruning(), 3)
					commit := test.commit(w)
					var configID string
					network := w.wire.next
					death := func(method, id string, _ []byte) {
						if method == test.method {
							configID = id
							w.wire.next = deadEnd{}
							w.die()
						}
					}
					story := test.story
					if instant == "after" {
						w.wire.after = death
					} else {
						w.wire.before = death
						if test.unsent != nil {
							story = test.unsent
						}
					}
					if _, err := w.reconciler.Once(t.Context(), reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerPush}); err == nil {
						t.Error("the pass outlived the process")
					}
					w.wire.before, w.wire.after, w.wire.next = nil, nil, network

					w.restart()
					equal(t, "open intents", len(w.intents()), 1)
					test.meanwhile(w)
					w.sync(commit)
					w.sweep(commit)
					w.sweep(commit)
					equal(t, "story", w.story(configID), story)
					equal(t, "open intents", len(w.intents()), 0)
				})
			})
		}
	}
}

type deadEnd struct{}

func (deadEnd) RoundTrip(*http.Request) (*http.Response, error) { return nil, errDead }

// TestShutdownFinishesTheWriteOnTheWire stops deskhand while CXone is at work on
// a write: it is neither cut off nor left without a record, and the rest waits.
func TestShutdownFinishesTheWriteOnTheWire(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, rulesWith(func(r *reconciler.Rules) { r.Concurrency = 1 }))
		commit := w.git.merge(func(next *revision) {
			next.desktops["a"], next.desktops["b"] = voice(t, 8), voice(t, 8)
		})
		ctx, stop := context.WithCancel(t.Context())
		w.wire.before = func(method, _ string, _ []byte) {
			if method == http.MethodPut {
				stop()
			}
		}
		result, err := w.reconciler.Once(ctx, reconciler.Pass{Commit: commit, Trigger: deskhand.TriggerPush})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "applied", result.Count(deskhand.OutcomeApplied), 1)
		equal(t, "skipped", result.Count(deskhand.OutcomeSkipped), 1)
		equal(t, "open intents", len(w.intents()), 0)
		equal(t, "live", w.sim.IDs(), []string{"a"})
		equal(t, "story", w.story("a"), []string{"created applied"})
		equal(t, "story", w.story("b"), nil)

		w.wire.before = nil
		w.restart()
		w.sync(commit)
		equal(t, "live", w.sim.IDs(), []string{"a", "b"})
		equal(t, "records", len(w.records()), 2)
	})
}

// TestEmptyDiskStartsFromTheAuditBranch loses the data directory, and with it
// nothing that matters.
func TestEmptyDiskStartsFromTheAuditBranch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w, commit := fleet(t, reconciler.DefaultRules(), 3)
		w.edit("dsk-01", setColumns(12))
		w.sweep(commit)
		if err := w.auditor.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.dir = t.TempDir()
		w.restart()
		managed, head, err := w.auditor.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.journal.Restore(t.Context(), acme, managed, head); err != nil {
			t.Fatal(err)
		}
		w.sim.ResetCounts()
		w.sweep(commit)
		equal(t, "requests", w.sim.Counts().Requests[http.MethodGet], map[int]int{http.StatusNotModified: 3})
		equal(t, "no news", len(w.records()), 0)

		w.sync(w.git.set("dsk-01", voice(t, 6)))
		equal(t, "the conflict is still seen", w.story("dsk-01"), []string{"updated applied"})
		equal(t, "as one", w.records()[0].State, deskhand.StateConflict)
	})
}
