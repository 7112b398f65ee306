package statuspage

import (
	"context"
	"errors"
	"mime"
	"net"
	"net/http"
	"time"

	"github.com/deskhand/deskhand"
)

// Events is the delivery of events to webhook sinks, as far as people steer it.
// Its methods are called concurrently.
type Events interface {
	// Sinks are in the order of the configuration.
	Sinks(ctx context.Context) ([]Sink, error)
	// Resend sends a dead letter again. The error wraps ErrNotFound where no sink
	// has one with that id.
	Resend(ctx context.Context, id string) error
	// Resume lets a stopped sink have events again. The error wraps ErrNotFound
	// where there is no such sink.
	Resume(ctx context.Context, sink string) error
}

// ErrNotFound means that what was named does not exist.
var ErrNotFound = errors.New("there is no such thing")

// Sink is where the delivery to one sink stands.
type Sink struct {
	Name    string `json:"name"`
	Waiting int    `json:"waiting"` // events that are not delivered yet
	Failing int    `json:"failing"` // those of them that were tried in vain
	// Stopped is why the sink gets no events, "" where it does.
	Stopped     string       `json:"stopped,omitempty"`
	DeadLetters []DeadLetter `json:"deadLetters"` // oldest first
}

// DeadLetter is an event that was given up.
type DeadLetter struct {
	ID       string             `json:"id"`
	Event    deskhand.EventType `json:"event"`
	Tenant   deskhand.Tenant    `json:"tenant"`
	ConfigID string             `json:"configId"`
	Time     time.Time          `json:"time"`
	Attempts int                `json:"attempts"`
	Error    string             `json:"error"` // of the last attempt
}

// Deliveries is the body of GET /api/v1/events.
type Deliveries struct {
	Sinks []Sink `json:"sinks"`
}

// CommandHeader must be set, to any value, on every request that changes
// something. A page of another site cannot set it without being asked first.
const CommandHeader = "X-Deskhand-Command"

// serveEvents adds GET /api/v1/events, POST /api/v1/events/{id}/resend and POST
// /api/v1/sinks/{name}/resume.
func serveEvents(mux *http.ServeMux, events Events) {
	mux.HandleFunc("GET /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		sinks, err := events.Sinks(r.Context())
		if err != nil {
			writeJSON(w, http.StatusInternalServerError, answer{Reason: err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, Deliveries{Sinks: sinks})
	})
	mux.HandleFunc("POST /api/v1/events/{id}/resend", command(func(r *http.Request) error {
		return events.Resend(r.Context(), r.PathValue("id"))
	}))
	mux.HandleFunc("POST /api/v1/sinks/{name}/resume", command(func(r *http.Request) error {
		return events.Resume(r.Context(), r.PathValue("name"))
	}))
}

// command does what a request asks for if it comes from a program on this machine.
func command(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if reason := whyNotCommanded(r); reason != "" {
			writeJSON(w, http.StatusForbidden, answer{Reason: reason})
			return
		}
		err := do(r)
		switch {
		case errors.Is(err, ErrNotFound):
			writeJSON(w, http.StatusNotFound, answer{Reason: err.Error()})
		case err != nil:
			writeJSON(w, http.StatusConflict, answer{Reason: err.Error()})
		default:
			writeJSON(w, http.StatusOK, answer{OK: true})
		}
	}
}

// whyNotCommanded refuses what a browser may have been tricked into sending: a
// form of another site (no header, no JSON), and a site whose name was made to
// point here (a Host that is a name).
func whyNotCommanded(r *http.Request) string {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !isLoopback(r.RemoteAddr):
		return "commands are taken from this machine only"
	case !isLoopback(r.Host):
		return "commands are taken under the address of this machine only, such as 127.0.0.1"
	case r.Header.Get(CommandHeader) == "" || r.Header.Get("Origin") != "":
		return "commands need the header " + CommandHeader + ", and come from no page"
	case mediaType != "application/json":
		return "commands are sent as application/json"
	default:
		return ""
	}
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
