package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/hookd/hookd/handlers"
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// shop is a whole hookd between a simulated forge, whose webhooks reach the
// real intake over HTTP, and a CI server that shows what it is told. Its clock
// moves only from one due job to the next and its jobs run one at a time, so
// that what the forge is asked does not depend on the machine.
type shop struct {
	t      *testing.T
	forge  *priced
	db     *memory.DB
	engine *reconcile.Engine
	ci     *shows
	org    providers.Org

	mu  sync.Mutex
	now time.Time
}

const never = 10000 * time.Hour

func openShop(t *testing.T, f *priced) *shop {
	t.Helper()
	s := &shop{t: t, forge: f, ci: &shows{lists: map[string]map[string]string{}}, org: f.org, now: time.Now()}
	s.db = memory.New(memory.Options{Now: s.clock})
	t.Cleanup(func() { s.db.Close() })
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	s.engine, err = reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{Name: "git", Forge: f.driver, Hook: f.hook, Orgs: f.orgs, Names: []string{"acme"}, Coverage: f.coverage, Members: never, Repos: never}},
		Targets:   []reconcile.Target{{Name: "ci", Provider: "git", Driver: s.ci}},
		Store:     s.db, Log: log, Now: s.clock,
		Verify:    []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute},
		Reconcile: never, Guard: target.Guard{Percent: 50, MinRepos: 20},
	})
	s.must(err)
	source := map[string]handlers.Source{"git": {Name: "git", Kind: f.kind, Hook: f.hook, Orgs: f.orgs}}
	intake := httptest.NewServer(handlers.Public(handlers.Intake{
		Sources: func() map[string]handlers.Source { return maps.Clone(source) },
		Queue:   s.db, Timing: syncqueue.Timing{Debounce: time.Second, MaxDelay: 5 * time.Second}, Log: log, Now: s.clock,
	}))
	t.Cleanup(intake.Close)
	s.must(f.addHook(intake.URL + "/hooks/git"))
	s.must(f.delivered(t.Context()))
	return s
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// asked counts every HTTP request to the forge that f leads to, until no job
// is left that is due within the verify ladder. When f returns, every webhook
// it set off has been answered.
func (s *shop) asked(f func() error) int {
	s.t.Helper()
	// Nobody's size that an earlier change asked for may vouch for this one.
	s.wait(time.Hour)
	before := s.forge.driver.Requests()
	s.must(f())
	s.must(s.forge.delivered(s.t.Context()))
	for until := s.clock().Add(10 * time.Minute); ; {
		for s.work() {
		}
		next, ok := s.next()
		if !ok || next.After(until) {
			return int(s.forge.driver.Requests() - before)
		}
		s.wait(next.Sub(s.clock()))
	}
}

func (s *shop) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(max(d, 0))
}

// next is when the earliest job that waits is due.
func (s *shop) next() (at time.Time, ok bool) {
	cursor := ""
	for {
		jobs, next, err := s.db.Jobs(s.t.Context(), syncqueue.JobQuery{State: syncqueue.Waiting}, cursor, 500)
		s.must(err)
		for _, j := range jobs {
			if !ok || j.NotBefore.Before(at) {
				at, ok = j.NotBefore, true
			}
		}
		if next == "" {
			return at, ok
		}
		cursor = next
	}
}

// work runs one job that is due, if there is one.
func (s *shop) work() bool {
	s.t.Helper()
	l, err := s.db.Lease(&impatient{Context: s.t.Context()}, never, syncqueue.Filter{})
	if errors.Is(err, context.Canceled) {
		return false
	}
	s.must(err)
	o, err := s.engine.Handle(s.t.Context(), l)
	s.must(err)
	if o.Result == syncqueue.ResultParked || o.Result == syncqueue.ResultHidden {
		s.t.Fatalf("%s of %s ends as %s: %s", l.Job.Kind, l.Job.Subject, o.Result, o.Note)
	}
	_, err = s.db.Complete(s.t.Context(), l, o)
	s.must(err)
	return true
}

