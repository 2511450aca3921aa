package handlers_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/syncqueue"
)

// exposition reads a registry as a scrape would: series -> value.
func exposition(t *testing.T, h http.Handler) map[string]string {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	series := map[string]string{}
	for line := range strings.Lines(rec.Body.String()) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "hookd_") {
			series[name] = value
		}
	}
	return series
}

func TestMetricsOfTheContractExistFromTheStart(t *testing.T) {
	w := newWorld(t)
	families := map[string]bool{}
	for name := range exposition(t, w.admin) {
		name, _, _ = strings.Cut(name, "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		families[name] = true
	}
	want := []string{
		"hookd_build_info", "hookd_deliveries_total", "hookd_forge_requests_total", "hookd_intake_duration_seconds",
		"hookd_jobs_total", "hookd_queue_jobs", "hookd_queue_oldest_seconds", "hookd_reconcile_drift_total",
		"hookd_repo_visible_seconds", "hookd_shrink_held_total", "hookd_store_bytes", "hookd_target_requests_total",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(families))); diff != "" {
		t.Error(diff)
	}
}

func TestMetricsCountWhatHappens(t *testing.T) {
	now := time.Now()
	reg := prometheus.NewRegistry()
	left := 4711
	m := handlers.NewMetrics(reg, handlers.Build{Version: "1.2.3", Revision: "abc", GoVersion: "go1"}, handlers.Gauges{
		Users:     func() map[string]map[string]int { return map[string]map[string]int{"drone": {"missing": 3}} },
		Remaining: func() map[string]*int { return map[string]*int{"git": &left, "lab": nil} },
		Now:       func() time.Time { return now },
	})
	m.Delivery("git", "repository.created", "accepted")
	m.Delivery("git", "", "rejected")
	m.Delivery("git", "issues.opened", "ignored")
	for i := range 1000 {
		m.Delivery("git", fmt.Sprintf("evil-%d\"\n", i), "ignored")
		m.Delivery("git", fmt.Sprintf("repository.evil-%d", i), "accepted")
	}
	m.Intake(3 * time.Millisecond)
	m.ForgeRequest("git", 200)
	m.ForgeRequest("git", 0)
	m.ForgeRequest("git", 99999)
	m.TargetRequest("drone", 503)
	m.JobEnded("repo", "done")
	m.Visible("drone", 1.5)
	m.Drift("git", 4)
	m.Drift("git", 0)
	m.ShrinkHeld("drone")
	got := exposition(t, m.Handler())
	for series, want := range map[string]string{
		`hookd_deliveries_total{event="repository.created",provider="git",result="accepted"}`: "1",
		`hookd_deliveries_total{event="none",provider="git",result="rejected"}`:               "1",
		`hookd_deliveries_total{event="issues",provider="git",result="ignored"}`:              "1",
		`hookd_deliveries_total{event="other",provider="git",result="ignored"}`:               "1000",
		`hookd_deliveries_total{event="other",provider="git",result="accepted"}`:              "1000",
		`hookd_intake_duration_seconds_count`:                                                 "1",
		`hookd_intake_duration_seconds_bucket{le="0.005"}`:                                    "1",
		`hookd_forge_requests_total{code="200",provider="git"}`:                               "1",
		`hookd_forge_requests_total{code="error",provider="git"}`:                             "2",
		`hookd_target_requests_total{code="503",target="drone"}`:                              "1",
		`hookd_jobs_total{kind="repo",outcome="done"}`:                                        "1",
		`hookd_jobs_total{kind="sweep",outcome="lost"}`:                                       "0",
		`hookd_repo_visible_seconds_sum{target="drone"}`:                                      "1.5",
		`hookd_reconcile_drift_total{provider="git"}`:                                         "4",
		`hookd_shrink_held_total{target="drone"}`:                                             "1",
		`hookd_users{credential="missing",target="drone"}`:                                    "3",
		`hookd_users{credential="ok",target="drone"}`:                                         "0",
		`hookd_forge_rate_remaining{provider="git"}`:                                          "4711",
		`hookd_forge_rate_remaining{provider="lab"}`:                                          "NaN",
		`hookd_build_info{goversion="go1",revision="abc",version="1.2.3"}`:                    "1",
	} {
		if got[series] != want {
			t.Errorf("%s: %q, want %q", series, got[series], want)
		}
	}
	n := 0
	for name := range got {
		if strings.HasPrefix(name, "hookd_deliveries_total") {
			n++
		}
	}
	if n != 5 {
		t.Errorf("%d series of deliveries: a sender made some", n)
	}
}

func TestGaugesReadTheQueue(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	w.send(created("g1"))
	if got := exposition(t, w.admin); got[`hookd_queue_jobs{state="waiting"}`] != "1" || got["hookd_queue_oldest_seconds"] != "0" || got["hookd_store_bytes"] == "0" {
		t.Errorf("%v", got)
	}
	now = now.Add(61 * time.Second)
	if got := exposition(t, w.admin); got[`hookd_queue_jobs{state="ready"}`] != "1" || got["hookd_queue_oldest_seconds"] != "60" {
		t.Errorf("%v", got)
	}
	w.db.Close()
	for _, state := range syncqueue.States {
		if v, ok := exposition(t, w.admin)[fmt.Sprintf("hookd_queue_jobs{state=%q}", state)]; ok {
			t.Errorf("%s is said to be %s though nobody knows", state, v)
		}
	}
}

func TestNilMetricsAreHarmless(t *testing.T) {
	var m *handlers.Metrics
	m.Known([]string{"a"}, nil)
	m.Delivery("a", "b", "c")
	m.Intake(1)
	m.ForgeRequest("a", 200)
	m.TargetRequest("a", 200)
	m.JobEnded("a", "b")
	m.Visible("a", 1)
	m.Drift("a", 1)
	m.ShrinkHeld("a")
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusNotFound {
		t.Error(rec.Code)
	}
}
