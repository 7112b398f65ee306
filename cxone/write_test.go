package cxone_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

const (
	before = `{"layout":{"gridColumns":12}}`
	after  = `{"layout":{"gridColumns":8}}`
)

func fieldsBefore() map[string]any {
	return map[string]any{"layout": map[string]any{"gridColumns": 12}}
}

// TestPut: what a fault does to one PUT under the right ETag.
func TestPut(t *testing.T) {
	t.Parallel()
	put := func(f simulator.Fault) simulator.Fault { f.Method = http.MethodPut; return f }
	tests := map[string]struct {
		faults   []simulator.Fault
		want     error  // nil for success
		live     string // what the simulator has in the end
		statuses []int
		noGuard  bool // the fault itself makes the server take a write without precondition
	}{
		"nothing wrong": {live: after, statuses: []int{200}},
		"applied, answer lost": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultLostAnswer, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"dropped before it was applied": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultDropped, Next: 1})},
			live:   after, statuses: []int{0, 200, 200},
		},
		"503, not applied": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 503, Next: 2})},
			live:   after, statuses: []int{503, 200, 503, 200, 200},
		},
		"502, applied": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 502, Applied: true, Next: 1})},
			live:   after, statuses: []int{502, 200},
		},
		"500 for ever": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 500})},
			want:   deskhand.ErrUnavailable, live: before, statuses: []int{500, 200, 500, 200, 500, 200, 500, 200, 500, 200},
		},
		"lost, and somebody else wrote meanwhile": {
			faults: []simulator.Fault{
				put(simulator.Fault{Kind: simulator.FaultDropped, Next: 1}),
				{Kind: simulator.FaultEditBefore, Method: http.MethodGet, Next: 1, Fields: map[string]any{"theirs": true}},
			},
			want: deskhand.ErrPrecondition, live: `{"layout":{"gridColumns":12},"theirs":true}`, statuses: []int{0, 200},
		},
		"lost, and nothing answers any more": {
			faults: []simulator.Fault{
				put(simulator.Fault{Kind: simulator.FaultLostAnswer}),
				{Kind: simulator.FaultDropped, Method: http.MethodGet},
			},
			want: deskhand.ErrUnknownOutcome, live: after, statuses: []int{0, 0, 0, 0, 0, 0},
		},
		"a page instead of an answer": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultHTML, Next: 1})},
			live:   after, statuses: []int{200, 200, 200},
		},
		"a page for ever": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultHTML})},
			want:   deskhand.ErrUnavailable, live: before,
		},
		"applied, answer truncated": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultTruncatedBody, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"applied, answer oversized": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultOversizedBody, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"applied, answer endless": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultEndlessBody, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"applied, answer a gzip bomb": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultGzipBomb, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"applied, answer after the timeout": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultSlow, Latency: time.Minute, Next: 1})},
			live:   after, statuses: []int{0, 200},
		},
		"answer without an ETag": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultNoETag, Next: 1})},
			live:   after, statuses: []int{200, 200}, noGuard: true,
		},
		"the server changes a value": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultNormalise, Next: 1, Fields: map[string]any{"layout": map[string]any{"gridColumns": 6}}})},
			live:   `{"layout":{"gridColumns":6}}`, statuses: []int{200, 200},
		},
		"edited just before": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultEditBefore, Next: 1, Fields: map[string]any{"theirs": true}})},
			want:   deskhand.ErrPrecondition, live: `{"layout":{"gridColumns":12},"theirs":true}`, statuses: []int{412},
		},
		"deleted just before": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultRemoveBefore, Next: 1})},
			want:   deskhand.ErrPrecondition,
		},
		"409": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 409, Next: 1})},
			want:   deskhand.ErrPrecondition, live: before, statuses: []int{409},
		},
		"428": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 428, Next: 1})},
			want:   deskhand.ErrPrecondition, live: before, statuses: []int{428},
		},
		"422": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 422, Next: 1})},
			want:   deskhand.ErrRejected, live: before, statuses: []int{422},
		},
		"403": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 403, Next: 1})},
			want:   deskhand.ErrForbidden, live: before, statuses: []int{403},
		},
		"429 is sent again without a GET": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "2", Next: 1})},
			live:   after, statuses: []int{429, 200},
		},
		"redirected to another host": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultRedirect, Location: "https://evil.example/", Next: 1})},
			want:   deskhand.ErrUnavailable, live: before, statuses: []int{307},
		},
		"the token ended early": {
			faults: []simulator.Fault{put(simulator.Fault{Kind: simulator.FaultTokenExpired, Next: 1})},
			live:   after, statuses: []int{401, 200},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				etag := s.holds(t, voice, fieldsBefore())
				for _, fault := range test.faults {
					s.Inject(fault)
				}
				live, request, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfMatch(etag))
				s.ClearFaults()
				if !errors.Is(err, test.want) {
					t.Fatalf("got error %v, want %v", err, test.want)
				}
				if test.statuses != nil {
					equal(t, "statuses", request.Statuses, test.statuses)
				}
				truth, _ := s.Configuration(voice)
				equal(t, "what CXone holds", truth.Document.String(), test.live)
				if test.want == nil {
					equal(t, "the answer", live, truth)
				}
				equal(t, "blind writes", s.Violations(), nil)
				for _, logged := range s.Requests() {
					if logged.ID == voice && logged.RequestID != requestID {
						t.Errorf("%s went out with request id %q", logged.Method, logged.RequestID)
					}
				}
			})
		})
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault    simulator.Fault
		statuses []int
		want     error
	}{
		"created":       {statuses: []int{201}},
		"answer lost":   {fault: simulator.Fault{Kind: simulator.FaultLostAnswer, Method: http.MethodPut, Next: 1}, statuses: []int{0, 200}},
		"dropped":       {fault: simulator.Fault{Kind: simulator.FaultDropped, Method: http.MethodPut, Next: 1}, statuses: []int{0, 404, 201}},
		"exists by now": {fault: simulator.Fault{Kind: simulator.FaultEditBefore, Next: 1, Fields: map[string]any{"theirs": 1}}, statuses: []int{412}, want: deskhand.ErrPrecondition},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				if test.fault.Kind != "" {
					s.Inject(test.fault)
				}
				live, request, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfAbsent())
				if !errors.Is(err, test.want) {
					t.Fatalf("got error %v, want %v", err, test.want)
				}
				equal(t, "statuses", request.Statuses, test.statuses)
				if test.want == nil {
					truth, _ := s.Configuration(voice)
					equal(t, "the answer", live, truth)
				}
				equal(t, "blind writes", s.Violations(), nil)
			})
		})
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault    simulator.Fault
		statuses []int
		want     error
		stays    bool
	}{
		"deleted":      {statuses: []int{204}},
		"gone already": {fault: simulator.Fault{Kind: simulator.FaultRemoveBefore, Next: 1}, statuses: []int{404}},
		"answer lost":  {fault: simulator.Fault{Kind: simulator.FaultLostAnswer, Next: 1}, statuses: []int{0, 404}},
		"dropped":      {fault: simulator.Fault{Kind: simulator.FaultDropped, Next: 1}, statuses: []int{0, 200, 204}},
		"a page":       {fault: simulator.Fault{Kind: simulator.FaultHTML, Next: 1}, statuses: []int{200, 200, 204}},
		"edited":       {fault: simulator.Fault{Kind: simulator.FaultEditBefore, Next: 1, Fields: map[string]any{"theirs": 1}}, statuses: []int{412}, want: deskhand.ErrPrecondition, stays: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				etag := s.holds(t, voice, fieldsBefore())
				if test.fault.Kind != "" {
					test.fault.Method = http.MethodDelete
					s.Inject(test.fault)
				}
				request, err := s.client.Delete(t.Context(), requestID, voice, etag)
				if !errors.Is(err, test.want) {
					t.Fatalf("got error %v, want %v", err, test.want)
				}
				equal(t, "statuses", request.Statuses, test.statuses)
				if _, found := s.Configuration(voice); found != test.stays {
					t.Errorf("there after the delete: %v, want %v", found, test.stays)
				}
				equal(t, "blind writes", s.Violations(), nil)
			})
		})
	}
}

func TestBlindWritesAreRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		for _, blind := range []deskhand.Precondition{{}, deskhand.IfMatch(""), deskhand.IfMatch("*")} {
			if _, _, err := s.client.Put(t.Context(), requestID, voice, document(t, after), blind); !errors.Is(err, deskhand.ErrNoPrecondition) {
				t.Errorf("PUT under %#v: got error %v", blind, err)
			}
		}
		if _, err := s.client.Delete(t.Context(), requestID, voice, "*"); !errors.Is(err, deskhand.ErrNoPrecondition) {
			t.Errorf("DELETE under *: got error %v", err)
		}
		equal(t, "requests", s.Counts().Total(), 0)
	})
}

// A write that seems lost may arrive late: the 412 of its repetition is then
// its own doing.
func TestLateArrival(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		etag := s.holds(t, voice, fieldsBefore())
		puts := 0
		s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			if request.Method != http.MethodPut {
				return next.RoundTrip(request)
			}
			puts++
			if puts == 1 {
				return nil, io.ErrUnexpectedEOF
			}
			s.Put(voice, map[string]any{"layout": map[string]any{"gridColumns": 8}}) // the first arrives
			return next.RoundTrip(request)
		}
		live, request, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfMatch(etag))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "statuses", request.Statuses, []int{0, 200, 412, 200})
		equal(t, "the answer", live.Document, document(t, after))
	})
}

