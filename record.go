package deskhand

import (
	"strings"
	"time"
)

// EventType is the CloudEvents type under which something is announced.
type EventType string

// The events: one for each transition of a desktop, and two for the platform.
const (
	EventCreated  EventType = "cxone.desktop.config.created"
	EventUpdated  EventType = "cxone.desktop.config.updated"
	EventDeleted  EventType = "cxone.desktop.config.deleted"
	EventFailed   EventType = "cxone.desktop.config.failed"
	EventRejected EventType = "cxone.desktop.config.rejected"
	EventConflict EventType = "cxone.desktop.config.conflict"
	EventDrifted  EventType = "cxone.desktop.config.drifted"
	EventReverted EventType = "cxone.desktop.config.reverted"
	EventResolved EventType = "cxone.desktop.config.resolved"
	EventOrphaned EventType = "cxone.desktop.config.orphaned"
	EventAdopted  EventType = "cxone.desktop.config.adopted"

	EventDegraded  EventType = "cxone.platform.degraded"
	EventRecovered EventType = "cxone.platform.recovered"
)

// EventTypes lists every event.
func EventTypes() []EventType {
	return []EventType{
		EventCreated, EventUpdated, EventDeleted, EventFailed, EventRejected, EventConflict,
		EventDrifted, EventReverted, EventResolved, EventOrphaned, EventAdopted,
		EventDegraded, EventRecovered,
	}
}

// Short is the last word of the type, such as created.
func (e EventType) Short() string {
	return string(e[strings.LastIndexByte(string(e), '.')+1:])
}

// Trigger is what made a reconcile happen.
type Trigger string

// The triggers.
const (
	TriggerPush   Trigger = "push"   // a forge's webhook
	TriggerPoll   Trigger = "poll"   // the source's interval
	TriggerWatch  Trigger = "watch"  // a local repository's refs moved
	TriggerDrift  Trigger = "drift"  // the drift timer
	TriggerManual Trigger = "manual" // a person: apply, SIGHUP
	TriggerRetry  Trigger = "retry"  // what failed before is due again
)

// OutcomeKind says how a Change ended.
type OutcomeKind string

// The ways a Change can end.
const (
	OutcomeApplied  OutcomeKind = "applied"
	OutcomeAdopted  OutcomeKind = "adopted"
	OutcomeReported OutcomeKind = "reported"
	OutcomeFailed   OutcomeKind = "failed"
	// OutcomeSkipped: not tried, because a newer commit or a stop came first.
	OutcomeSkipped OutcomeKind = "skipped"
	// OutcomePending: sent, and CXone could not be asked what became of it.
	OutcomePending OutcomeKind = "pending"
)

// Outcome is what became of one Change.
type Outcome struct {
	Kind    OutcomeKind `json:"outcome"`
	Change  Change      `json:"change"` // as it was carried out in the end, after merges
	Live    Observed    `json:"live"`   // what CXone holds now, as far as is known
	Request Request     `json:"request"`
	Error   string      `json:"error,omitempty"`
}

// Record is what the audit keeps of an Outcome. Records of one tenant form a
// chain: each names the hash of the one before it.
type Record struct {
	ID   string    `json:"id"`   // a ULID
	Prev string    `json:"prev"` // SHA-256, hex, of the previous record in RFC 8785 form; "" for the first
	Time time.Time `json:"time"`

	Tenant   Tenant    `json:"tenant"`
	ConfigID string    `json:"configId"` // "" for the platform's events
	File     string    `json:"file"`
	Tier     Tier      `json:"tier"`
	Event    EventType `json:"event"`
	State    State     `json:"state"`

	Commit  RecordCommit `json:"commit"`
	Actor   Actor        `json:"actor"`
	Trigger Trigger      `json:"trigger"`
	Request Request      `json:"request"`
	ETag    ETagChange   `json:"etag"`
	Changes []Edit       `json:"changes"`
	Drift   []Edit       `json:"drift,omitempty"`
	Policy  PolicyResult `json:"policy"`
	// RenderErrorRate is null where no source of it is set.
	RenderErrorRate *float64    `json:"renderErrorRate"`
	Outcome         OutcomeKind `json:"outcome"`
	Why             string      `json:"why,omitempty"`
	Error           string      `json:"error,omitempty"`
}

// RecordCommit is the part of a Commit that a Record keeps.
type RecordCommit struct {
	SHA     string `json:"sha"`
	Ref     string `json:"ref"`
	Author  string `json:"author"` // Name <email>
	Subject string `json:"subject"`
}

// Actor is the deskhand that did it.
type Actor struct {
	Version string `json:"version"`
	Host    string `json:"host"`
}

// ETagChange is a configuration's ETag before and after.
type ETagChange struct {
	Before ETag `json:"before"`
	After  ETag `json:"after"`
}

// PolicyResult is what the review said of a desktop, as computed.
type PolicyResult struct {
	Score        int       `json:"score"`
	Findings     []Finding `json:"findings"`
	ChecksPassed []string  `json:"checksPassed"`
}

// Entry is one line of the journal: a record, and where its desktop stands
// after it.
type Entry struct {
	Seq    uint64 `json:"seq"`
	Record Record `json:"record"`
	Hash   string `json:"hash"` // SHA-256, hex, of the record in RFC 8785 form
	// Managed is the desktop after the record; nil where the record is about no
	// managed desktop.
	Managed *Managed `json:"managed,omitempty"`
	// Removed means that the desktop is managed no longer.
	Removed bool `json:"removed,omitempty"`
}
