package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// ci is a CI server that, like Drone, makes a user's list equal to the forge's
// whenever it syncs him, whatever hookd believes.
type ci struct {
	mu    sync.Mutex
	world *world
	shows map[string]map[string]string // login -> repository id -> path
	syncs map[string]int
	down  error
	blind map[string]bool // repository ids it never shows
	idle  map[string]bool // repository ids that nobody activated
	woken chan string     // of those that somebody did
	keys  map[string]bool // logins with a credential; nil is everybody
	guard target.Guard

	active map[string]activated // by repository id

	open   map[string]string // repository id -> path, of those that strangers see
	met    map[string]bool   // repository ids whose visibility was written, once and for all
	admin  bool              // somebody lent an administrator's token
	closed []string          // ids that were concealed

	accounts accounts
}

// activated is what became of a repository in the CI server.
type activated struct {
	on  bool
	as  string
	n   int // times
	set target.Settings
}

func newCI(w *world) *ci {
	return &ci{
		world: w, shows: map[string]map[string]string{}, syncs: map[string]int{}, blind: map[string]bool{}, guard: target.Guard{Percent: 50, MinRepos: 20},
		active: map[string]activated{}, open: map[string]string{}, met: map[string]bool{}, admin: true,
	}
}

func (c *ci) Probe(context.Context) (string, error) { return "2.0", c.down }

func (c *ci) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil {
		return target.Result{}, c.down
	}
	if c.keys != nil && !c.keys[u.Login] {
		return target.Result{}, target.ErrNoCredential
	}
	if r := c.read(u.Login, want); r.Settled() && len(r.Strays) == 0 {
		return r, nil
	}
	n, err := want.Count(ctx)
	if err != nil {
		return target.Result{}, err
	}
	have := len(c.shows[u.Login])
	if n != target.Unknown && !want.Force && c.guard.Holds(have, n, len(want.Absent)) {
		return target.Result{}, &target.HeldError{Have: have, Expect: n, Explained: len(want.Absent), Reason: "test"}
	}
	c.syncs[u.Login]++
	list := map[string]string{}
	c.world.change(func() {
		for _, a := range c.world.list(u, "") {
			if !c.blind[a.Repo.ID] {
				list[a.Repo.ID] = a.Repo.Path
				if !c.met[a.Repo.ID] && a.Repo.Visibility == providers.Public {
					c.open[a.Repo.ID] = a.Repo.Path
				}
				c.met[a.Repo.ID] = true
			}
		}
	})
	c.shows[u.Login] = list
	r := c.read(u.Login, want)
	r.Synced = true
	return r, nil
}

func (c *ci) read(login string, want target.Desired) target.Result {
	var r target.Result
	for _, a := range want.Present {
		if c.idle[a.Repo.ID] {
			r.Hidden = map[string]string{a.Repo.ID: target.Inactive + " yet"}
		} else if c.shows[login][a.Repo.ID] == a.Repo.Path {
			r.Shown = append(r.Shown, a.Repo.ID)
		} else {
			r.Missing = append(r.Missing, a.Repo.ID)
		}
	}
	for id, path := range c.shows[login] {
		if want.Stray != nil && want.Stray(id, path) {
			r.Strays = append(r.Strays, id)
		}
	}
	for _, a := range want.Absent {
		if _, ok := c.shows[login][a.Repo.ID]; ok {
			r.Remaining = append(r.Remaining, a.Repo.ID)
		} else {
			r.Gone = append(r.Gone, a.Repo.ID)
		}
	}
	return r
}

func (c *ci) Conceal(_ context.Context, r providers.Repo) (target.Concealed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, open := c.open[r.ID]
	switch {
	case c.down != nil:
		return target.Concealed{}, c.down
	case open && !c.admin:
		return target.Concealed{}, target.ErrNoAdministrator
	case open:
		c.closed = append(c.closed, r.ID)
	}
	delete(c.open, r.ID)
	return target.Concealed{Unknown: !c.met[r.ID], Closed: open}, nil
}

func (c *ci) Exposed(context.Context) ([]providers.Repo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down != nil || !c.admin {
		return nil, errors.Join(c.down, target.ErrNoAdministrator)
	}
	var out []providers.Repo
	for id, path := range c.open {
		out = append(out, providers.Repo{ID: id, Path: path, Visibility: providers.Public})
	}
	return out, nil
}