// impatient is done as soon as somebody waits for it.
type impatient struct {
	context.Context
	waited bool
}

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (c *impatient) Done() <-chan struct{} { c.waited = true; return closed }

func (c *impatient) Err() error {
	if c.waited {
		return context.Canceled
	}
	return c.Context.Err()
}

// accepted is how many deliveries were found to change somebody's list.
func (s *shop) accepted() int {
	n, cursor := 0, ""
	for {
		got, next, err := s.db.Deliveries(s.t.Context(), syncqueue.DeliveryQuery{Result: syncqueue.EntryAccepted}, cursor, 500)
		s.must(err)
		n += len(got)
		if next == "" {
			return n
		}
		cursor = next
	}
}

func (s *shop) poll(what string) error {
	return s.ask(syncqueue.PollJob("git", what, s.org, s.clock()))
}

func (s *shop) ask(j syncqueue.Job) error {
	_, err := s.db.Enqueue(s.t.Context(), syncqueue.Cause{By: "operator test", At: s.clock()}, j)
	return err
}

// agrees compares what the catalogue and the CI server have of u with the
// forge's own list.
func (s *shop) agrees(u providers.User) {
	s.t.Helper()
	want := map[string]string{}
	for a, err := range s.forge.driver.UserAccess(s.t.Context(), u) {
		s.must(err)
		if a.Repo.Org.ID == s.org.ID && a.Permission > providers.None {
			want[a.Repo.ID] = fmt.Sprint(a.Repo.Path, " ", a.Permission)
		}
	}
	h, err := s.db.Holdings(s.t.Context(), "git", u.ID)
	if !errors.Is(err, storage.ErrUnknown) {
		s.must(err)
	}
	got := map[string]string{}
	for _, a := range h.Present() {
		if a.Repo.Org.ID == s.org.ID {
			got[a.Repo.ID] = fmt.Sprint(a.Repo.Path, " ", a.Permission)
		}
	}
	if !maps.Equal(got, want) {
		s.t.Errorf("catalogue has %d repositories for %s, the forge %d: %s", len(got), u.Login, len(want), differing(got, want))
	}
	if shown := s.ci.of(u); len(h.Present()) != shown {
		s.t.Errorf("the CI server shows %d repositories to %s, the catalogue has %d", shown, u.Login, len(h.Present()))
	}
}

// differing names one difference.
func differing(got, want map[string]string) string {
	for id, v := range want {
		if got[id] != v {
			return fmt.Sprintf("%q instead of %q", got[id], v)
		}
	}
	for id, v := range got {
		if want[id] != v {
			return fmt.Sprintf("%q instead of %q", v, want[id])
		}
	}
	return ""
}

// shows is a CI server that shows whatever it is told. As a target must, it
// asks for the size of the user's list before it changes anything.
type shows struct {
	mu    sync.Mutex
	lists map[string]map[string]string // user id -> repository id -> path
}

func (c *shows) Probe(context.Context) (string, error) { return "2.0", nil }

func (c *shows) Sync(ctx context.Context, u providers.User, want target.Desired) (target.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.lists[u.ID]
	if list == nil {
		list = map[string]string{}
		c.lists[u.ID] = list
	}
	r := target.Result{}
	for _, a := range want.Present {
		r.Synced = r.Synced || list[a.Repo.ID] != a.Repo.Path
		r.Shown = append(r.Shown, a.Repo.ID)
	}
	for _, a := range want.Absent {
		r.Synced = r.Synced || list[a.Repo.ID] != ""
		r.Gone = append(r.Gone, a.Repo.ID)
	}
	if !r.Synced {
		return r, nil
	}
	if want.Count != nil {
		if _, err := want.Count(ctx); err != nil {
			return target.Result{}, err
		}
	}
	for _, a := range want.Present {
		list[a.Repo.ID] = a.Repo.Path
	}
	for _, a := range want.Absent {
		delete(list, a.Repo.ID)
	}
	return r, nil
}

func (c *shows) of(u providers.User) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.lists[u.ID])
}
