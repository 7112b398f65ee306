package simulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/cxone/simulator"
)

const faultID = "dsk-fault"

// fields are what the configuration holds before each fault.
func fields() map[string]any { return map[string]any{"theme": "plain", "note": "kept"} }

func TestFaults(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, c *tenant) (reply, error) {
		t.Helper()
		return c.try(t.Context(), http.MethodGet, "/"+faultID, nil, "")
	}
	put := func(t *testing.T, c *tenant) (reply, error) {
		t.Helper()
		return c.try(t.Context(), http.MethodPut, "/"+faultID, http.Header{"If-Match": {c.lastETag}}, `{"theme":"dark"}`)
	}
	list := func(t *testing.T, c *tenant) (reply, error) {
		t.Helper()
		return c.try(t.Context(), http.MethodGet, "", nil, "")
	}
	const stored, untouched, edited = `{"theme":"dark"}`, `{"note":"kept","theme":"plain"}`, `{"note":"by hand","theme":"plain"}`
	tests := []struct {
		name   string
		fault  simulator.Fault
		do     func(*testing.T, *tenant) (reply, error)
		status int    // 0: an error
		then   string // what the tenant holds, "" for nothing
		check  func(*testing.T, reply)
	}{
		{name: "429 in seconds", fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "7"}, do: put, status: 429, then: untouched,
			check: hasHeader("Retry-After", "7")},
		{name: "429 by date", fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 429, RetryAfter: "+90s"}, do: get, status: 429, then: untouched,
			check: func(t *testing.T, got reply) {
				t.Helper()
				if _, err := http.ParseTime(got.header.Get("Retry-After")); err != nil {
					t.Error(err)
				}
			}},
		{name: "500 instead", fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 500}, do: put, status: 500, then: untouched},
		{name: "502 afterwards", fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 502, Applied: true}, do: put, status: 502, then: stored},
		{name: "lost answer", fault: simulator.Fault{Kind: simulator.FaultLostAnswer}, do: put, then: stored},
		{name: "dropped", fault: simulator.Fault{Kind: simulator.FaultDropped}, do: put, then: untouched},
		{name: "truncated", fault: simulator.Fault{Kind: simulator.FaultTruncatedBody}, do: put, then: stored},
		{name: "endless", fault: simulator.Fault{Kind: simulator.FaultEndlessBody}, do: get, status: 200, then: untouched, check: readToTheBound},
		{name: "gzip bomb", fault: simulator.Fault{Kind: simulator.FaultGzipBomb}, do: get, status: 200, then: untouched, check: readToTheBound},
		{name: "oversized", fault: simulator.Fault{Kind: simulator.FaultOversizedBody}, do: get, status: 200, then: untouched,
			check: func(t *testing.T, got reply) {
				t.Helper()
				if len(got.body) <= 4<<20 || !json.Valid(got.body) {
					t.Errorf("want valid JSON of more than 4 MiB, got %d bytes", len(got.body))
				}
			}},
		{name: "slow", fault: simulator.Fault{Kind: simulator.FaultSlow, Latency: time.Millisecond}, do: put, status: 200, then: stored},
		{name: "HTML", fault: simulator.Fault{Kind: simulator.FaultHTML}, do: put, status: 200, then: untouched,
			check: hasHeader("Content-Type", "text/html; charset=utf-8")},
		{name: "redirect", fault: simulator.Fault{Kind: simulator.FaultRedirect}, do: get, status: 307, then: untouched,
			check: hasHeader("Location", "https://elsewhere.invalid/api/v2/desktop/configurations/"+faultID)},
		{name: "no ETag", fault: simulator.Fault{Kind: simulator.FaultNoETag}, do: get, status: 200, then: untouched, check: hasHeader("ETag", "")},
		{name: "weak ETag", fault: simulator.Fault{Kind: simulator.FaultWeakETag}, do: get, status: 200, then: untouched,
			check: func(t *testing.T, got reply) {
				t.Helper()
				if tag := got.header.Get("ETag"); !strings.HasPrefix(tag, `W/"`) {
					t.Errorf("ETag %s, want a weak one", tag)
				}
			}},
		{name: "new ETag", fault: simulator.Fault{Kind: simulator.FaultNewETag}, do: put, status: 412, then: untouched},
		{name: "token expired", fault: simulator.Fault{Kind: simulator.FaultTokenExpired}, do: put, status: 401, then: untouched},
		{name: "no list", fault: simulator.Fault{Kind: simulator.FaultListUnsupported, Status: 501}, do: list, status: 501, then: untouched},
		{name: "list without ETags", fault: simulator.Fault{Kind: simulator.FaultListWithoutETags}, do: list, status: 200, then: untouched,
			check: func(t *testing.T, got reply) {
				t.Helper()
				if strings.Contains(string(got.body), `"etag"`) {
					t.Errorf("there is an ETag in %s", got.body)
				}
			}},
		{name: "edited just before", fault: simulator.Fault{Kind: simulator.FaultEditBefore, Fields: map[string]any{"note": "by hand"}}, do: put, status: 412, then: edited},
		{name: "edited by a program", fault: simulator.Fault{Kind: simulator.FaultEditBefore, Edit: func(f map[string]any) { f["note"] = "by hand" }}, do: put, status: 412, then: edited},
		{name: "removed just before", fault: simulator.Fault{Kind: simulator.FaultRemoveBefore}, do: put, status: 412},
		{name: "normalised", fault: simulator.Fault{Kind: simulator.FaultNormalise, Fields: map[string]any{"theme": "DARK"}}, do: put, status: 200, then: `{"theme":"DARK"}`,
			check: func(t *testing.T, got reply) {
				t.Helper()
				if !strings.Contains(string(got.body), "DARK") {
					t.Errorf("the answer shows %s, not what is stored", got.body)
				}
			}},
	}

	var tested []simulator.FaultKind
	for _, test := range tests {
		tested = append(tested, test.fault.Kind)
		for _, socket := range []bool{false, true} {
			t.Run(test.name+map[bool]string{false: " in memory", true: " over a socket"}[socket], func(t *testing.T) {
				t.Parallel()
				s := newSimulator(t, simulator.Options{})
				c := client(t, s, socket)
				s.Put(faultID, fields())
				before, _ := s.Configuration(faultID)
				c.lastETag = string(before.ETag)
				once := test.fault
				once.Next = 1
				s.Inject(once)

				got, err := test.do(t, c)
				switch {
				case test.status == 0 && err == nil:
					t.Errorf("want an error, got status %d", got.status)
				case test.status != 0 && (err != nil || got.status != test.status):
					t.Errorf("status %d, %v; want %d", got.status, err, test.status)
				case test.check != nil:
					test.check(t, got)
				}
				after, _ := s.Configuration(faultID)
				if diff := cmp.Diff(test.then, after.Document.String()); diff != "" {
					t.Errorf("the tenant holds (-want +got):\n%s", diff)
				}
				if left := s.Faults(); len(left) != 0 {
					t.Errorf("the fault is left: %+v", left)
				}
				if log := s.Requests(); len(log) == 0 || !slices.Equal(log[len(log)-1].Faults, []simulator.FaultKind{test.fault.Kind}) {
					t.Errorf("the log doesn't name the fault: %+v", log)
				}
				if violations := s.Violations(); len(violations) != 0 {
					t.Error(violations)
				}
			})
		}
	}
	for _, kind := range simulator.FaultKinds() {
		if !slices.Contains(tested, kind) {
			t.Errorf("the fault %s has no test", kind)
		}
	}
}

