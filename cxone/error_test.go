package cxone_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
)

// TestErrorTexts: an error names the call, the status, what CXone said, the
// remedy, and the id that its support asks for.
func TestErrorTexts(t *testing.T) {
	t.Parallel()
	const said = `{"error":{"code":"c","message":"what CXone said"}}`
	tests := map[int]string{
		400: `PUT dsk-voice-emea in tenant acme: 400 Bad Request: CXone rejected the document (c: what CXone said); correct the definition`,
		401: `PUT dsk-voice-emea in tenant acme: 401 Unauthorized: CXone refused the credentials (c: what CXone said); check clientID and clientSecret of client "acme-client", and that it may have the scopes desktop:config:write desktop:config:read users:read`,
		403: `PUT dsk-voice-emea in tenant acme: 403 Forbidden: CXone forbids this call (c: what CXone said); give client "acme-client" the scope desktop:config:write in tenant acme; it is tried again when commit, credentials or configuration change`,
		404: `PUT dsk-voice-emea in tenant acme: 404 Not Found: the configuration changed in CXone: it was deleted there; read the configuration again, merge, and write under its new ETag`,
		412: `PUT dsk-voice-emea in tenant acme: 412 Precondition Failed: the configuration changed in CXone (c: what CXone said); read the configuration again, merge, and write under its new ETag`,
		429: `PUT dsk-voice-emea in tenant acme: 429 Too Many Requests: CXone is unavailable (c: what CXone said); lower requestsPerSecond of the tenant`,
		503: `PUT dsk-voice-emea in tenant acme: the outcome of the write is unknown: 503 Service Unavailable: CXone is unavailable (c: what CXone said), and a GET could not settle it: 503 Service Unavailable: CXone is unavailable (c: what CXone said); read the configuration before anything else is written`,
	}
	for status, want := range tests {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t, func(o *cxone.Options) { o.MaxAttempts = 1 })
				s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
					if strings.HasSuffix(request.URL.Path, "/token") {
						return next.RoundTrip(request)
					}
					return response(request, status, said), nil
				}
				_, _, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfMatch(`"1"`))
				if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "[request id "+requestID+"]") {
					t.Errorf("got  %v\nwant %s … [request id %s]", err, want, requestID)
				}
				var failed *cxone.Error
				if !errors.As(err, &failed) {
					t.Fatalf("a %T is no *cxone.Error", err)
				}
				equal(t, "the typed parts", [...]string{failed.Op, failed.ConfigID, failed.RequestID}, [...]string{"PUT", voice, requestID})
			})
		})
	}
}

func TestUnreadableCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		missing := errors.New("open /run/secrets/cxone: no such file")
		s := newTenant(t, func(o *cxone.Options) {
			o.Credentials = func(context.Context) (cxone.Credentials, error) { return cxone.Credentials{}, missing }
		})
		_, _, err := s.client.Get(t.Context(), requestID, voice, "")
		if !errors.Is(err, missing) || !errors.Is(err, deskhand.ErrUnauthorized) {
			t.Errorf("got error %v, want one that wraps both %v and %v", err, missing, deskhand.ErrUnauthorized)
		}
		equal(t, "requests", s.Counts().Total(), 0)
	})
}

// One tenant's own statuses for a failed precondition, and its own fields.
func TestTenantsOwnContract(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t, func(o *cxone.Options) {
			o.ConflictStatuses = []int{http.StatusLocked}
			o.ServerManaged = []string{"revision"}
			o.ResourcePath = "/config/v9/desks/{id}"
		})
		s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			switch {
			case strings.HasSuffix(request.URL.Path, "/token"):
				return next.RoundTrip(request)
			case request.URL.Path != "/config/v9/desks/"+voice:
				t.Errorf("a request to %s", request.URL.Path)
			case request.Method == http.MethodPut:
				return response(request, http.StatusLocked, `{}`), nil
			}
			return response(request, http.StatusOK, `{"revision":7,"id":"x"}`, "ETag", `"7"`), nil
		}
		equal(t, "without the server's own", get(t, s, "").Document, document(t, `{"id":"x"}`))
		_, _, err := s.client.Put(t.Context(), "", voice, document(t, after), deskhand.IfMatch(`"7"`))
		if !errors.Is(err, deskhand.ErrPrecondition) {
			t.Errorf("423: got error %v, want %v", err, deskhand.ErrPrecondition)
		}
	})
}
