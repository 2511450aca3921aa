package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// TestAStormBecomesOnePlan creates six hundred repositories at once, as an
// import does, and counts every HTTP request to the forge. While the plan runs
// one of them is renamed and another deleted.
func TestAStormBecomesOnePlan(t *testing.T) {
	const members, storm = 20, 600
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sim, err := providerstest.StartGitea(providerstest.GiteaOptions{})
	must(err)
	defer sim.Close()
	org, err := sim.CreateOrg("acme", "private")
	must(err)
	_, err = sim.CreateTeam("acme", "core", providers.Write, true)
	must(err)
	for i := range members {
		login := fmt.Sprint("user", i)
		_, err := sim.CreateUser(login)
		must(err)
		must(sim.AddMember("acme", "core", login))
	}
	forge, err := gitea.New(gitea.Config{URL: sim.URL(), Token: sim.AdminToken()})
	must(err)
	db := memory.New(memory.Options{})
	defer db.Close()
	ci := &shows{lists: map[string]map[string]string{}}
	orgs := providers.NewOrgSet("acme")
	orgs.Learn("acme", org.ID)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{Name: "git", Forge: forge, Orgs: orgs, Names: []string{"acme"}}},
		Targets:   []reconcile.Target{{Name: "drone", Provider: "git", Driver: ci}},
		Store:     db, Log: log, Now: time.Now,
		Verify: []time.Duration{10 * time.Millisecond}, Reconcile: time.Hour, Guard: target.Guard{Percent: 50, MinRepos: 1000},
	})
	must(err)

	announce := func(r providers.Repo, name string, effect providers.Effect) {
		t.Helper()
		d := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: syncqueue.NewID(time.Now()), Received: time.Now()}
		e := providers.Event{Name: name, Effect: effect, Repo: &r, Org: org}
		_, err := db.Push(t.Context(), syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, syncqueue.JobsFor(d, e, syncqueue.Timing{}, time.Now())...)
		must(err)
	}
	var repos []providers.Repo
	for i := range storm {
		r, err := sim.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprint("r", i), Private: true})
		must(err)
		repos = append(repos, r)
		announce(r, "repository.created", providers.EffectRepo)
	}
	renamed, deleted := repos[storm-1], repos[storm-2]

	chunks := make(chan syncqueue.Report, storm)
	pool := &syncqueue.Pool{
		Queue: db, Handler: engine, TTL: time.Minute, Drain: time.Second, Log: log, Now: time.Now,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}, Workers: 8,
		Backoff: syncqueue.Backoff{First: time.Millisecond, Max: time.Minute},
		Observe: func(r syncqueue.Report) {
			if r.Job.Plan != nil {
				chunks <- r
			}
		},
	}
	before := forge.Requests()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	first := <-chunks
	if first.Err != nil || first.Outcome.Plan.Done == 0 || first.Outcome.Plan.Done >= storm-20 {
		t.Fatalf("the first run of the plan: %+v, %v", first.Outcome.Plan, first.Err)
	}
	if left := first.Outcome.Plan; left.Calls() == 0 || left.Ends.IsZero() || left.Alone() == 0 {
		t.Errorf("the plan tells no cost and no end: %+v", left)
	}
	must(sim.RenameRepo(renamed.Path, "www"))
	announce(renamed, "repository.renamed", providers.EffectRepo)
	must(sim.DeleteRepo(deleted.Path))
	announce(deleted, "repository.deleted", providers.EffectGone)

	deadline := time.After(time.Minute)
	for settled := false; !settled; {
		select {
		case <-deadline:
			t.Fatal("the storm does not end")
		case <-time.After(20 * time.Millisecond):
		}
		s, err := db.Stats(t.Context())
		must(err)
		settled = s.Jobs[syncqueue.Done] > 0 && s.Jobs[syncqueue.Ready]+s.Jobs[syncqueue.Waiting]+s.Jobs[syncqueue.Leased] == 0
	}
	calls := int(forge.Requests() - before)
	ci.mu.Lock()
	defer ci.mu.Unlock()
	for _, r := range repos {
		n := 0
		for _, list := range ci.lists {
			if list[r.ID] != "" {
				n++
			}
		}
		if n < members && r.ID != deleted.ID {
			t.Errorf("%s shows to %d of %d users", r.Path, n, members)
		}
	}
	if c, err := db.Repo(t.Context(), "git", renamed.ID); err != nil || c.Repo.Path != "acme/www" {
		t.Errorf("the renamed one is %s (%v)", c.Repo.Path, err)
	}
	if c, err := db.Repo(t.Context(), "git", deleted.ID); !errors.Is(err, storage.ErrUnknown) && !c.Gone {
		t.Errorf("the deleted one is still there: %+v (%v)", c, err)
	}
	jobs, _, err := db.Jobs(t.Context(), syncqueue.JobQuery{Kind: syncqueue.KindScope}, "", 500)
	must(err)
	if len(jobs) != 1 || jobs[0].State != syncqueue.Done || jobs[0].Plan == nil || jobs[0].Plan.Done < storm-20 {
		t.Fatalf("%d plans: %+v", len(jobs), jobs)
	}
	plan := jobs[0].Plan
	byID := sim.Calls()["GET /repositories/{id}"]
	t.Logf("%d forge calls, %d of them of the plan, which stands for %d of %d jobs and took them for %d; %d repositories were asked for by id", calls, plan.Spent, plan.Done, storm, plan.Alone(), byID)
	if plan.Alone() != 3*plan.Done {
		t.Errorf("job by job it would have been %d calls, not three for each", plan.Alone())
	}
	if plan.Spent >= plan.Alone() || calls >= plan.Alone() {
		t.Errorf("%d calls, %d of the plan: job by job it would have been %d", calls, plan.Spent, plan.Alone())
	}
	if byID > 40 {
		t.Errorf("%d repositories were asked for by id", byID)
	}
	if !strings.Contains(jobs[0].Note, "forge calls") {
		t.Errorf("the plan says %q", jobs[0].Note)
	}
}
