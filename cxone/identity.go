package cxone

import "net/http"

// identity says in each request who asks, and for which operation.
type identity struct {
	next      http.RoundTripper
	userAgent string
}

func (l *identity) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("User-Agent", l.userAgent)
	if op := operationOf(request); op != nil {
		request.Header.Set("X-Request-ID", op.requestID)
	}
	return l.next.RoundTrip(request)
}
