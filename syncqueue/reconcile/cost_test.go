package reconcile_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// shows is a CI server that shows whatever it is told, once it has asked for
// the size of the user's list, as a target must before it syncs.
type shows struct {
	mu   sync.Mutex
	seen map[string]map[string]bool // repository id -> logins
}

func (s *shows) Probe(context.Context) (string, error) { return "2.0", nil }

func (s *shows) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	if _, err := want.Count(ctx); err != nil {
		return target.Result{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := target.Result{Synced: true}
	for _, a := range want.Present {
		r.Shown = append(r.Shown, a.Repo.ID)
		if s.seen[a.Repo.ID] == nil {
			s.seen[a.Repo.ID] = map[string]bool{}
		}
		s.seen[a.Repo.ID][u.Login] = true
	}
	return r, nil
}

func (s *shows) to(repo string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen[repo])
}

// TestOneCreatedRepositoryCostsFewCalls counts every HTTP request to a Gitea
// with 500 members and 2,000 repositories, from the delivery until all of them
// see the new repository. The teams are known, as they are after any poll.
func TestOneCreatedRepositoryCostsFewCalls(t *testing.T) {
	const members, repos, most = 500, 2000, 12
	sim, err := providerstest.StartGitea(providerstest.GiteaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
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
	for i := range repos {
		_, err := sim.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprint("r", i), Private: true})
		must(err)
	}

	forge, err := gitea.New(gitea.Config{URL: sim.URL(), Token: sim.AdminToken()})
	must(err)
	db := memory.New(memory.Options{})
	defer db.Close()
	ci := &shows{seen: map[string]map[string]bool{}}
	orgs := providers.NewOrgSet("acme")
	orgs.Learn("acme", org.ID)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{Name: "git", Forge: forge, Orgs: orgs, Names: []string{"acme"}}},
		Targets:   []reconcile.Target{{Name: "drone", Provider: "git", Driver: ci}},
		Store:     db, Log: log, Now: time.Now,
		Verify: []time.Duration{time.Second}, Reconcile: time.Hour, Guard: target.Guard{Percent: 50, MinRepos: 20},
	})
	must(err)
	pool := &syncqueue.Pool{
		Queue: db, Handler: engine, TTL: time.Minute, Drain: time.Second, Log: log, Now: time.Now,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}, Workers: 8,
		Backoff: syncqueue.Backoff{First: time.Second, Max: time.Minute},
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()

	announce := func(name string) (cost uint64) {
		r, err := sim.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: name, Private: true})
		must(err)
		before := forge.Requests()
		d := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: name, Received: time.Now()}
		e := providers.Event{Name: "repository.created", Effect: providers.EffectRepo, Repo: &r, Org: org}
		jobs := syncqueue.JobsFor(d, e, syncqueue.Timing{}, time.Now())
		_, err = db.Push(ctx, syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, jobs...)
		must(err)
		deadline := time.After(time.Minute)
		for ci.to(r.ID) < members+1 { // and the owner
			select {
			case <-deadline:
				t.Fatalf("%s shows to %d of %d users", name, ci.to(r.ID), members+1)
			case <-time.After(10 * time.Millisecond):
			}
		}
		return forge.Requests() - before
	}
	cold := announce("first")
	warm := announce("second")
	t.Logf("forge calls for one created repository: %d with the teams known, %d without", warm, cold)
	if warm > most {
		t.Errorf("%d forge calls, want at most %d", warm, most)
	}
}
