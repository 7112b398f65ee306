package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// steer calls the control API as a program on the same machine would.
func steer(t *testing.T, s *simulator.Simulator, method, path, body string, change ...func(*http.Request)) reply {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:9000"+path, strings.NewReader(body))
	request.RemoteAddr = "127.0.0.1:50000"
	request.Header.Set("Content-Type", "application/json")
	for _, change := range change {
		change(request)
	}
	recorder := httptest.NewRecorder()
	s.Control().ServeHTTP(recorder, request)
	text, err := io.ReadAll(recorder.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{status: recorder.Code, header: recorder.Result().Header, body: text}
}

func TestControlEditsByHand(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	for _, step := range []struct {
		method, body string
		status       int
		then         string
	}{
		{"GET", "", 404, ""},
		{"PATCH", `{"a":1}`, 404, ""},
		{"PUT", `{"a":1,"b":{"c":2}`, 400, ""},
		{"PUT", `{"a":1,"b":{"c":2,"d":3},"version":99}`, 200, `{"a":1,"b":{"c":2,"d":3}}`},
		{"GET", "", 200, `{"a":1,"b":{"c":2,"d":3}}`},
		{"PATCH", `{"b":{"c":null,"n":12345678901234567890}}`, 200, `{"a":1,"b":{"d":3,"n":12345678901234567890}}`},
		{"PATCH", `[]`, 400, `{"a":1,"b":{"d":3,"n":12345678901234567890}}`},
		{"DELETE", "", 204, ""},
		{"DELETE", "", 204, ""},
	} {
		got := steer(t, s, step.method, "/_sim/configurations/dsk-a", step.body)
		if got.status != step.status {
			t.Errorf("%s %s: status %d, want %d: %s", step.method, step.body, got.status, step.status, got.body)
		}
		now, _ := s.Configuration("dsk-a")
		if diff := cmp.Diff(step.then, now.Document.String()); diff != "" {
			t.Errorf("after %s %s (-want +got):\n%s", step.method, step.body, diff)
		}
		if step.status == http.StatusOK && (got.header.Get("ETag") != string(now.ETag) || !strings.Contains(string(got.body), `"updatedBy":"admin@cxone"`)) {
			t.Errorf("%s %s: not the edit by hand: %s %s", step.method, step.body, got.header.Get("ETag"), got.body)
		}
	}
}

func TestControlInjectsFaults(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	for _, body := range []string{``, `{"kind":"explode"}`, `{"kind":"dropped","often":true}`, `{"kind":"dropped"}{}`} {
		if got := steer(t, s, http.MethodPost, "/_sim/faults", body); got.status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", body, got.status)
		}
	}
	want := simulator.Fault{Kind: simulator.FaultSlow, Latency: 2 * time.Second, Next: 3}
	if got := steer(t, s, http.MethodPost, "/_sim/faults", `{"kind":"slow","latency":"2s","next":3}`); got.status != http.StatusCreated {
		t.Errorf("status %d, want 201: %s", got.status, got.body)
	}
	if diff := cmp.Diff([]simulator.Fault{want}, s.Faults()); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	var shown struct{ Faults []simulator.Fault }
	if err := json.Unmarshal(steer(t, s, http.MethodGet, "/_sim/faults", "").body, &shown); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Faults(), shown.Faults); diff != "" {
		t.Errorf("shown faults (-want +got):\n%s", diff)
	}
	steer(t, s, http.MethodDelete, "/_sim/faults", "")
	if left := s.Faults(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestControlShowsTraffic(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	c.call(t, http.MethodPut, "/x", http.Header{"If-None-Match": {"*"}}, `{}`)
	c.call(t, http.MethodPut, "/x", nil, `{}`)

	var counts simulator.Counts
	if err := json.Unmarshal(steer(t, s, http.MethodGet, "/_sim/counts", "").body, &counts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Counts(), counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if counts.Get(http.MethodPut, 201) != 1 || counts.Get(http.MethodPut, 428) != 1 || counts.Method(http.MethodPut) != 2 || counts.Total() != 3 || counts.Tokens != 1 {
		t.Errorf("counts: %+v", counts)
	}
	requests := string(steer(t, s, http.MethodGet, "/_sim/requests", "").body)
	for _, want := range []string{`"method":"PUT"`, `"id":"x"`, `"ifNoneMatch":"*"`, `"status":201`, `"requestId":"contract-put"`, `"userAgent":"deskhand-contract"`} {
		if !strings.Contains(requests, want) {
			t.Errorf("the log lacks %s: %s", want, requests)
		}
	}
	for _, secret := range []string{clientSecret, c.bearer, "Bearer"} {
		if strings.Contains(requests, secret) {
			t.Error("the log holds credentials")
		}
	}
	if got := string(steer(t, s, http.MethodGet, "/_sim/violations", "").body); !strings.Contains(got, "neither If-Match nor If-None-Match") {
		t.Errorf("violations: %s", got)
	}
	steer(t, s, http.MethodDelete, "/_sim/counts", "")
	if total := s.Counts().Total(); total != 0 {
		t.Errorf("%d requests after the reset", total)
	}
}

func TestControlSetsThePace(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	for _, body := range []string{`{"latency":"soon"}`, `{"latency":"-1s"}`, `{"rateLimit":-1}`, `{"rate":5}`} {
		if got := steer(t, s, http.MethodPut, "/_sim/pace", body); got.status != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", body, got.status)
		}
	}
	got := steer(t, s, http.MethodPut, "/_sim/pace", `{"latency":"1ms","rateLimit":5}`)
	if diff := cmp.Diff(`{"latency":"1ms","rateLimit":5}`, string(got.body)); got.status != http.StatusOK || diff != "" {
		t.Errorf("status %d (-want +got):\n%s", got.status, diff)
	}
}

func TestControlIsForThisMachine(t *testing.T) {
	t.Parallel()
	fromElsewhere := func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1234" }
	withToken := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
	}
	for _, test := range []struct {
		name    string
		options simulator.Options
		change  []func(*http.Request)
		status  int
	}{
		{"here", simulator.Options{}, nil, 200},
		{"here by IPv6", simulator.Options{}, []func(*http.Request){func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:1", "[::1]:9000" }}, 200},
		{"elsewhere", simulator.Options{}, []func(*http.Request){fromElsewhere}, 403},
		{"elsewhere with no token set", simulator.Options{}, []func(*http.Request){fromElsewhere, withToken("")}, 403},
		{"elsewhere with the token", simulator.Options{ControlToken: "steer"}, []func(*http.Request){fromElsewhere, withToken("steer")}, 200},
		{"elsewhere with another token", simulator.Options{ControlToken: "steer"}, []func(*http.Request){fromElsewhere, withToken("other")}, 403},
		{"a web page's host name", simulator.Options{}, []func(*http.Request){func(r *http.Request) { r.Host = "rebound.example.com" }}, 403},
	} {
		s := newSimulator(t, test.options)
		if got := steer(t, s, http.MethodGet, "/_sim/counts", "", test.change...); got.status != test.status {
			t.Errorf("%s: status %d, want %d", test.name, got.status, test.status)
		}
	}
	s := newSimulator(t, simulator.Options{})
	form := func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }
	if got := steer(t, s, http.MethodPost, "/_sim/faults", `{"kind":"dropped"}`, form); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("what a web page's form may send: status %d, want 415", got.status)
	}
}

// The page for those who use the simulator names every fault, and its examples
// of faults are valid.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range simulator.FaultKinds() {
		if !strings.Contains(string(text), "`"+string(kind)+"`") {
			t.Errorf("docs/simulator.md doesn't explain %s", kind)
		}
	}
	examples := regexp.MustCompile(`\{"kind":[^\n']*\}`).FindAll(text, -1)
	if len(examples) < 5 {
		t.Errorf("only %d examples of faults found", len(examples))
	}
	for _, example := range examples {
		if _, err := simulator.ParseFault(example); err != nil {
			t.Errorf("%s: %v", example, err)
		}
	}
}
