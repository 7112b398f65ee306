package cxone

import (
	"context"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deskhand/deskhand"
)

// operation is one call of the Client: all of its requests share its id. It
// belongs to one goroutine.
type operation struct {
	tenant    deskhand.Tenant
	configID  string
	requestID string
	token     bool // a token request, not an operation on a configuration
	started   time.Time
	statuses  []int
}

func (c *Client) begin(requestID, configID string) *operation {
	if requestID == "" {
		requestID = ulid.Make().String()
	}
	return &operation{tenant: c.tenant, configID: configID, requestID: requestID, started: time.Now()}
}

type operationKey struct{}

// attach lets the layers know which operation a request belongs to.
func (o *operation) attach(ctx context.Context) context.Context {
	return context.WithValue(ctx, operationKey{}, o)
}

// operationOf is nil for a request that belongs to none.
func operationOf(request *http.Request) *operation {
	op, _ := request.Context().Value(operationKey{}).(*operation)
	return op
}

// request is what became of the operation.
func (o *operation) request() deskhand.Request {
	return deskhand.Request{
		ID:        o.requestID,
		Attempts:  len(o.statuses),
		Statuses:  o.statuses,
		LatencyMs: time.Since(o.started).Milliseconds(),
	}
}

// fail makes the operation's error. The method is that of the request, which in
// a write may be a GET.
func (o *operation) fail(method string, status int, err error, hint string) *Error {
	return &Error{
		Op: method, Tenant: o.tenant, ConfigID: o.configID, RequestID: o.requestID,
		Status: status, Hint: hint, Err: err,
	}
}

func isToken(request *http.Request) bool {
	op := operationOf(request)
	return op != nil && op.token
}
