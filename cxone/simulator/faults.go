package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deskhand/deskhand"
)

// FaultKind is a way to misbehave.
type FaultKind string

// The faults. Each says whether a write that runs into it is applied.
const (
	// FaultStatus answers with Status, and with Retry-After where given. Not
	// applied, unless Applied.
	FaultStatus FaultKind = "status"
	// FaultLostAnswer applies the write and breaks the connection.
	FaultLostAnswer FaultKind = "lost-answer"
	// FaultDropped breaks the connection. Not applied.
	FaultDropped FaultKind = "dropped"
	// FaultSlow applies the write and answers after Latency.
	FaultSlow FaultKind = "slow"

	// FaultEndlessBody answers with a body that never ends. Applied.
	FaultEndlessBody FaultKind = "endless-body"
	// FaultTruncatedBody breaks the connection halfway through the body. Applied.
	FaultTruncatedBody FaultKind = "truncated-body"
	// FaultOversizedBody answers with valid JSON of more than 4 MiB. Applied.
	FaultOversizedBody FaultKind = "oversized-body"
	// FaultGzipBomb answers with little that expands without end. Applied.
	FaultGzipBomb FaultKind = "gzip-bomb"
	// FaultHTML answers 200 with a page for people. Not applied.
	FaultHTML FaultKind = "html"
	// FaultRedirect answers 307 to Location. Not applied.
	FaultRedirect FaultKind = "redirect"

	// FaultNoETag leaves the ETag out, and accepts a write without precondition.
	FaultNoETag FaultKind = "no-etag"
	// FaultWeakETag shows weak ETags, and accepts a write without precondition.
	FaultWeakETag FaultKind = "weak-etag"
	// FaultNewETag makes a new version of the same content just before.
	FaultNewETag FaultKind = "new-etag"
	// FaultTokenExpired ends all tokens just before: 401 until there is a new one.
	FaultTokenExpired FaultKind = "token-expired"

	// FaultListUnsupported answers a list with Status: 404 (default), 405 or 501.
	FaultListUnsupported FaultKind = "list-unsupported"
	// FaultListWithoutETags leaves the ETags out of a list.
	FaultListWithoutETags FaultKind = "list-without-etags"

	// FaultEditBefore makes an edit by hand just before: Fields as a merge
	// patch, or Edit. Where there is no configuration it is created.
	FaultEditBefore FaultKind = "edit-before"
	// FaultRemoveBefore removes the configuration by hand just before.
	FaultRemoveBefore FaultKind = "remove-before"
	// FaultNormalise stores something else than what a PUT brings: Fields as a
	// merge patch on it, or Edit.
	FaultNormalise FaultKind = "normalise"
)

// FaultKinds lists every kind.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultStatus, FaultLostAnswer, FaultDropped, FaultSlow,
		FaultEndlessBody, FaultTruncatedBody, FaultOversizedBody, FaultGzipBomb, FaultHTML, FaultRedirect,
		FaultNoETag, FaultWeakETag, FaultNewETag, FaultTokenExpired,
		FaultListUnsupported, FaultListWithoutETags,
		FaultEditBefore, FaultRemoveBefore, FaultNormalise,
	}
}

// targets are what a fault of the kind can befall, the first being the default.
func (k FaultKind) targets() []Target {
	switch k {
	case FaultNewETag, FaultEditBefore, FaultRemoveBefore, FaultNormalise:
		return []Target{TargetConfiguration}
	case FaultListUnsupported, FaultListWithoutETags:
		return []Target{TargetList}
	case FaultNoETag, FaultWeakETag, FaultTokenExpired:
		return []Target{TargetConfiguration, TargetList}
	default:
		return []Target{TargetConfiguration, TargetList, TargetToken}
	}
}

// Fault says which requests run into what. It counts requests as they arrive.
type Fault struct {
	Kind FaultKind `json:"kind"`

	// Method, Target and ID (a glob as of path.Match) narrow the requests down.
	// Without a target they are those to configurations and the list.
	Method string `json:"method,omitempty"`
	Target Target `json:"target,omitempty"`
	ID     string `json:"id,omitempty"`
	// Next is how many of these requests it befalls; 0 for all until ClearFaults.
	Next int `json:"next,omitempty"`
	// Probability is that of each request; 0 for certainty. Equal seeds make
	// equal sequences.
	Probability float64 `json:"probability,omitempty"`
	Seed        uint64  `json:"seed,omitempty"`

	Status  int  `json:"status,omitempty"`
	Applied bool `json:"applied,omitempty"`
	// RetryAfter is sent as it is ("2", "Wed, 21 Oct 2026 07:28:00 GMT"), but a
	// duration with its sign ("+2s", "-1m") as the HTTP-date that far from now.
	RetryAfter string         `json:"retryAfter,omitempty"`
	Latency    time.Duration  `json:"-"` // in JSON "latency", such as "250ms"
	Location   string         `json:"location,omitempty"`
	Fields     map[string]any `json:"fields,omitempty"`
	// Edit is what Fields is, for programs. It must not call the simulator.
	Edit func(fields map[string]any) `json:"-"`
}

