package handlers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

func TestListAndShowOfADelivery(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	_, answer := w.send(created("g1"))
	id := answer["delivery"].(string)
	ping := created("p1")
	ping.event = "ping"
	now = now.Add(time.Second)
	w.send(ping)

	list := items(w.get("/api/v1/deliveries"))
	if len(list) != 2 || list[0]["result"] != "ping" || list[0]["reason"] != "hello" || list[0]["jobs"] != 0.0 {
		t.Errorf("newest first: %v", list)
	}
	d := list[1]
	for k, want := range map[string]any{
		"id": id, "provider": "a", "event": "repository.created", "delivery_id": "g1",
		"received_at": "2026-01-02T03:04:05Z", "result": "accepted", "jobs": 1.0, "secret": 1.0,
		"repo": "acme/app", "org": "acme", "has_body": true, "size": float64(len(created("").body)),
	} {
		if d[k] != want {
			t.Errorf("%s: %v, want %v", k, d[k], want)
		}
	}
	for filter, want := range map[string]int{
		"result=accepted": 1, "result=ping": 1, "result=ignored": 0, "event=repository.created": 1, "provider=b": 0,
		"since=500ms": 1, "until=500ms": 1, "since=2026-01-02T03:04:05Z": 2,
	} {
		if got := items(w.get("/api/v1/deliveries?" + filter)); len(got) != want {
			t.Errorf("%s: %d, want %d", filter, len(got), want)
		}
	}

	now = now.Add(time.Second)
	cells := []providers.Access{{User: user(1), Repo: providers.Repo{ID: "42", Path: "acme/app", Org: acme}, Permission: providers.Read}}
	w.run(syncqueue.Outcome{Change: &storage.Change{Provider: "a", Cells: cells}, Publish: []string{"drone"}}, syncqueue.KindRepo)
	now = now.Add(time.Second)
	w.show(user(1), nil)
	shown, err := w.db.Visible(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	other, elsewhere := shown[0], shown[0]
	other.Asked, elsewhere.Provider = other.Asked.Add(time.Second), "b"
	w.visibles = visibles{shown[0], other, elsewhere}
	one := w.get("/api/v1/deliveries/" + strings.ToLower(id[:25]))
	jobs := one["jobs"].([]any)
	if one["id"] != id || len(jobs) != 2 || jobs[0].(map[string]any)["state"] != "done" {
		t.Fatalf("%v", one)
	}
	var story []string
	for _, m := range one["timeline"].([]any) {
		m := m.(map[string]any)
		story = append(story, fmt.Sprintf("%v %v %v", m["seconds"], m["what"], m["kind"]))
	}
	want := []string{
		"0 received <nil>", "0 accepted <nil>", "0 job created repo",
		"2 job ended repo", "2 job created publish", "3 job ended publish", "3 visible <nil>",
	}
	if diff := cmp.Diff(want, story); diff != "" {
		t.Error(diff)
	}
}

func TestIdsAreFoundByAUniquePrefix(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	_, first := w.send(created("g1"))
	w.send(created("g2"))
	if rec, _ := w.call("viewer", "GET", "/api/v1/deliveries/0", ""); rec.Code != http.StatusConflict {
		t.Errorf("ambiguous: %d", rec.Code)
	}
	if rec, _ := w.call("viewer", "GET", "/api/v1/deliveries/Z", ""); rec.Code != http.StatusNotFound {
		t.Errorf("unknown: %d", rec.Code)
	}
	w.get("/api/v1/deliveries/" + first["delivery"].(string))
}

func TestTheBodyIsTheForgesBytes(t *testing.T) {
	w := newWorld(t)
	p := created("g1")
	p.body = "{ \"name\" : \"repository.created\",\r\n\"html\":\"<script>\", \"effect\":\"repo\",\"repo\":{\"id\":\"1\"},\"org\":{\"name\":\"acme\"}}"
	_, answer := w.send(p)
	rec, _ := w.call("operator", "GET", "/api/v1/deliveries/"+answer["delivery"].(string)+"/body", "")
	h := rec.Header()
	if rec.Body.String() != p.body || h.Get("Content-Type") != "application/json" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %q", h, rec.Body)
	}
}