// client reaches the simulator with a token and follows no redirects.
func client(t testing.TB, s *simulator.Simulator, socket bool) *tenant {
	t.Helper()
	httpClient, baseURL := &http.Client{Transport: s.RoundTripper()}, "http://cxone.test"
	if socket {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		httpClient, baseURL = server.Client(), server.URL
	}
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := simulated(httpClient, baseURL)
	c.bearer = c.token(t)
	return c
}

func hasHeader(name, want string) func(*testing.T, reply) {
	return func(t *testing.T, got reply) {
		t.Helper()
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
}

func readToTheBound(t *testing.T, got reply) {
	t.Helper()
	if len(got.body) != maxRead {
		t.Errorf("the body ended after %d bytes", len(got.body))
	}
}

// Where there are no strong ETags, a write can't name a state: it is accepted
// without, and is no violation.
func TestWritesWithoutStrongETags(t *testing.T) {
	t.Parallel()
	for _, kind := range []simulator.FaultKind{simulator.FaultNoETag, simulator.FaultWeakETag} {
		s := newSimulator(t, simulator.Options{})
		c := client(t, s, false)
		s.Inject(simulator.Fault{Kind: kind})
		if got := c.call(t, http.MethodPut, "/x", nil, `{}`); got.status != http.StatusCreated {
			t.Errorf("%s: status %d, want 201", kind, got.status)
		}
		if violations := s.Violations(); len(violations) != 0 {
			t.Errorf("%s: %q", kind, violations)
		}
		s.ClearFaults()
		if got := c.call(t, http.MethodPut, "/x", nil, `{}`); got.status != http.StatusPreconditionRequired {
			t.Errorf("without %s: status %d, want 428", kind, got.status)
		}
	}
}

func TestFaultsChooseTheirRequests(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 503, Method: "get", ID: "dsk-*", Next: 2})
	s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 500, Target: simulator.TargetToken, Next: 1})

	wantStatuses(t, c, http.MethodGet, "/other", 404)
	wantStatuses(t, c, http.MethodDelete, "/dsk-a", 404)
	wantStatuses(t, c, http.MethodGet, "", 200)
	wantStatuses(t, c, http.MethodGet, "/dsk-a", 503, 503, 404)
	if got := c.askToken(t, clientSecret); got.status != http.StatusInternalServerError {
		t.Errorf("token: status %d, want 500", got.status)
	}
	if got := c.askToken(t, clientSecret); got.status != http.StatusOK {
		t.Errorf("token: status %d, want 200", got.status)
	}
}

