package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

var acme = providers.Org{ID: "5", Name: "acme"}

func repo(id int) providers.Repo {
	return providers.Repo{ID: fmt.Sprint(id), Path: fmt.Sprintf("acme/app-%02d", id), Org: acme, Visibility: providers.Private}
}

// run leases the job that is due next, of the kinds if any are given, and ends
// it with an outcome.
func (w *world) run(o syncqueue.Outcome, kinds ...syncqueue.Kind) syncqueue.Lease {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l, err := w.db.Lease(ctx, time.Minute, syncqueue.Filter{Kinds: kinds})
	if err != nil {
		w.t.Fatalf("no job of %v is due: %v", kinds, err)
	}
	if _, err := w.db.Complete(ctx, l, o); err != nil {
		w.t.Fatal(err)
	}
	return l
}

// hold makes user u hold the repositories, as a complete list.
func (w *world) hold(u providers.User, repos ...providers.Repo) {
	w.t.Helper()
	w.enqueue(syncqueue.UserJob("a", u, syncqueue.LaneAddition, w.now()))
	list := storage.List{User: u}
	for _, r := range repos {
		list.Repos = append(list.Repos, providers.Access{User: u, Repo: r, Permission: providers.Write})
	}
	w.run(syncqueue.Outcome{Change: &storage.Change{Provider: "a", Lists: []storage.List{list}}, Publish: []string{"drone"}}, syncqueue.KindUser)
}

// show makes the CI server show everything of u but what is hidden.
func (w *world) show(u providers.User, hidden map[string]string) {
	w.t.Helper()
	h, err := w.db.Holdings(context.Background(), "a", u.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	c := storage.Confirm{Target: "drone", Provider: "a", User: u.ID, Version: h.Version, Done: true, Hidden: hidden}
	for _, x := range h.Present() {
		if hidden[x.Repo.ID] == "" {
			c.Shown = append(c.Shown, x.Repo.ID)
		}
	}
	w.run(syncqueue.Outcome{Confirm: &c}, syncqueue.KindPublish)
}

func (w *world) enqueue(jobs ...syncqueue.Job) []string {
	w.t.Helper()
	ids, err := w.db.Enqueue(context.Background(), syncqueue.Cause{By: "test", At: w.now()}, jobs...)
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

func user(id int) providers.User {
	return providers.User{ID: fmt.Sprint(id), Login: fmt.Sprintf("user-%02d", id)}
}

func TestWhoMustLogInIsSaidSo(t *testing.T) {
	w := newWorld(t)
	w.hold(user(1), repo(1))
	w.hold(user(2), repo(1))
	w.desk.credentials[user(1).Login], w.desk.absent = "rejected", map[string]bool{user(1).Login: true}
	w.desk.credentials[user(2).Login] = "rejected"
	list := items(w.get("/api/v1/users?credential=rejected"))
	if len(list) != 2 || fmt.Sprint(list[0]["must_log_in"]) != "[drone]" || list[1]["must_log_in"] != nil {
		t.Errorf("%v", list)
	}
}

func TestUsersCarryTheirCredential(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		w.hold(user(i), repo(1), repo(2))
		switch {
		case i%3 == 0 || i%5 == 0:
			w.desk.credentials[user(i).Login] = "missing"
		case i%3 == 1:
			w.desk.credentials[user(i).Login] = "ok"
		}
	}
	first := items(w.get("/api/v1/users?provider=a"))
	if len(first) != 30 || first[0]["login"] != "user-00" || first[0]["repos"] != 2.0 || first[0]["credential"] != "missing" || first[2]["credential"] != nil {
		t.Errorf("%v", first[0])
	}
	seen := 0
	for target := "/api/v1/users?credential=missing&limit=3"; target != ""; {
		page := w.get(target)
		if n := len(items(page)); n > 3 {
			t.Errorf("a page of %d", n)
		}
		for _, u := range items(page) {
			if u["credential"] != "missing" {
				t.Errorf("%v", u)
			}
			seen++
		}
		next, _ := page["next"].(string)
		target = ""
		if next != "" {
			target = "/api/v1/users?credential=missing&limit=3&cursor=" + next
		}
	}
	if seen != 14 {
		t.Errorf("%d of 14 users without a credential", seen)
	}
	// The last users have another credential; that is the end all the same.
	w.desk.credentials[user(27).Login], w.desk.credentials[user(25).Login] = "ok", "ok"
	if page := w.get("/api/v1/users?credential=missing&limit=12"); len(items(page)) != 12 || page["next"] != nil {
		t.Errorf("%d users, next %v", len(items(page)), page["next"])
	}
	if page := w.get("/api/v1/users?credential=missing&limit=11"); len(items(page)) != 11 || page["next"] == nil {
		t.Errorf("%d users, next %v", len(items(page)), page["next"])
	}
	if got := items(w.get("/api/v1/users?provider=b")); len(got) != 0 {
		t.Errorf("of another provider: %v", got)
	}
}

func TestAUsersReposSaySinceWhenTheyShow(t *testing.T) {
	w := newWorld(t)
	ana := providers.User{ID: "7", Login: "Ana"}
	w.hold(ana, repo(1), repo(2), repo(3))
	w.show(ana, map[string]string{"2": "archived"})
	got := items(w.get("/api/v1/users/a/ana/repos"))
	if len(got) != 3 {
		t.Fatalf("%v", got)
	}
	if got[0]["repo"] != "acme/app-01" || got[0]["id"] != "1" || got[0]["permission"] != "write" {
		t.Errorf("%v", got[0])
	}
	if since, _ := got[0]["visible"].(map[string]any)["drone"].(string); since == "" {
		t.Errorf("shown: %v", got[0])
	}
	if since, ok := got[1]["visible"].(map[string]any)["drone"]; !ok || since != nil || got[1]["hidden"].(map[string]any)["drone"] != "archived" {
		t.Errorf("hidden: %v", got[1])
	}
	w.hold(ana, repo(3))
	if got := items(w.get("/api/v1/users/a/ANA/repos")); len(got) != 1 || got[0]["repo"] != "acme/app-03" {
		t.Errorf("after a loss: %v", got)
	}
	for _, missing := range []string{"/api/v1/users/a/li/repos", "/api/v1/users/zz/ana/repos"} {
		if rec, _ := w.call("viewer", "GET", missing, ""); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", missing, rec.Code)
		}
	}
}

