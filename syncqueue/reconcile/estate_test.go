package reconcile_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/drone"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// simulated is what the simulated forges have in common.
type simulated interface {
	providerstest.Truth
	URL() string
	AdminToken() string
	Token(login string) string
	Close()
	World(providers.Forge) providerstest.World
	Break(providerstest.Fault) func()
	AddHook(owner, target, secret string, events ...string) (int64, error)
	Delivered(context.Context) error
	RenameAccount(name, to string) error
	DeleteUser(login string) error
	HideNew(reads int)
}

// A kind is one kind of forge, with hookd's drivers for it and Drone's.
type kind struct {
	name   string
	start  func(now func() time.Time, o simOptions) (simulated, error)
	forge  func(url, token string, orgs *providers.OrgSet, c *http.Client) (providers.Forge, error)
	hook   func(secrets providers.Secrets) (providers.Hook, error)
	hooked []string // whose hook hears what happens; "" is the whole instance
	drone  targettest.Forge

	coverage []providers.Coverage
}

// simOptions are the traps that every simulated forge can be started with.
type simOptions struct {
	hideNew   int           // reads that answer 404, of what is created after the first fill
	page      int           // the most items of one page, as the forge has it if zero
	deleteLag time.Duration // for how long a deleted repository is still served
}

const hookSecret = "a-webhook-secret-of-32-characters"

var kinds = []kind{
	{
		name: "gitea",
		start: func(now func() time.Time, o simOptions) (simulated, error) {
			return providerstest.StartGitea(providerstest.GiteaOptions{Now: now, DeleteLag: o.deleteLag, MaxItems: o.page})
		},
		forge: func(url, token string, _ *providers.OrgSet, c *http.Client) (providers.Forge, error) {
			return gitea.New(gitea.Config{URL: url, Token: token, HTTP: c})
		},
		hook:   func(s providers.Secrets) (providers.Hook, error) { return gitea.NewHook(s), nil },
		hooked: []string{"acme", "beta"}, drone: targettest.Gitea, coverage: gitea.Coverage(),
	},
	{
		name: "github",
		start: func(now func() time.Time, o simOptions) (simulated, error) {
			return providerstest.StartGitHub(providerstest.GitHubOptions{Now: now, RateLimit: -1, MaxItems: o.page})
		},
		forge: func(url, token string, _ *providers.OrgSet, c *http.Client) (providers.Forge, error) {
			return github.New(github.Config{URL: url, Token: token, HTTP: c})
		},
		hook:   func(s providers.Secrets) (providers.Hook, error) { return github.NewHook(s), nil },
		hooked: []string{"acme", "beta"}, drone: targettest.GitHub, coverage: github.Coverage(),
	},
	{
		name: "gitlab",
		start: func(now func() time.Time, o simOptions) (simulated, error) {
			return providerstest.StartGitLab(providerstest.GitLabOptions{Now: now, DeleteLag: o.deleteLag, MaxItems: o.page, Admin: "gitadmin"})
		},
		forge: func(url, token string, orgs *providers.OrgSet, c *http.Client) (providers.Forge, error) {
			return gitlab.New(gitlab.Config{URL: url, Token: token, Orgs: orgs, HTTP: c})
		},
		hook:   func(s providers.Secrets) (providers.Hook, error) { return gitlab.NewHook(s, time.Now) },
		hooked: []string{""}, drone: targettest.GitLab, coverage: gitlab.Coverage(),
	},
}

// A letter is a delivery as a forge sends it.
type letter struct {
	header http.Header
	body   string
}

// An estate is a whole hookd, from the address its deliveries come to down to
// the requests it sends, between a simulated forge and a simulated Drone that
// speak HTTP. The organizations acme and beta are configured, other is not.
type estate struct {
	t      *testing.T
	kind   kind
	forge  simulated
	world  providerstest.World // changes the forge
	orgs   map[string]providers.Org
	drone  *targettest.Drone
	tokens string // Drone's token files

	airlock *airlock
	toForge *passage
	toDrone *passage
	clock   atomic.Int64

	once   map[string]bool    // ids of repositories that were in acme or beta at some time
	beyond map[[2]string]bool // user and repository: granted after it had left those

	teams   map[string]providers.Team
	letters []letter         // of a trap
	gone    []providers.User // deleted ones, who must hold nothing

	mu   sync.Mutex
	post []letter // arrived, and not yet handed to hookd

	intake http.Handler
	store  *memory.DB
	set    *providers.OrgSet
	held   map[string]int
	stop   func()
}

// onEach runs a test on each kind of forge.
func onEach(t *testing.T, f func(t *testing.T, k kind)) { onSome(t, nil, f) }

