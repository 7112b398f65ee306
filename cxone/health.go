package cxone

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
)

const (
	degradedAfter   = 5 * time.Minute
	keptFailingIDs  = 10
	degradedMessage = "CXone has been failing for longer than 5 minutes; give its support the request ids"
)

// health tells once that CXone has been failing for long, and once that it has
// recovered.
type health struct {
	next   http.RoundTripper
	notice func(deskhand.EventType, Trouble)

	mu       sync.Mutex
	since    time.Time // of the first failure in a row; zero while healthy
	failed   []string  // the last request ids
	degraded bool
}

func (l *health) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(request)
	var open *openError
	switch {
	case err != nil && (errors.As(err, &open) || request.Context().Err() != nil):
		// Nothing is learned from what was not sent, or given up.
	case err != nil || response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		l.failure(request.Header.Get("X-Request-ID"))
	case !isToken(request): // a token is no sign that configurations can be had
		l.success()
	}
	return response, err
}

func (l *health) failure(requestID string) {
	l.mu.Lock()
	now := time.Now()
	if l.since.IsZero() {
		l.since = now
	}
	l.failed = slices.DeleteFunc(l.failed, func(id string) bool { return id == requestID })
	l.failed = append(l.failed, requestID)
	if surplus := len(l.failed) - keptFailingIDs; surplus > 0 {
		l.failed = slices.Delete(l.failed, 0, surplus)
	}
	tell := !l.degraded && now.Sub(l.since) > degradedAfter
	l.degraded = l.degraded || tell
	trouble := Trouble{Since: l.since, RequestIDs: slices.Clone(l.failed), Message: degradedMessage}
	l.mu.Unlock()
	if tell {
		l.notice(deskhand.EventDegraded, trouble)
	}
}

func (l *health) success() {
	l.mu.Lock()
	tell := l.degraded
	trouble := Trouble{Since: l.since, RequestIDs: l.failed}
	l.since, l.failed, l.degraded = time.Time{}, nil, false
	l.mu.Unlock()
	if tell {
		trouble.Message = "CXone answers again after " + strconv.Itoa(int(time.Since(trouble.Since).Minutes())) + " minutes"
		l.notice(deskhand.EventRecovered, trouble)
	}
}
