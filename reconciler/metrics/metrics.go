// Package metrics counts what the daemon does, for Prometheus. Each Metrics has
// a registry of its own; there is no state in the package.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/deskhand/deskhand"
)

// The results that the labels named result can have.
const (
	ResultOK    = "ok"
	ResultError = "error"
)

// Metrics are the daemon's metrics. Its methods are safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	reconciles        *prometheus.CounterVec
	reconcileDuration *prometheus.HistogramVec
	lastSuccess       *prometheus.GaugeVec
	changes           *prometheus.CounterVec
	desktops          *prometheus.GaugeVec

	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec

	gitPolls   *prometheus.CounterVec
	gitFetches *prometheus.CounterVec
	resolved   *prometheus.CounterVec
	reviewed   *prometheus.CounterVec

	entries prometheus.Gauge
	lag     *prometheus.GaugeVec

	deliveries  *prometheus.CounterVec
	deadLetters *prometheus.CounterVec
}

// New makes the metrics of a daemon of that version.
func New(version string) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m := register(registry)
	promauto.With(registry).NewGaugeVec(prometheus.GaugeOpts{
		Name: "deskhand_build_info",
		Help: "Always 1; the labels say which deskhand runs.",
	}, []string{"version", "go_version"}).WithLabelValues(version, runtime.Version()).Set(1)
	return m
}

func register(registry *prometheus.Registry) *Metrics {
	metric := promauto.With(registry)
	return &Metrics{
		registry: registry,

		reconciles: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_reconciles_total",
			Help: "Reconciles, by what made them happen and how they ended (ok, error).",
		}, []string{"tenant", "trigger", "result"}),
		reconcileDuration: metric.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "deskhand_reconcile_duration_seconds",
			Help:    "How long a reconcile takes.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, []string{"tenant"}),
		lastSuccess: metric.NewGaugeVec(prometheus.GaugeOpts{
			Name: "deskhand_last_successful_reconcile_timestamp_seconds",
			Help: "When a reconcile last ended without an error, in Unix time.",
		}, []string{"tenant"}),
		changes: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_changes_total",
			Help: "What became of desktops, by the last word of the event's type.",
		}, []string{"tenant", "event"}),
		desktops: metric.NewGaugeVec(prometheus.GaugeOpts{
			Name: "deskhand_desktops",
			Help: "Desktops by state.",
		}, []string{"tenant", "state"}),

		requests: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_cxone_requests_total",
			Help: "HTTP requests to CXone, by method and status; none means that no answer came.",
		}, []string{"tenant", "method", "status"}),
		requestDuration: metric.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "deskhand_cxone_request_duration_seconds",
			Help:    "How long a request to CXone takes.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"tenant", "method"}),

		gitPolls: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_git_polls_total",
			Help: "Looks at the source branch, by how they ended (ok, error).",
		}, []string{"result"}),
		gitFetches: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_git_fetches_total",
			Help: "Fetches from the source repository, by how they ended (ok, error).",
		}, []string{"result"}),

		resolved: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_definitions_resolved_total",
			Help: "Definitions resolved anew, because a file that they rest on changed.",
		}, []string{"tenant"}),
		reviewed: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_definitions_reviewed_total",
			Help: "Definitions judged anew, because they or the policy changed.",
		}, []string{"tenant"}),

		entries: metric.NewGauge(prometheus.GaugeOpts{
			Name: "deskhand_journal_entries",
			Help: "The sequence number of the journal's newest entry.",
		}),
		lag: metric.NewGaugeVec(prometheus.GaugeOpts{
			Name: "deskhand_journal_lag_entries",
			Help: "How many entries a reader of the journal is behind.",
		}, []string{"cursor"}),

		deliveries: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_webhook_deliveries_total",
			Help: "Attempts to deliver an event, by how they ended (ok, error).",
		}, []string{"sink", "result"}),
		deadLetters: metric.NewCounterVec(prometheus.CounterOpts{
			Name: "deskhand_webhook_dead_letters_total",
			Help: "Events given up on; deskhand events lists them.",
		}, []string{"sink"}),
	}
}

// Handler serves the metrics in the formats that Prometheus reads.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Reconciled counts a reconcile that took that long and ended with err.
func (m *Metrics) Reconciled(tenant deskhand.Tenant, trigger deskhand.Trigger, took time.Duration, err error) {
	m.reconciles.WithLabelValues(string(tenant), string(trigger), result(err)).Inc()
	m.reconcileDuration.WithLabelValues(string(tenant)).Observe(took.Seconds())
	if err == nil {
		m.lastSuccess.WithLabelValues(string(tenant)).SetToCurrentTime()
	}
}

// Applied counts what became of one desktop.
func (m *Metrics) Applied(tenant deskhand.Tenant, event deskhand.EventType) {
	m.changes.WithLabelValues(string(tenant), word(event)).Inc()
}

// States sets how many desktops of a tenant are in each state. A state that
// counts leaves out has none.
func (m *Metrics) States(tenant deskhand.Tenant, counts map[deskhand.State]int) {
	for _, state := range states() {
		m.desktops.WithLabelValues(string(tenant), string(state)).Set(float64(counts[state]))
	}
}

// Requested counts one HTTP request to CXone; the status 0 means that no answer
// came.
func (m *Metrics) Requested(tenant deskhand.Tenant, method string, status int, took time.Duration) {
	code := "none"
	if status != 0 {
		code = strconv.Itoa(status)
	}
	m.requests.WithLabelValues(string(tenant), method, code).Inc()
	m.requestDuration.WithLabelValues(string(tenant), method).Observe(took.Seconds())
}

// Polled counts a look at the source branch.
func (m *Metrics) Polled(err error) { m.gitPolls.WithLabelValues(result(err)).Inc() }

// Fetched counts a fetch from the source repository.
func (m *Metrics) Fetched(err error) { m.gitFetches.WithLabelValues(result(err)).Inc() }

// Resolved counts the definitions that a snapshot had to resolve anew.
func (m *Metrics) Resolved(tenant deskhand.Tenant, definitions int) {
	m.resolved.WithLabelValues(string(tenant)).Add(float64(definitions))
}

// Reviewed counts the definitions that a review had to judge anew.
func (m *Metrics) Reviewed(tenant deskhand.Tenant, definitions int) {
	m.reviewed.WithLabelValues(string(tenant)).Add(float64(definitions))
}

// Journal sets the sequence number of the newest entry, and that of the last
// entry each reader is through with, by the name of its cursor.
func (m *Metrics) Journal(newest uint64, cursors map[string]uint64) {
	m.entries.Set(float64(newest))
	for name, passed := range cursors {
		m.lag.WithLabelValues(name).Set(float64(newest - min(newest, passed)))
	}
}

// Delivered counts one attempt to deliver an event to a sink.
func (m *Metrics) Delivered(sink string, err error) {
	m.deliveries.WithLabelValues(sink, result(err)).Inc()
}

// DeadLettered counts an event that a sink did not take in all its attempts.
func (m *Metrics) DeadLettered(sink string) { m.deadLetters.WithLabelValues(sink).Inc() }