func wantStatuses(t *testing.T, c *tenant, method, path string, statuses ...int) {
	t.Helper()
	for i, want := range statuses {
		if got := c.call(t, method, path, nil, ""); got.status != want {
			t.Errorf("%s %s, call %d: status %d, want %d", method, path, i+1, got.status, want)
		}
	}
}

// Equal seeds make equal sequences, near the probability asked for.
func TestFaultProbability(t *testing.T) {
	t.Parallel()
	sequence := func(seed uint64) []int {
		s := newSimulator(t, simulator.Options{})
		c := client(t, s, false)
		s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 503, Probability: 0.25, Seed: seed})
		var statuses []int
		for range 200 {
			statuses = append(statuses, c.call(t, http.MethodGet, "/x", nil, "").status)
		}
		return statuses
	}
	one, again, other := sequence(1), sequence(1), sequence(2)
	if !slices.Equal(one, again) {
		t.Error("one seed made two sequences")
	}
	if slices.Equal(one, other) {
		t.Error("two seeds made one sequence")
	}
	failures := 0
	for _, status := range one {
		if status == http.StatusServiceUnavailable {
			failures++
		}
	}
	if failures < 30 || failures > 70 {
		t.Errorf("%d of 200 failed, want about 50", failures)
	}
}

func TestRetryAfterDates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	s := newSimulator(t, simulator.Options{Now: func() time.Time { return now }})
	c := client(t, s, false)
	for given, want := range map[string]string{
		"+2s":                           "Sun, 22 Nov 2026 06:00:02 GMT",
		"-1h":                           "Sun, 22 Nov 2026 05:00:00 GMT",
		"3":                             "3",
		"Sun, 22 Nov 2026 07:00:00 GMT": "Sun, 22 Nov 2026 07:00:00 GMT",
		"-nonsense":                     "-nonsense",
	} {
		s.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: 503, RetryAfter: given, Next: 1})
		hasHeader("Retry-After", want)(t, c.call(t, http.MethodGet, "/x", nil, ""))
	}
}

// A client that gives up on a slow write has still written.
func TestSlowWriteIsApplied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, simulator.Options{Latency: 20 * time.Millisecond})
		c := client(t, s, false)
		s.Inject(simulator.Fault{Kind: simulator.FaultSlow, Latency: time.Minute, Next: 1})
		started := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := c.try(ctx, http.MethodPut, "/slow", http.Header{"If-None-Match": {"*"}}, `{}`); err == nil {
			t.Error("want a timeout")
		}
		if elapsed := time.Since(started); elapsed != 5*time.Second {
			t.Errorf("gave up after %s, want 5s", elapsed)
		}
		synctest.Wait()
		if _, exists := s.Configuration("slow"); !exists {
			t.Error("the write was not applied")
		}
		if n := s.Counts().Get(http.MethodPut, 0); n != 1 {
			t.Errorf("%d broken PUTs counted, want 1", n)
		}
	})
}

func TestFaultJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `null`, `{}`, `[]`, `{"kind":"explode"}`, `{"kind":"dropped","unknown":1}`, `{"kind":"dropped"} {}`,
		`{"kind":"status"}`, `{"kind":"status","status":200}`, `{"kind":"slow"}`, `{"kind":"slow","latency":"soon"}`, `{"kind":"slow","latency":5}`,
		`{"kind":"dropped","probability":2}`, `{"kind":"dropped","next":-1}`, `{"kind":"dropped","id":"["}`, `{"kind":"normalise"}`,
		`{"kind":"edit-before","target":"token"}`, `{"kind":"list-unsupported","status":500}`, `{"kind":"redirect","location":"http://%"}`,
	} {
		if fault, err := simulator.ParseFault([]byte(text)); err == nil {
			t.Errorf("%s was taken as %+v", text, fault)
		}
	}

	want := simulator.Fault{
		Kind: simulator.FaultStatus, Method: http.MethodPut, Target: simulator.TargetConfiguration, ID: "dsk-*", Next: 3, Probability: 0.5, Seed: 7,
		Status: 503, Applied: true, RetryAfter: "+2s", Latency: 1500 * time.Millisecond, Location: "https://a.test", Fields: map[string]any{"a": "b"},
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := simulator.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("through JSON (-want +got):\n%s", diff)
	}
}

func FuzzParseFault(f *testing.F) {
	f.Add([]byte(`{"kind":"slow","latency":"2s","id":"dsk-*"}`))
	f.Add([]byte(`{"kind":"edit-before","fields":{"a":[1,2.5e3,null]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			return
		}
		written, err := json.Marshal(fault)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := simulator.ParseFault(written); err != nil {
			t.Fatalf("%s was written as %s: %v", text, written, err)
		}
	})
}
