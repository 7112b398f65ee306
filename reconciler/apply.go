package reconciler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deskhand/deskhand"
)

// round carries out one plan.
type round struct {
	*Reconciler

	pass  Pass
	rules Rules
	sight sight
	index map[string]int // configId → its place in the review
}

func (r *Reconciler) newRound(pass Pass, seen sight) *round {
	index := make(map[string]int, len(seen.Review.Desktops))
	for i := range seen.Review.Desktops {
		index[seen.Review.Desktops[i].ConfigID] = i
	}
	return &round{Reconciler: r, pass: pass, rules: r.rulesFor(pass), sight: seen, index: index}
}

// desired is what git wants of the desktop, if it defines it.
func (w *round) desired(configID string) (deskhand.Reviewed, bool) {
	i, isDefined := w.index[configID]
	if !isDefined {
		return deskhand.Reviewed{}, false
	}
	return w.sight.Review.Desktops[i], true
}

// ended is one change that came to an end, and the intent that it closes.
type ended struct {
	deskhand.Outcome

	intentID string
	err      error
	echo     deskhand.Echo // of a write whose answer came
}

// apply carries the plan out with a bounded number of workers. A desktop that
// could not be read in this pass is not written in it. The channel gives one
// outcome for each change, report and missed desktop, and is closed after the
// last; it never blocks a worker.
func (w *round) apply(ctx context.Context, plan deskhand.Plan) <-chan ended {
	results := make(chan ended, len(plan.Changes)+len(plan.Reports)+len(w.sight.missed)+1)
	var writes []deskhand.Change
	unread := make(map[string]bool, len(w.sight.missed))
	for _, missed := range w.sight.missed {
		unread[missed.Change.ConfigID] = true
		results <- ended{Outcome: missed.Outcome, err: missed.err}
	}
	for _, change := range plan.Reports {
		if !unread[change.ConfigID] {
			results <- reported(change)
		}
	}
	for _, change := range plan.Changes {
		switch {
		case unread[change.ConfigID]: // that it could not be read is its outcome
		case change.Op == deskhand.OpAdopt:
			results <- adopted(change)
		case w.isParked(change):
			results <- ended{Outcome: deskhand.Outcome{Kind: deskhand.OutcomeSkipped, Change: change}}
		case w.isLooping(change):
			results <- reported(report(change, deskhand.StateDrifted, deskhand.EventDrifted, whyLoop))
		default:
			writes = append(writes, change)
		}
	}
	go func() {
		defer close(results)
		w.write(ctx, writes, results)
	}()
	return results
}

func reported(change deskhand.Change) ended {
	return ended{Outcome: deskhand.Outcome{
		Kind: deskhand.OutcomeReported, Change: change, Live: before(change),
	}}
}

func adopted(change deskhand.Change) ended {
	return ended{Outcome: deskhand.Outcome{
		Kind: deskhand.OutcomeAdopted, Change: change, Live: before(change),
	}}
}

func before(change deskhand.Change) deskhand.Observed {
	return deskhand.Observed{Exists: !change.Before.IsZero(), ETag: change.IfMatch, Document: change.Before}
}

// write puts what would be overwritten on record, and feeds the workers with
// journalled intents, a chunk ahead of them.
func (w *round) write(ctx context.Context, changes []deskhand.Change, results chan<- ended) {
	if err := w.preserve(ctx, changes); err != nil {
		failAll(changes, err, results)
		return
	}
	queue := make(chan deskhand.Intent, mostAtOnce)
	var workers sync.WaitGroup
	for range min(len(changes), max(1, w.rules.Concurrency)) {
		workers.Go(func() {
			for intent := range queue {
				results <- w.carryOut(ctx, intent)
			}
		})
	}
	for chunk := range slices.Chunk(changes, mostAtOnce) {
		intents := w.intents(chunk)
		if err := w.parts.Journal.Intend(ctx, intents); err != nil {
			failAll(chunk, fmt.Errorf("journal the writes: %w", err), results)
			continue
		}
		for _, intent := range intents {
			queue <- intent // a cancelled pass drains: carryOut skips what has not begun
		}
	}
	close(queue)
	workers.Wait()
}

func (w *round) intents(changes []deskhand.Change) []deskhand.Intent {
	intents := make([]deskhand.Intent, len(changes))
	for i, change := range changes {
		intents[i] = deskhand.Intent{
			ID: ulid.Make().String(), Tenant: w.tenant, Time: time.Now().UTC(),
			Commit: w.pass.Commit, Trigger: w.pass.Trigger, RequestID: newRequestID(), Change: change,
		}
	}
	return intents
}

func failAll(changes []deskhand.Change, err error, results chan<- ended) {
	for _, change := range changes {
		results <- ended{err: err, Outcome: deskhand.Outcome{
			Kind: deskhand.OutcomeFailed, Change: change, Live: before(change), Error: err.Error(),
		}}
	}
}

