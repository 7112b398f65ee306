package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/deskhand/deskhand"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type daemon struct {
	status deskhand.Status
	ready  error
}

func (d daemon) Status(context.Context) deskhand.Status { return d.status }
func (d daemon) Ready() error                           { return d.ready }

func live() daemon {
	since := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	return daemon{status: deskhand.Status{Tenants: []deskhand.TenantStatus{
		{Name: "acme", LastApplied: "main@sha1:4f0c", LastAttempted: "main@sha1:77aa", Desktops: []deskhand.DesktopStatus{
			{ConfigID: "dsk-a", File: "desktops/standard/a.yaml", Tier: deskhand.TierStandard, State: deskhand.StateInSync, ETag: `"1"`, Since: since},
			{ConfigID: "dsk-b", File: "desktops/standard/b.yaml", Tier: deskhand.TierStandard, State: deskhand.StateFailed, Since: since, Error: "CXone forbids this call"},
		}},
		{Name: "globex"},
	}}}
}

func get(t *testing.T, handler http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return recorder
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	waiting := live()
	waiting.ready = errors.New("tenant globex has not had its first full reconcile")
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { write(w, []byte("up 1\n")) })
	dead := func() error { return errors.New("the loop of acme ended") }

	for name, test := range map[string]struct {
		options        Options
		method, target string
		code           int
		body           string
	}{
		"healthy":         {Options{Daemon: waiting}, "GET", "/healthz", 200, `"ok": true`},
		"dead":            {Options{Daemon: live(), Live: dead}, "GET", "/healthz", 503, "the loop of acme ended"},
		"ready":           {Options{Daemon: live()}, "GET", "/readyz", 200, `"ok": true`},
		"not ready":       {Options{Daemon: waiting}, "GET", "/readyz", 503, "tenant globex has not"},
		"metrics":         {Options{Daemon: live(), Metrics: metrics}, "GET", "/metrics", 200, "up 1"},
		"no metrics":      {Options{Daemon: live()}, "GET", "/metrics", 404, ""},
		"unknown path":    {Options{Daemon: live()}, "GET", "/admin", 404, ""},
		"path traversal":  {Options{Daemon: live()}, "GET", "/x/..%2fhealthz", 404, ""},
		"post":            {Options{Daemon: live()}, "POST", "/api/v1/status", 405, ""},
		"delete the page": {Options{Daemon: live()}, "DELETE", "/", 405, ""},
		"unknown tenant":  {Options{Daemon: live()}, "GET", "/api/v1/status?tenant=acme&tenant=no%0Ane", 404, `there is no tenant \"no\\nne\"`},
		"style":           {Options{Daemon: live()}, "GET", "/style.css", 200, "body"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, Handler(test.options), test.method, test.target)
			if got.Code != test.code || !strings.Contains(got.Body.String(), test.body) {
				t.Errorf("answer = %d %s, want %d with %q", got.Code, got.Body, test.code, test.body)
			}
			for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options"} {
				if got.Header().Get(header) == "" {
					t.Errorf("there is no %s", header)
				}
			}
			if test.code == 405 && !strings.Contains(got.Header().Get("Allow"), "GET") {
				t.Errorf("Allow = %q", got.Header().Get("Allow"))
			}
		})
	}
}

func TestStatusIsTheStatus(t *testing.T) {
	t.Parallel()
	want := live().status
	want.Tenants[1].Desktops = []deskhand.DesktopStatus{}
	for target, want := range map[string]deskhand.Status{
		"/api/v1/status":                           want,
		"/api/v1/status?tenant=acme":               {Tenants: want.Tenants[:1]},
		"/api/v1/status?tenant=globex":             {Tenants: want.Tenants[1:]},
		"/api/v1/status?tenant=globex&tenant=acme": want,
	} {
		answer := get(t, Handler(Options{Daemon: live()}), "GET", target)
		if got := answer.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type = %q", got)
		}
		var got deskhand.Status
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", target, diff)
		}
	}
}

func TestStatusOfNothingHasLists(t *testing.T) {
	t.Parallel()
	if got := get(t, Handler(Options{Daemon: daemon{}}), "GET", "/api/v1/status").Body.String(); strings.Contains(got, "null") {
		t.Errorf("status = %s", got)
	}
}

func TestPageShowsWhatIsLive(t *testing.T) {
	t.Parallel()
	page := get(t, Handler(Options{Daemon: live(), Version: "1.2.3"}), "GET", "/").Body.String()
	for _, want := range []string{
		`<html lang="en">`, `<h2 id="tenant-acme">acme</h2>`, `<code>main@sha1:4f0c</code>`, "2 desktops by state",
		`<th scope="row">in-sync</th><td>1</td>`, `<th scope="row">dsk-b</th><td>failed</td>`,
		`<time datetime="2026-11-22T09:30:00Z">22 November 2026, 09:30 UTC</time>`, "CXone forbids this call", "nothing yet", "deskhand 1.2.3",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "dsk-a") {
		t.Error("the page lists a desktop that is in sync")
	}
}

func TestPageEscapes(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script>`
	hostile := daemon{
		ready: errors.New(attack),
		status: deskhand.Status{Tenants: []deskhand.TenantStatus{{
			Name: attack, LastApplied: attack, Error: attack,
			Desktops: []deskhand.DesktopStatus{{ConfigID: attack, File: attack, State: attack, Error: attack}},
		}}},
	}
	if page := get(t, Handler(Options{Daemon: hostile, Version: attack}), "GET", "/").Body.String(); strings.Contains(page, "<script") {
		t.Errorf("the page has a script:\n%s", page)
	}
}

func TestPageIsBounded(t *testing.T) {
	t.Parallel()
	tenant := deskhand.TenantStatus{Name: "acme"}
	for i := range 10_000 {
		tenant.Desktops = append(tenant.Desktops, deskhand.DesktopStatus{ConfigID: fmt.Sprint("dsk-", i), State: deskhand.StateDrifted})
	}
	page := get(t, Handler(Options{Daemon: daemon{status: deskhand.Status{Tenants: []deskhand.TenantStatus{tenant}}}}), "GET", "/").Body.String()
	if !strings.Contains(page, "And 9900 more") || len(page) > 64<<10 {
		t.Errorf("the page has %d bytes", len(page))
	}
}
