package cxone_test

import (
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deskhand/deskhand/cxone"
	"github.com/deskhand/deskhand/cxone/simulator"
)

func TestRetryAfterHoldsTheTenant(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		retryAfter  string
		least, most time.Duration
	}{
		"seconds":           {"10", 10 * time.Second, 12 * time.Second},
		"a date":            {"+10s", 9 * time.Second, 12 * time.Second},
		"a date in past":    {"-1h", 0, 2 * time.Second},
		"longer than a day": {"100000", 5 * time.Minute, 5*time.Minute + 2*time.Second},
		"illegible":         {"soon", time.Second, 3 * time.Second},
		"none":              {"", time.Second, 3 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTenant(t)
				s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: test.retryAfter, Next: 1})
				began := time.Now()
				if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < test.least || took > test.most {
					t.Errorf("it went on after %v, want %v to %v", took, test.least, test.most)
				}
			})
		})
	}
}

func TestOneRefusalHoldsAllCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t)
		began := time.Now()
		var mu sync.Mutex
		var early int
		refused := false
		s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if request.Method != http.MethodGet {
				return next.RoundTrip(request)
			}
			if !refused {
				refused = true
				return response(request, 429, `{}`, "Retry-After", "30"), nil
			}
			if time.Since(began) < 30*time.Second {
				early++
			}
			return next.RoundTrip(request)
		}
		if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
			t.Fatal(err)
		}
		var readers sync.WaitGroup
		for range 10 {
			readers.Go(func() {
				if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		equal(t, "requests during the pause", early, 0)
	})
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"draft 3":   {"RateLimit-Remaining", "0", "RateLimit-Reset", "20"},
		"draft 7":   {"RateLimit", "limit=100, remaining=0, reset=20"},
		"draft 8":   {"RateLimit", `"default";r=0;t=20`},
		"X-":        {"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "20"},
		"Unix time": {"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", strconv.FormatInt(time.Date(2000, 1, 1, 0, 0, 20, 0, time.UTC).Unix(), 10)},
	}
	for name, headers := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // where it is midnight of 2000-01-01
				s := newTenant(t)
				s.wire.intercept = func(request *http.Request, next http.RoundTripper) (*http.Response, error) {
					if request.Method == http.MethodGet {
						return response(request, 200, `{}`, append(headers, "ETag", `"1"`)...), nil
					}
					return next.RoundTrip(request)
				}
				began := time.Now()
				for range 2 {
					if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took < 20*time.Second || took > 22*time.Second {
					t.Errorf("the second call went out after %v, want 20 s", took)
				}
			})
		})
	}
}

// At the server's own limit there is hardly a refusal, and little time is lost.
func TestPace(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ceiling float64
		refused int     // at most
		slower  float64 // than the limit allows, at most
	}{
		"ceiling at the limit":    {ceiling: 200, refused: 0, slower: 1.1},
		"ceiling above the limit": {ceiling: 1000, refused: 60, slower: 2},
		"no ceiling":              {refused: 60, slower: 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const requests, limit = 2000, 200
				s := tenantOf(t, simulator.Options{Latency: 20 * time.Millisecond, RateLimit: limit},
					func(o *cxone.Options) { o.RequestsPerSecond, o.MaxAttempts = test.ceiling, 20 })
				work := make(chan int)
				began := time.Now()
				var workers sync.WaitGroup
				for range 10 {
					workers.Go(func() {
						for range work {
							if _, _, err := s.client.Get(t.Context(), "", voice, ""); err != nil {
								t.Error(err)
							}
						}
					})
				}
				for i := range requests {
					work <- i
				}
				close(work)
				workers.Wait()
				if refused := s.Counts().Get(http.MethodGet, 429); refused > test.refused {
					t.Errorf("%d refusals, want at most %d", refused, test.refused)
				}
				if ratio := time.Since(began).Seconds() / (requests / limit); ratio > test.slower {
					t.Errorf("it took %.2f times what the limit allows, want at most %.2f", ratio, test.slower)
				}
			})
		})
	}
}
