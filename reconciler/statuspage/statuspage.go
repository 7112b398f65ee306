// Package statuspage is the daemon's HTTP face: health, readiness, metrics, the
// status as JSON, and a page for people. It asks for no login, so it belongs on a
// loopback address or behind a proxy. All it can change is the delivery of events,
// and that only for programs on the same machine.
package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/deskhand/deskhand"
)

// Daemon is what the page tells about. Its methods are called concurrently.
type Daemon interface {
	// Status is where every tenant stands.
	Status(ctx context.Context) deskhand.Status
	// Ready is nil once every tenant had its first full reconcile; else the
	// error says what is missing.
	Ready() error
}

// Options are what a Handler shows.
type Options struct {
	Daemon  Daemon
	Metrics http.Handler // serves /metrics; nil for none
	Events  Events       // nil for none
	Version string
	// Live is nil while the daemon's loops run; else the error says which one
	// ended. Without it, a daemon that answers is alive.
	Live func() error
}

// maxBody bounds a request's body, in bytes: nothing here reads one.
const maxBody = 4 << 10

// Handler serves GET and HEAD of /, /healthz, /readyz, /metrics, /api/v1/status and
// /api/v1/events, and the two commands about events. Other methods get 405, other
// paths 404.
func Handler(options Options) http.Handler {
	site := site{Options: options, page: parsePage()}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", site.servePage)
	mux.HandleFunc("GET /style.css", serveStyle)
	mux.HandleFunc("GET /healthz", site.health)
	mux.HandleFunc("GET /readyz", site.readiness)
	mux.HandleFunc("GET /api/v1/status", site.status)
	if options.Events != nil {
		serveEvents(mux, options.Events)
	}
	if options.Metrics != nil {
		mux.Handle("GET /metrics", options.Metrics)
	}
	return http.MaxBytesHandler(secured(mux), maxBody)
}

// secured keeps browsers from guessing, framing, keeping and running anything.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		next.ServeHTTP(w, r)
	})
}

// answer is what /healthz, /readyz and errors say.
type answer struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (s site) health(w http.ResponseWriter, _ *http.Request) {
	if s.Live == nil {
		writeAnswer(w, nil)
		return
	}
	writeAnswer(w, s.Live())
}

func (s site) readiness(w http.ResponseWriter, _ *http.Request) {
	writeAnswer(w, s.Daemon.Ready())
}

func writeAnswer(w http.ResponseWriter, err error) {
	if err != nil {
		writeJSON(w, http.StatusServiceUnavailable, answer{Reason: err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, answer{OK: true})
}

// status writes a deskhand.Status; ?tenant=NAME, any number of times, picks
// tenants.
func (s site) status(w http.ResponseWriter, r *http.Request) {
	status := s.Daemon.Status(r.Context())
	// A list without entries is [] and not null, for readers in other languages.
	tenants := make([]deskhand.TenantStatus, 0, len(status.Tenants))
	wanted := r.URL.Query()["tenant"]
	for _, tenant := range status.Tenants {
		if len(wanted) == 0 || slices.Contains(wanted, string(tenant.Name)) {
			if tenant.Desktops == nil {
				tenant.Desktops = []deskhand.DesktopStatus{}
			}
			tenants = append(tenants, tenant)
		}
	}
	for _, name := range wanted {
		known := func(tenant deskhand.TenantStatus) bool { return string(tenant.Name) == name }
		if !slices.ContainsFunc(tenants, known) {
			writeJSON(w, http.StatusNotFound, answer{Reason: fmt.Sprintf("there is no tenant %q", name)})
			return
		}
	}
	writeJSON(w, http.StatusOK, deskhand.Status{Tenants: tenants})
}

func writeJSON(w http.ResponseWriter, code int, body any) {
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, "the answer cannot be written as JSON", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	write(w, append(text, '\n'))
}

// write sends the body. Its error means that the reader went away, which is
// theirs to do.
func write(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }
