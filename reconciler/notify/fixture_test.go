package notify_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/deskhand/deskhand"
	"github.com/deskhand/deskhand/reconciler/ledger"
	"github.com/deskhand/deskhand/reconciler/notify"
)

const acme deskhand.Tenant = "acme"

func openLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.TempDir(), ledger.Options{Actor: deskhand.Actor{Version: "1.2.3", Host: "desk-1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func record(configID string, event deskhand.EventType) deskhand.Record {
	return deskhand.Record{
		ConfigID: configID,
		File:     "desktops/standard/" + configID + ".yaml",
		Tier:     deskhand.TierStandard,
		Event:    event,
		State:    deskhand.StateInSync,
		Commit: deskhand.RecordCommit{
			SHA: strings.Repeat("abc1", 10), Ref: "main", Author: "Ada <ada@example.com>", Subject: "Widen the grid",
		},
		Trigger: deskhand.TriggerPush,
		Request: deskhand.Request{ID: "req-1", Attempts: 2, Statuses: []int{409, 200}, LatencyMs: 41},
		ETag:    deskhand.ETagChange{Before: `"1"`, After: `"2"`},
		Changes: []deskhand.Edit{{Path: "/layout/gridColumns", Before: json.Number("12"), After: json.Number("8")}},
		Policy:  deskhand.PolicyResult{Score: 100, ChecksPassed: []string{"schema"}},
		Outcome: deskhand.OutcomeApplied,
	}
}

func journal(t *testing.T, l *ledger.Ledger, records ...deskhand.Record) {
	t.Helper()
	settlements := make([]deskhand.Settlement, len(records))
	for i := range records {
		settlements[i].Record = &records[i]
	}
	if err := l.Settle(t.Context(), acme, settlements); err != nil {
		t.Fatal(err)
	}
}

// receiver is a webhook in memory.
type receiver struct {
	mu       sync.Mutex
	got      []received
	attempts map[string]int                           // by event
	answer   func(configID string, attempt int) reply // nil is 204
}

type received struct {
	id, configID string
	at           time.Time
	header       http.Header
	body         []byte
}

type reply struct {
	status int
	header http.Header
	hang   bool // until the request is given up
}

func (r *receiver) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var event struct {
		Subject string `json:"subject"`
		Payload struct {
			ConfigID string `json:"configId"`
		} `json:"payload"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	configID := event.Subject + event.Payload.ConfigID
	r.mu.Lock()
	id := request.Header.Get("webhook-id")
	if r.attempts == nil {
		r.attempts = make(map[string]int)
	}
	r.attempts[id]++
	attempt := r.attempts[id]
	r.got = append(r.got, received{id: id, configID: configID, at: time.Now(), header: request.Header, body: body})
	given := reply{status: http.StatusNoContent}
	if r.answer != nil {
		given = r.answer(configID, attempt)
	}
	r.mu.Unlock()
	if given.hang {
		<-request.Context().Done()
		return nil, request.Context().Err()
	}
	header := given.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: given.status, Header: header, Body: http.NoBody, Request: request}, nil
}

func (r *receiver) all() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]received{}, r.got...)
}

func (r *receiver) desktops() []string {
	var names []string
	for _, one := range r.all() {
		names = append(names, one.configID)
	}
	return names
}

func itsm() notify.Sink {
	return notify.Sink{Name: "itsm", URL: "https://itsm.example.com/hooks/token-in-path"}
}

func notifier(t *testing.T, sink notify.Sink, l *ledger.Ledger, transport http.RoundTripper) *notify.Notifier {
	t.Helper()
	n, err := notify.New(sink, l, l, notify.Options{Start: l.Tail(), Version: "1.2.3", Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs the notifier until the returned function is called.
func run(t *testing.T, n *notify.Notifier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- n.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
