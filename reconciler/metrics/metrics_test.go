package metrics

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/deskhand/deskhand"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

// exercised are metrics of which every family has a series.
func exercised() *Metrics {
	m := New("1.2.3")
	broken := errors.New("broken")
	m.Reconciled("acme", deskhand.TriggerPoll, 70*time.Millisecond, nil)
	m.Reconciled("acme", deskhand.TriggerDrift, time.Second, broken)
	m.Applied("acme", deskhand.EventUpdated)
	m.States("acme", map[deskhand.State]int{deskhand.StateInSync: 11, deskhand.StateRefused: 1})
	m.Requested("acme", http.MethodPut, http.StatusOK, 20*time.Millisecond)
	m.Requested("acme", http.MethodGet, 0, 30*time.Second)
	m.Polled(nil)
	m.Fetched(broken)
	m.Resolved("acme", 2)
	m.Reviewed("acme", 1)
	m.Journal(7, map[string]uint64{"audit/acme": 5, "notify/itsm": 9})
	m.Delivered("itsm", nil)
	m.DeadLettered("itsm")
	return m
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("status = %d", recorder.Code)
	}
	return recorder.Body.String()
}

func TestScrape(t *testing.T) {
	t.Parallel()
	text := scrape(t, exercised())
	for _, want := range []string{
		`deskhand_build_info{go_version="`,
		`version="1.2.3"} 1`,
		`deskhand_reconciles_total{result="ok",tenant="acme",trigger="poll"} 1`,
		`deskhand_reconciles_total{result="error",tenant="acme",trigger="drift"} 1`,
		`deskhand_reconcile_duration_seconds_count{tenant="acme"} 2`,
		`deskhand_last_successful_reconcile_timestamp_seconds{tenant="acme"} `,
		`deskhand_changes_total{event="updated",tenant="acme"} 1`,
		`deskhand_desktops{state="in-sync",tenant="acme"} 11`,
		`deskhand_desktops{state="failed",tenant="acme"} 0`,
		`deskhand_cxone_requests_total{method="PUT",status="200",tenant="acme"} 1`,
		`deskhand_cxone_requests_total{method="GET",status="none",tenant="acme"} 1`,
		`deskhand_cxone_request_duration_seconds_bucket{method="PUT",tenant="acme",le="0.025"} 1`,
		`deskhand_git_polls_total{result="ok"} 1`,
		`deskhand_git_fetches_total{result="error"} 1`,
		`deskhand_journal_entries 7`,
		`deskhand_journal_lag_entries{cursor="audit/acme"} 2`,
		`deskhand_journal_lag_entries{cursor="notify/itsm"} 0`,
		`deskhand_webhook_deliveries_total{result="ok",sink="itsm"} 1`,
		`deskhand_webhook_dead_letters_total{sink="itsm"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the scrape lacks %s", want)
		}
	}
}

func TestStatesForgetsWhatIsNoMore(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.States("acme", map[deskhand.State]int{deskhand.StateDrifted: 3})
	m.States("acme", map[deskhand.State]int{deskhand.StateInSync: 3})
	if text := scrape(t, m); !strings.Contains(text, `deskhand_desktops{state="drifted",tenant="acme"} 0`) {
		t.Error("a state that no desktop is in keeps its old count")
	}
}

func TestFailureIsNoSuccess(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.Reconciled("acme", deskhand.TriggerPoll, time.Second, errors.New("broken"))
	if strings.Contains(scrape(t, m), "deskhand_last_successful_reconcile_timestamp_seconds{") {
		t.Error("a failed reconcile set the time of the last success")
	}
}

func TestNamesFollowTheConventions(t *testing.T) {
	t.Parallel()
	problems, err := testutil.GatherAndLint(exercised().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestTwoDaemonsInOneProcess(t *testing.T) {
	t.Parallel()
	first, second := New("1"), New("2")
	first.Polled(nil)
	if strings.Contains(scrape(t, second), "deskhand_git_polls_total{") {
		t.Error("metrics share state")
	}
}

const page = `# Metrics

The daemon serves these at ` + "`/metrics`" + `. This page is made from the registry: ` + "`make docs`" + ` writes it anew. The usual
` + "`go_*` and `process_*`" + ` metrics are served as well.

| metric | type | labels | meaning |
|---|---|---|---|
`

const alerts = `
## Alerts worth having

` + "```yaml" + `
groups:
  - name: deskhand
    rules:
      - alert: DeskhandStalled
        expr: time() - deskhand_last_successful_reconcile_timestamp_seconds > 1800
        annotations: {summary: "No reconcile of {{ $labels.tenant }} has succeeded for 30 minutes."}
      - alert: DeskhandDesktopsFailed
        expr: deskhand_desktops{state=~"failed|conflict"} > 0
        for: 15m
        annotations: {summary: "Desktops of {{ $labels.tenant }} need a person."}
      - alert: DeskhandAuditBehind
        expr: deskhand_journal_lag_entries{cursor=~"audit/.*"} > 100
        for: 15m
        annotations: {summary: "The audit branch is behind the journal."}
      - alert: DeskhandDeadLetters
        expr: increase(deskhand_webhook_dead_letters_total[1h]) > 0
        annotations: {summary: "Sink {{ $labels.sink }} did not take an event. See deskhand events."}
` + "```" + `
`

func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	families, err := exercised().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "deskhand_") {
			continue
		}
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, label.GetName())
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", family.GetName(),
			strings.ToLower(family.GetType().String()), quoted(labels), family.GetHelp())
	}
	const file = "../../docs/metrics.md"
	got := page + rows.String() + alerts
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is out of date; go test with -update writes it anew (-want +got):\n%s", file, diff)
	}
}

func quoted(names []string) string {
	if len(names) == 0 {
		return "–"
	}
	slices.Sort(names)
	return "`" + strings.Join(names, "`, `") + "`"
}
