package cxone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deskhand/deskhand"
)

// Put writes a configuration if pre holds, and returns what CXone then has.
// Server-managed fields of the body are not sent. An empty requestID is made up.
//
// Errors are *Error and wrap ErrNoPrecondition, ErrPrecondition, ErrRejected,
// ErrUnauthorized, ErrForbidden, ErrUnavailable or the context's error (nothing
// was written), or ErrUnknownOutcome.
func (c *Client) Put(ctx context.Context, requestID, configID string, body deskhand.Document, pre deskhand.Precondition) (deskhand.Observed, deskhand.Request, error) {
	op := c.begin(requestID, configID)
	change := &write{client: c, op: op, method: http.MethodPut, body: body.Without(c.serverManaged...), pre: pre}
	if body.IsZero() {
		err := op.fail(change.method, 0, fmt.Errorf("%w: there is no document", deskhand.ErrRejected), "")
		return deskhand.Observed{}, op.request(), err
	}
	live, err := change.do(ctx)
	return live, op.request(), err
}

// Delete removes the configuration that has the ETag. One that is gone already
// is no error. Its errors are Put's.
func (c *Client) Delete(ctx context.Context, requestID, configID string, etag deskhand.ETag) (deskhand.Request, error) {
	op := c.begin(requestID, configID)
	change := &write{client: c, op: op, method: http.MethodDelete, pre: deskhand.IfMatch(etag)}
	_, err := change.do(ctx)
	return op.request(), err
}

// write is a PUT or DELETE on its way.
type write struct {
	client *Client
	op     *operation
	method string
	body   deskhand.Document // none for a DELETE
	pre    deskhand.Precondition
	// lostOne means that an earlier attempt went out without an answer: it may
	// yet arrive, so a failed precondition can be its doing.
	lostOne bool
}

func (w *write) do(ctx context.Context) (live deskhand.Observed, err error) {
	if err := w.pre.Valid(); err != nil {
		return live, w.op.fail(w.method, 0, err, "give the ETag that was read, or create only")
	}
	err = w.client.retry(ctx, func() error {
		live, err = w.attempt(ctx)
		return err
	})
	return live, err
}

// attempt sends the write once. It may be repeated only if its error says so,
// which after a lost answer a GET has to show.
func (w *write) attempt(ctx context.Context) (deskhand.Observed, error) {
	address, err := w.client.address(w.op.configID)
	if err != nil {
		return deskhand.Observed{}, w.op.fail(w.method, 0, err, "correct the configId")
	}
	header, err := w.client.preconditionHeader(ctx, w.op, w.method, w.pre)
	if err != nil {
		return w.afterFailure(ctx, err)
	}
	var body []byte
	if w.method == http.MethodPut {
		body = []byte(w.body.String())
	}
	got, err := w.client.exchange(ctx, w.op, w.method, address, header, body)
	switch {
	case err != nil:
		return w.afterFailure(ctx, err)
	case got.succeeded():
		return w.result(ctx, got)
	case w.method == http.MethodDelete && isGone(got):
		return deskhand.Observed{}, nil
	case isGone(got) && !w.pre.Absent():
		failed := w.op.fail(w.method, got.status,
			fmt.Errorf("%w: it was deleted there", deskhand.ErrPrecondition), hintMerge)
		return w.afterFailure(ctx, failed)
	}
	return w.afterFailure(ctx, w.client.refusal(w.op, w.method, got))
}

func isGone(got answer) bool {
	return got.status == http.StatusNotFound || got.status == http.StatusGone
}

// afterFailure settles a failure that leaves open whether the write, or an
// earlier attempt at it, was applied.
func (w *write) afterFailure(ctx context.Context, err error) (deskhand.Observed, error) {
	var failed *Error
	if !errors.As(err, &failed) {
		return deskhand.Observed{}, err
	}
	if failed.lost {
		w.lostOne = true
		return w.settle(ctx, failed)
	}
	if w.lostOne && errors.Is(failed, deskhand.ErrPrecondition) {
		return w.settle(ctx, failed)
	}
	return deskhand.Observed{}, failed
}

// settle asks CXone what became of the write.
func (w *write) settle(ctx context.Context, failed *Error) (deskhand.Observed, error) {
	live, err := w.readBack(ctx)
	switch {
	case err != nil:
		return deskhand.Observed{}, w.unknown(failed.reason(), err)
	case w.untouched(live): // first: a write that only takes members away looks achieved before it is
		return deskhand.Observed{}, failed
	case w.achieved(live):
		return live.Observed, nil
	}
	moved := *failed
	moved.Err, moved.Hint = deskhand.ErrPrecondition, hintMerge
	moved.again = false
	return deskhand.Observed{}, &moved
}

// achieved reports whether CXone holds what was sent and nothing else. More than
// that may be what somebody added since, or what the write was to take away: the
// caller, who knows what was there before, has to compare.
func (w *write) achieved(live seen) bool {
	if w.method == http.MethodDelete {
		return !live.Exists
	}
	return live.Exists && live.Document == w.body
}

func (w *write) untouched(live seen) bool {
	if w.pre.Absent() {
		return !live.Exists
	}
	return live.is(w.pre.ETag())
}

// result is the configuration after a successful write: out of the answer where
// that shows it, or else of a GET. A page that is no JSON is no success: it may
// come from a proxy, and the write not have arrived.
func (w *write) result(ctx context.Context, got answer) (deskhand.Observed, error) {
	if len(got.body) > 0 {
		live, err := w.client.parse(w.op, w.method, got, "")
		if err != nil {
			return w.afterFailure(ctx, err)
		}
		shown := w.method == http.MethodPut && (got.etag() != "" || w.client.compareContent) && covers(live.Document, w.body)
		if shown {
			return live.Observed, nil
		}
	}
	if w.method == http.MethodDelete {
		return deskhand.Observed{}, nil
	}
	live, err := w.readBack(ctx)
	if err != nil {
		return deskhand.Observed{}, w.unknown(fmt.Sprintf("it was accepted with status %d", got.status), err)
	}
	return live.Observed, nil
}

// readBack reads what stands after a write that went out. A caller who has gone
// does not stop the request, only the waits between several.
func (w *write) readBack(ctx context.Context) (seen, error) {
	lasting, stop := outlive(ctx, w.client.timeout)
	defer stop()
	return w.client.readPatiently(ctx, lasting, w.op, "")
}

// unknown wraps no sentinel but the one: whatever kept the answer and the GET
// away, what to do about it is the same.
func (w *write) unknown(sent string, read error) error {
	var failed *Error
	reason := read.Error()
	if errors.As(read, &failed) {
		reason = failed.reason()
	}
	return w.op.fail(w.method, 0, fmt.Errorf("%w: %s, and a GET could not settle it: %s",
		deskhand.ErrUnknownOutcome, sent, reason), hintSettle)
}

// outlive returns a context that ends the given time after its parent does.
func outlive(parent context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() { time.AfterFunc(grace, cancel) })
	return ctx, func() { stop(); cancel() }
}
