package cxone

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/deskhand/deskhand"
)

// Error is a call to CXone that did not succeed. It wraps one of the root
// package's sentinels, or the context's error where the caller gave up.
type Error struct {
	Op        string // the HTTP method
	Tenant    deskhand.Tenant
	ConfigID  string // "" for a list
	RequestID string // X-Request-ID, which CXone's support asks for
	Status    int    // 0 where no answer came
	Detail    string // what the answer said, one line, bounded, without secrets
	Hint      string // what to do next
	Err       error

	lost  bool          // of a write: it may have been applied
	again bool          // another attempt may succeed
	wait  time.Duration // at least so long before it; 0 leaves it to the backoff
}

// Error tells what was called, what came back, and what to do.
func (e *Error) Error() string {
	call := e.Op
	if e.ConfigID != "" {
		call += " " + e.ConfigID
	}
	text := call + " in tenant " + string(e.Tenant) + ": " + e.reason()
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text + " [request id " + e.RequestID + "]"
}

// reason is the part of the text that says what went wrong.
func (e *Error) reason() string {
	text := e.Err.Error()
	if e.Status != 0 {
		text = strings.TrimSpace(strconv.Itoa(e.Status)+" "+http.StatusText(e.Status)) + ": " + text
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// Unwrap gives the sentinel and its cause.
func (e *Error) Unwrap() error { return e.Err }