// carryOut makes one write, and where it loses a race makes it again from what
// stands then.
func (w *round) carryOut(ctx context.Context, intent deskhand.Intent) ended {
	result := ended{intentID: intent.ID, Outcome: deskhand.Outcome{
		Change: intent.Change, Live: before(intent.Change), Request: deskhand.Request{ID: intent.RequestID},
	}}
	for attempt := 1; ; attempt++ {
		if ctx.Err() != nil {
			result.Kind = deskhand.OutcomeSkipped
			return result
		}
		live, request, err := w.send(ctx, intent.RequestID, result.Change)
		result.Request = result.Request.Add(request)
		if err == nil {
			result.Kind, result.Live = deskhand.OutcomeApplied, live
			result.echo = echoOf(result.Change.After, live.Document)
			if result.Change.Op == deskhand.OpDelete && wasGone(request) {
				result.Kind, result.Change = deskhand.OutcomeAdopted, compareOrphan(w.knownOf(result.Change.ConfigID), live)
			}
			return result
		}
		result.err, result.Error = err, err.Error()
		switch {
		case errors.Is(err, deskhand.ErrUnknownOutcome):
			result.Kind = deskhand.OutcomePending
			return result
		case ctx.Err() != nil:
			result.Kind = deskhand.OutcomeSkipped
			return result
		case !errors.Is(err, deskhand.ErrPrecondition):
			result.Kind = deskhand.OutcomeFailed
			return result
		}
		isLast := attempt >= max(1, w.rules.MaxAttempts)
		if isFinal := w.lookAgain(ctx, intent, mayHaveArrived(request), isLast, &result); isFinal {
			return result
		}
	}
}

func (w *round) send(ctx context.Context, requestID string, change deskhand.Change) (deskhand.Observed, deskhand.Request, error) {
	if change.Op == deskhand.OpDelete {
		request, err := w.parts.Platform.Delete(ctx, requestID, change.ConfigID, change.IfMatch)
		return deskhand.Observed{}, request, err
	}
	return w.parts.Platform.Put(ctx, requestID, change.ConfigID, change.After, change.Precondition())
}

// lookAgain compares anew with what CXone holds now, after a write that came too
// late. It reports whether that settles the matter.
func (w *round) lookAgain(ctx context.Context, intent deskhand.Intent, mayHaveArrived, isLast bool, result *ended) (isFinal bool) {
	fail := func(err error) bool {
		result.Kind, result.err, result.Error = deskhand.OutcomeFailed, err, err.Error()
		return true
	}
	if isLast && !mayHaveArrived {
		return fail(result.err)
	}
	live, request, err := w.parts.Platform.Get(ctx, intent.RequestID, intent.Change.ConfigID, "")
	result.Request = result.Request.Add(request)
	switch {
	case err == nil:
	case mayHaveArrived:
		result.Kind, result.err, result.Error = deskhand.OutcomePending, err, err.Error()
		return true
	case ctx.Err() != nil:
		result.Kind = deskhand.OutcomeSkipped
		return true
	default:
		return fail(err)
	}
	if mayHaveArrived && wasApplied(result.Change, live) {
		// It was in time, and somebody changed the configuration since.
		result.Kind, result.Live, result.err, result.Error = deskhand.OutcomeApplied, asWritten(result.Change, live), nil, ""
		return true
	}
	if isLast {
		return fail(result.err)
	}
	change, isNeeded := w.compareAgain(intent.Change, live)
	if !isNeeded {
		change = adopt(change, whyAdopted)
	}
	result.Change, result.Live = change, live
	switch change.Op {
	case deskhand.OpAdopt:
		result.Kind, result.err, result.Error = deskhand.OutcomeAdopted, nil, ""
		return true
	case deskhand.OpReport:
		result.Kind, result.err, result.Error = deskhand.OutcomeReported, nil, ""
		return true
	}
	if err := w.preserve(ctx, []deskhand.Change{change}); err != nil {
		return fail(err)
	}
	intent.Change = change
	if err := w.parts.Journal.Intend(ctx, []deskhand.Intent{intent}); err != nil {
		return fail(fmt.Errorf("journal the write: %w", err))
	}
	return false
}

// mayHaveArrived reports whether an answer was lost on the way, so that the write
// may have been applied although it seems to have come too late.
func mayHaveArrived(request deskhand.Request) bool {
	return slices.ContainsFunc(request.Statuses, func(status int) bool { return status == 0 || status >= 500 })
}

// wasGone reports whether a delete found nothing to delete: somebody else did it.
func wasGone(request deskhand.Request) bool {
	statuses := request.Statuses
	return !mayHaveArrived(request) && len(statuses) > 0 && slices.Contains([]int{404, 410}, statuses[len(statuses)-1])
}

// isParked reports whether the same commit failed before in a way that trying
// again cannot mend. A person who asks for it gets another try.
func (w *round) isParked(change deskhand.Change) bool {
	return w.pass.Trigger != deskhand.TriggerManual && w.parked[change.ConfigID] == w.pass.Commit.SHA
}

func (w *round) isLooping(change deskhand.Change) bool {
	return change.Event == deskhand.EventReverted && !w.reverts.allows(change.ConfigID, time.Now())
}