// onSome runs f on the named kinds of forge, on all if there are none.
func onSome(t *testing.T, names []string, f func(t *testing.T, k kind)) {
	for _, k := range kinds {
		if len(names) == 0 || slices.Contains(names, k.name) {
			t.Run(k.name, func(t *testing.T) { f(t, k) })
		}
	}
}

// build starts the forge and Drone, outside of the bubble.
func build(t *testing.T, k kind, o simOptions) *estate {
	t.Helper()
	e := &estate{t: t, kind: k, airlock: newAirlock(t, 16), orgs: map[string]providers.Org{}, tokens: t.TempDir(), once: map[string]bool{}, beyond: map[[2]string]bool{}, held: map[string]int{}}
	e.clock.Store(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()) // where a bubble's clock begins
	now := func() time.Time { return time.Unix(0, e.clock.Load()).UTC() }
	var err error
	if e.forge, err = k.start(now, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.forge.Close)
	e.world = e.forge.World(nil)
	base := &http.Transport{MaxIdleConnsPerHost: 16}
	e.drone = targettest.StartDrone(targettest.DroneOptions{
		ForgeURL: e.forge.URL(), Forge: k.drone, Now: now, HTTP: &http.Client{Transport: &weary{base: base}},
	})
	t.Cleanup(e.drone.Close)
	t.Cleanup(base.CloseIdleConnections) // or Drone waits for them
	e.toForge = e.passage(base, e.forge.URL())
	e.toDrone = e.passage(base, e.drone.URL)

	post := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		e.mu.Lock()
		e.post = append(e.post, letter{r.Header.Clone(), string(body)})
		e.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(post.Close)
	for _, name := range []string{"acme", "beta", "other"} {
		org, err := e.world.CreateOrg(name, "private")
		if err != nil {
			t.Fatal(err)
		}
		e.orgs[name] = org
	}
	for _, owner := range k.hooked {
		if _, err := e.forge.AddHook(owner, post.URL, hookSecret); err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func (e *estate) passage(base http.RoundTripper, root string) *passage {
	return &passage{airlock: e.airlock, base: base, clock: &e.clock, own: strings.TrimPrefix(root, "http://")}
}

// open starts hookd in the bubble that t is the test of.
func (e *estate) open(t *testing.T, pl plan) {
	t.Helper()
	e.t = t
	e.set = providers.NewOrgSet("acme", "beta")
	forge, err := e.kind.forge(e.forge.URL(), e.forge.AdminToken(), e.set, &http.Client{Timeout: time.Minute, Transport: e.toForge})
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := providers.NewSecrets([]byte(hookSecret))
	if err != nil {
		t.Fatal(err)
	}
	hook, err := e.kind.hook(secrets)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("HOOKD_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	guard := target.Guard{Percent: 50, MinRepos: 20}
	ci, err := drone.New(drone.Config{
		Name: "drone", URL: e.drone.URL, AdminToken: e.drone.AdminToken(), TokenDir: e.tokens,
		HTTP: &http.Client{Transport: e.toDrone}, Guard: guard, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	e.store = memory.New(memory.Options{Now: time.Now})
	if pl.reconcile == 0 {
		pl.reconcile = 1000 * time.Hour
	}
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{
			Name: "git", Forge: forge, Hook: hook, Orgs: e.set, Names: []string{"acme", "beta"},
			Members: pl.members, Repos: pl.repos, Coverage: e.kind.coverage,
		}},
		Targets: []reconcile.Target{{Name: "drone", Provider: "git", Driver: ci}},
		Store:   e.store, Log: log, Now: time.Now,
		Verify:    []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute},
		Reconcile: pl.reconcile, Guard: guard,
		Held: func(name string) { e.mu.Lock(); e.held[name]++; e.mu.Unlock() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.intake = handlers.Public(handlers.Intake{
		Sources: func() map[string]handlers.Source {
			return map[string]handlers.Source{"git": {Name: "git", Kind: e.kind.name, Hook: hook, Orgs: e.set}}
		},
		Queue: e.store, Timing: syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second},
		Draining: func() bool { return false }, Log: log, Now: time.Now,
	})
	ctx, cancel := context.WithCancel(context.Background())
	pool := &syncqueue.Pool{
		Queue: e.store, Handler: engine, TTL: time.Minute, Drain: time.Second,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "drone"}}, Workers: 4,
		Backoff: syncqueue.Backoff{First: time.Second, Max: 10 * time.Minute, GiveUp: 24 * time.Hour},
		Log:     log, Now: time.Now,
	}
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	e.stop = func() { cancel(); <-done; e.store.Close() }
}

// inEstate runs f on hookd in synthetic time, after the first fill. What is to
// be there at first is made by prepare.
func inEstate(t *testing.T, k kind, o simOptions, pl plan, prepare, f func(e *estate)) {
	t.Helper()
	e := build(t, k, o)
	if prepare != nil {
		prepare(e)
	}
	e.must(e.forge.Delivered(t.Context()))
	e.forge.HideNew(o.hideNew)
	e.note()
	e.post = nil
	synctest.Test(t, func(t *testing.T) {
		e.open(t, pl)
		defer e.stop()
		e.after(time.Minute)
		f(e)
		if n := e.toForge.leaks.Load() + e.toDrone.leaks.Load(); n != 0 {
			t.Errorf("%d requests took credentials to another host", n)
		}
	})
}

func (e *estate) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// must stops the test at a change that the forge refuses.
func (e *estate) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// change does something to the forge, and returns the deliveries it sends.
func (e *estate) change(f func() error) (heard []letter, err error) {
	e.clock.Store(time.Now().UnixNano())
	e.airlock.do(func() {
		if err = f(); err == nil {
			err = e.forge.Delivered(context.Background())
		}
	})
	e.note()
	e.mu.Lock()
	defer e.mu.Unlock()
	heard, e.post = e.post, nil
	// A forge that sends several at once sends them in any order.
	slices.SortStableFunc(heard, func(a, b letter) int { return strings.Compare(a.body, b.body) })
	return heard, err
}

func (e *estate) note() {
	ours := e.ours()
	var left []string
	for _, r := range e.forge.Repos() {
		if ours[r.Org.ID] {
			e.once[r.ID] = true
		} else if e.once[r.ID] {
			left = append(left, r.ID)
		}
	}
	if len(left) == 0 {
		return
	}
	for _, u := range e.forge.Users() {
		list := e.forge.Lists(u.Login)
		for _, id := range left {
			if _, ok := list[id]; ok {
				e.beyond[[2]string{u.ID, id}] = true
			}
		}
	}
}

// hear hands deliveries to hookd.
func (e *estate) hear(letters ...letter) {
	e.t.Helper()
	for _, l := range letters {
		r := httptest.NewRequest(http.MethodPost, "/hooks/git", strings.NewReader(l.body))
		r.Header = l.header.Clone()
		w := httptest.NewRecorder()
		e.intake.ServeHTTP(w, r)
		if w.Code/100 != 2 {
			e.t.Fatalf("a delivery was answered with %d: %s", w.Code, w.Body)
		}
	}
}

// joins makes a user of the forge who logs in to the CI server, and whose token
// hookd has.
func (e *estate) joins(login string) providers.User {
	e.t.Helper()
	u, err := e.world.CreateUser(login)
	e.must(err)
	e.logsIn(login)
	return u
}

func (e *estate) logsIn(login string) {
	e.t.Helper()
	token := "drone-token-of-" + login
	var err error
	e.airlock.do(func() { err = e.drone.LogIn(login, token, e.forge.Token(login)) })
	e.must(err)
	e.must(os.WriteFile(filepath.Join(e.tokens, login), []byte(token+"\n"), 0o600))
}

// ours are the configured organizations, by id.
func (e *estate) ours() map[string]bool {
	return map[string]bool{e.orgs["acme"].ID: true, e.orgs["beta"].ID: true}
}

func (e *estate) users() map[string]providers.User {
	out := map[string]providers.User{}
	for _, u := range e.forge.Users() {
		out[u.Login] = u
	}
	return out
}

// repo returns the repository at a path.
func (e *estate) repo(path string) providers.Repo {
	e.t.Helper()
	for _, r := range e.forge.Repos() {
		if providers.Fold(r.Path) == providers.Fold(path) {
			return r
		}
	}
	e.t.Fatalf("the forge has no repository %s", path)
	return providers.Repo{}
}

// believes is what the catalogue holds of a user: permissions by path.
func (e *estate) believes(u providers.User) map[string]string {
	e.t.Helper()
	out := map[string]string{}
	x, err := e.store.Holdings(e.t.Context(), "git", u.ID)
	if err != nil {
		return out
	}
	for _, a := range x.Present() {
		out[a.Repo.Path] = a.Permission.String()
	}
	return out
}

// granted is what the forge grants a user of what hookd is responsible for:
// permissions by path.
func (e *estate) granted(login string) map[string]string {
	ours, list, out := e.ours(), e.forge.Lists(login), map[string]string{}
	for _, r := range e.forge.Repos() {
		if p, ok := list[r.ID]; ok && ours[r.Org.ID] {
			out[r.Path] = p.String()
		}
	}
	return out
}

// differences compares catalogue and CI server with the forge, for everybody.
// Beyond the configured organizations both may know what the forge grants, and
// nothing else of what once was in one of them. What was archived may go on
// showing in the CI server, whose next sync hides it, whoever asks for that.
func (e *estate) differences() []string {
	e.t.Helper()
	repos := e.forge.Repos()
	ours := e.ours()
	at, byID := map[string]providers.Repo{}, map[string]providers.Repo{}
	for _, r := range repos {
		at[r.Path], byID[r.ID] = r, r
	}
	var wrong []string
	for _, u := range e.forge.Users() {
		list, granted := e.forge.Lists(u.Login), e.granted(u.Login)
		for path, p := range e.believes(u) {
			if r, ok := at[path]; ok && !ours[r.Org.ID] && list[r.ID].String() == p {
				granted[path] = p
			}
		}
		if got := e.believes(u); !maps.Equal(got, granted) {
			w := fmt.Sprintf("catalogue of %s: %s", u.Login, unlike(granted, got))
			if _, err := e.store.Holdings(e.t.Context(), "git", u.ID); err != nil {
				if !slices.Contains(e.drone.Logins(), u.Login) {
					continue // nothing told of him, and he has no use for it
				}
				w += ", as he is not known at all"
			}
			wrong = append(wrong, w)
		}
		if !slices.Contains(e.drone.Logins(), u.Login) || e.locked(u.Login) {
			continue
		}
		want, got := map[string]string{}, map[string]string{}
		for path := range e.granted(u.Login) {
			if r := at[path]; !r.Archived && strings.Count(path, "/") == 1 {
				want[r.ID] = providers.Fold(path)
			}
		}
		for id, path := range e.drone.Rows(u.Login) {
			r, exists := byID[id]
			_, listed := list[id]
			_, err := e.store.Repo(e.t.Context(), "git", id)
			switch {
			case listed && ours[r.Org.ID] && !r.Archived:
				got[id] = providers.Fold(path)
			case listed && (r.Archived || !ours[r.Org.ID]), e.beyond[[2]string{u.ID, id}]:
			case !e.once[id], err != nil && (!exists || !ours[r.Org.ID]): // it left before hookd ever saw it
			default:
				got[id] = providers.Fold(path)
			}
		}
		if !maps.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("Drone of %s: %s", u.Login, unlike(want, got)))
		}
	}
	for _, u := range e.gone {
		if got := e.believes(u); len(got) != 0 {
			wrong = append(wrong, fmt.Sprintf("catalogue of the deleted %s: %v", u.Login, got))
		}
	}
	return wrong
}

