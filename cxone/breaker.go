package cxone

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// breakerTrips is above what one hiccup does to many workers at a time.
	breakerTrips = 20
	breakerOpen  = 5 * time.Second
)

// openError means that nothing was sent, because CXone has been failing.
type openError struct{ left time.Duration }

func (e *openError) Error() string {
	return fmt.Sprintf("not sent: the last %d requests failed", breakerTrips)
}

var (
	errServerFailed = errors.New("server error") // for the breaker's count only
	errCallerLeft   = errors.New("the caller left")
)

// breaker keeps requests back while CXone answers nothing but server errors, or
// nothing at all, and lets one through now and then to see.
type breaker struct {
	next      http.RoundTripper
	circuit   *gobreaker.CircuitBreaker[*http.Response]
	openUntil atomic.Int64 // Unix nanoseconds
}

func newBreaker(next http.RoundTripper, tenant string) *breaker {
	l := &breaker{next: next}
	l.circuit = gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{ //nolint:bodyclose // the caller closes
		Name:        tenant,
		Timeout:     breakerOpen,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakerTrips },
		IsExcluded:  func(err error) bool { return errors.Is(err, errCallerLeft) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				l.openUntil.Store(time.Now().Add(breakerOpen).UnixNano())
			}
		},
	})
	return l
}

func (l *breaker) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.circuit.Execute(func() (*http.Response, error) {
		response, err := l.next.RoundTrip(request)
		switch {
		case err != nil && request.Context().Err() != nil:
			return nil, errors.Join(errCallerLeft, err)
		case err == nil && response.StatusCode >= 500:
			return response, errServerFailed
		}
		return response, err
	})
	switch {
	case errors.Is(err, errServerFailed):
		return response, nil
	case errors.Is(err, gobreaker.ErrOpenState), errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, &openError{left: l.left()}
	}
	return response, err
}

// left is how long to wait before another try, spread so that not all waiters
// come back at once.
func (l *breaker) left() time.Duration {
	left := max(time.Until(time.Unix(0, l.openUntil.Load())), 0)
	return left + time.Duration(rand.Int64N(int64(time.Second))) + time.Millisecond //nolint:gosec // no secret
}
