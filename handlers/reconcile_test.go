package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// reconciler plans a user's or organization 5's job, and yields what a test
// says.
type reconciler struct {
	yields []any // storage.Difference, error, or a func to call in between
	asked  []syncqueue.Job
	ctx    context.Context
}

func (r *reconciler) Jobs(_ context.Context, provider, org string, u *providers.User) ([]syncqueue.Job, error) {
	o := providers.Org{ID: "5", Name: "acme"}
	switch {
	case org != "" && org != "acme":
		return nil, fmt.Errorf("organization: %w", providers.ErrNotFound)
	case u != nil && org != "":
		return []syncqueue.Job{syncqueue.MemberJob(provider, *u, o, syncqueue.LaneAddition, time.Now())}, nil
	case u != nil:
		return []syncqueue.Job{syncqueue.UserJob(provider, *u, syncqueue.LaneAddition, time.Now())}, nil
	}
	jobs := []syncqueue.Job{syncqueue.ScopeJob("a", o, time.Now()), syncqueue.ScopeJob("b", o, time.Now())}
	return slices.DeleteFunc(jobs, func(j syncqueue.Job) bool { return provider != "" && j.Provider != provider }), nil
}

func (r *reconciler) Differences(ctx context.Context, jobs []syncqueue.Job) iter.Seq2[storage.Difference, error] {
	r.asked, r.ctx = jobs, ctx
	return func(yield func(storage.Difference, error) bool) {
		for _, y := range r.yields {
			ok := true
			switch y := y.(type) {
			case storage.Difference:
				ok = yield(y, nil)
			case error:
				ok = yield(storage.Difference{}, y)
			case func():
				y()
			}
			if !ok {
				return
			}
		}
	}
}

func differs(u providers.User, id int, to providers.Permission) storage.Difference {
	return storage.Difference{Provider: "a", User: u, Repo: repo(id), From: providers.Write, To: to}
}

func (w *world) dryRun(body string) (*httptest.ResponseRecorder, map[string]any) {
	w.t.Helper()
	return w.call("operator", "POST", "/api/v1/reconcile", body)
}

func TestReconcileQueuesWhatIsNamed(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string][]string{
		`{}`:                            {"scope/a/org/5", "scope/b/org/5"},
		`{"provider":"a"}`:              {"scope/a/org/5"},
		`{"org":"acme","provider":"b"}`: {"scope/b/org/5"},
		`{"provider":"a","user":"ana"}`: {"user/a/7"},
		`{"provider":"a","org":"acme","user":"ana","dry_run":false}`: {"member/a/7/org/5"},
	} {
		rec, got := w.call("operator", "POST", "/api/v1/reconcile", body)
		if rec.Code != http.StatusAccepted || got["dry_run"] != false {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
			continue
		}
		var keys []string
		for _, j := range got["jobs"].([]any) {
			j := j.(map[string]any)
			keys = append(keys, j["key"].(string))
			kept, err := w.db.Job(context.Background(), j["id"].(string))
			if err != nil || !kept.CausedBy("operator olga") {
				t.Errorf("%s: %+v, %v", body, kept, err)
			}
		}
		if !slices.Equal(keys, want) {
			t.Errorf("%s: %v, want %v", body, keys, want)
		}
	}
	for body, want := range map[string]int{
		`{"provider":"zz"}`:               http.StatusNotFound,
		`{"provider":"a","user":"ghost"}`: http.StatusNotFound,
		`{"org":"other"}`:                 http.StatusNotFound,
		`{"user":"ana"}`:                  http.StatusBadRequest,
		`{"organization":"acme"}`:         http.StatusBadRequest,
		`[]`:                              http.StatusBadRequest,
		`{"provider":"a","user":"down"}`:  http.StatusBadGateway,
	} {
		if rec, _ := w.call("operator", "POST", "/api/v1/reconcile", body); rec.Code != want {
			t.Errorf("%s: %d, want %d", body, rec.Code, want)
		}
	}
	if rec, _ := w.call("viewer", "POST", "/api/v1/reconcile", `{}`); rec.Code != http.StatusForbidden {
		t.Errorf("a viewer: %d", rec.Code)
	}
}

