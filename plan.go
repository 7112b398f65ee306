package deskhand

import (
	"cmp"
	"slices"
)

// State is where one desktop stands in the three-way comparison of the document
// last agreed with CXone, the desired one, and the live one.
type State string

// The states of the comparison.
const (
	StateInSync    State = "in-sync"
	StatePending   State = "pending"         // git changed
	StateDrifted   State = "drifted"         // CXone was changed by hand
	StateDiverged  State = "pending+drifted" // both, in different fields
	StateConflict  State = "conflict"        // both, in the same field
	StateConverged State = "converged"       // CXone already holds what git wants
	StateUnmanaged State = "unmanaged"       // first contact with an existing configuration
	StateAbsent    State = "absent"          // CXone holds nothing under the id
	StateOrphaned  State = "orphaned"        // git no longer defines it
	StateRefused   State = "refused"         // the policy keeps it from being sent
	StateFailed    State = "failed"          // the last write did not succeed
)

// Op is what a Change does to CXone.
type Op string

// The operations. Create, update and delete write; adopt and report do not.
const (
	OpCreate Op = "create"
	OpUpdate Op = "update"
	OpDelete Op = "delete"
	OpAdopt  Op = "adopt"  // agree with what CXone already holds
	OpReport Op = "report" // tell, and leave CXone as it is
)

// Writes reports whether the operation changes CXone.
func (o Op) Writes() bool { return o == OpCreate || o == OpUpdate || o == OpDelete }

// Edit is one value that differs. Before and After hold decoded JSON (numbers as
// json.Number); the one that is absent is nil, and so is a JSON null.
type Edit struct {
	// Path is a JSON Pointer into the document after the change, or, where the
	// value goes away, into the one before it.
	Path   Pointer  `json:"path"`
	Before any      `json:"before"`
	After  any      `json:"after"`
	Origin Position `json:"origin,omitzero"` // the place in git that set the value
	Why    string   `json:"why,omitempty"`
}

// Change is what is to be done about one desktop.
type Change struct {
	Op       Op     `json:"op"`
	ConfigID string `json:"configId"`
	File     string `json:"file"`
	Tier     Tier   `json:"tier"`
	State    State  `json:"state"`
	// Event is what its success is announced as.
	Event EventType `json:"event"`
	// IfMatch is the ETag under which a write happens; "" for a create, which
	// happens only while CXone holds nothing under the id.
	IfMatch ETag `json:"ifMatch"`
	// Before is what CXone holds, as far as is known; none for a create.
	Before Document `json:"before"`
	// After is what CXone is to hold; none for a delete.
	After Document `json:"after"`
	// Base is the desired document, agreed once the change is done.
	Base  Document `json:"base"`
	Edits []Edit   `json:"edits"` // from Before to After
	// Drift are the values that people changed in CXone, from the agreed
	// document to the live one, whether kept, reset or only reported.
	Drift []Edit `json:"drift,omitempty"`
	// Overwrites means that the write takes a value away that did not come from
	// deskhand, so Before must be on record first.
	Overwrites bool   `json:"overwrites,omitempty"`
	Why        string `json:"why"`
	// Policy is what the review said of the desktop.
	Policy PolicyResult `json:"policy,omitzero"`
}

// Precondition is what must hold for the change's write.
func (c Change) Precondition() Precondition {
	if c.Op == OpCreate {
		return IfAbsent()
	}
	return IfMatch(c.IfMatch)
}

// Plan is all that is to be done for one tenant at one commit. It is plain data:
// equal inputs make equal plans, and it can be written as JSON and applied later.
type Plan struct {
	Tenant Tenant `json:"tenant"`
	Commit Commit `json:"commit"`
	// Changes are the writes and adoptions, sorted by configId.
	Changes []Change `json:"changes"`
	// Reports are the desktops whose state is to be told and left alone: drift,
	// held conflicts, orphans, refusals. Sorted by configId.
	Reports  []Change  `json:"reports"`
	Findings []Finding `json:"findings"`
}

// Empty reports whether the plan writes and adopts nothing.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }

// Sort puts changes, reports and findings in their one order.
func (p *Plan) Sort() {
	byID := func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.ConfigID, b.ConfigID), cmp.Compare(a.File, b.File))
	}
	slices.SortFunc(p.Changes, byID)
	slices.SortFunc(p.Reports, byID)
	SortFindings(p.Findings)
}
