package simulator_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/cxone/simulator"
)

// The contract runs against a real tenant with
//
//	CXONE_CLIENT_ID=… CXONE_CLIENT_SECRET=… go test ./cxone/simulator -run 'TestContract$' \
//	    -live https://acme.api.nicecxone.com -live-token-url https://…/oauth2/token
//
// It touches one configuration only, under an id that nothing else uses.
var (
	live         = flag.String("live", "", "base URL of the tenant to run the contract against, instead of the simulator")
	liveTokenURL = flag.String("live-token-url", "", "token URL of that tenant (default: its base URL and /oauth2/token)")
)

const (
	clientID     = "contract-client"
	clientSecret = "contract-secret:/+ü"
)

func TestContract(t *testing.T) {
	t.Parallel()
	if *live != "" {
		runContract(t, liveTenant(t))
		return
	}
	s := newSimulator(t, simulator.Options{})
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	runContract(t, simulated(server.Client(), server.URL))
	checkOnlyProvokedViolations(t, s)
}

// The same contract holds without sockets.
func TestContractInMemory(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	runContract(t, simulated(&http.Client{Transport: s.RoundTripper()}, "http://cxone.test"))
	checkOnlyProvokedViolations(t, s)
}

// A step is one request and what has to come of it. The steps build on each other.
type step struct {
	name     string
	method   string
	header   func(*tenant) http.Header
	body     string
	statuses []int // any of these
	check    func(*testing.T, *tenant, reply)
	// strict steps are about what real tenants may do otherwise.
	strict bool
}

const (
	first  = `{"layout":{"gridColumns":12},"theme":{"accent":"#0b57d0"}}`
	second = `{"layout":{"gridColumns":8},"theme":{"accent":"#0b57d0"}}`
)

func runContract(t *testing.T, c *tenant) {
	t.Helper()
	checkWrongSecret(t, c)
	c.bearer = c.token(t)
	t.Cleanup(func() { c.cleanUp(t) })

	ifMatchLast := func(c *tenant) http.Header { return http.Header{"If-Match": {c.lastETag}} }
	ifNoneMatchLast := func(c *tenant) http.Header { return http.Header{"If-None-Match": {c.lastETag}} }
	with := func(name, value string) func(*tenant) http.Header {
		return func(*tenant) http.Header { return http.Header{name: {value}} }
	}
	refused := []int{http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired}
	steps := []step{
		{name: "no token", method: "GET", header: with("Authorization", ""), statuses: []int{401}, check: jsonError},
		{name: "unknown token", method: "GET", header: with("Authorization", "Bearer nonsense"), statuses: []int{401}, check: jsonError},
		{name: "nothing there", method: "GET", statuses: []int{404}, check: jsonError},
		{name: "delete nothing", method: "DELETE", header: with("If-Match", `"1-00000000"`), statuses: []int{404, 412}, check: jsonError},
		{name: "update nothing", method: "PUT", header: with("If-Match", `"1-00000000"`), body: first, statuses: []int{404, 409, 412}, check: jsonError},
		{name: "no precondition", method: "PUT", body: first, statuses: []int{428}, check: jsonError, strict: true},
		{name: "any state", method: "PUT", header: with("If-Match", "*"), body: first, statuses: []int{428}, check: jsonError, strict: true},
		{name: "a method that is not offered", method: "POST", body: first, statuses: []int{405}, check: jsonError, strict: true},
		{name: "not JSON", method: "PUT", header: with("If-None-Match", "*"), body: `{"layout":`, statuses: []int{400, 422}, check: jsonError},
		{name: "no object", method: "PUT", header: with("If-None-Match", "*"), body: `[]`, statuses: []int{400, 422}, check: jsonError},
		{name: "another's id", method: "PUT", header: with("If-None-Match", "*"), body: `{"id":"other"}`, statuses: []int{422}, check: jsonError, strict: true},

		{name: "create", method: "PUT", header: with("If-None-Match", "*"), body: first, statuses: []int{200, 201}, check: keep(first)},
		{name: "create again", method: "PUT", header: with("If-None-Match", "*"), body: second, statuses: refused, check: jsonError},
		{name: "read", method: "GET", statuses: []int{200}, check: unchanged(first)},
		{name: "read what is known", method: "GET", header: ifNoneMatchLast, statuses: []int{304}, check: empty},
		{name: "read what was known", method: "GET", header: with("If-None-Match", `"0-ffffffff"`), statuses: []int{200}, check: unchanged(first)},
		{name: "update", method: "PUT", header: ifMatchLast, body: second, statuses: []int{200}, check: changed(second)},
		{name: "update under an old tag", method: "PUT", header: with("If-Match", `"0-ffffffff"`), body: first, statuses: refused, check: jsonError},
		{name: "update under a weak tag", method: "PUT",
			header: func(c *tenant) http.Header { return http.Header{"If-Match": {"W/" + c.lastETag}} },
			body:   first, statuses: refused, check: jsonError},
		{name: "still the update", method: "GET", statuses: []int{200}, check: unchanged(second)},
		{name: "delete under an old tag", method: "DELETE", header: with("If-Match", `"0-ffffffff"`), statuses: refused, check: jsonError},
		{name: "delete", method: "DELETE", header: ifMatchLast, statuses: []int{200, 204}},
		{name: "gone", method: "GET", statuses: []int{404}, check: jsonError},
		{name: "create anew", method: "PUT", header: with("If-None-Match", "*"), body: first, statuses: []int{200, 201}, check: keep(first)},
	}
	for _, step := range steps {
		if step.strict && !c.strict {
			continue
		}
		header := http.Header{}
		if step.header != nil {
			header = step.header(c)
		}
		got := c.call(t, step.method, "/"+url.PathEscape(c.configID), header, step.body)
		if !slices.Contains(step.statuses, got.status) {
			t.Fatalf("%s: status %d, want one of %v: %s", step.name, got.status, step.statuses, got.body)
		}
		if step.check != nil {
			step.check(t, c, got)
		}
		if t.Failed() {
			t.Fatalf("the contract is broken at: %s", step.name)
		}
	}
	checkList(t, c)
}