// Nobody listens: the write cannot have been applied, and no GET has to show it.
func TestNeverSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(request.URL.Path, "/token") {
				return next.RoundTrip(request)
			}
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}
		_, request, err := s.client.Put(t.Context(), requestID, voice, document(t, after), deskhand.IfMatch(`"1"`))
		if !errors.Is(err, deskhand.ErrUnavailable) || errors.Is(err, deskhand.ErrUnknownOutcome) {
			t.Errorf("got error %v, want %v", err, deskhand.ErrUnavailable)
		}
		equal(t, "attempts", request.Attempts, 5)
	})
}

// A stop lets the write that is on the wire finish, and settles it.
func TestStopDuringWrite(t *testing.T) {
	t.Parallel()
	tests := map[string]simulator.Fault{
		"slow":            {Kind: simulator.FaultSlow, Latency: 10 * time.Second},
		"slow, then lost": {Kind: simulator.FaultLostAnswer},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := tenantOf(t, simulator.Options{Latency: time.Second})
				etag := s.holds(t, voice, fieldsBefore())
				fault.Method, fault.Next = http.MethodPut, 1
				s.Inject(fault)
				ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond) // one latency for the token
				defer stop()
				live, _, err := s.client.Put(ctx, requestID, voice, document(t, after), deskhand.IfMatch(etag))
				if err != nil {
					t.Fatal(err)
				}
				truth, _ := s.Configuration(voice)
				equal(t, "the answer", live, truth)
			})
		})
	}
}

// A stop ends each kind of wait at once, with nothing sent afterwards.
func TestStopDuringWait(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  simulator.Fault
		adjust func(*cxone.Options)
		warm   int // requests before
	}{
		"Retry-After": {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "60"}},
		"backoff":     {fault: simulator.Fault{Kind: simulator.FaultDropped}, adjust: func(o *cxone.Options) { o.MaxAttempts = 50 }},
		"breaker":     {fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 503}, adjust: func(o *cxone.Options) { o.MaxAttempts = 1000 }, warm: 1},
		"rate":        {adjust: func(o *cxone.Options) { o.RequestsPerSecond = 0.01 }, warm: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				adjust := test.adjust
				if adjust == nil {
					adjust = func(*cxone.Options) {}
				}
				s := newTenant(t, adjust)
				if test.fault.Kind != "" {
					s.Inject(test.fault)
				}
				ctx, stop := context.WithCancelCause(t.Context())
				newer := errors.New("a newer commit came")
				time.AfterFunc(time.Minute+500*time.Millisecond, func() { stop(newer) })
				began := time.Now()
				var err error
				for err == nil || !errors.Is(err, context.Canceled) {
					_, _, err = s.client.Get(ctx, requestID, voice, "")
					if time.Since(began) > time.Hour {
						t.Fatal("it was never stopped")
					}
				}
				if waited := time.Since(began); waited != time.Minute+500*time.Millisecond {
					t.Errorf("it ended after %v", waited)
				}
				if !errors.Is(err, newer) {
					t.Errorf("%v does not tell why", err)
				}
			})
		})
	}
}
