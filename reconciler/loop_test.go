package reconciler_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone/simulator"
	"github.com/deskhand/deskhand/reconciler"
)

// running starts the daemon, which stop ends and waits for.
func (w *world) running(interval time.Duration, moved chan struct{}) (daemon *reconciler.Daemon, stop func()) {
	daemon = &reconciler.Daemon{
		Branch: w.git, Interval: time.Minute, Moved: moved, Logger: zerolog.Nop(),
		Loops: []*reconciler.Loop{reconciler.NewLoop(w.reconciler, interval)},
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := daemon.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	return daemon, func() { cancel(); running.Wait() }
}

func TestDaemonFollowsTheBranch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.git.set(voiceID, voice(t, 8))
		moved := make(chan struct{}, 1)
		daemon, stop := w.running(5*time.Minute, moved)
		defer stop()
		synctest.Wait()
		equal(t, "live", w.live(voiceID), voice(t, 8))
		equal(t, "ready", daemon.Ready(), nil)

		w.git.set(voiceID, voice(t, 6))
		moved <- struct{}{}
		synctest.Wait()
		equal(t, "live at once", w.live(voiceID), voice(t, 6))

		w.git.set(voiceID, voice(t, 4))
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "live within the interval", w.live(voiceID), voice(t, 4))

		w.edit(voiceID, setColumns(12))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		equal(t, "story", w.story(voiceID), []string{"created applied", "updated applied", "updated applied", "drifted reported"})
		equal(t, "status", daemon.Status().Tenants[0].Desktops[0].State, deskhand.StateDrifted)
	})
}

func TestDaemonTriesAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		w.git.set(voiceID, voice(t, 8))
		w.sim.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: http.StatusServiceUnavailable})
		daemon, stop := w.running(0, nil)
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if daemon.Ready() == nil {
			t.Error("ready without a full pass")
		}
		w.sim.ClearFaults()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		equal(t, "live", w.live(voiceID), voice(t, 8))
		equal(t, "ready", daemon.Ready(), nil)
	})
}

// TestNewerCommitEndsTheWaitsOfAnOlderOne has a commit stuck in its retries, and
// the one that mends it arrive.
func TestNewerCommitEndsTheWaitsOfAnOlderOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, reconciler.DefaultRules())
		stuck := w.git.set(voiceID, voice(t, 8))
		w.sim.Inject(simulator.Fault{
			Kind: simulator.FaultStatus, Method: http.MethodPut, Status: http.StatusTooManyRequests, RetryAfter: "40", Next: 1,
		})
		loop := reconciler.NewLoop(w.reconciler, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { loop.Run(ctx) })
		defer func() { cancel(); running.Wait() }()

		loop.Submit(reconciler.Pass{Commit: stuck, Trigger: deskhand.TriggerPush})
		synctest.Wait()
		equal(t, "it waits", w.requests(http.MethodPut), map[int]int{http.StatusTooManyRequests: 1})

		newer := w.git.set(voiceID, voice(t, 6))
		before := time.Now()
		loop.Submit(reconciler.Pass{Commit: newer, Trigger: deskhand.TriggerPush})
		synctest.Wait()
		equal(t, "the older pass has ended", w.reconciler.Status().LastAttempted, stuck.Revision())
		equal(t, "without any time passing", time.Since(before), 0)
		equal(t, "and without a word", w.story(voiceID), nil)

		time.Sleep(time.Minute) // the tenant as a whole is told to wait
		synctest.Wait()
		equal(t, "live", w.live(voiceID), voice(t, 6))
		equal(t, "story", w.story(voiceID), []string{"created applied"})
		equal(t, "the record's commit", w.records()[0].Commit.SHA, newer.SHA)
	})
}
