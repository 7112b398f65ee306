package reconciler

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/deskhand/deskhand"
)

// ErrSuperseded is the cause with which a pass ends because a newer commit came.
var ErrSuperseded = errors.New("a newer commit came")

const (
	firstRetry   = 2 * time.Second
	longestRetry = 5 * time.Minute
)

// Loop keeps one tenant going: it runs the passes that are asked of it, one at a
// time, looks for drift, and tries again what failed. A newer commit ends the
// waits of an older one at once.
type Loop struct {
	reconciler *Reconciler
	interval   time.Duration

	wake chan struct{} // holds at most one token: there is a next pass

	mutex   sync.Mutex
	next    *Pass
	current string // SHA of the pass that runs, "" for none
	cancel  context.CancelCauseFunc
}

// NewLoop makes the loop of a tenant that looks for drift once in interval; 0
// never does.
func NewLoop(reconciler *Reconciler, interval time.Duration) *Loop {
	return &Loop{reconciler: reconciler, interval: interval, wake: make(chan struct{}, 1)}
}

// Submit asks for a pass. It replaces one that waits, and ends one that runs for
// another commit.
func (l *Loop) Submit(pass Pass) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.next != nil {
		pass.Full = pass.Full || l.next.Full
	}
	l.next = &pass
	if l.cancel != nil && l.current != pass.Commit.SHA {
		l.cancel(ErrSuperseded)
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Run runs passes until ctx ends; the write that is then on the wire is finished
// and recorded first.
func (l *Loop) Run(ctx context.Context) {
	var (
		last    Pass
		drift   = newTimer(l.interval)
		retry   = newTimer(0)
		waiting = newRetryBackOff()
	)
	defer drift.Stop()
	defer retry.Stop()
	for {
		var pass Pass
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
			pass = l.take()
		case <-drift.C:
			pass = Pass{Commit: last.Commit, Trigger: deskhand.TriggerDrift, Full: true}
		case <-retry.C:
			pass = Pass{Commit: last.Commit, Trigger: deskhand.TriggerRetry, Full: last.Full}
		}
		if pass.Commit.IsZero() {
			continue
		}
		isDone := l.run(ctx, pass)
		last = pass
		retry.Stop()
		if isDone {
			waiting.Reset()
		} else {
			retry.Reset(waiting.NextBackOff())
		}
		if pass.Full && l.interval > 0 {
			drift.Reset(l.interval)
		}
	}
}

func (l *Loop) take() Pass {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.next == nil {
		return Pass{}
	}
	pass := *l.next
	l.next = nil
	return pass
}

// run makes one pass and reports whether nothing of it is left to do.
func (l *Loop) run(ctx context.Context, pass Pass) (isDone bool) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l.mutex.Lock()
	l.current, l.cancel = pass.Commit.SHA, cancel
	if l.next != nil && l.next.Commit.SHA != pass.Commit.SHA {
		cancel(ErrSuperseded) // it came between take and here
	}
	l.mutex.Unlock()

	result, err := l.reconciler.Once(ctx, pass)

	l.mutex.Lock()
	l.current, l.cancel = "", nil
	if l.next != nil && (err != nil || result.Count(deskhand.OutcomeSkipped) > 0) {
		l.next.Full = l.next.Full || pass.Full
	}
	l.mutex.Unlock()
	l.report(ctx, pass, result, err)
	return err == nil && result.Count(deskhand.OutcomeFailed, deskhand.OutcomeSkipped, deskhand.OutcomePending) == 0
}

func (l *Loop) report(ctx context.Context, pass Pass, result Result, err error) {
	log := l.reconciler.log.With().Str("revision", pass.Commit.Revision()).Str("trigger", string(pass.Trigger)).Logger()
	switch {
	case err != nil && ctx.Err() != nil:
		log.Info().Str("cause", context.Cause(ctx).Error()).Msg("pass ended early")
	case err != nil:
		log.Error().Err(err).Msg("pass failed")
	case len(result.Outcomes) > 0:
		log.Info().
			Int("applied", result.Count(deskhand.OutcomeApplied)).
			Int("adopted", result.Count(deskhand.OutcomeAdopted)).
			Int("reported", result.Count(deskhand.OutcomeReported)).
			Int("failed", result.Count(deskhand.OutcomeFailed)).
			Int("skipped", result.Count(deskhand.OutcomeSkipped, deskhand.OutcomePending)).
			Msg("reconciled")
	default:
		log.Debug().Msg("nothing to do")
	}
}

// newTimer is a timer that fires after wait, or for 0 not until it is reset.
func newTimer(wait time.Duration) *time.Timer {
	if wait > 0 {
		return time.NewTimer(wait)
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}

func newRetryBackOff() *backoff.ExponentialBackOff {
	waiting := backoff.NewExponentialBackOff()
	waiting.InitialInterval, waiting.MaxInterval = firstRetry, longestRetry
	return waiting
}
