package reconciler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/deskhand/deskhand"
)

const (
	// mostAtOnce bounds the size of one journal transaction, in desktops.
	mostAtOnce = 256
	// gathering is how long a first outcome waits for others to share its
	// transaction. A crash in that time costs a look at CXone, never a record.
	gathering = 25 * time.Millisecond
)

// record journals outcomes as they come in, many in one transaction where many
// are there, and returns all of them. It always reads to the end.
func (w *round) record(ctx context.Context, results <-chan ended) ([]deskhand.Outcome, error) {
	recording := recording{round: w}
	for batch := range batches(results) {
		recording.take(ctx, batch)
	}
	recording.settle(ctx, w.refreshed())
	return recording.outcomes, recording.finish(ctx)
}

// recording is what record has seen so far.
//
// An outcome that says that CXone as a whole is out of reach becomes a failure
// of its desktop only if other desktops fared better: a thousand pending
// desktops must not become a thousand events.
type recording struct {
	*round

	outcomes  []deskhand.Outcome
	unreached []ended
	waiting   []error // of those about which nothing can be told yet
	reached   bool    // some write went through
	err       error   // of the journal
}

func (r *recording) take(ctx context.Context, batch []ended) {
	var recordable []ended
	for _, result := range batch {
		r.outcomes = append(r.outcomes, result.Outcome)
		r.remember(result)
		isUnreached := result.Kind == deskhand.OutcomeFailed && isPlatformWide(result.err) && !errors.Is(result.err, deskhand.ErrForbidden)
		if isUnreached || result.Kind == deskhand.OutcomePending {
			r.waiting = append(r.waiting, result.err)
		}
		if isUnreached {
			r.unreached = append(r.unreached, result)
			continue
		}
		r.reached = r.reached || result.Kind == deskhand.OutcomeApplied
		recordable = append(recordable, result)
	}
	r.settle(ctx, recordable)
}

func (r *recording) settle(ctx context.Context, batch []ended) {
	settlements := make([]deskhand.Settlement, 0, len(batch))
	told := map[string]bool{}
	for _, result := range batch {
		if result.Kind == deskhand.OutcomeReported && told[result.Change.ConfigID] {
			continue // the same id defined twice
		}
		told[result.Change.ConfigID] = true
		if settlement := r.settlement(result); settlement != (deskhand.Settlement{}) {
			settlements = append(settlements, settlement)
		}
	}
	if err := r.round.settle(ctx, settlements); err != nil {
		r.err = errors.Join(r.err, err)
		return
	}
	for _, settlement := range settlements {
		if settlement.Record != nil {
			r.parts.Meter.Applied(r.tenant, settlement.Record.Event)
		}
	}
}

// finish decides what became of the desktops that were not reached.
func (r *recording) finish(ctx context.Context) error {
	if !r.reached && len(r.unreached) > 1 {
		for i := range r.unreached {
			r.unreached[i].Kind = deskhand.OutcomeSkipped
		}
	}
	r.settle(ctx, r.unreached)
	if len(r.waiting) > 0 && !r.reached {
		r.err = errors.Join(r.err, fmt.Errorf("%d desktops wait: %w", len(r.waiting), r.waiting[0]))
	}
	return r.err
}

// batches yields the results that come within a moment of each other.
func batches(results <-chan ended) iter.Seq[[]ended] {
	return func(yield func([]ended) bool) {
		for first := range results {
			batch := []ended{first}
			moment := time.After(gathering)
		gather:
			for len(batch) < mostAtOnce {
				select {
				case next, isOpen := <-results:
					if !isOpen {
						break gather
					}
					batch = append(batch, next)
				case <-moment:
					break gather
				}
			}
			if !yield(batch) {
				return
			}
		}
	}
}

// remember keeps what only later passes of this process need.
func (w *round) remember(result ended) {
	configID := result.Change.ConfigID
	switch {
	case result.Kind == deskhand.OutcomeApplied:
		delete(w.parked, configID)
		if result.Change.Event == deskhand.EventReverted {
			w.reverts.note(configID, time.Now())
		}
	case errors.Is(result.err, deskhand.ErrForbidden), errors.Is(result.err, deskhand.ErrRejected):
		w.parked[configID] = w.pass.Commit.SHA
	}
}

// refreshed are the desktops about which there is nothing to tell: those of
// which a newer ETag was seen, and those that were only ever refused and are
// gone from git.
func (w *round) refreshed() []ended {
	var results []ended
	unrecorded := func(configID string, live deskhand.Observed) {
		results = append(results, ended{Outcome: deskhand.Outcome{
			Kind: refreshedOnly, Change: deskhand.Change{ConfigID: configID}, Live: live,
		}})
	}
	for configID, live := range w.sight.Live {
		known, isKnown := w.sight.Managed[configID]
		if isKnown && live.Exists && !live.NotModified && known.ETag != live.ETag && w.knownOf(configID).ETag == known.ETag {
			unrecorded(configID, live)
		}
	}
	defined := map[string]bool{}
	for _, desired := range w.sight.Review.Desktops {
		defined[cmp.Or(desired.ConfigID, desired.File)] = true
	}
	for _, unreadable := range w.sight.Unreadable {
		defined[cmp.Or(unreadable.ConfigID, unreadable.File)] = true
	}
	for configID, known := range w.sight.Managed {
		if !isAgreed(known) && !defined[configID] {
			unrecorded(configID, deskhand.Observed{})
		}
	}
	return results
}

// refreshedOnly marks an outcome that leaves no record. No live configuration
// means that the desktop is to be forgotten.
const refreshedOnly deskhand.OutcomeKind = "refreshed"
