package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/storage"
)

const alertsFile = "../prometheus/alerts.yaml"

// alerts reads the rules as Prometheus does.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.ParseFile(alertsFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var rules []rulefmt.Rule
	for _, g := range groups.Groups {
		rules = append(rules, g.Rules...)
	}
	return rules
}

func TestAlertsSayWhatToDo(t *testing.T) {
	for _, r := range alerts(t) {
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		for _, a := range []string{"summary", "description"} {
			if r.Annotations[a] == "" {
				t.Errorf("%s: no %s", r.Alert, a)
			}
		}
	}
}

// A metric that does not exist is an alert that never fires.
func TestAlertsGoByMetricsOfHookd(t *testing.T) {
	files, err := filepath.Glob(root + "/handlers/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			source.Write(text)
		}
	}
	names := regexp.MustCompile(`hookd_[a-z_]+`)
	n := 0
	for _, r := range alerts(t) {
		for _, name := range names.FindAllString(r.Expr, -1) {
			n++
			family := regexp.MustCompile(`_(bucket|count)$`).ReplaceAllString(name, "")
			if !strings.Contains(source.String(), `"`+family+`"`) {
				t.Errorf("%s: nothing exposes %s", r.Alert, name)
			}
		}
	}
	if n < 12 {
		t.Errorf("the rules name %d metrics", n)
	}
}

// An alertCase is a history, one sample a minute, and what becomes of it.
type alertCase struct {
	alert  string // and its severity
	series string
	at     time.Duration // when the alert is looked at
	fires  bool
}

// Each alert has a history that makes it fire, and one close to it that does
// not.
var alertCases = []alertCase{
	{"HookdDown/page", `hookd_build_info{version="1"} 1x9 stale _x20`, 16 * time.Minute, true},
	{"HookdDown/page", `hookd_build_info{version="1"} 1x9 stale _x20`, 13 * time.Minute, false}, // a restart
	{"HookdDown/page", `hookd_build_info{version="1"} 1x20`, 10 * time.Minute, false},

	{"HookdRefusesDeliveries/page", `hookd_deliveries_total{provider="git",event="none",result="unavailable"} 0+3x20`, 10 * time.Minute, true},
	{"HookdRefusesDeliveries/page", `hookd_deliveries_total{provider="git",event="none",result="rejected"} 0+3x20`, 10 * time.Minute, false},

	{"HookdQueueStuck/page", `hookd_queue_oldest_seconds 310+60x20`, 10 * time.Minute, true},
	{"HookdQueueStuck/page", `hookd_queue_oldest_seconds 310+60x3 0x20`, 10 * time.Minute, false},

	// A fifth of the changes is slow; Prometheus 2 and 3 spell the bucket differently.
	{"HookdRepoVisibleSlow/page", visible("60", 80, 100), 2 * time.Hour, true},
	{"HookdRepoVisibleSlow/page", visible("60.0", 80, 100), 2 * time.Hour, true},
	{"HookdRepoVisibleSlow/page", visible("60", 90, 100), 2 * time.Hour, false},
	{"HookdRepoVisibleSlow/ticket", visible("60", 90, 100), 2 * time.Hour, true},
	{"HookdRepoVisibleSlow/ticket", visible("60", 99, 100), 2 * time.Hour, false},
	// Slow, but over: the short window is clean.
	{"HookdRepoVisibleSlow/page", `hookd_repo_visible_seconds_bucket{target="drone",le="60"} 0+7x100 700+10x20
hookd_repo_visible_seconds_count{target="drone"} 0+10x120`, 110 * time.Minute, false},
	{"HookdRepoVisibleSlow/page", `hookd_repo_visible_seconds_bucket{target="drone",le="60"} 0+7x100 700+10x20
hookd_repo_visible_seconds_count{target="drone"} 0+10x120`, 100 * time.Minute, true},
	// Two changes, both slow.
	{"HookdRepoVisibleSlow/page", `hookd_repo_visible_seconds_bucket{target="drone",le="60"} 0x120
hookd_repo_visible_seconds_count{target="drone"} 0x117 2x3`, 119 * time.Minute, false},

	{"HookdSignatureFailures/ticket", `hookd_deliveries_total{provider="git",event="none",result="rejected"} 0+30x40`, 30 * time.Minute, true},
	{"HookdSignatureFailures/ticket", `hookd_deliveries_total{provider="git",event="none",result="rejected"} 0+6x40`, 30 * time.Minute, false},

	{"HookdNoDeliveries/ticket", deliveries("0x1600", "0+1x1600"), 26 * time.Hour, true},
	{"HookdNoDeliveries/ticket", deliveries("0+1x1600", "0+1x1600"), 26 * time.Hour, false},
	{"HookdNoDeliveries/ticket", deliveries("0x1600", "7x1600"), 26 * time.Hour, false}, // nothing changed
	{"HookdNoDeliveries/ticket", deliveries("0x1600", "0+1x1600"), 12 * time.Hour, false},

	{"HookdDeadLetters/ticket", `hookd_jobs_total{kind="publish",outcome="buried"} 0x5 1x5`, 8 * time.Minute, true},
	{"HookdDeadLetters/ticket", `hookd_jobs_total{kind="publish",outcome="done"} 0x5 1x5`, 8 * time.Minute, false},

	{"HookdShrinkHeld/ticket", `hookd_shrink_held_total{target="drone"} 0x5 1x5`, 8 * time.Minute, true},
	{"HookdShrinkHeld/ticket", `hookd_shrink_held_total{target="drone"} 1x10`, 8 * time.Minute, false},

	{"HookdForgeFailing/ticket", requests("forge", "provider", "error", 9, 1), 20 * time.Minute, true},
	{"HookdForgeFailing/ticket", requests("forge", "provider", "401", 9, 1), 20 * time.Minute, true},
	{"HookdForgeFailing/ticket", requests("forge", "provider", "503", 1, 9), 20 * time.Minute, false},
	{"HookdForgeFailing/ticket", requests("forge", "provider", "404", 9, 1), 20 * time.Minute, false},

	{"HookdTargetFailing/ticket", requests("target", "target", "502", 9, 1), 20 * time.Minute, true},
	{"HookdTargetFailing/ticket", requests("target", "target", "401", 9, 1), 20 * time.Minute, false},

	{"HookdTokensMissing/ticket", users(20), 2 * time.Hour, true},
	{"HookdTokensMissing/ticket", users(5), 2 * time.Hour, false},

	{"HookdStoreFull/ticket", `hookd_store_bytes 900000000x60`, time.Hour, true},
	{"HookdStoreFull/ticket", `hookd_store_bytes 800000000x60`, time.Hour, false},
}