func TestReplayPushesPastTheDedupe(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	_, answer := w.send(created("g1"))
	id := answer["delivery"].(string)
	now = now.Add(2 * time.Second)
	w.run(syncqueue.Outcome{}, syncqueue.KindRepo)

	for _, ask := range []string{"dry_run=true", "dry_run=1", "dry_run"} {
		rec, dry := w.call("operator", "POST", "/api/v1/deliveries/"+id+"/replay?"+ask, "")
		plan, _ := dry["plan"].([]any)
		if rec.Code != http.StatusAccepted || dry["delivery"] != id || dry["jobs"] != 1.0 || len(plan) != 1 || plan[0].(map[string]any)["key"] != "repo/a/42" {
			t.Errorf("%s: %d %s", ask, rec.Code, rec.Body)
		}
	}
	if jobs, _ := w.db.JobsOf(ctx, id); len(jobs) != 1 {
		t.Errorf("a dry run pushed: %v", jobs)
	}
	rec, real := w.call("operator", "POST", "/api/v1/deliveries/"+id+"/replay?dry_run=false", "")
	if rec.Code != http.StatusAccepted || real["delivery"] != id || real["jobs"] != 1.0 || real["plan"] != nil {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	jobs, _ := w.db.JobsOf(ctx, id)
	if len(jobs) != 2 {
		t.Fatalf("%d jobs", len(jobs))
	}
	j := jobs[1]
	if last := j.Causes[len(j.Causes)-1]; last.By != "replay" || last.Delivery != id || j.NotBefore.Before(now) {
		t.Errorf("%+v", j)
	}
	if rec, _ := w.call("operator", "POST", "/api/v1/deliveries/"+id+"/replay?dry_run=maybe", ""); rec.Code != http.StatusBadRequest {
		t.Errorf("dry_run=maybe: %d", rec.Code)
	}
}

func TestReplayOfWhatWasIgnoredHasNoJobs(t *testing.T) {
	w := newWorld(t)
	p := created("g1")
	p.body = strings.ReplaceAll(p.body, "acme", "evil")
	_, answer := w.send(p)
	rec, again := w.call("operator", "POST", "/api/v1/deliveries/"+answer["delivery"].(string)+"/replay", "")
	if rec.Code != http.StatusAccepted || again["jobs"] != 0.0 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if s, _ := w.db.Stats(context.Background()); s.Jobs[syncqueue.Ready]+s.Jobs[syncqueue.Waiting] != 0 {
		t.Errorf("%v", s.Jobs)
	}
}

func TestReplaysByFilter(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	for i := range 20 {
		p := created(fmt.Sprint("g", i))
		p.body = strings.Replace(p.body, `"42"`, fmt.Sprintf(`"%d"`, i), 1)
		w.send(p)
		now = now.Add(time.Minute)
	}
	ping := created("p")
	ping.event = "ping"
	w.send(ping)
	for body, want := range map[string][3]any{
		`{"provider":"a","dry_run":true}`:                            {200, 21.0, 20.0},
		`{"provider":"a","result":"accepted","dry_run":true}`:        {200, 20.0, 20.0},
		`{"event":"repository.created","since":"5m","dry_run":true}`: {200, 5.0, 5.0},
		`{"since":"2026-01-02T03:04:05Z","until":"10m"}`:             {202, 10.0, 10.0},
		`{"provider":"b"}`: {202, 0.0, 0.0},
	} {
		rec, answer := w.call("operator", "POST", "/api/v1/replays", body)
		if rec.Code != want[0] || answer["deliveries"] != want[1] || answer["jobs"] != want[2] || answer["truncated"] != false {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	for body, want := range map[string]string{
		``:                   "not empty",
		`{`:                  "breaks off",
		`{"dry_run":"true"}`: "dry_run is a JSON string here, which it must not be",
		`[]`:                 "JSON object",
		`null`:               "JSON object",
		`{} {}`:              "nothing after it",
		`{"provder":"a"}`:    "unknown field",
		`{"since":"x"}`:      "since is a time",
		`{"until":"x"}`:      "until is a time",
		`{"result":"dupe"}`:  "result is one of",
		`{"provider":"zzz"}`: "no provider",
		`{"event":"` + strings.Repeat("x", 70_000) + `"}`: "too large",
	} {
		rec, answer := w.call("operator", "POST", "/api/v1/replays", body)
		detail, _ := answer["detail"].(string)
		if rec.Code != http.StatusBadRequest || !strings.Contains(detail, want) || strings.Contains(detail, "Go ") {
			t.Errorf("%.40s: %d %s", body, rec.Code, rec.Body)
		}
	}
}

func TestJobsAreShownRetriedAndDropped(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	_, answer := w.send(created("g1"))
	list := items(w.get("/api/v1/jobs?state=waiting"))
	if len(list) != 1 {
		t.Fatalf("%v", list)
	}
	id := list[0]["id"].(string)
	for k, want := range map[string]any{
		"kind": "repo", "key": "repo/a/42", "state": "waiting", "attempts": 0.0, "last_error": "",
		"not_before": "2026-01-02T03:04:06Z", "created_at": "2026-01-02T03:04:05Z", "lane": "addition", "provider": "a",
	} {
		if list[0][k] != want {
			t.Errorf("%s: %v, want %v", k, list[0][k], want)
		}
	}
	if cause := list[0]["causes"].([]any)[0].(map[string]any); cause["delivery"] != answer["delivery"] {
		t.Errorf("cause: %v", cause)
	}
	now = now.Add(time.Minute)
	if got := w.get("/api/v1/jobs/" + id[:20]); got["state"] != "ready" {
		t.Errorf("when due: %v", got["state"])
	}
	l, err := w.db.Lease(ctx, time.Minute, syncqueue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"POST", "/retry"}, {"DELETE", ""}} {
		if rec, _ := w.call("operator", c[0], "/api/v1/jobs/"+id+c[1], ""); rec.Code != http.StatusConflict {
			t.Errorf("%s of a running job: %d", c[0], rec.Code)
		}
	}
	if err := w.db.Bury(ctx, l, errBroken); err != nil {
		t.Fatal(err)
	}
	if got := w.get("/api/v1/jobs/" + id); got["state"] != "dead" || got["last_error"] != "broken" {
		t.Errorf("%v", got)
	}
	if rec, got := w.call("operator", "POST", "/api/v1/jobs/"+id+"/retry", ""); rec.Code != http.StatusOK || got["state"] != "ready" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec, _ := w.call("operator", "DELETE", "/api/v1/jobs/"+id, ""); rec.Code != http.StatusNoContent {
		t.Errorf("drop: %d", rec.Code)
	}
	for _, c := range [][2]string{{"POST", "/retry"}, {"DELETE", ""}} {
		if rec, _ := w.call("operator", c[0], "/api/v1/jobs/"+id+c[1], ""); rec.Code != http.StatusConflict {
			t.Errorf("%s of an ended job: %d", c[0], rec.Code)
		}
	}
	if rec, _ := w.call("operator", "DELETE", "/api/v1/jobs/01NONE", ""); rec.Code != http.StatusNotFound {
		t.Errorf("drop of nothing: %d", rec.Code)
	}
}

func TestAPlanTellsItsCostAndItsEnd(t *testing.T) {
	w := newWorld(t)
	ends := time.Date(2026, 1, 2, 3, 9, 0, 0, time.UTC)
	plan := syncqueue.Plan{Repos: []string{"41", "42"}, Done: 3, Spent: 9, Price: providers.Price{List: 4, Repo: 1, Audience: 2}, Ends: ends}
	ids, err := w.db.Enqueue(context.Background(), syncqueue.Cause{By: "poll", Why: "repository poll: new in acme"}, syncqueue.PlanJob("a", providers.Org{ID: "5", Name: "acme"}, plan, syncqueue.LaneAddition, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	got := w.get("/api/v1/jobs/" + ids[0])["plan"]
	want := map[string]any{"repos": 5.0, "done": 3.0, "calls": 8.0, "spent": 9.0, "alone": 15.0, "ends_at": "2026-01-02T03:09:00Z"}
	if diff := cmp.Diff(any(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestPauseStopsLeasing(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		what string
		want bool
	}{{"pause", true}, {"resume", false}} {
		rec, answer := w.call("operator", "POST", "/api/v1/queue/"+c.what, "")
		s, _ := w.db.Stats(context.Background())
		if rec.Code != http.StatusOK || answer["paused"] != c.want || s.Paused != c.want {
			t.Errorf("%s: %d %s, %v", c.what, rec.Code, rec.Body, s.Paused)
		}
	}
}

func TestAMistypedPauseStopsNothing(t *testing.T) {
	w := newWorld(t)
	rec, _ := w.call("operator", "POST", "/api/v1/queue/pause?provider=a", "")
	if s, _ := w.db.Stats(context.Background()); rec.Code != http.StatusBadRequest || s.Paused {
		t.Errorf("%d, paused %v", rec.Code, s.Paused)
	}
}

func TestAClosedStoreIsA503(t *testing.T) {
	w := newWorld(t)
	w.db.Close()
	for _, target := range []string{"/api/v1/deliveries", "/api/v1/jobs", "/api/v1/users", "/api/v1/repos", "/api/v1/stats/visible", "/api/v1/deliveries/01"} {
		rec, _ := w.call("viewer", "GET", target, "")
		if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
}

func TestHealthNeedsNoToken(t *testing.T) {
	w := newWorld(t)
	for target, want := range map[string]string{
		"/livez":           `{"status":"live"}`,
		"/readyz":          `{"status":"ready"}`,
		"/healthz":         `{"status":"ready"}`,
		"/readyz?verbose":  `{"status":"ready","checks":[{"name":"store","ok":true},{"name":"workers","ok":true}]}`,
		"/readyz?verbose=": `{"status":"ready","checks":[{"name":"store","ok":true},{"name":"workers","ok":true}]}`,
		"/version":         `{"version":"1.2.3","go_version":"go"}`,
	} {
		rec, _ := w.call("", "GET", target, "")
		if rec.Code != http.StatusOK || strings.TrimSpace(rec.Body.String()) != want {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	w.desk.unready = errBroken
	rec, answer := w.call("", "GET", "/readyz", "")
	checks, _ := json.Marshal(answer["checks"])
	if rec.Code != http.StatusServiceUnavailable || string(checks) != `[{"name":"store","ok":true},{"error":"broken","name":"workers","ok":false}]` {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec, _ := w.call("", "GET", "/livez", ""); rec.Code != http.StatusOK {
		t.Errorf("alive though not ready: %d", rec.Code)
	}
	rec, _ = w.call("", "GET", "/api/v1/openapi.yaml", "")
	if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Body.String(), "openapi: 3.1.0") {
		t.Errorf("%d %.40s", rec.Code, rec.Body)
	}
}

func TestProvidersAndTargetsAreListed(t *testing.T) {
	w := newWorld(t)
	p := items(w.get("/api/v1/providers"))
	if len(p) != 2 || p[0]["rate_remaining"] != 4711.0 || p[1]["rate_remaining"] != nil || p[1]["checked_at"] != nil {
		t.Errorf("%v", p)
	}
	if got := items(w.get("/api/v1/targets")); len(got) != 1 || got[0]["name"] != "drone" || got[0]["error"] != "down" {
		t.Errorf("%v", got)
	}
}
