package simulator

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	maxLogged     = 4096 // requests, the last ones
	maxViolations = 1000 // the first ones
	maxLoggedText = 200  // bytes of what a client chose
)

// Counts are the requests since the start or the last ResetCounts.
type Counts struct {
	// Requests counts by method and status; status 0 is a broken connection.
	Requests map[string]map[int]int `json:"requests"`
	Lists    int                    `json:"lists"`  // pages listed, which count as GET too
	Tokens   int                    `json:"tokens"` // issued
	// BytesIn and BytesOut are those of bodies, less what a fault adds without end.
	BytesIn  int64 `json:"bytesIn"`
	BytesOut int64 `json:"bytesOut"`
}

// Get is how many requests with that method were answered with that status.
func (c Counts) Get(method string, status int) int { return c.Requests[method][status] }

// Method is how many requests had that method.
func (c Counts) Method(method string) int {
	total := 0
	for _, requests := range c.Requests[method] {
		total += requests
	}
	return total
}

// Total is how many requests there were.
func (c Counts) Total() int {
	total := 0
	for method := range c.Requests {
		total += c.Method(method)
	}
	return total
}

// LoggedRequest is a request as the log keeps it. It holds no credentials.
type LoggedRequest struct {
	Time        time.Time   `json:"time"`
	Method      string      `json:"method"`
	Host        string      `json:"host"`
	Path        string      `json:"path"` // without the query
	ID          string      `json:"id,omitempty"`
	IfMatch     string      `json:"ifMatch,omitempty"`
	IfNoneMatch string      `json:"ifNoneMatch,omitempty"`
	Status      int         `json:"status"` // 0: the connection was broken
	RequestID   string      `json:"requestId"`
	UserAgent   string      `json:"userAgent,omitempty"`
	Faults      []FaultKind `json:"faults,omitempty"` // what it ran into
}

// traffic is what there is to tell of the requests so far.
type traffic struct {
	mu         sync.Mutex
	counts     Counts
	log        []LoggedRequest // a ring once it is full
	oldest     int
	violations []string
	lastID     int64
}

func newTraffic() *traffic { return &traffic{counts: Counts{Requests: map[string]map[int]int{}}} }

func (t *traffic) record(x *exchange, a answer) {
	header := x.request.Header
	logged := LoggedRequest{
		Time:        x.arrived,
		Method:      method(x.request),
		Host:        clip(x.request.Host),
		Path:        clip(x.request.URL.Path),
		ID:          clip(x.id),
		IfMatch:     clip(header.Get("If-Match")),
		IfNoneMatch: clip(header.Get("If-None-Match")),
		Status:      a.status,
		RequestID:   clip(x.requestID),
		UserAgent:   clip(x.request.UserAgent()),
	}
	for _, fault := range x.faults {
		logged.Faults = append(logged.Faults, fault.Kind)
	}

	t.mu.Lock()
	defer t.mu.Unlock()
	byStatus := t.counts.Requests[logged.Method]
	if byStatus == nil {
		byStatus = map[int]int{}
		t.counts.Requests[logged.Method] = byStatus
	}
	byStatus[a.status]++
	if x.target == TargetList {
		t.counts.Lists++
	}
	t.counts.BytesIn += int64(len(x.body))
	t.counts.BytesOut += int64(len(a.body))
	if len(t.log) < maxLogged {
		t.log = append(t.log, logged)
		return
	}
	t.log[t.oldest] = logged
	t.oldest = (t.oldest + 1) % maxLogged
}

// method keeps clients from filling the counts with methods of their invention.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	default:
		return "other"
	}
}

func clip(text string) string { return text[:min(len(text), maxLoggedText)] }

func (t *traffic) token() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Tokens++
}

func (t *traffic) violation(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.violations) < maxViolations {
		t.violations = append(t.violations, text)
	}
}

func (t *traffic) nextID() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastID++
	return t.lastID
}

// Counts are the requests counted so far.
func (s *Simulator) Counts() Counts {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	counts := s.traffic.counts
	counts.Requests = make(map[string]map[int]int, len(counts.Requests))
	for method, byStatus := range s.traffic.counts.Requests {
		counts.Requests[method] = maps.Clone(byStatus)
	}
	return counts
}

// ResetCounts starts counting from nothing. Log and violations stay.
func (s *Simulator) ResetCounts() {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	s.traffic.counts = Counts{Requests: map[string]map[int]int{}}
}

// Requests are the last few thousand requests, the oldest first.
func (s *Simulator) Requests() []LoggedRequest {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return slices.Concat(s.traffic.log[s.traffic.oldest:], s.traffic.log[:s.traffic.oldest])
}

// Violations are the writes that broke a rule which every client has to keep: an
// exact precondition, a bearer token, an X-Request-ID. The first thousand of them.
func (s *Simulator) Violations() []string {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return slices.Clone(s.traffic.violations)
}
