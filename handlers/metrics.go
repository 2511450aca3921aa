package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hookd/hookd/syncqueue"
)

// The results of a delivery in hookd_deliveries_total. The first four are also
// what the sender reads; the others were refused and are in no journal.
const (
	resultAccepted     = "accepted"
	resultPing         = "ping"
	resultIgnored      = "ignored"
	resultDuplicate    = "duplicate"
	resultRejected     = "rejected"     // 401
	resultMalformed    = "malformed"    // 400
	resultUnacceptable = "unacceptable" // 405, 408, 413, 415
	resultUnavailable  = "unavailable"  // 503
)

// Metrics is everything hookd tells Prometheus. Label values are closed sets:
// no user, repository or other word of a stranger becomes one. All methods are
// safe for concurrent use and do nothing on a nil *Metrics.
type Metrics struct {
	reg *prometheus.Registry

	deliveries     *prometheus.CounterVec
	announcements  *prometheus.CounterVec
	intake         prometheus.Histogram
	jobs           *prometheus.CounterVec
	forgeRequests  *prometheus.CounterVec
	targetRequests *prometheus.CounterVec
	visible        *prometheus.HistogramVec
	drift          *prometheus.CounterVec
	held           *prometheus.CounterVec
}

// NewMetrics registers everything with reg, which must not have any of it yet.
// The gauges are read whenever reg is gathered.
func NewMetrics(reg *prometheus.Registry, b Build, g Gauges) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		reg:           reg,
		deliveries:    counter("hookd_deliveries_total", "Deliveries by what became of them; event is none for those refused before they were read.", "provider", "event", "result"),
		announcements: counter("hookd_target_events_total", "What CI servers announced, by what became of it; event is none for what was refused before it was read.", "target", "event", "result"),
		intake: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hookd_intake_duration_seconds", Help: "Time from a request's headers to its 2xx answer, commit included.",
			Buckets:                     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}),
		jobs:           counter("hookd_jobs_total", "Runs of jobs by how they ended.", "kind", "outcome"),
		forgeRequests:  counter("hookd_forge_requests_total", "HTTP requests to the forge; code is error when there was no answer.", "provider", "code"),
		targetRequests: counter("hookd_target_requests_total", "HTTP requests to the CI server; code is error when there was no answer.", "target", "code"),
		visible: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "hookd_repo_visible_seconds", Help: "Time from receiving an event to seeing its change in the CI server.",
			Buckets:                     []float64{.5, 1, 2, 3, 5, 8, 10, 15, 30, 60, 120, 300, 900, 3600, 14400, 86400},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
		}, []string{"target"}),
		drift: counter("hookd_reconcile_drift_total", "Changes that no webhook had announced.", "provider"),
		held:  counter("hookd_shrink_held_total", "Syncs held because they would have taken too much away.", "target"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "hookd_build_info", Help: "Always 1; the labels say what binary this is."}, []string{"version", "revision", "goversion"})
	build.WithLabelValues(b.Version, b.Revision, b.GoVersion).Set(1)
	reg.MustRegister(
		m.deliveries, m.announcements, m.intake, m.jobs, m.forgeRequests, m.targetRequests, m.visible, m.drift, m.held,
		build, gaugeCollector{g}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for _, k := range syncqueue.Kinds {
		for _, r := range syncqueue.Results {
			m.jobs.WithLabelValues(string(k), string(r))
		}
	}
	return m
}

// Known makes the series of these providers and targets exist, so that rates
// and alerts see a zero before the first event. It may be called again when
// the configuration was reloaded.
func (m *Metrics) Known(providers, targets []string) {
	if m == nil {
		return
	}
	for _, p := range providers {
		for _, r := range []string{resultRejected, resultMalformed, resultUnacceptable, resultUnavailable} {
			m.deliveries.WithLabelValues(p, noEvent, r)
		}
		m.deliveries.WithLabelValues(p, "repository.created", resultAccepted)
		m.forgeRequests.WithLabelValues(p, "200")
		m.forgeRequests.WithLabelValues(p, "error")
		m.drift.WithLabelValues(p)
	}
	for _, t := range targets {
		m.targetRequests.WithLabelValues(t, "200")
		m.targetRequests.WithLabelValues(t, "error")
		m.visible.WithLabelValues(t)
		m.held.WithLabelValues(t)
	}
}

// Handler serves the exposition.
func (m *Metrics) Handler() http.Handler {
	if m == nil {
		return http.NotFoundHandler()
	}
	return promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Delivery counts a delivery. Event is the event's name, folded to "other" if
// hookd does not know it, since whoever holds a secret could send any.
func (m *Metrics) Delivery(provider, event, result string) {
	if m != nil {
		m.deliveries.WithLabelValues(provider, foldEvent(event), result).Inc()
	}
}

// Announcement counts what a CI server announced, as Delivery does.
func (m *Metrics) Announcement(target, event, result string) {
	if m != nil {
		m.announcements.WithLabelValues(target, foldEvent(event), result).Inc()
	}
}

// Intake records how long it took to answer a delivery with a 2xx.
func (m *Metrics) Intake(d time.Duration) {
	if m != nil {
		m.intake.Observe(d.Seconds())
	}
}

// ForgeRequest counts a request to a forge; code is 0 if there was no answer.
func (m *Metrics) ForgeRequest(provider string, code int) {
	if m != nil {
		m.forgeRequests.WithLabelValues(provider, codeLabel(code)).Inc()
	}
}

// TargetRequest counts a request to a CI server; code is 0 if there was no
// answer.
func (m *Metrics) TargetRequest(target string, code int) {
	if m != nil {
		m.targetRequests.WithLabelValues(target, codeLabel(code)).Inc()
	}
}

// JobEnded counts a run of a job: a syncqueue.Kind and a syncqueue.Result.
func (m *Metrics) JobEnded(kind, outcome string) {
	if m != nil {
		m.jobs.WithLabelValues(kind, outcome).Inc()
	}
}

// Visible records how many seconds after its event a change showed.
func (m *Metrics) Visible(target string, seconds float64) {
	if m != nil {
		m.visible.WithLabelValues(target).Observe(seconds)
	}
}

// Drift counts changes that no webhook had announced.
func (m *Metrics) Drift(provider string, n int) {
	if m != nil && n > 0 {
		m.drift.WithLabelValues(provider).Add(float64(n))
	}
}

// ShrinkHeld counts a sync that the shrink guard held.
func (m *Metrics) ShrinkHeld(target string) {
	if m != nil {
		m.held.WithLabelValues(target).Inc()
	}
}

func codeLabel(code int) string {
	if code < 100 || code > 599 {
		return "error"
	}
	return strconv.Itoa(code)
}