// ParseFault reads a fault from JSON, strictly, and validates it.
func ParseFault(text []byte) (Fault, error) {
	var fault Fault
	if err := decodeStrictly(text, &fault); err != nil {
		return Fault{}, fmt.Errorf("parse fault: %w", err)
	}
	if err := fault.Validate(); err != nil {
		return Fault{}, fmt.Errorf("parse fault: %w", err)
	}
	return fault, nil
}

// Validate returns an error that names what is wrong with the fault.
func (f Fault) Validate() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("unknown kind %q (known: %s)", f.Kind, joinKinds())
	}
	if f.Target != "" && !slices.Contains(f.Kind.targets(), f.Target) {
		return fmt.Errorf("%s has nothing to do with the target %q", f.Kind, f.Target)
	}
	if _, err := path.Match(f.ID, ""); err != nil {
		return fmt.Errorf("the id %q is not a glob: %w", f.ID, err)
	}
	if f.Next < 0 || f.Latency < 0 || !(f.Probability >= 0 && f.Probability <= 1) {
		return errors.New("next and latency can't be negative, and a probability is between 0 and 1")
	}
	if _, err := deskhand.NewDocument(f.Fields); err != nil {
		return fmt.Errorf("the fields are not JSON: %w", err)
	}
	if _, err := url.Parse(f.Location); err != nil {
		return fmt.Errorf("the location is not a URL: %w", err)
	}
	switch f.Kind {
	case FaultStatus:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("a fault of kind status needs a status from 400 to 599, not %d", f.Status)
		}
	case FaultSlow:
		if f.Latency == 0 {
			return errors.New(`a fault of kind slow needs a latency, such as "2s"`)
		}
	case FaultListUnsupported:
		if !slices.Contains([]int{0, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}, f.Status) {
			return fmt.Errorf("a tenant without a list answers 404, 405 or 501, not %d", f.Status)
		}
	case FaultNormalise:
		if f.Fields == nil && f.Edit == nil {
			return errors.New("a fault of kind normalise needs the fields that are stored otherwise")
		}
	}
	return nil
}

func joinKinds() string {
	names := make([]string, 0, len(FaultKinds()))
	for _, kind := range FaultKinds() {
		names = append(names, string(kind))
	}
	return strings.Join(names, ", ")
}

// plainFault is a Fault without its methods, so that they can use encoding/json.
type plainFault Fault

// MarshalJSON writes the latency as people do.
func (f Fault) MarshalJSON() ([]byte, error) {
	wire := struct {
		plainFault
		Latency string `json:"latency,omitempty"`
	}{plainFault: plainFault(f)}
	if f.Latency != 0 {
		wire.Latency = f.Latency.String()
	}
	return json.Marshal(wire)
}

// UnmarshalJSON refuses unknown members.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var wire struct {
		plainFault
		Latency string `json:"latency"`
	}
	if err := decodeStrictly(text, &wire); err != nil {
		return err
	}
	*f = Fault(wire.plainFault)
	if wire.Latency == "" {
		return nil
	}
	latency, err := time.ParseDuration(wire.Latency)
	if err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	f.Latency = latency
	return nil
}

// matches reports whether the fault is about such requests.
func (f Fault) matches(x *exchange) bool {
	if f.Method != "" && !strings.EqualFold(f.Method, x.request.Method) {
		return false
	}
	if f.Target != "" && f.Target != x.target || !slices.Contains(f.Kind.targets(), x.target) {
		return false
	}
	if f.Target == "" && x.target == TargetToken {
		return false
	}
	if f.ID == "" {
		return true
	}
	matched, err := path.Match(f.ID, x.id)
	return err == nil && matched && x.target == TargetConfiguration
}

// faults are those that requests can run into.
type faults struct {
	mu    sync.Mutex
	armed []*armedFault
}

type armedFault struct {
	Fault
	dice *rand.Rand
	left int // of Next
}

// meet returns the faults that befall the request, in the order of their injection.
func (f *faults) meet(x *exchange) []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var met []Fault
	spent := false
	for _, fault := range f.armed {
		if !fault.matches(x) || fault.Probability > 0 && fault.dice.Float64() >= fault.Probability {
			continue
		}
		met = append(met, fault.Fault)
		if fault.Next > 0 {
			fault.left--
			spent = spent || fault.left == 0
		}
	}
	if spent {
		f.armed = slices.DeleteFunc(f.armed, func(fault *armedFault) bool { return fault.Next > 0 && fault.left == 0 })
	}
	return met
}

// Inject has requests run into the fault from now on, with those injected before.
// A fault that Validate refuses is a mistake in the calling program, and so a
// panic: a test whose fault never comes would prove nothing.
func (s *Simulator) Inject(f Fault) {
	if err := f.Validate(); err != nil {
		panic("simulator: inject: " + err.Error())
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	dice := rand.New(rand.NewPCG(f.Seed, 0)) //nolint:gosec // equal seeds must make equal faults
	s.faults.armed = append(s.faults.armed, &armedFault{Fault: f, dice: dice, left: f.Next})
}

// ClearFaults ends all misbehaviour.
func (s *Simulator) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.armed = nil
}

// Faults are those still to come, with Next as it is left.
func (s *Simulator) Faults() []Fault {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	left := make([]Fault, 0, len(s.faults.armed))
	for _, fault := range s.faults.armed {
		f := fault.Fault
		f.Next = fault.left
		left = append(left, f)
	}
	return left
}
