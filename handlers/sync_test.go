package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

var ana = providers.User{ID: "7", Login: "ana"}

// as replaces what ana holds when her user job runs.
func listOf(repos ...providers.Repo) syncqueue.Outcome {
	l := storage.List{User: ana}
	for _, r := range repos {
		l.Repos = append(l.Repos, providers.Access{User: ana, Repo: r, Permission: providers.Write})
	}
	return syncqueue.Outcome{Change: &storage.Change{Provider: "a", Lists: []storage.List{l}}, Publish: []string{"drone"}}
}

func TestSyncAnswersTheDifferenceOncePublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.hold(ana, repo(1), repo(2))
		w.show(ana, nil)
		go func() {
			time.Sleep(3 * time.Second)
			w.run(listOf(repo(2), repo(3), repo(4)), syncqueue.KindUser)
			time.Sleep(2 * time.Second)
			w.show(ana, nil)
		}()
		start := time.Now()
		rec, got := w.call("operator", "POST", "/api/v1/users/a/ana/sync?wait=30s", "")
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("answered after %v", took)
		}
		want := map[string]any{
			"user":         map[string]any{"provider": "a", "id": "7", "login": "ana"},
			"job":          got["job"],
			"state":        "done",
			"repos_before": 2.0, "repos_after": 3.0,
			"added": []any{"acme/app-03", "acme/app-04"}, "removed": []any{"acme/app-01"},
			"targets": map[string]any{"drone": map[string]any{"published": true, "state": "published"}},
		}
		if diff := cmp.Diff(want, got); rec.Code != http.StatusOK || diff != "" {
			t.Errorf("%d %s", rec.Code, diff)
		}
	})
}

// TestSyncNamesWhatWaitsForSomebody: it is not published, so it is no 200, but
// nothing more would come of waiting either.
func TestSyncNamesWhatWaitsForSomebody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		go func() {
			time.Sleep(time.Second)
			w.run(listOf(repo(1)), syncqueue.KindUser)
			w.run(syncqueue.Outcome{Result: syncqueue.ResultParked, Note: "no credential for this user"}, syncqueue.KindPublish)
		}()
		rec, got := w.call("operator", "POST", "/api/v1/users/a/ana/sync?wait=30s", "")
		want := map[string]any{"drone": map[string]any{"published": false, "state": "parked", "reason": "no credential for this user"}}
		if diff := cmp.Diff(want, got["targets"]); rec.Code != http.StatusAccepted || diff != "" || got["repos_after"] != 1.0 {
			t.Errorf("%d %s %s", rec.Code, rec.Body, diff)
		}
	})
}

func TestSyncIs202WhenTheTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, c := range []struct {
			query string
			wait  time.Duration
		}{{"", 0}, {"?wait=0s", 0}, {"?wait=10s", 10 * time.Second}} {
			start := time.Now()
			rec, got := w.call("operator", "POST", "/api/v1/users/a/ana/sync"+c.query, "")
			if rec.Code != http.StatusAccepted || got["job"] == "" || got["repos_before"] != nil || time.Since(start) != c.wait {
				t.Errorf("%q: %d %s after %v", c.query, rec.Code, rec.Body, time.Since(start))
			}
		}
		jobs, _, _ := w.db.Jobs(context.Background(), syncqueue.JobQuery{}, "", 10)
		if len(jobs) != 1 || !jobs[0].Fresh || jobs[0].Causes[0].By != "operator olga" || jobs[0].Lane != syncqueue.LaneAddition {
			t.Errorf("%+v", jobs)
		}
	})
}

// No job is leased any more then, so there is nothing to wait for.
func TestSyncIs202WhenHookdDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		go func() {
			time.Sleep(3 * time.Second)
			w.draining.Store(true)
		}()
		start := time.Now()
		rec, got := w.call("operator", "POST", "/api/v1/users/a/ana/sync?wait=60s", "")
		if took := time.Since(start); rec.Code != http.StatusAccepted || got["job"] == nil || took > 4*time.Second {
			t.Errorf("%d %s after %v", rec.Code, rec.Body, took)
		}
	})
}

func TestSyncThatCannotReadTheForgeIsA502(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		go func() {
			time.Sleep(time.Second)
			l, _ := w.db.Lease(context.Background(), time.Minute, syncqueue.Filter{})
			w.db.Bury(context.Background(), l, errBroken)
		}()
		rec, got := w.call("operator", "POST", "/api/v1/users/a/ana/sync?wait=30s", "")
		if rec.Code != http.StatusBadGateway || got["job"] == nil || got["detail"] != "the forge could not be read: broken" {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// TestSyncOutlivesTheWriteTimeout over a real connection.
func TestSyncOutlivesTheWriteTimeout(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewUnstartedServer(w.admin)
	srv.Config.WriteTimeout = 50 * time.Millisecond
	srv.Start()
	defer srv.Close()
	req, err := http.NewRequest("POST", srv.URL+"/api/v1/users/a/ana/sync?wait=300ms", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+roleTokens["operator"])
	resp, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Error(resp.StatusCode)
	}
}

func TestACallerWhoLeftIsNoError(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "/api/v1/users/a/ana/sync", nil)
	r.Header.Set("Authorization", "Bearer "+roleTokens["operator"])
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, r)
	if rec.Body.Len() != 0 || strings.Contains(w.log.String(), "level=ERROR") {
		t.Errorf("%s, log %s", rec.Body, w.log)
	}
}

func TestSyncOfNobody(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]int{
		"a/ghost/sync": 404, "zz/ana/sync": 404, "a/down/sync": 502,
		"a/ana/sync?wait=6m": 400, "a/ana/sync?wait=-1s": 400, "a/ana/sync?wait=soon": 400, "a/ana/sync?wiat=1s": 400,
	} {
		if rec, _ := w.call("operator", "POST", "/api/v1/users/"+path, ""); rec.Code != want {
			t.Errorf("%s: %d, want %d", path, rec.Code, want)
		}
	}
	if s, _ := w.db.Stats(context.Background()); s.Jobs[syncqueue.Ready] != 0 {
		t.Error("a job was pushed for nobody")
	}
}