func TestARepoNamesItsUsers(t *testing.T) {
	w := newWorld(t)
	nested := providers.Repo{ID: "9", Path: "acme/sub/app", Org: acme}
	w.hold(providers.User{ID: "7", Login: "zoe"}, repo(1), nested)
	w.hold(providers.User{ID: "8", Login: "ana"}, repo(1))
	got := w.get("/api/v1/repos/a/ACME/app-01")
	users := got["users"].([]any)
	if got["id"] != "1" || got["visibility"] != "private" || len(users) != 2 || users[0].(map[string]any)["login"] != "ana" {
		t.Errorf("%v", got)
	}
	for _, path := range []string{"acme/sub/app", "acme%2Fsub/app"} {
		if got := w.get("/api/v1/repos/a/" + path); got["id"] != "9" {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, missing := range []string{"a/acme/none", "zz/acme/app-01", "a/acme"} {
		if rec, _ := w.call("viewer", "GET", "/api/v1/repos/"+missing, ""); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", missing, rec.Code)
		}
	}
	w.hold(providers.User{ID: "7", Login: "zoe"}, nested)
	if users := w.get("/api/v1/repos/a/acme/app-01")["users"].([]any); len(users) != 1 {
		t.Errorf("after a loss: %v", users)
	}
	w.hold(providers.User{ID: "7", Login: "zoe"}, repo(1), nested)
	list := items(w.get("/api/v1/repos?provider=a&org=acme"))
	if len(list) != 2 || list[0]["users"] != 2.0 {
		t.Errorf("%v", list)
	}
	if list := items(w.get("/api/v1/repos?org=other")); len(list) != 0 {
		t.Errorf("of another organization: %v", list)
	}
	w.enqueue(syncqueue.RepoJob("a", repo(1), syncqueue.LaneRemoval, w.now()))
	w.run(syncqueue.Outcome{Change: &storage.Change{Provider: "a", Gone: []string{"1"}}}, syncqueue.KindRepo)
	if rec, _ := w.call("viewer", "GET", "/api/v1/repos/a/acme/app-01", ""); rec.Code != http.StatusNotFound {
		t.Errorf("deleted: %d", rec.Code)
	}
}

func TestAPageHoldsAtMost500(t *testing.T) {
	w := newWorld(t)
	var repos []providers.Repo
	for i := range 501 {
		repos = append(repos, repo(i))
	}
	w.hold(user(1), repos...)
	for target, want := range map[string]int{"": 100, "?limit=100000": 500} {
		if got := items(w.get("/api/v1/users/a/user-01/repos" + target)); len(got) != want {
			t.Errorf("%q: %d", target, len(got))
		}
	}
}

// TestPagesJoinToTheWhole walks every list in pages of two.
func TestPagesJoinToTheWhole(t *testing.T) {
	w := newWorld(t)
	ana := user(1)
	for i := range 7 {
		w.send(created(fmt.Sprint("g", i)))
		w.hold(user(i), repo(i))
	}
	w.hold(ana, repo(0), repo(1), repo(2), repo(3), repo(4))
	for list, want := range map[string]int{
		"/api/v1/deliveries": 7, "/api/v1/jobs?kind=user": 8, "/api/v1/users": 7, "/api/v1/repos": 7,
		"/api/v1/users/a/user-01/repos": 5,
	} {
		join := "?"
		if strings.Contains(list, "?") {
			join = "&"
		}
		ids := map[any]bool{}
		cursor := ""
		for range 20 {
			page := w.get(list + join + "limit=2" + cursor)
			if n := len(items(page)); n > 2 {
				t.Errorf("%s: a page of %d", list, n)
			}
			for _, i := range items(page) {
				if ids[i["id"]] {
					t.Errorf("%s: %v twice", list, i["id"])
				}
				ids[i["id"]] = true
			}
			if page["next"] == nil {
				break
			}
			cursor = "&cursor=" + page["next"].(string)
		}
		if len(ids) != want {
			t.Errorf("%s: %d of %d", list, len(ids), want)
		}
	}
}

func TestListsOfTheConfigurationHavePagesToo(t *testing.T) {
	w := newWorld(t)
	w.desk.coverage = []handlers.ProviderCoverage{{Provider: "a"}, {Provider: "b"}}
	for _, list := range []struct{ path, name string }{{"/api/v1/providers", "name"}, {"/api/v1/coverage", "provider"}} {
		first := w.get(list.path + "?limit=1")
		next, _ := first["next"].(string)
		if got := items(first); len(got) != 1 || got[0][list.name] != "a" || next == "" {
			t.Fatalf("%s: %v", list.path, first)
		}
		last := w.get(list.path + "?limit=1&cursor=" + next)
		if got := items(last); len(got) != 1 || got[0][list.name] != "b" || last["next"] != nil {
			t.Errorf("%s: %v", list.path, last)
		}
		if rec, _ := w.call("viewer", "GET", "/api/v1/targets?cursor="+next, ""); rec.Code != http.StatusBadRequest {
			t.Errorf("another list's cursor: %d", rec.Code)
		}
	}
	for _, path := range []string{"providers?limit=0", "targets?limit=x", "coverage?cursor=x", "providers?name=a", "targets?provider=a"} {
		if rec, _ := w.call("viewer", "GET", "/api/v1/"+path, ""); rec.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
}

func TestBadParametersAreExplained(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.send(created(fmt.Sprint("g", i)))
	}
	cursor := w.get("/api/v1/deliveries?limit=1&provider=a")["next"].(string)
	for target, want := range map[string]string{
		"/api/v1/deliveries?limit=0":            "limit is a number from 1 to 500",
		"/api/v1/deliveries?limit=-1":           "limit is a number",
		"/api/v1/deliveries?limit=many":         "limit is a number",
		"/api/v1/deliveries?limit=1&limit=2":    "more than once",
		"/api/v1/deliveries?provder=a":          "allowed are provider, event, result, since, until, limit, cursor",
		"/api/v1/deliveries?result=lost":        "result is one of accepted, ignored, ping",
		"/api/v1/deliveries?since=yesterday":    "since is a time like",
		"/api/v1/deliveries?until=-2h":          "until is a time like",
		"/api/v1/deliveries?since=99999999999d": "since is a time like",
		"/api/v1/deliveries?cursor=%21":         "does not belong",
		"/api/v1/deliveries?cursor=AAAAAAAA":    "does not belong",
		"/api/v1/deliveries?cursor=" + cursor:   "does not belong",
		"/api/v1/jobs?cursor=" + cursor:         "does not belong",
		"/api/v1/deliveries?provider=a%zz":      "query cannot be read",
		"/api/v1/jobs?state=asleep":             "state is one of ready, waiting, leased, parked, done, dead",
		"/api/v1/jobs?kind=x":                   "kind is one of repo",
		"/api/v1/users?credential=bad":          "credential is one of ok, missing, rejected, unknown",
		"/api/v1/stats/visible?window=-1h":      "window is a duration",
		"/api/v1/stats/visible?window=soon":     "window is a duration",
		"/api/v1/jobs/01?x=1":                   "allowed are none",
	} {
		rec, answer := w.call("viewer", "GET", target, "")
		if detail, _ := answer["detail"].(string); rec.Code != http.StatusBadRequest || !strings.Contains(detail, want) {
			t.Errorf("%s: %d %s", target, rec.Code, rec.Body)
		}
	}
	for _, fine := range []string{"?limit=100000", "?since=2h", "?since=7d", "?since=1d12h&until=5m", "?since=2024-01-02T03:04:05Z", "?limit=1&provider=a&cursor=" + cursor} {
		w.get("/api/v1/deliveries" + fine)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	w := newWorld(t)
	hostile := []string{"<script>alert(1)</script>", "a\x1b[31m\r\nX-Evil: 1", "\u202egnp", "../../etc/passwd", "%2f..%2f", "nul\x00", string([]byte{0xff, 0xfe}), strings.Repeat("x", 64<<10)}
	for i, name := range hostile {
		u := providers.User{ID: fmt.Sprint(i), Login: name}
		w.hold(u, providers.Repo{ID: fmt.Sprint(i), Path: "acme/" + name, Org: acme})
	}
	for _, target := range []string{"/api/v1/users", "/api/v1/repos", "/api/v1/jobs"} {
		rec, answer := w.call("viewer", "GET", target, "")
		if len(items(answer)) < len(hostile) {
			t.Errorf("%s: %d items", target, len(items(answer)))
		}
		if s := rec.Body.String(); strings.ContainsAny(s, "<>\x1b\r\x00") {
			t.Errorf("%s: raw control or markup in the answer", target)
		}
		if rec.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", target, rec.Header())
		}
	}
	got := items(w.get("/api/v1/users/a/%3Cscript%3Ealert(1)%3C%2Fscript%3E/repos"))
	if len(got) != 1 || got[0]["repo"] != "acme/<script>alert(1)</script>" {
		t.Errorf("%v", got)
	}
}

func TestVisibleStatsCountAnnouncedAdditions(t *testing.T) {
	w := newWorld(t)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	w.now = func() time.Time { return now }
	if got := w.get("/api/v1/stats/visible"); got["count"] != 0.0 || got["p50"] != nil || got["window"] != "1h" {
		t.Errorf("of nothing: %v", got)
	}
	for i := 1; i <= 10; i++ {
		p := created(fmt.Sprint("g", i))
		p.body = fmt.Sprintf(`{"name":"repository.created","repo":{"id":"%d","path":"acme/app-%02d"},"org":{"id":"5","name":"acme"},"effect":"repo"}`, i, i)
		w.send(p)
		received := now
		now = now.Add(2 * time.Second)
		cells := []providers.Access{{User: user(1), Repo: repo(i), Permission: providers.Read}}
		w.run(syncqueue.Outcome{Change: &storage.Change{Provider: "a", Cells: cells}, Publish: []string{"drone"}}, syncqueue.KindRepo)
		now = received.Add(time.Duration(i) * 2 * time.Second)
		w.show(user(1), nil)
	}
	announced, err := w.db.Visible(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	w.visibles = visibles(append(announced,
		storage.Visible{Target: "drone", At: now},                                                // nobody announced it
		storage.Visible{Target: "drone", At: now, Asked: now.Add(-9 * time.Minute), Gone: true})) // it ceased to show
	got := w.get("/api/v1/stats/visible?window=1d")
	if got["count"] != 10.0 || got["p50"] != 10.0 || got["p95"] != 20.0 || got["p99"] != 20.0 || got["window"] != "1d" {
		t.Errorf("%v", got)
	}
	points := got["points"].([]any)
	p := points[0].(map[string]any)
	if len(points) != 10 || p["seconds"] != 2.0 || p["repo"] != "acme/app-01" || p["user"] != "user-01" || p["target"] != "drone" {
		t.Errorf("%v", p)
	}
	w.visibles = w.db
	now = now.Add(time.Hour)
	if got := w.get("/api/v1/stats/visible?window=60s"); got["count"] != 0.0 {
		t.Errorf("outside the window: %v", got)
	}
}
