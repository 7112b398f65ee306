package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/deskhand/deskhand/cxone/simulator"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	good := simulator.Options{ClientID: "a", ClientSecret: "b"}
	for name, spoil := range map[string]func(*simulator.Options){
		"no id":               func(o *simulator.Options) { o.ClientID = "" },
		"no secret":           func(o *simulator.Options) { o.ClientSecret = "" },
		"half an access key":  func(o *simulator.Options) { o.AccessKeyID = "k" },
		"negative latency":    func(o *simulator.Options) { o.Latency = -1 },
		"negative rate":       func(o *simulator.Options) { o.RateLimit = -1 },
		"negative lifetime":   func(o *simulator.Options) { o.TokenLifetime = -1 },
		"state in no folder":  func(o *simulator.Options) { o.StateFile = filepath.Join(t.TempDir(), "none", "state.json") },
		"state is a folder":   func(o *simulator.Options) { o.StateFile = t.TempDir() },
		"state is no JSON":    func(o *simulator.Options) { o.StateFile = stateFile(t, `{`) },
		"state is incomplete": func(o *simulator.Options) { o.StateFile = stateFile(t, `{"configurations":[{"id":"a","version":1}]}`) },
		"state is unknown":    func(o *simulator.Options) { o.StateFile = stateFile(t, `{"desktops":[]}`) },
	} {
		options := good
		spoil(&options)
		if s, err := simulator.New(options); err == nil {
			t.Errorf("%s: want an error", name)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func stateFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What clients and people wrote is there again after a restart, under the same ETags.
func TestStateSurvivesRestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	options := simulator.Options{ClientID: clientID, ClientSecret: clientSecret, StateFile: path}
	before, err := simulator.New(options)
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, before, false)
	c.call(t, http.MethodPut, "/by-client", http.Header{"If-None-Match": {"*"}}, `{"n":12345678901234567890}`)
	before.Put("by-hand", map[string]any{"a": []any{"b"}})
	before.Put("removed", nil)
	before.Remove("removed")
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Errorf("close twice: %v", err)
	}

	after := newSimulator(t, simulator.Options{StateFile: path})
	if diff := cmp.Diff([]string{"by-client", "by-hand"}, after.IDs()); diff != "" {
		t.Fatalf("ids (-want +got):\n%s", diff)
	}
	for _, id := range after.IDs() {
		was, _ := before.Configuration(id)
		is, _ := after.Configuration(id)
		if was != is {
			t.Errorf("%s was %+v, is %+v", id, was, is)
		}
		rawBefore, _ := before.Raw(id)
		rawAfter, _ := after.Raw(id)
		if diff := cmp.Diff(string(rawBefore), string(rawAfter)); diff != "" {
			t.Errorf("%s (-before +after):\n%s", id, diff)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the state file only", entries, err)
	}
}

