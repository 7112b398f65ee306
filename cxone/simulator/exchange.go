package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	tokenPath      = "/oauth2/token" //nolint:gosec // a path, no credential
	collectionPath = "/api/v2/desktop/configurations"

	maxBody = 4 << 20 // bytes of a request's body that are read
)

// Target is what a request is about.
type Target string

// The targets, by path.
const (
	TargetConfiguration Target = "configuration" // /api/v2/desktop/configurations/{id}
	TargetList          Target = "list"          // /api/v2/desktop/configurations
	TargetToken         Target = "token"         // /oauth2/token
	targetNone          Target = ""              // any other path
)

// exchange is one request on its way through the simulator.
type exchange struct {
	request    *http.Request
	requestID  string
	target     Target
	id         string // of the configuration
	body       []byte
	tooLarge   bool
	unreadable error // the client broke off
	arrived    time.Time
	faults     []Fault // what this request runs into
	tags       tagging
}

// tagging is how an exchange shows ETags.
type tagging int

const (
	tagsStrong tagging = iota
	tagsWeak
	tagsNone
)

// receive reads the request and decides which faults it runs into.
func (s *Simulator) receive(r *http.Request) *exchange {
	x := &exchange{request: r, requestID: r.Header.Get("X-Request-Id"), arrived: s.options.Now()}
	x.target, x.id = route(r.URL)
	x.body, x.unreadable = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	x.tooLarge = len(x.body) > maxBody
	x.faults = s.faults.meet(x)
	for _, fault := range x.faults {
		switch fault.Kind {
		case FaultWeakETag:
			x.tags = max(x.tags, tagsWeak)
		case FaultNoETag, FaultListWithoutETags:
			x.tags = tagsNone
		}
	}
	for _, violation := range x.violations() {
		s.traffic.violation(violation)
	}
	if x.requestID == "" {
		x.requestID = "sim-" + strconv.FormatInt(s.traffic.nextID(), 10)
	}
	return x
}

func route(u *url.URL) (Target, string) {
	path := u.EscapedPath()
	switch path {
	case tokenPath:
		return TargetToken, ""
	case collectionPath:
		return TargetList, ""
	}
	segment, found := strings.CutPrefix(path, collectionPath+"/")
	if !found || segment == "" || strings.Contains(segment, "/") {
		return targetNone, ""
	}
	id, err := url.PathUnescape(segment)
	if err != nil {
		return targetNone, ""
	}
	return TargetConfiguration, id
}

func (x *exchange) context() context.Context { return x.request.Context() }

func (x *exchange) writes() bool {
	return x.target == TargetConfiguration && (x.request.Method == http.MethodPut || x.request.Method == http.MethodDelete)
}

// answer is a response before it is sent.
type answer struct {
	status int // 0: none, the connection breaks
	header http.Header
	body   []byte
	// endless writes on after the body until the reader has had enough.
	endless func(io.Writer) error
	// breaksOff breaks the connection after the body.
	breaksOff bool
}

// broken is the answer that never comes.
func broken() answer { return answer{} }

func withJSON(status int, body []byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// refuse answers with an error in the API's shape.
func (x *exchange) refuse(status int, code, message string) answer {
	type detail struct {
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"requestId"`
	}
	return withJSON(status, mustJSON(map[string]detail{"error": {Code: code, Message: message, RequestID: x.requestID}}))
}

// notAllowed answers 405.
func (x *exchange) notAllowed(allow ...string) answer {
	a := x.refuse(http.StatusMethodNotAllowed, "method_not_allowed", fmt.Sprintf("%s is not allowed here", x.request.Method))
	a.header.Set("Allow", strings.Join(allow, ", "))
	return a
}

func (a answer) send(w http.ResponseWriter) {
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if a.endless == nil && !a.breaksOff && a.status != http.StatusNotModified && a.status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	if err == nil && a.endless != nil {
		err = a.endless(w)
	}
	if a.breaksOff {
		err = errors.Join(err, http.NewResponseController(w).Flush())
	}
	// An answer that could not be written whole must not look whole.
	if a.breaksOff || err != nil {
		panic(http.ErrAbortHandler)
	}
}
