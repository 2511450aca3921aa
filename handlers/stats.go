package handlers

import (
	"net/http"
	"time"

	"github.com/hookd/hookd/storage"
)

const (
	defaultWindow = time.Hour
	maxWindow     = 366 * 24 * time.Hour
	maxPoints     = 10_000
)

type visibleStats struct {
	Window string         `json:"window"`
	Count  int            `json:"count"`
	P50    *float64       `json:"p50"`
	P95    *float64       `json:"p95"`
	P99    *float64       `json:"p99"`
	Points []visiblePoint `json:"points"`
}

type visiblePoint struct {
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Repo    string    `json:"repo"`
	User    string    `json:"user"`
	Target  string    `json:"target"`
}

// visibleStats tells how long additions took from the delivery that announced
// them to the CI server showing them.
func (s *api) visibleStats(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r, "window")
	window := q.duration("window", defaultWindow, maxWindow)
	if q.err != nil {
		fail(w, r, s.Log, q.err)
		return
	}
	shown, err := s.Visibles.Visible(r.Context(), s.Now().Add(-window))
	if err != nil {
		fail(w, r, s.Log, err)
		return
	}
	stats := visibleStats{Window: q.text("window"), Points: []visiblePoint{}}
	if stats.Window == "" {
		stats.Window = "1h"
	}
	shown = storage.Announced(shown)
	for _, v := range shown[max(0, len(shown)-maxPoints):] {
		stats.Points = append(stats.Points, visiblePoint{v.At, v.Took().Seconds(), v.Repo, v.User, v.Target})
	}
	took := storage.Took(shown)
	stats.Count = len(took)
	stats.P50, stats.P95, stats.P99 = percentile(took, .50), percentile(took, .95), percentile(took, .99)
	writeJSON(w, http.StatusOK, stats)
}

// percentile is in seconds, nil if there is nothing to tell.
func percentile(sorted []time.Duration, p float64) *float64 {
	d, ok := storage.Percentile(sorted, p)
	if !ok {
		return nil
	}
	seconds := d.Seconds()
	return &seconds
}
