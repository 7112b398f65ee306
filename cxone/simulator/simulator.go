// Package simulator is a CXone to test against: the token endpoint and the
// desktop configurations of a tenant as an http.Handler. It keeps state, counts
// requests, notes every write that was made blindly, and misbehaves when told to.
//
// It knows nothing of the client in package cxone, so that the two can't share
// a misunderstanding.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deskhand/deskhand"
)

// Options say what the simulated tenant is like.
type Options struct {
	// ClientID and ClientSecret are the credentials that get a token. Required.
	ClientID, ClientSecret string
	// AccessKeyID and AccessKeySecret let the password grant get a token too;
	// empty for a tenant without access keys.
	AccessKeyID, AccessKeySecret string
	// Scopes are those that a token can have; nil for all that deskhand needs.
	Scopes []string
	// TokenLifetime is how long a token is good for; 0 for an hour.
	TokenLifetime time.Duration

	// Now is the clock; nil for time.Now.
	Now func() time.Time
	// StateFile keeps the configurations across restarts; "" for memory only.
	// It is replaced as a whole, shortly after a write and by Close.
	StateFile string
	// Latency passes before each request is served.
	Latency time.Duration
	// RateLimit is how many requests a second are served, with bursts of as
	// many; the others get 429. 0 for no limit. Tokens don't count.
	RateLimit int
	// ControlToken lets callers that are not on this machine use Control, as a
	// bearer token; "" refuses them.
	ControlToken string
}

// Simulator is a simulated tenant. It is safe for concurrent use.
type Simulator struct {
	options Options
	pace    pace
	store   *store
	tokens  *tokens
	faults  *faults
	traffic *traffic
	saver   *saver // nil without a state file
}

// New makes a simulator, with the configurations of the state file if there is
// one. Close it when done.
func New(options Options) (*Simulator, error) {
	if options.ClientID == "" || options.ClientSecret == "" {
		return nil, errors.New("start simulator: it needs a client id and a client secret, of any value")
	}
	if options.TokenLifetime < 0 {
		return nil, errors.New("start simulator: the token lifetime can't be negative")
	}
	if (options.AccessKeyID == "") != (options.AccessKeySecret == "") {
		return nil, errors.New("start simulator: an access key needs both its id and its secret")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Scopes == nil {
		options.Scopes = []string{scopeWrite, scopeRead, "users:read"}
	}
	if options.TokenLifetime == 0 {
		options.TokenLifetime = time.Hour
	}

	s := &Simulator{
		options: options,
		store:   newStore(),
		tokens:  newTokens(options.Now),
		faults:  &faults{},
		traffic: newTraffic(),
	}
	if err := s.SetPace(options.Latency, options.RateLimit); err != nil {
		return nil, fmt.Errorf("start simulator: %w", err)
	}
	if options.StateFile != "" {
		saver, err := openState(options.StateFile, s.store)
		if err != nil {
			return nil, fmt.Errorf("start simulator: %w", err)
		}
		s.saver = saver
	}
	return s, nil
}

// Close writes the state file for the last time. Its error is that of the last
// attempt to write it.
func (s *Simulator) Close() error {
	if s.saver == nil {
		return nil
	}
	if err := s.saver.close(); err != nil {
		return fmt.Errorf("close simulator: %w", err)
	}
	return nil
}

// ServeHTTP serves the token endpoint and the configurations. Where a fault breaks
// the connection it panics with http.ErrAbortHandler, which net/http understands.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := s.receive(r)
	a := s.answer(x)
	// The request counts before its answer is out, so that a client that has
	// the answer finds the request counted.
	s.traffic.record(x, a)
	a.send(w)
}

// answer lets the request go its way: latency, rate limit, faults, resource, faults.
func (s *Simulator) answer(x *exchange) answer {
	latency, _ := s.pace.current()
	if err := pause(x.context(), latency); err != nil || x.unreadable != nil {
		return broken()
	}
	var a answer
	if refused, ok := s.meterOut(x); ok {
		a = refused
	} else if early, ok := s.misbehaveBefore(x); ok {
		a = early
	} else {
		a = s.serve(x)
	}
	a = s.misbehaveAfter(x, a)
	if a.status != 0 {
		a.header.Set("X-Request-Id", x.requestID)
		s.showLimit(x, a.header)
	}
	return a
}

func (s *Simulator) serve(x *exchange) answer {
	if x.tooLarge {
		return x.refuse(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d bytes", maxBody))
	}
	switch x.target {
	case TargetToken:
		return s.issueToken(x)
	case TargetList:
		return s.list(x)
	case TargetConfiguration:
		return s.configuration(x)
	default:
		return x.refuse(http.StatusNotFound, "not_found", "there is nothing at this path")
	}
}

// pause waits, but no longer than the context lasts.
func pause(ctx context.Context, duration time.Duration) error {
	if duration <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// changed has the state file written soon.
func (s *Simulator) changed() {
	if s.saver != nil {
		s.saver.wake()
	}
}

// serverManaged are the fields that only CXone sets.
func serverManaged() []string {
	return []string{"id", "version", "updatedAt", "updatedBy", "metadata", "_links"}
}

// own is the part of a document that its writer decides about.
func own(document deskhand.Document) deskhand.Document {
	return document.Without(serverManaged()...)
}