func TestADryRunAnswersTheDifferences(t *testing.T) {
	w := newWorld(t)
	held := differs(lily, 2, providers.None)
	held.Held = "the answer is much smaller than before"
	w.plan.yields = []any{differs(anna, 1, providers.Admin), held}
	rec, got := w.dryRun(`{"provider":"a","dry_run":true}`)
	if rec.Code != http.StatusOK || got["complete"] != true || got["incomplete"] != nil || len(items(got)) != 2 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	first, second := items(got)[0], items(got)[1]
	if first["user"] != "Ana" || first["user_id"] != "70" || first["repo"] != "acme/app-01" || first["id"] != "1" || first["from"] != "write" || first["to"] != "admin" || first["held"] != nil {
		t.Errorf("%v", first)
	}
	if second["to"] != "none" || second["held"] != held.Held {
		t.Errorf("%v", second)
	}
	if len(w.plan.asked) != 1 || w.plan.asked[0].Key != "scope/a/org/5" {
		t.Errorf("asked %v", w.plan.asked)
	}
	if jobs := items(w.get("/api/v1/jobs")); len(jobs) != 0 {
		t.Errorf("it pushed %v", jobs)
	}
	w.plan.yields = nil
	if _, got := w.dryRun(`{"dry_run":true}`); got["complete"] != true || len(items(got)) != 0 {
		t.Errorf("%v", got)
	}
}

func TestADryRunSaysWhatItLacks(t *testing.T) {
	w := newWorld(t)
	down := &providers.ForgeError{Op: "GET /orgs", Class: providers.ErrUnavailable}
	w.plan.yields = []any{down, differs(anna, 1, providers.None)}
	rec, got := w.dryRun(`{"dry_run":true}`)
	if rec.Code != http.StatusOK || got["complete"] != false || len(items(got)) != 1 || !strings.Contains(fmt.Sprint(got["incomplete"]), "the forge does not answer: GET /orgs") {
		t.Errorf("%d %v", rec.Code, got)
	}
	w.plan.yields = []any{down, down}
	if rec, _ := w.dryRun(`{"dry_run":true}`); rec.Code != http.StatusBadGateway {
		t.Errorf("no forge answers: %d", rec.Code)
	}
	w.plan.yields = nil
	for i := range 10_001 {
		w.plan.yields = append(w.plan.yields, differs(anna, i, providers.None))
	}
	if _, got := w.dryRun(`{"dry_run":true}`); got["complete"] != false || len(items(got)) != 10_000 || !strings.Contains(fmt.Sprint(got["incomplete"]), "more than 10000") {
		t.Errorf("%d items, %v", len(items(got)), got["incomplete"])
	}
}

func TestOneDryRunAtATime(t *testing.T) {
	w := newWorld(t)
	w.plan.yields = []any{func() {
		yields := w.plan.yields
		if rec, _ := w.dryRun(`{"dry_run":true}`); rec.Code != http.StatusConflict {
			t.Errorf("a second one: %d", rec.Code)
		}
		w.plan.yields = yields
	}}
	for range 2 {
		if rec, _ := w.dryRun(`{"dry_run":true}`); rec.Code != http.StatusOK {
			t.Errorf("%d", rec.Code)
		}
	}
}

func TestADryRunEndsWithItsCallerAndWithHookd(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithCancel(t.Context())
	stopped := false
	w.plan.yields = []any{differs(anna, 1, providers.None), func() { leave() }, func() {
		<-w.plan.ctx.Done()
		stopped = true
	}}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/reconcile", strings.NewReader(`{"dry_run":true}`))
	r.Header.Set("Authorization", "Bearer "+roleTokens["operator"])
	rec := httptest.NewRecorder()
	w.admin.ServeHTTP(rec, r)
	if !stopped || rec.Body.Len() != 0 {
		t.Errorf("stopped %v, answered %q", stopped, rec.Body)
	}

	w.plan.yields = []any{differs(anna, 1, providers.None), func() {
		w.draining.Store(true)
		<-w.plan.ctx.Done()
	}, errors.New("cut short")}
	if rec, got := w.dryRun(`{"dry_run":true}`); rec.Code != http.StatusOK || got["complete"] != false || len(items(got)) != 1 || !strings.Contains(fmt.Sprint(got["incomplete"]), "shutting down") {
		t.Errorf("%d %v", rec.Code, got)
	}
}
