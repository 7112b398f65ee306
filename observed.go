package deskhand

import (
	"fmt"
	"strings"
)

// ETag is an entity tag as the server spells it, quotes included (RFC 9110
// section 8.8.3); "" where there is none.
type ETag string

// Weak reports whether the tag is weak, and so never matches If-Match.
func (e ETag) Weak() bool { return strings.HasPrefix(string(e), "W/") }

// Observed is what CXone holds under one id.
type Observed struct {
	Exists   bool     `json:"exists"`
	ETag     ETag     `json:"etag"`
	Document Document `json:"document"` // none where NotModified
	// NotModified means that the ETag asked about still stands (304).
	NotModified bool `json:"notModified,omitempty"`
}

// Precondition is what must hold of a configuration for a write to happen. The
// zero value is no precondition, which a client refuses to send.
type Precondition struct {
	match  ETag
	absent bool
}

// IfMatch lets a write happen while the configuration has that ETag.
func IfMatch(etag ETag) Precondition { return Precondition{match: etag} }

// IfAbsent lets a write happen while the configuration does not exist.
func IfAbsent() Precondition { return Precondition{absent: true} }

// Absent reports whether the precondition is IfAbsent.
func (p Precondition) Absent() bool { return p.absent }

// ETag is the tag that must match, "" for IfAbsent.
func (p Precondition) ETag() ETag { return p.match }

// Valid returns an error wrapping ErrNoPrecondition unless p names one exact
// state: If-Match: * and an empty tag are blind writes.
func (p Precondition) Valid() error {
	if p.absent && p.match == "" {
		return nil
	}
	if p.match == "" || p.match == "*" || p.absent {
		return fmt.Errorf("%w: %q", ErrNoPrecondition, string(p.match))
	}
	return nil
}

// Request is what became of one operation on CXone, all its attempts together.
type Request struct {
	ID        string `json:"id"` // X-Request-ID, the same through all attempts
	Attempts  int    `json:"attempts"`
	Statuses  []int  `json:"statuses"` // one for each attempt; 0 where no answer came
	LatencyMs int64  `json:"latencyMs"`
}

// Add joins the attempts of a later call of the same operation.
func (r Request) Add(later Request) Request {
	id := r.ID
	if id == "" {
		id = later.ID
	}
	return Request{
		ID:        id,
		Attempts:  r.Attempts + later.Attempts,
		Statuses:  append(append([]int{}, r.Statuses...), later.Statuses...),
		LatencyMs: r.LatencyMs + later.LatencyMs,
	}
}