func checkWrongSecret(t *testing.T, c *tenant) {
	t.Helper()
	got := c.askToken(t, "not the secret")
	if got.status != http.StatusUnauthorized && got.status != http.StatusBadRequest {
		t.Fatalf("wrong secret: status %d, want 401 or 400", got.status)
	}
	var refusal struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(got.body, &refusal); err != nil || refusal.Error == "" {
		t.Fatalf("wrong secret: want an error as of RFC 6749 section 5.2, got %s", got.body)
	}
}

// checkList finds the configuration in the list, where the tenant has one.
func checkList(t *testing.T, c *tenant) {
	t.Helper()
	for skip := 0; ; skip += 100 {
		got := c.call(t, http.MethodGet, fmt.Sprintf("?skip=%d&top=100", skip), nil, "")
		if !c.strict && slices.Contains([]int{404, 405, 501}, got.status) {
			return
		}
		var page struct {
			Items []struct{ ID, ETag string }
		}
		if err := json.Unmarshal(got.body, &page); err != nil || got.status != http.StatusOK {
			t.Fatalf("list: status %d, %v", got.status, err)
		}
		for _, item := range page.Items {
			if item.ID == c.configID {
				if item.ETag != "" && item.ETag != c.lastETag {
					t.Fatalf("list: ETag %s, want %s", item.ETag, c.lastETag)
				}
				return
			}
		}
		if len(page.Items) == 0 {
			t.Fatalf("list: %s is not in it", c.configID)
		}
	}
}

// keep remembers the ETag of an answer that shows the document.
func keep(document string) func(*testing.T, *tenant, reply) {
	return func(t *testing.T, c *tenant, got reply) {
		t.Helper()
		shows(t, c, got, document)
		c.lastETag = got.header.Get("ETag")
		if c.lastETag == "" || strings.HasPrefix(c.lastETag, "W/") || !strings.HasPrefix(c.lastETag, `"`) {
			t.Errorf("want a strong ETag, got %q", c.lastETag)
		}
	}
}

func unchanged(document string) func(*testing.T, *tenant, reply) {
	return func(t *testing.T, c *tenant, got reply) {
		t.Helper()
		shows(t, c, got, document)
		if tag := got.header.Get("ETag"); tag != c.lastETag {
			t.Errorf("ETag %s, want %s still", tag, c.lastETag)
		}
	}
}

func changed(document string) func(*testing.T, *tenant, reply) {
	return func(t *testing.T, c *tenant, got reply) {
		t.Helper()
		before := c.lastETag
		keep(document)(t, c, got)
		if c.lastETag == before {
			t.Errorf("the ETag is still %s", before)
		}
	}
}

// shows checks that the body is JSON with the id and every field of the document.
func shows(t *testing.T, c *tenant, got reply, document string) {
	t.Helper()
	if contentType := got.header.Get("Content-Type"); !strings.HasPrefix(contentType, "application/json") {
		t.Errorf("Content-Type %q, want application/json", contentType)
	}
	var fields, want map[string]any
	if err := json.Unmarshal(got.body, &fields); err != nil {
		t.Fatalf("%v: %s", err, got.body)
	}
	if err := json.Unmarshal([]byte(document), &want); err != nil {
		t.Fatal(err)
	}
	want["id"] = c.configID
	for name, value := range want {
		if diff := cmp.Diff(value, fields[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func empty(t *testing.T, _ *tenant, got reply) {
	t.Helper()
	if len(got.body) != 0 {
		t.Errorf("want no body, got %d bytes", len(got.body))
	}
}

// jsonError checks that a refusal says why, as JSON.
func jsonError(t *testing.T, c *tenant, got reply) {
	t.Helper()
	var refusal struct {
		Error struct{ Code, Message, RequestID string }
	}
	if !json.Valid(got.body) {
		t.Errorf("want a JSON error, got %q", got.body)
	}
	if !c.strict {
		return
	}
	if err := json.Unmarshal(got.body, &refusal); err != nil {
		t.Fatal(err)
	}
	if e := refusal.Error; e.Code == "" || e.Message == "" || !strings.HasPrefix(e.RequestID, "contract-") {
		t.Errorf("want code, message and request id, got %+v", e)
	}
}

// The contract itself writes blindly to see that it is refused; nothing else may.
func checkOnlyProvokedViolations(t *testing.T, s *simulator.Simulator) {
	t.Helper()
	provoked := []string{
		"neither If-Match nor If-None-Match",
		"If-Match: * overwrites whatever is there",
		"If-Match with a weak ETag",
	}
	violations := s.Violations()
	if len(violations) != len(provoked) {
		t.Fatalf("violations: %q, want one of each of %q", violations, provoked)
	}
	for i, want := range provoked {
		if !strings.HasSuffix(violations[i], want) {
			t.Errorf("violation %q, want %q", violations[i], want)
		}
	}
}
