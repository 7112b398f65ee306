package simulator

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/deskhand/deskhand"
)

// configuration serves one configuration.
func (s *Simulator) configuration(x *exchange) answer {
	switch x.request.Method {
	case http.MethodGet:
		if refused, ok := s.authorize(x, scopeRead); !ok {
			return refused
		}
		return s.read(x)
	case http.MethodPut:
		if refused, ok := s.authorize(x, scopeWrite); !ok {
			return refused
		}
		return s.write(x)
	case http.MethodDelete:
		if refused, ok := s.authorize(x, scopeWrite); !ok {
			return refused
		}
		return s.delete(x)
	default:
		return x.notAllowed(http.MethodGet, http.MethodPut, http.MethodDelete)
	}
}

func (s *Simulator) read(x *exchange) answer {
	s.store.Lock()
	c, exists := s.store.get(x.id)
	s.store.Unlock()
	if !exists {
		return x.absent()
	}
	known := x.request.Header.Get("If-None-Match")
	if x.tags != tagsNone && known != "" && (known == "*" || anyTag(known, c.etag, sameWeakly)) {
		a := answer{status: http.StatusNotModified, header: http.Header{}}
		x.setTag(a.header, c)
		return a
	}
	return x.show(http.StatusOK, c)
}

func (s *Simulator) write(x *exchange) answer {
	if mediaType, _, err := mime.ParseMediaType(x.request.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return x.refuse(http.StatusUnsupportedMediaType, "unsupported_media_type", "send application/json")
	}
	document, err := deskhand.ParseDocument(x.body)
	if err != nil {
		return x.refuse(http.StatusBadRequest, "invalid_json", err.Error())
	}
	if id, given := document.Fields()["id"]; given && id != x.id {
		return x.refuse(http.StatusUnprocessableEntity, "invalid_id", "the id in the body is not the one in the path")
	}
	document, err = x.normalise(own(document))
	if err != nil {
		return x.refuse(http.StatusInternalServerError, "bad_fault", err.Error())
	}

	s.store.Lock()
	defer s.store.Unlock()
	current, exists := s.store.get(x.id)
	if refused, ok := x.precondition(current, exists); !ok {
		return refused
	}
	written := s.store.put(x.id, document, s.options.Now(), s.options.ClientID)
	s.changed()
	if exists {
		return x.show(http.StatusOK, written)
	}
	return x.show(http.StatusCreated, written)
}

func (s *Simulator) delete(x *exchange) answer {
	s.store.Lock()
	defer s.store.Unlock()
	current, exists := s.store.get(x.id)
	if !exists {
		return x.absent() // before the precondition: RFC 9110 section 13.2.1
	}
	if refused, ok := x.precondition(current, exists); !ok {
		return refused
	}
	s.store.remove(x.id)
	s.changed()
	return answer{status: http.StatusNoContent, header: http.Header{}}
}

func (x *exchange) absent() answer {
	return x.refuse(http.StatusNotFound, "not_found", fmt.Sprintf("there is no configuration %q", x.id))
}

// show answers with the configuration.
func (x *exchange) show(status int, c configuration) answer {
	a := withJSON(status, c.body())
	x.setTag(a.header, c)
	return a
}

func (x *exchange) setTag(header http.Header, c configuration) {
	if tag := x.tag(c); tag != "" {
		header["Etag"] = []string{tag}
	}
}

// tag is the configuration's ETag as this exchange shows it, "" for none.
func (x *exchange) tag(c configuration) string {
	switch x.tags {
	case tagsNone:
		return ""
	case tagsWeak:
		return "W/" + string(c.etag)
	default:
		return string(c.etag)
	}
}

// precondition lets a write pass that names the state it is made for.
func (x *exchange) precondition(current configuration, exists bool) (refused answer, ok bool) {
	if missing := x.blind(); missing != "" {
		return x.refuse(http.StatusPreconditionRequired, "precondition_required", missing), false
	}
	match, noneMatch := x.request.Header.Get("If-Match"), x.request.Header.Get("If-None-Match")
	switch {
	case match != "" && !exists:
		return x.refuse(http.StatusPreconditionFailed, "precondition_failed", "the configuration does not exist"), false
	case match != "" && !anyTag(match, current.etag, sameStrongly):
		return x.refuse(http.StatusPreconditionFailed, "precondition_failed",
			fmt.Sprintf("the configuration is at version %d, by %s", current.version, current.updatedBy)), false
	case noneMatch == "*" && exists:
		return x.refuse(http.StatusPreconditionFailed, "precondition_failed", "the configuration exists already"), false
	}
	return answer{}, true
}

// blind says what keeps the write from naming one exact state, "" if nothing.
// Where ETags are weak or missing there is no state to name.
func (x *exchange) blind() string {
	match, noneMatch := x.request.Header.Get("If-Match"), x.request.Header.Get("If-None-Match")
	switch {
	case match == "*":
		return "If-Match: * overwrites whatever is there"
	case match == "" && noneMatch == "" && x.tags == tagsStrong:
		return "neither If-Match nor If-None-Match"
	case noneMatch != "" && (noneMatch != "*" || x.request.Method == http.MethodDelete):
		return "If-None-Match other than * on PUT"
	}
	return ""
}

// violations are the rules that every write has to keep and this one doesn't.
func (x *exchange) violations() []string {
	if !x.writes() {
		return nil
	}
	var broken []string
	add := func(rule string) {
		broken = append(broken, fmt.Sprintf("%s %s (request %q): %s", x.request.Method, clip(x.id), clip(x.requestID), rule))
	}
	if rule := x.blind(); rule != "" {
		add(rule)
	}
	if strings.HasPrefix(x.request.Header.Get("If-Match"), "W/") {
		add("If-Match with a weak ETag")
	}
	if _, given := bearer(x.request); !given {
		add("no bearer token")
	}
	if x.requestID == "" {
		add("no X-Request-ID")
	}
	return broken
}

// anyTag reports whether one of the header's tags is the same as etag.
func anyTag(header string, etag deskhand.ETag, same func(a, b deskhand.ETag) bool) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if same(deskhand.ETag(strings.TrimSpace(tag)), etag) {
			return true
		}
	}
	return false
}

// The two comparisons of RFC 9110 section 8.8.3.2.
func sameStrongly(a, b deskhand.ETag) bool { return a == b && !a.Weak() }

func sameWeakly(a, b deskhand.ETag) bool {
	return strings.TrimPrefix(string(a), "W/") == strings.TrimPrefix(string(b), "W/")
}
