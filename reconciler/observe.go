package reconciler

import (
	"context"
	"errors"
	"sync"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/deskhand/deskhand"
)

// observe reads what CXone holds, as far as this pass needs it. Nothing is read
// whose ETag is known, unless the pass is a full one: then the tenant's list tells
// what did not change, or else a GET with If-None-Match, which has no body.
func (r *Reconciler) observe(ctx context.Context, pass Pass, in Input) (map[string]deskhand.Observed, []missed, error) {
	var (
		mutex   sync.Mutex
		notRead []missed
	)
	live, questions := r.askList(ctx, questions(pass, in))
	var group errgroup.Group
	group.SetLimit(max(1, r.rules.Concurrency))
	for _, question := range questions {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			observed, request, err := r.parts.Platform.Get(ctx, newRequestID(), question.configID, question.known)
			mutex.Lock()
			defer mutex.Unlock()
			if err != nil {
				notRead = append(notRead, question.missed(request, err))
				return nil
			}
			live[question.configID] = observed
			return nil
		})
	}
	_ = group.Wait() // the functions report through notRead
	if err := ctx.Err(); err != nil {
		return nil, nil, context.Cause(ctx)
	}
	r.judgeList(questions, live)
	if len(notRead) > 0 && len(notRead) == len(questions) && len(live) == 0 && isPlatformWide(notRead[0].err) {
		return nil, nil, notRead[0].err
	}
	return live, notRead, nil
}

// question is one desktop to ask CXone about.
type question struct {
	configID string
	file     string
	tier     deskhand.Tier
	known    deskhand.ETag
	listed   deskhand.ETag // by the list, where that was asked; "" where it shows none
}

func (q question) missed(request deskhand.Request, err error) missed {
	return missed{err: err, Outcome: deskhand.Outcome{
		Kind: deskhand.OutcomeFailed, Request: request, Error: err.Error(),
		Change: deskhand.Change{
			Op: deskhand.OpReport, ConfigID: q.configID, File: q.file, Tier: q.tier,
			State: deskhand.StateFailed, Event: deskhand.EventFailed, IfMatch: q.known,
			Edits: []deskhand.Edit{}, Why: "CXone could not be read",
		},
	}}
}

func questions(pass Pass, in Input) []question {
	var list []question
	asked := map[string]bool{}
	for _, desired := range in.Review.Desktops {
		known := in.Managed[desired.ConfigID]
		if desired.Refused || asked[desired.ConfigID] || (!pass.Full && isCertain(known)) {
			continue
		}
		asked[desired.ConfigID] = true
		list = append(list, question{configID: desired.ConfigID, file: desired.File, tier: desired.Tier, known: known.ETag})
	}
	if !pass.Full {
		return list
	}
	for configID, known := range in.Managed {
		if !asked[configID] && isAgreed(known) {
			list = append(list, question{configID: configID, file: known.File, tier: known.Tier, known: known.ETag})
		}
	}
	return list
}

// isCertain reports whether the ETag of the last sight is good enough to write
// under: should it be stale, the write fails and nothing is lost.
func isCertain(known deskhand.Managed) bool {
	return isAgreed(known) && known.ETag != ""
}

// isPlatformWide reports whether the error is about the tenant, not about one
// desktop.
func isPlatformWide(err error) bool {
	return errors.Is(err, deskhand.ErrUnavailable) || errors.Is(err, deskhand.ErrUnauthorized) ||
		errors.Is(err, deskhand.ErrForbidden)
}

func newRequestID() string { return ulid.Make().String() }
