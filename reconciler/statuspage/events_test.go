package statuspage

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// mailroom has one sink, itsm, with one dead letter.
type mailroom struct{ done *[]string }

func (m mailroom) Sinks(context.Context) ([]Sink, error) {
	return []Sink{{Name: "itsm", Waiting: 2, Failing: 1, DeadLetters: []DeadLetter{{ID: "01A", Event: "cxone.desktop.config.created"}}}}, nil
}

func (m mailroom) Resend(_ context.Context, id string) error { return m.do("resend", id, "01A") }

func (m mailroom) Resume(_ context.Context, sink string) error { return m.do("resume", sink, "itsm") }

func (m mailroom) do(what, name, known string) error {
	if name != known {
		return fmt.Errorf("%s %s: %w", what, name, ErrNotFound)
	}
	*m.done = append(*m.done, what+" "+name)
	return nil
}

func TestEvents(t *testing.T) {
	t.Parallel()
	handler := Handler(Options{Daemon: live(), Events: mailroom{&[]string{}}})
	got := get(t, handler, http.MethodGet, "/api/v1/events")
	if got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"id": "01A"`) {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
	if got := get(t, Handler(Options{Daemon: live()}), http.MethodGet, "/api/v1/events"); got.Code != http.StatusNotFound {
		t.Errorf("without events: got %d", got.Code)
	}
}

func TestCommandsComeFromThisMachine(t *testing.T) {
	t.Parallel()
	nothing := func(*http.Request) {}
	for name, test := range map[string]struct {
		path   string
		change func(*http.Request)
		code   int
		done   string
	}{
		"resend":             {"/api/v1/events/01A/resend", nothing, http.StatusOK, "resend 01A"},
		"resume":             {"/api/v1/sinks/itsm/resume", nothing, http.StatusOK, "resume itsm"},
		"localhost":          {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Host = "localhost:8080" }, http.StatusOK, "resume itsm"},
		"IPv6":               {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Host, r.RemoteAddr = "[::1]:8080", "[::1]:4000" }, http.StatusOK, "resume itsm"},
		"no such letter":     {"/api/v1/events/01B/resend", nothing, http.StatusNotFound, ""},
		"no such sink":       {"/api/v1/sinks/other/resume", nothing, http.StatusNotFound, ""},
		"another machine":    {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.RemoteAddr = "192.0.2.1:4000" }, http.StatusForbidden, ""},
		"a rebound name":     {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Host = "evil.example:8080" }, http.StatusForbidden, ""},
		"a page":             {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:8080") }, http.StatusForbidden, ""},
		"without the header": {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Header.Del(CommandHeader) }, http.StatusForbidden, ""},
		"a form":             {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusForbidden, ""},
		"by GET":             {"/api/v1/sinks/itsm/resume", func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var done []string
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.path, strings.NewReader("{}"))
			request.Host, request.RemoteAddr = "127.0.0.1:8080", "127.0.0.1:4000"
			request.Header.Set(CommandHeader, "1")
			request.Header.Set("Content-Type", "application/json")
			test.change(request)
			recorder := httptest.NewRecorder()
			Handler(Options{Daemon: live(), Events: mailroom{&done}}).ServeHTTP(recorder, request)
			if recorder.Code != test.code || strings.Join(done, ", ") != test.done {
				t.Errorf("got %d and %v, want %d and %q: %s", recorder.Code, done, test.code, test.done, recorder.Body)
			}
		})
	}
}
