package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// TestTheReserveOfATokenIsSpentOnRemovalsOnly gives hookd a token of thirty
// requests an hour and eighteen new repositories to look at. The simulated GitHub
// counts; none of its answers may be a refusal.
func TestTheReserveOfATokenIsSpentOnRemovalsOnly(t *testing.T) {
	const limit, repos = 30, 18 // fewer than make a plan
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sim, err := providerstest.StartGitHub(providerstest.GitHubOptions{RateLimit: limit})
	must(err)
	defer sim.Close()
	org, err := sim.CreateOrg("acme", "")
	must(err)
	var all []providers.Repo
	for i := range repos {
		r, err := sim.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: fmt.Sprint("r", i), Private: true})
		must(err)
		all = append(all, r)
	}
	refused := 0
	forge, err := github.New(github.Config{URL: sim.URL(), Token: sim.AdminToken(), Observe: func(code int) {
		if code == 403 || code == 429 {
			refused++
		}
	}})
	must(err)
	db := memory.New(memory.Options{})
	defer db.Close()
	orgs := providers.NewOrgSet("acme")
	orgs.Learn("acme", org.ID)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{Name: "hub", Forge: forge, Orgs: orgs, Names: []string{"acme"}}},
		Store:     db, Log: log, Now: time.Now, Reconcile: time.Hour, Guard: target.Guard{Percent: 50, MinRepos: 20},
	})
	must(err)
	ended := make(chan syncqueue.Report, 10*repos)
	pool := &syncqueue.Pool{
		Queue: db, Handler: engine, TTL: time.Minute, Drain: time.Second, Log: log, Now: time.Now,
		Peers: []syncqueue.Peer{{Provider: "hub"}}, Workers: 8,
		Backoff: syncqueue.Backoff{First: time.Second, Max: time.Minute},
		Observe: func(r syncqueue.Report) { ended <- r },
		Held: func() (h syncqueue.Held) {
			h.Hold("hub", forge.Budgets())
			return h
		},
	}
	var jobs []syncqueue.Job
	for _, r := range all {
		jobs = append(jobs, syncqueue.RepoJob("hub", r, syncqueue.LaneAddition, time.Now()))
	}
	_, err = db.Enqueue(t.Context(), syncqueue.Cause{By: "test", At: time.Now()}, jobs...)
	must(err)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	next := func() syncqueue.Report {
		t.Helper()
		select {
		case r := <-ended:
			if r.Err != nil && !errors.Is(r.Err, providers.ErrLimited) {
				t.Fatal(r.Err)
			}
			return r
		case <-time.After(10 * time.Second):
			t.Fatal("nothing ends any more")
		}
		return syncqueue.Report{}
	}
	// Whoever was at work when the reserve was reached is told so, and whoever
	// had begun to wait for a job before.
	postponed := 0
	for idle := false; !idle; {
		if next().Err != nil {
			postponed++
		}
		s, err := db.Stats(t.Context())
		must(err)
		idle = s.Jobs[syncqueue.Leased] == 0 && !forge.Budgets()[""].Until(providers.Reserve).IsZero()
	}
	rate, ok := forge.Budgets()[""].Rate()
	if !ok || rate.Limit != limit || rate.Remaining != limit/10 || rate.Reserve != limit/10 {
		t.Errorf("%+v, want the reserve untouched", rate)
	}
	left, _, err := db.Jobs(t.Context(), syncqueue.JobQuery{Kind: syncqueue.KindRepo}, "", 500)
	must(err)
	open, looked := 0, 0
	for _, j := range left {
		switch {
		case j.State == syncqueue.Done:
			looked++
		case j.State == syncqueue.Leased: // by one who had begun to wait before
			open++
		case j.Attempts != 0 || !j.Failing.IsZero():
			t.Errorf("%s counts %d attempts", j.Subject.Name, j.Attempts)
		default:
			open++
		}
	}
	if open+looked != repos || open == 0 || looked == 0 {
		t.Errorf("%d jobs wait and %d are done, of %d", open, looked, repos)
	}

	must(sim.DeleteRepo(all[0].Path))
	gone := syncqueue.RepoJob("hub", all[0], syncqueue.LaneRemoval, time.Now())
	gone.Hint.Gone = true
	_, err = db.Enqueue(t.Context(), syncqueue.Cause{By: "test", At: time.Now()}, gone)
	must(err)
	for r := next(); r.Job.Lane != syncqueue.LaneRemoval || r.Outcome.Note != "deleted"; r = next() {
		if r.Err != nil {
			postponed++
		}
	}
	if postponed > 3*pool.Workers {
		t.Errorf("%d times a job was leased for nothing, by %d workers", postponed, pool.Workers)
	}
	if rate, _ := forge.Budgets()[""].Rate(); rate.Remaining >= limit/10 {
		t.Errorf("%+v, want some of the reserve spent", rate)
	}
	if refused > 0 {
		t.Errorf("GitHub had to refuse %d requests", refused)
	}
}
