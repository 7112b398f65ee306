package cxone_test

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

const (
	requestID = "01JD0000000000000000000000"
	voice     = "dsk-voice-emea"
	secret    = "canary-5ecret/+value"
)

// tenant is a simulated CXone and what a client told about it.
type tenant struct {
	*simulator.Simulator
	client *cxone.Client
	wire   *tap

	mu      sync.Mutex
	calls   []cxone.Call
	notices []notice
}

type notice struct {
	event   deskhand.EventType
	trouble cxone.Trouble
}

// tap is the network between client and simulator. A test may come between.
type tap struct {
	next      http.RoundTripper
	intercept func(*http.Request, http.RoundTripper) (*http.Response, error)
}

func (w *tap) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.intercept != nil {
		return w.intercept(request, w.next)
	}
	return w.next.RoundTrip(request)
}

func newTenant(t *testing.T, adjust ...func(*cxone.Options)) *tenant {
	t.Helper()
	return tenantOf(t, simulator.Options{}, adjust...)
}

func tenantOf(t *testing.T, options simulator.Options, adjust ...func(*cxone.Options)) *tenant {
	t.Helper()
	options.ClientID, options.ClientSecret = "acme-client", secret
	sim, err := simulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	s := &tenant{Simulator: sim, wire: &tap{next: sim.RoundTripper()}}
	settings := cxone.Options{
		Tenant: "acme", Subdomain: "acme", UserAgent: "deskhand/test", Transport: s.wire,
		Credentials: func(context.Context) (cxone.Credentials, error) {
			return cxone.Credentials{ClientID: "acme-client", ClientSecret: secret}, nil
		},
		Observe: func(call cxone.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, call)
		},
		Notice: func(event deskhand.EventType, trouble cxone.Trouble) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.notices = append(s.notices, notice{event, trouble})
		},
	}
	for _, change := range adjust {
		change(&settings)
	}
	s.client, err = cxone.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *tenant) told() []notice {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.notices)
}

func (s *tenant) tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, call := range s.calls {
		if call.Token {
			count++
		}
	}
	return count
}

// holds puts a configuration there by hand, and returns its ETag.
func (s *tenant) holds(t *testing.T, id string, fields map[string]any) deskhand.ETag {
	t.Helper()
	s.Put(id, fields)
	live, found := s.Configuration(id)
	if !found {
		t.Fatalf("the simulator lost %s", id)
	}
	return live.ETag
}

func document(t *testing.T, text string) deskhand.Document {
	t.Helper()
	parsed, err := deskhand.ParseDocument([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(deskhand.Document{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// response is an answer that no simulator would give.
func response(request *http.Request, status int, body string, headers ...string) *http.Response {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return &http.Response{
		StatusCode: status, Header: header, Request: request,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}