// visible is two hours in which, a minute, all changes became visible and fast
// of them within 60 s.
func visible(le string, fast, all int) string {
	return fmt.Sprintf("hookd_repo_visible_seconds_bucket{target=\"drone\",le=%q} 0+%dx120\n"+
		"hookd_repo_visible_seconds_bucket{target=\"drone\",le=\"+Inf\"} 0+%dx120\n"+
		"hookd_repo_visible_seconds_count{target=\"drone\"} 0+%[3]dx120", le, fast, all)
}

func deliveries(accepted, drift string) string {
	return `hookd_build_info{version="1"} 1x1600
hookd_deliveries_total{provider="git",event="repository.created",result="accepted"} ` + accepted + `
hookd_deliveries_total{provider="git",event="none",result="rejected"} 0+1x1600
hookd_reconcile_drift_total{provider="git"} ` + drift
}

// requests is half an hour of requests, so many a minute that end with code,
// and so many that end well.
func requests(of, label, code string, bad, good int) string {
	return fmt.Sprintf("hookd_%s_requests_total{%s=\"x\",code=%q} 0+%dx30\nhookd_%[1]s_requests_total{%[2]s=\"x\",code=\"200\"} 0+%[5]dx30",
		of, label, code, bad, good)
}

// users is two hours with a hundred users, so many of them without a token.
func users(missing int) string {
	return fmt.Sprintf("hookd_users{target=\"drone\",credential=\"missing\"} %dx120\nhookd_users{target=\"drone\",credential=\"ok\"} %dx120",
		missing, 100-missing)
}

// name tells the rules of one alert apart.
func name(r rulefmt.Rule) string { return r.Alert + "/" + r.Labels["severity"] }

func TestAlertsFireWhenTheyShould(t *testing.T) {
	rules := alerts(t)
	engine := promqltest.NewTestEngine(t, false, 0, 1_000_000)
	fired, quiet := map[string]bool{}, map[string]bool{}
	for i, c := range alertCases {
		history := promqltest.LoadedStorage(t, "load 1m\n  "+strings.ReplaceAll(c.series, "\n", "\n  "))
		got := false
		for _, r := range rules {
			if name(r) == c.alert {
				got = got || fires(t, engine, history, r, c.at)
			}
		}
		if got != c.fires {
			t.Errorf("case %d, %s: fires %v, want %v, of\n%s", i, c.alert, got, c.fires, c.series)
		}
		fired[c.alert] = fired[c.alert] || c.fires
		quiet[c.alert] = quiet[c.alert] || !c.fires
	}
	for _, r := range rules {
		if n := name(r); !fired[n] || !quiet[n] {
			t.Errorf("%s lacks a history: one fires it: %v, one does not: %v", n, fired[n], quiet[n])
		}
	}
}

// fires evaluates a rule each minute as far back as its for reaches.
func fires(t *testing.T, engine *promql.Engine, history storage.Queryable, r rulefmt.Rule, at time.Duration) bool {
	t.Helper()
	for back := time.Duration(0); back <= time.Duration(r.For); back += time.Minute {
		q, err := engine.NewInstantQuery(t.Context(), history, nil, r.Expr, time.Unix(0, 0).Add(at-back))
		if err != nil {
			t.Fatal(err)
		}
		v, err := q.Exec(t.Context()).Vector()
		if err != nil {
			t.Fatalf("%s: %v", r.Alert, err)
		}
		q.Close()
		if len(v) == 0 {
			return false
		}
	}
	return true
}

// promtool reads the rules where it is installed: that may be an older
// Prometheus than the one above.
func TestPromtoolAcceptsTheAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed")
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "check", "rules", alertsFile).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