// A crash loses no more than the last moment.
func TestStateIsSavedSoon(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.json")
		s := newSimulator(t, simulator.Options{StateFile: path})
		s.Put("x", map[string]any{"saved": true})
		time.Sleep(time.Second) // fake time: the saver's delay passes at once
		synctest.Wait()
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), `"saved":true`) {
			t.Errorf("the state file holds %s, %v", text, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestHandEdits(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	s := newSimulator(t, simulator.Options{Now: func() time.Time { return now }})
	if err := s.Edit("dsk", func(map[string]any) {}); err == nil {
		t.Error("want an error for an edit of nothing")
	}
	s.Put("dsk", map[string]any{"theme": "plain", "version": 7})
	first, _ := s.Configuration("dsk")
	if err := s.Edit("dsk", func(fields map[string]any) { fields["theme"] = "dark" }); err != nil {
		t.Fatal(err)
	}
	if err := s.Edit("dsk", func(fields map[string]any) { fields["theme"] = t }); err == nil {
		t.Error("want an error for an edit that is not JSON")
	}
	second, _ := s.Configuration("dsk")
	if first.ETag == second.ETag || second.Document.String() != `{"theme":"dark"}` {
		t.Errorf("%+v became %+v", first, second)
	}
	raw, _ := s.Raw("dsk")
	if diff := cmp.Diff(`{"id":"dsk","version":2,"updatedAt":"2026-11-22T06:00:00Z","updatedBy":"admin@cxone","theme":"dark"}`, string(raw)); diff != "" {
		t.Errorf("raw (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(string(second.ETag), `"2-`) || len(second.ETag) != len(`"2-01234567"`) {
		t.Errorf(`ETag %s, want "<version>-<hash8>"`, second.ETag)
	}
	s.Remove("dsk")
	if gone, exists := s.Configuration("dsk"); exists || gone.Exists || gone.ETag != "" || !gone.Document.IsZero() {
		t.Errorf("removed, but %+v", gone)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	for i := range 250 {
		s.Put(fmt.Sprintf("dsk-%03d", i), map[string]any{"n": i, "etag": "a field of that name"})
	}
	for _, test := range []struct {
		query     string
		status    int
		from, to  int
		skip, top int
	}{
		{"", 200, 0, 100, 0, 100},
		{"?skip=100&top=100", 200, 100, 200, 100, 100},
		{"?skip=200", 200, 200, 250, 200, 100},
		{"?skip=250", 200, 250, 250, 250, 100},
		{"?skip=999999999999", 200, 250, 250, 999999999999, 100},
		{"?top=3", 200, 0, 3, 0, 3},
		{"?top=5000", 200, 0, 100, 0, 100},
		{"?skip=-1", 400, 0, 0, 0, 0},
		{"?top=many", 400, 0, 0, 0, 0},
	} {
		got := c.call(t, http.MethodGet, test.query, nil, "")
		if got.status != test.status {
			t.Errorf("%q: status %d, want %d", test.query, got.status, test.status)
		}
		if test.status != http.StatusOK {
			continue
		}
		var page struct {
			Items            []struct{ ID, ETag string }
			Total, Skip, Top int
		}
		if err := json.Unmarshal(got.body, &page); err != nil {
			t.Fatalf("%q: %v", test.query, err)
		}
		if page.Total != 250 || page.Skip != test.skip || page.Top != test.top || len(page.Items) != test.to-test.from {
			t.Errorf("%q: total %d, skip %d, top %d, %d items", test.query, page.Total, page.Skip, page.Top, len(page.Items))
		}
		for i, item := range page.Items {
			truth, _ := s.Configuration(item.ID)
			if want := fmt.Sprintf("dsk-%03d", test.from+i); item.ID != want || item.ETag != string(truth.ETag) {
				t.Errorf("%q: item %d is %+v, want %s %s", test.query, i, item, want, truth.ETag)
			}
		}
	}
	if lists := s.Counts().Lists; lists != 9 {
		t.Errorf("%d lists counted, want 9", lists)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, simulator.Options{
			Scopes: []string{"desktop:config:read"}, TokenLifetime: 10 * time.Minute, AccessKeyID: "key", AccessKeySecret: "key secret",
		})
		c := client(t, s, false)
		wantStatuses(t, c, http.MethodGet, "/x", 404)
		got := c.call(t, http.MethodPut, "/x", http.Header{"If-None-Match": {"*"}}, `{}`)
		if got.status != http.StatusForbidden || !strings.Contains(string(got.body), "desktop:config:write") {
			t.Errorf("without the scope: %d %s", got.status, got.body)
		}
		time.Sleep(10 * time.Minute)
		wantStatuses(t, c, http.MethodGet, "/x", 401)

		form := func(pairs ...string) url.Values {
			values := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"client_credentials"}}
			for i := 0; i < len(pairs); i += 2 {
				values.Set(pairs[i], pairs[i+1])
			}
			return values
		}
		for _, test := range []struct {
			form   url.Values
			status int
			want   string
		}{
			{form(), 200, `"expires_in":600,"scope":"desktop:config:read"`},
			{form("scope", "users:read"), 400, "invalid_scope"},
			{form("grant_type", "password", "username", "key", "password", "key secret"), 200, "access_token"},
			{form("grant_type", "password", "username", "key", "password", "wrong"), 400, "invalid_grant"},
			{form("grant_type", "implicit"), 400, "unsupported_grant_type"},
			{form("client_secret", "wrong"), 401, "invalid_client"},
		} {
			response, err := c.client.PostForm(c.tokenURL, test.form)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			if err := errors.Join(err, response.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.status || !strings.Contains(string(text), test.want) {
				t.Errorf("%v: %d %s, want %d with %s", test.form, response.StatusCode, text, test.status, test.want)
			}
		}
	})
}

func TestLatencyAndRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(t, simulator.Options{})
		c := client(t, s, false)
		if err := s.SetPace(20*time.Millisecond, 10); err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		var limited reply
		for range 30 { // 600 ms: 10 at once and 6 more in that time
			if got := c.call(t, http.MethodGet, "/x", nil, ""); got.status == http.StatusTooManyRequests {
				limited = got
			}
		}
		if elapsed := time.Since(started); elapsed != 600*time.Millisecond {
			t.Errorf("30 requests took %s, want 600ms", elapsed)
		}
		if served := s.Counts().Get(http.MethodGet, 404); served < 15 || served > 16 {
			t.Errorf("%d requests were served, want 15 or 16", served)
		}
		hasHeader("Retry-After", "1")(t, limited)
		hasHeader("RateLimit-Limit", "10")(t, limited)
		hasHeader("RateLimit-Remaining", "0")(t, limited)
		hasHeader("RateLimit-Reset", "1")(t, limited)
	})
}

// Of many who create, update and delete under the same ETag, exactly one does.
func TestPreconditionsAreAtomic(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	race := func(method string, header http.Header) {
		t.Helper()
		statuses := make([]int, 32)
		var group sync.WaitGroup
		for i := range statuses {
			group.Go(func() {
				if got, err := c.try(t.Context(), method, "/contended", header, `{}`); err == nil {
					statuses[i] = got.status
				}
			})
		}
		group.Wait()
		won := slices.DeleteFunc(statuses, func(status int) bool { return status >= 400 })
		if len(won) != 1 || won[0] == 0 {
			t.Errorf("%s %v: %v got through, want one", method, header, won)
		}
	}
	race(http.MethodPut, http.Header{"If-None-Match": {"*"}})
	created, _ := s.Configuration("contended")
	race(http.MethodPut, http.Header{"If-Match": {string(created.ETag)}})
	updated, _ := s.Configuration("contended")
	race(http.MethodDelete, http.Header{"If-Match": {string(updated.ETag)}})
}

func TestViolations(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	exact := http.Header{"If-None-Match": {"*"}}
	for _, test := range []struct {
		method string
		header http.Header
		want   string
	}{
		{http.MethodPut, exact, ""},
		{http.MethodGet, http.Header{"X-Request-ID": {""}, "Authorization": {""}}, ""},
		{http.MethodDelete, nil, "neither If-Match nor If-None-Match"},
		{http.MethodDelete, http.Header{"If-Match": {"*"}}, "If-Match: * overwrites whatever is there"},
		{http.MethodDelete, exact, "If-None-Match other than * on PUT"},
		{http.MethodPut, http.Header{"If-None-Match": {`"1-0"`}}, "If-None-Match other than * on PUT"},
		{http.MethodPut, http.Header{"If-None-Match": {"*"}, "Authorization": {""}}, "no bearer token"},
		{http.MethodPut, http.Header{"If-None-Match": {"*"}, "X-Request-ID": {""}}, "no X-Request-ID"},
	} {
		before := len(s.Violations())
		c.call(t, test.method, "/x", test.header, `{}`)
		added := s.Violations()[before:]
		if test.want == "" && len(added) != 0 || test.want != "" && (len(added) != 1 || !strings.HasSuffix(added[0], test.want)) {
			t.Errorf("%s %v: violations %q, want %q", test.method, test.header, added, test.want)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, true)
	got := c.call(t, http.MethodPut, "/x", http.Header{"If-None-Match": {"*"}}, `{"a":"`+strings.Repeat("x", 4<<20)+`"}`)
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got.status)
	}
}

// The log forgets the oldest, and keeps the order.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	s := newSimulator(t, simulator.Options{})
	c := client(t, s, false)
	const sent = 5000
	for i := range sent {
		c.call(t, http.MethodGet, fmt.Sprintf("/%04d", i), nil, "")
	}
	log := s.Requests()
	if len(log) != 4096 || log[len(log)-1].ID != fmt.Sprintf("%04d", sent-1) {
		t.Fatalf("%d requests logged, the last for %s", len(log), log[len(log)-1].ID)
	}
	if !slices.IsSortedFunc(log, func(a, b simulator.LoggedRequest) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the log is out of order")
	}
	if total := s.Counts().Get(http.MethodGet, 404); total != sent {
		t.Errorf("%d counted, want %d", total, sent)
	}
}