func (c *ci) list(login string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, path := range c.shows[login] {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

// house is a whole hookd without its doors: queue, pool and engine between a
// world and a CI server, in a bubble of synthetic time.
type house struct {
	t     *testing.T
	world *world
	ci    *ci
	store *memory.DB
	orgs  *providers.OrgSet
	held  map[string]int
	mu    sync.Mutex
	runs  []syncqueue.Report
	ends  []time.Time // of the runs
	plan  plan
	stop  func()

	engine *reconcile.Engine
}

type plan struct {
	members, repos, reconcile time.Duration
	workers                   int
	kind                      []providers.Coverage

	log      *ledger       // of what the forge sent; nil for a forge without one
	readings time.Duration // between readings of it
	policy   target.Policy // of the CI server
	offboard target.Offboarding
	said     io.Writer // where the engine's own words go, if not nowhere
}

// open builds a house in a bubble. Its polls are off unless the plan says so.
func open(t *testing.T, w *world, pl plan) *house {
	t.Helper()
	if pl.reconcile == 0 {
		pl.reconcile = 1000 * time.Hour
	}
	h := &house{t: t, world: w, ci: newCI(w), orgs: providers.NewOrgSet("acme"), held: map[string]int{}, plan: pl}
	h.store = memory.New(memory.Options{Now: time.Now})
	h.start()
	return h
}

// start begins a life of the process.
func (h *house) start() {
	t := h.t
	t.Helper()
	p := reconcile.Provider{Name: "git", Forge: h.world, Orgs: h.orgs, Names: []string{"acme"}, Members: h.plan.members, Repos: h.plan.repos, Coverage: h.plan.kind}
	if h.plan.log != nil {
		p.Forge, p.Hook = loggingWorld{h.world, h.plan.log}, plainHook{}
		p.Public, p.Deliveries = publicURL, h.plan.readings
	}
	said := io.Discard
	if h.plan.said != nil {
		said = h.plan.said
	}
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{p},
		Timing:    syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second},
		Targets:   []reconcile.Target{{Name: "drone", Provider: "git", Driver: h.ci, Policy: h.plan.policy, Offboard: h.plan.offboard}},
		Store:     h.store, Log: slog.New(slog.NewTextHandler(said, nil)), Now: time.Now,
		Verify:    []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute},
		Reconcile: h.plan.reconcile, Guard: target.Guard{Percent: 50, MinRepos: 20},
		Held: func(name string) { h.mu.Lock(); h.held[name]++; h.mu.Unlock() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.engine = engine
	ctx, cancel := context.WithCancel(context.Background())
	pool := &syncqueue.Pool{
		Queue: h.store, Handler: engine, TTL: time.Minute, Drain: time.Second,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}, Workers: max(h.plan.workers, 2),
		Backoff: syncqueue.Backoff{First: time.Second, Max: 10 * time.Minute, GiveUp: 24 * time.Hour},
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		Observe: func(r syncqueue.Report) {
			h.mu.Lock()
			h.runs, h.ends = append(h.runs, r), append(h.ends, time.Now())
			h.mu.Unlock()
		},
	}
	h.engine = engine
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	h.stop = func() { cancel(); <-done }
}

// after lets synthetic time pass.
func (h *house) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// hear pushes a delivery about r, as the intake would.
func (h *house) hear(effect providers.Effect, r providers.Repo) {
	h.t.Helper()
	d := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: syncqueue.NewID(time.Now()), Received: time.Now()}
	e := providers.Event{Name: "repository." + string(effect), Effect: effect, Repo: &r, Org: r.Org}
	jobs := syncqueue.JobsFor(d, e, syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, time.Now())
	if _, err := h.store.Push(h.t.Context(), syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, jobs...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) ask(jobs ...syncqueue.Job) {
	h.t.Helper()
	if _, err := h.store.Enqueue(h.t.Context(), syncqueue.Cause{By: "operator test", At: time.Now()}, jobs...); err != nil {
		h.t.Fatal(err)
	}
}

// believes is what the catalogue holds of a user.
func (h *house) believes(login string) []string {
	h.t.Helper()
	x, err := h.store.Holdings(h.t.Context(), "git", "u-"+login)
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range x.Present() {
		out = append(out, a.Repo.Path)
	}
	slices.Sort(out)
	return out
}

// agree fails unless catalogue and CI server equal the forge for everybody.
func (h *house) agree(logins ...string) {
	h.t.Helper()
	for _, login := range logins {
		want := h.world.sees(login)
		if got := h.believes(login); !slices.Equal(got, want) {
			h.t.Errorf("catalogue of %s: %s, the forge says %s", login, brief(got), brief(want))
		}
		if got := h.ci.list(login); !slices.Equal(got, want) {
			h.t.Errorf("CI server shows %s: %s, the forge says %s", login, brief(got), brief(want))
		}
	}
}

func brief(paths []string) string {
	if len(paths) > 8 {
		return fmt.Sprint(paths[:8], " and ", len(paths)-8, " more")
	}
	return fmt.Sprint(paths)
}

func (h *house) jobs(state syncqueue.State) []syncqueue.Job {
	h.t.Helper()
	jobs, _, err := h.store.Jobs(h.t.Context(), syncqueue.JobQuery{State: state}, "", 500)
	if err != nil {
		h.t.Fatal(err)
	}
	return jobs
}

var _ storage.Catalogue = (*memory.DB)(nil)

// inBubble runs f on a house in synthetic time.
func inBubble(t *testing.T, w *world, pl plan, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, w, pl)
		defer func() { h.stop(); h.store.Close() }()
		h.after(40 * time.Second) // the first fill
		f(h)
	})
}
