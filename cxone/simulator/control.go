package simulator

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/deskhand/deskhand"
)

// maxControlBody is how many bytes of a body the control API reads.
const maxControlBody = 4 << 20

// Control steers the simulator over HTTP, below /_sim/: what a test does through
// the methods of Simulator, for people and for other programs. Callers on this
// machine need no credentials; others need Options.ControlToken.
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_sim/requests", s.showRequests)
	mux.HandleFunc("GET /_sim/violations", s.showViolations)
	mux.HandleFunc("GET /_sim/counts", s.showCounts)
	mux.HandleFunc("DELETE /_sim/counts", s.resetCounts)
	mux.HandleFunc("GET /_sim/configurations/{id}", s.showConfiguration)
	mux.HandleFunc("PUT /_sim/configurations/{id}", s.replaceConfiguration)
	mux.HandleFunc("PATCH /_sim/configurations/{id}", s.patchConfiguration)
	mux.HandleFunc("DELETE /_sim/configurations/{id}", s.removeConfiguration)
	mux.HandleFunc("GET /_sim/faults", s.showFaults)
	mux.HandleFunc("POST /_sim/faults", s.injectFault)
	mux.HandleFunc("DELETE /_sim/faults", s.clearFaults)
	mux.HandleFunc("GET /_sim/pace", s.showPace)
	mux.HandleFunc("PUT /_sim/pace", s.replacePace)
	return s.mayControl(mux)
}

// mayControl lets only those pass who may steer.
func (s *Simulator) mayControl(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, given := bearer(r)
		authorized := given && s.options.ControlToken != "" && same(token, s.options.ControlToken)
		if !authorized && !local(r) {
			fail(w, http.StatusForbidden, "from another machine the control API needs the control token as a bearer token")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local reports whether the request is from this machine and for it by name too:
// a web page that points a host name of its own at the loopback address is neither.
func local(r *http.Request) bool {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (s *Simulator) showRequests(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string][]LoggedRequest{"requests": s.Requests()})
}

func (s *Simulator) showViolations(w http.ResponseWriter, _ *http.Request) {
	violations := s.Violations()
	if violations == nil {
		violations = []string{}
	}
	reply(w, http.StatusOK, map[string][]string{"violations": violations})
}

func (s *Simulator) showCounts(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, s.Counts())
}

func (s *Simulator) resetCounts(w http.ResponseWriter, _ *http.Request) {
	s.ResetCounts()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) showConfiguration(w http.ResponseWriter, r *http.Request) {
	s.store.Lock()
	c, exists := s.store.get(r.PathValue("id"))
	s.store.Unlock()
	if !exists {
		fail(w, http.StatusNotFound, fmt.Sprintf("there is no configuration %q", r.PathValue("id")))
		return
	}
	replyWith(w, http.StatusOK, c)
}

func (s *Simulator) replaceConfiguration(w http.ResponseWriter, r *http.Request) {
	document, ok := receiveDocument(w, r, "application/json")
	if !ok {
		return
	}
	replyWith(w, http.StatusOK, s.put(r.PathValue("id"), document))
}

func (s *Simulator) patchConfiguration(w http.ResponseWriter, r *http.Request) {
	patch, ok := receiveDocument(w, r, "application/merge-patch+json", "application/json")
	if !ok {
		return
	}
	err := s.edit(r.PathValue("id"), func(document deskhand.Document) (deskhand.Document, error) {
		return mergePatch(document, patch)
	})
	if err != nil {
		fail(w, http.StatusNotFound, err.Error())
		return
	}
	s.showConfiguration(w, r)
}

func (s *Simulator) removeConfiguration(w http.ResponseWriter, r *http.Request) {
	s.Remove(r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) showFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string][]Fault{"faults": s.Faults()})
}

func (s *Simulator) injectFault(w http.ResponseWriter, r *http.Request) {
	text, ok := receiveBody(w, r, "application/json")
	if !ok {
		return
	}
	fault, err := ParseFault(text)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.Inject(fault)
	reply(w, http.StatusCreated, map[string][]Fault{"faults": s.Faults()})
}

func (s *Simulator) clearFaults(w http.ResponseWriter, _ *http.Request) {
	s.ClearFaults()
	w.WriteHeader(http.StatusNoContent)
}

// paceJSON is the pace as people write it.
type paceJSON struct {
	Latency   string `json:"latency"`   // such as "20ms"
	RateLimit int    `json:"rateLimit"` // requests a second, 0 for no limit
}

func (s *Simulator) showPace(w http.ResponseWriter, _ *http.Request) {
	latency, limiter := s.pace.current()
	shown := paceJSON{Latency: latency.String()}
	if limiter != nil {
		shown.RateLimit = limiter.Burst()
	}
	reply(w, http.StatusOK, shown)
}

func (s *Simulator) replacePace(w http.ResponseWriter, r *http.Request) {
	text, ok := receiveBody(w, r, "application/json")
	if !ok {
		return
	}
	wanted := paceJSON{Latency: "0s"}
	if err := decodeStrictly(text, &wanted); err != nil {
		fail(w, http.StatusBadRequest, fmt.Sprintf("parse pace: %v", err))
		return
	}
	latency, err := time.ParseDuration(wanted.Latency)
	if err != nil {
		fail(w, http.StatusBadRequest, fmt.Sprintf("parse pace: latency: %v", err))
		return
	}
	if err := s.SetPace(latency, wanted.RateLimit); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	s.showPace(w, r)
}

func receiveDocument(w http.ResponseWriter, r *http.Request, mediaTypes ...string) (deskhand.Document, bool) {
	text, ok := receiveBody(w, r, mediaTypes...)
	if !ok {
		return deskhand.Document{}, false
	}
	document, err := deskhand.ParseDocument(text)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return deskhand.Document{}, false
	}
	return document, true
}

// receiveBody insists on a media type that a form on a web page can't have.
func receiveBody(w http.ResponseWriter, r *http.Request, mediaTypes ...string) ([]byte, bool) {
	given, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(mediaTypes, given) {
		fail(w, http.StatusUnsupportedMediaType, fmt.Sprintf("send Content-Type: %s", mediaTypes[0]))
		return nil, false
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		fail(w, http.StatusRequestEntityTooLarge, tooLarge.Error())
		return nil, false
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "the body can't be read")
		return nil, false
	}
	return text, true
}

func replyWith(w http.ResponseWriter, status int, c configuration) {
	w.Header()["Etag"] = []string{string(c.etag)}
	withJSON(status, c.body()).send(w)
}

func reply(w http.ResponseWriter, status int, value any) {
	withJSON(status, mustJSON(value)).send(w)
}

func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]map[string]string{"error": {"message": message}})
}
