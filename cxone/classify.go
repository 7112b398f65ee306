package cxone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/deskhand/deskhand"
)

const (
	hintLater   = "try again later, and if it stays give CXone's support the request id"
	hintMerge   = "read the configuration again, merge, and write under its new ETag"
	hintSettle  = "read the configuration before anything else is written"
	hintBaseURL = "check baseURL and resourcePath"
)

// noAnswer is the error of a request that brought no usable answer.
func (c *Client) noAnswer(ctx context.Context, op *operation, method string, err error) *Error {
	var (
		refused  *tokenError
		open     *openError
		lost     *lostAnswerError
		insecure *tls.CertificateVerificationError
	)
	isLost := errors.As(err, &lost)
	if cause := ended(ctx); cause != nil && (!isLost || method == http.MethodGet) {
		return op.fail(method, 0, cause, "")
	}
	unavailable := func(cause error, hint string) *Error {
		return op.fail(method, 0, fmt.Errorf("%w: %w", deskhand.ErrUnavailable, cause), hint)
	}
	switch {
	case errors.As(err, &insecure):
		return unavailable(insecure, "set caFile to the certificate of the authority that CXone, or a proxy before it, uses")
	case errors.As(err, &refused):
		return c.noToken(op, method, refused)
	case errors.Is(err, errForeignRedirect):
		return unavailable(errForeignRedirect, hintBaseURL)
	case errors.As(err, &open):
		e := unavailable(open, hintLater)
		e.again, e.wait = true, open.left
		return e
	case isLost:
		e := unavailable(lost, hintLater)
		e.again = !errors.Is(err, errOversize)
		e.lost = !neverSent(err)
		return e
	}
	return unavailable(err, hintLater)
}

// neverSent reports whether the request failed before its first byte went out.
func neverSent(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "proxyconnect")
}

// ended is why the caller gave up, nil while it has not.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func (c *Client) noToken(op *operation, method string, refused *tokenError) *Error {
	sentinel, hint := deskhand.ErrUnauthorized, c.hintCredentials()
	if !refused.denied {
		sentinel, hint = deskhand.ErrUnavailable, "check tokenURL; "+hintLater
	}
	e := op.fail(method, refused.status, fmt.Errorf("%w: %w", sentinel, refused), hint)
	e.Detail = refused.detail
	e.again, e.wait = !refused.denied && refused.again, refused.wait
	return e
}

// refusal is the error of an answer that is neither a success nor a state of
// the configuration.
func (c *Client) refusal(op *operation, method string, got answer) *Error {
	writes := method != http.MethodGet
	sentinel, hint := deskhand.ErrUnavailable, hintBaseURL
	var again, lost bool
	switch status := got.status; {
	case writes && slices.Contains(c.conflictStatuses, status):
		sentinel, hint = deskhand.ErrPrecondition, hintMerge
	case status == http.StatusUnauthorized:
		sentinel, hint = deskhand.ErrUnauthorized, c.hintCredentials()
	case status == http.StatusForbidden:
		sentinel, hint = deskhand.ErrForbidden, c.hintScope(method)
	case status == http.StatusTooManyRequests:
		hint, again = "lower requestsPerSecond of the tenant", true
	case status == http.StatusRequestTimeout, status >= 500:
		hint, again, lost = hintLater, true, true
	case writes && status >= 400:
		sentinel, hint = deskhand.ErrRejected, "correct the definition"
		if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
			hint = "this tenant takes no write there; " + hintBaseURL
		}
	}
	e := op.fail(method, got.status, sentinel, hint)
	e.Detail = detail(got.body, c.auth.redact)
	e.again, e.lost = again, lost
	return e
}

// unreadable is the error of a success whose body is no JSON object.
func (c *Client) unreadable(op *operation, method string, got answer, err error) *Error {
	contentType := got.header.Get("Content-Type")
	if contentType == "" {
		contentType = "no content type"
	}
	const longest = 80
	if len(contentType) > longest {
		contentType = contentType[:longest]
	}
	e := op.fail(method, got.status,
		fmt.Errorf("%w: the answer is not JSON (%s): %w", deskhand.ErrUnavailable, oneLine(contentType), err),
		"check that baseURL is the API's and that no login page or proxy answers for it")
	e.again, e.lost = true, true
	return e
}

func (c *Client) hintCredentials() string {
	return fmt.Sprintf("check clientID and clientSecret of client %q, and that it may have the scopes %s",
		c.auth.clientID(), strings.Join(c.scopes, " "))
}

// hintScope names the scope that the method needs.
func (c *Client) hintScope(method string) string {
	kind := ":write"
	if method == http.MethodGet {
		kind = ":read"
	}
	scopes := strings.Join(c.scopes, " ")
	if i := slices.IndexFunc(c.scopes, func(scope string) bool { return strings.HasSuffix(scope, kind) }); i >= 0 {
		scopes = c.scopes[i]
	}
	return fmt.Sprintf("give client %q the scope %s in tenant %s; it is tried again when commit, credentials or configuration change",
		c.auth.clientID(), scopes, c.tenant)
}