// locked reports whether the forge lets nobody act as this user, not even a CI
// server to find out what he lost.
func (e *estate) locked(login string) bool {
	f, can := e.forge.(interface{ State(login string) string })
	return can && f.State(login) != "active"
}

// unlike tells what is missing, what is too much, and what is otherwise.
func unlike(want, got map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[k]; !ok {
			out = append(out, "lacks "+k+" "+want[k])
		} else if g != want[k] {
			out = append(out, fmt.Sprintf("%s is %s, not %s", k, g, want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			out = append(out, "has "+k+" "+got[k])
		}
	}
	return strings.Join(out, ", ")
}

// agree fails unless catalogue and CI server equal the forge for everybody.
func (e *estate) agree() {
	e.t.Helper()
	for _, w := range e.differences() {
		e.t.Error(w)
	}
}

func (e *estate) ask(jobs ...syncqueue.Job) {
	e.t.Helper()
	_, err := e.store.Enqueue(e.t.Context(), syncqueue.Cause{By: "operator test", At: time.Now()}, jobs...)
	e.must(err)
}

func (e *estate) jobs(state syncqueue.State) []syncqueue.Job {
	e.t.Helper()
	jobs, _, err := e.store.Jobs(e.t.Context(), syncqueue.JobQuery{State: state}, "", 500)
	e.must(err)
	return jobs
}

// unfinished tells of the jobs that did not come to a good end: for people who
// look for the reason of a difference.
func (e *estate) unfinished() []string {
	var out []string
	for _, state := range []syncqueue.State{syncqueue.Ready, syncqueue.Waiting, syncqueue.Parked, syncqueue.Dead} {
		for _, j := range e.jobs(state) {
			if state == syncqueue.Parked || state == syncqueue.Dead || j.LastError != "" || j.Looks > 0 {
				out = append(out, fmt.Sprintf("%s %s %s attempt %d look %d: %s %s", state, j.Kind, j.Subject, j.Attempts, j.Looks, j.Note, j.LastError))
			}
		}
	}
	return out
}
