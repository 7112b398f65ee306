package simulator

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

// misbehaveBefore lets the faults act that come before the request is served; ok
// means that the answer is there already.
func (s *Simulator) misbehaveBefore(x *exchange) (early answer, ok bool) {
	for _, fault := range x.faults {
		switch fault.Kind {
		case FaultEditBefore:
			if err := s.editBefore(x.id, fault); err != nil {
				return x.refuse(http.StatusInternalServerError, "bad_fault", err.Error()), true
			}
		case FaultRemoveBefore:
			s.Remove(x.id)
		case FaultNewETag:
			s.touch(x.id)
		case FaultTokenExpired:
			s.tokens.revoke()
		case FaultDropped:
			return broken(), true
		case FaultStatus:
			if !fault.Applied {
				return s.failure(x, fault), true
			}
		case FaultHTML:
			return page(), true
		case FaultRedirect:
			return redirect(x, fault), true
		case FaultListUnsupported:
			return x.refuse(max(fault.Status, http.StatusNotFound), "no_list", "this tenant can't list its configurations"), true
		}
	}
	return answer{}, false
}

// misbehaveAfter lets the faults spoil the answer.
func (s *Simulator) misbehaveAfter(x *exchange, a answer) answer {
	for _, fault := range x.faults {
		if a.status == 0 {
			return a
		}
		switch fault.Kind {
		case FaultStatus:
			if fault.Applied {
				a = s.failure(x, fault)
			}
		case FaultLostAnswer:
			a = broken()
		case FaultSlow:
			if err := pause(x.context(), fault.Latency); err != nil {
				a = broken()
			}
		case FaultTruncatedBody:
			a.header.Set("Content-Length", strconv.Itoa(len(a.body)))
			a.body, a.breaksOff = a.body[:len(a.body)/2], true
		case FaultOversizedBody:
			a = padded(a, maxBody)
		case FaultEndlessBody:
			a = padded(a, 0)
			a.body, a.endless = bytes.TrimSuffix(a.body, []byte(`"}`)), writeForEver
		case FaultGzipBomb:
			a = padded(a, 0)
			a.header.Set("Content-Encoding", "gzip")
			start := bytes.TrimSuffix(a.body, []byte(`"}`))
			a.body, a.endless = nil, func(w io.Writer) error { return zipForEver(w, start) }
		}
	}
	return a
}

// failure is the answer of a fault of kind status.
func (s *Simulator) failure(x *exchange, fault Fault) answer {
	code := strings.ReplaceAll(strings.ToLower(http.StatusText(fault.Status)), " ", "_")
	a := x.refuse(fault.Status, code, "the simulator was told to answer this")
	if fault.RetryAfter != "" {
		a.header.Set("Retry-After", retryAfter(fault.RetryAfter, s.options.Now()))
	}
	return a
}

func retryAfter(text string, now time.Time) string {
	if text[0] != '+' && text[0] != '-' {
		return text
	}
	offset, err := time.ParseDuration(text)
	if err != nil {
		return text
	}
	return now.Add(offset).UTC().Format(http.TimeFormat)
}

func page() answer {
	return answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		body:   []byte("<!doctype html>\n<title>Sign in</title>\n<h1>Your session has ended</h1>\n"),
	}
}

// elsewhere is a host that can't exist (RFC 2606).
const elsewhere = "https://elsewhere.invalid"

func redirect(x *exchange, fault Fault) answer {
	location := fault.Location
	if location == "" {
		location = elsewhere + x.request.URL.EscapedPath()
	}
	return answer{status: http.StatusTemporaryRedirect, header: http.Header{"Location": {location}}}
}

// padded is the answer with one more member, a string of that many bytes. An
// answer that has no body becomes one that has.
func padded(a answer, size int) answer {
	if a.status == http.StatusNotModified || a.status == http.StatusNoContent || len(a.body) == 0 {
		a.status, a.body = http.StatusOK, []byte("{}")
		a.header.Set("Content-Type", "application/json")
	}
	body := bytes.TrimSuffix(a.body, []byte("}"))
	if len(body) > 1 {
		body = append(body, ',')
	}
	body = append(body, `"padding":"`...)
	body = append(body, bytes.Repeat([]byte("x"), size)...)
	a.body = append(body, `"}`...)
	return a
}

// writeForEver writes until the reader breaks off.
func writeForEver(w io.Writer) error {
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	for {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
}

func zipForEver(w io.Writer, start []byte) error {
	zipped, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := zipped.Write(start); err != nil {
		return err
	}
	return writeForEver(zipped)
}

// editBefore is an edit by hand, or a creation where there is nothing to edit.
func (s *Simulator) editBefore(id string, fault Fault) error {
	s.store.Lock()
	defer s.store.Unlock()
	current, exists := s.store.get(id)
	document := current.document
	if !exists {
		empty, err := deskhand.NewDocument(nil)
		if err != nil {
			return err
		}
		document = empty
	}
	document, err := fault.change(document)
	if err != nil {
		return err
	}
	s.store.put(id, own(document), s.options.Now(), editor)
	s.changed()
	return nil
}

// touch makes a new version of the same content, if there is any.
func (s *Simulator) touch(id string) {
	s.store.Lock()
	defer s.store.Unlock()
	if c, exists := s.store.get(id); exists {
		s.store.put(id, c.document, s.options.Now(), c.updatedBy)
		s.changed()
	}
}

// normalise is the document as the server prefers to store it.
func (x *exchange) normalise(document deskhand.Document) (deskhand.Document, error) {
	for _, fault := range x.faults {
		if fault.Kind != FaultNormalise {
			continue
		}
		changed, err := fault.change(document)
		if err != nil {
			return deskhand.Document{}, err
		}
		document = own(changed)
	}
	return document, nil
}

// change applies the fault's Edit, or else its Fields as a merge patch.
func (f Fault) change(document deskhand.Document) (deskhand.Document, error) {
	if f.Edit != nil {
		fields := document.Fields()
		f.Edit(fields)
		changed, err := deskhand.NewDocument(fields)
		if err != nil {
			return deskhand.Document{}, fmt.Errorf("fault %s: %w", f.Kind, err)
		}
		return changed, nil
	}
	patch, err := deskhand.NewDocument(f.Fields)
	if err != nil {
		return deskhand.Document{}, fmt.Errorf("fault %s: %w", f.Kind, err)
	}
	changed, err := mergePatch(document, patch)
	if err != nil {
		return deskhand.Document{}, fmt.Errorf("fault %s: %w", f.Kind, err)
	}
	return changed, nil
}
