package reconcile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// A mode is a way in which a forge answers nonsense to everybody, to hookd and
// to the CI server.
type mode struct {
	name  string
	only  []string // kinds of forge; all if empty
	fault providerstest.Fault
	hangs bool // hookd's own requests are not answered
}

var modes = []mode{
	{name: "a page for people", fault: providerstest.Fault{Kind: providerstest.FaultHTML}},
	{name: "half of the JSON", fault: providerstest.Fault{Kind: providerstest.FaultTruncated}},
	{name: "null", fault: providerstest.Fault{Kind: providerstest.FaultNull}},
	{name: "empty lists that say so", fault: providerstest.Fault{Kind: providerstest.FaultEmpty}},
	{name: "empty lists under a true count", fault: providerstest.Fault{Kind: providerstest.FaultHollow}},
	{name: "empty lists of repositories", fault: providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "repos"}},
	{name: "empty lists of people", fault: providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "members"}},
	{name: "a failing second page", fault: providerstest.Fault{Kind: providerstest.FaultError, Page: 2}},
	{name: "the same page for ever", fault: providerstest.Fault{Kind: providerstest.FaultLoop}},
	{name: "lists that do not go on", fault: providerstest.Fault{Kind: providerstest.FaultBare}, only: []string{"gitea", "gitlab"}},
	{name: "401", fault: providerstest.Fault{Kind: providerstest.FaultUnauthorized}},
	{name: "403", fault: providerstest.Fault{Kind: providerstest.FaultForbidden}},
	{name: "rate limit", fault: providerstest.Fault{Kind: providerstest.FaultLimit, After: 20 * time.Second}},
	{name: "rate limit of the hour", fault: providerstest.Fault{Kind: providerstest.FaultPrimary, After: 5 * time.Minute}, only: []string{"github"}},
	{name: "single sign-on", fault: providerstest.Fault{Kind: providerstest.FaultSSO}, only: []string{"github"}},
	{name: "500", fault: providerstest.Fault{Kind: providerstest.FaultError}},
	{name: "a 404 of a proxy", fault: providerstest.Fault{Kind: providerstest.FaultProxy404}},
	{name: "a redirect to another host", fault: providerstest.Fault{Kind: providerstest.FaultElsewhere}},
	{name: "no answer", hangs: true},
}

// While a forge answers nonsense, the world goes on: what was granted all the
// time nobody loses, and what was never granted nobody gains, neither in the
// catalogue nor in the CI server, and no token goes to another host. Afterwards
// all converges. There are two exceptions until then, one in the CI server alone
// and one in the catalogue alone: see grip.took and grip.remembered.
func TestNobodyLosesOrGainsWhileTheForgeAnswersNonsense(t *testing.T) {
	first, n := histories(t)
	onEach(t, func(t *testing.T, k kind) {
		for _, m := range modes {
			if len(m.only) > 0 && !slices.Contains(m.only, k.name) {
				continue
			}
			for seed := first; seed < first+max(n/2, 1); seed++ {
				t.Run(fmt.Sprintf("%s/%d", m.name, seed), func(t *testing.T) {
					t.Logf("again by HOOKD_HISTORY_SEED=%d HOOKD_HISTORIES=1", seed)
					byzantine(t, k, m, seed)
				})
			}
		}
	})
}

func byzantine(t *testing.T, k kind, m mode, seed uint64) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintln(w, "[]")
	}))
	defer elsewhere.Close()
	m.fault.To = elsewhere.URL
	inEstate(t, k, simOptions{page: 4}, everyPoll, settled, func(e *estate) {
		p := newPast(e, seed)
		for range 30 {
			p.step()
		}
		p.converged()
		before := p.look()
		heal := func() { e.toForge.hangs.Store(false) }
		if e.toForge.hangs.Store(m.hangs); m.fault.Kind != "" {
			heal = e.forge.Break(m.fault)
		}
		for range 15 {
			p.step()
			before.grant(e)
		}
		p.arrive(changes)
		p.after(40 * time.Minute)
		before.compare(p.look(), e.t)
		heal()
		for range 5 {
			p.step()
		}
		p.converged()
		if e.t.Failed() {
			e.t.Logf("what happened: %v", p.did)
			for _, j := range e.unfinished() {
				e.t.Log(j)
			}
		}
	})
}

// cell is a user, or the CI server's account of one, and a repository.
type cell struct{ who, repo string }

// A grip is who holds what at some moment, and what the forge granted since.
type grip struct {
	held   map[cell]bool
	always map[cell]bool // granted at every look since
	ever   map[cell]bool // granted at some look since
	hidden map[string]bool
	taken  []string // ids whose rows Drone deleted for a namesake
	teams  teamsSince
}

// look takes hold of what catalogue and CI server have now. What the catalogue
// counts as lost, and the forge grants still where no configured organization
// reaches, Drone shows only until the next sync of who lost it, whatever it then
// reads: the sync is there to take it away.
func (p *past) look() *grip {
	g := &grip{held: map[cell]bool{}, ever: map[cell]bool{}, hidden: map[string]bool{}, taken: p.drone.Taken()}
	for _, u := range p.forge.Users() {
		if x, err := p.store.Holdings(p.t.Context(), "git", u.ID); err == nil {
			for _, a := range x.Present() {
				g.held[cell{"the catalogue's " + u.ID, a.Repo.ID}] = true
			}
		}
		for id := range p.drone.Rows(u.Login) {
			if p.once[id] && (g.held[cell{"the catalogue's " + u.ID, id}] || !p.beyond[[2]string{u.ID, id}]) {
				g.held[cell{"Drone's " + u.Login, id}] = true
			}
		}
	}
	g.grant(p.estate)
	return g
}

// grant notes what the forge grants now.
func (g *grip) grant(e *estate) {
	g.teams.look(e)
	now := map[cell]bool{}
	for _, u := range e.forge.Users() {
		for id, p := range e.forge.Lists(u.Login) {
			if p > providers.None {
				now[cell{"the catalogue's " + u.ID, id}], now[cell{"Drone's " + u.Login, id}] = true, true
			}
		}
	}
	for _, r := range e.forge.Repos() {
		if r.Archived {
			g.hidden[r.ID] = true
		}
	}
	first := g.always == nil
	if first {
		g.always = map[cell]bool{}
	}
	for c := range now {
		g.ever[c] = true
		if first {
			g.always[c] = true
		}
	}
	for c := range g.always {
		if !now[c] {
			delete(g.always, c)
		}
	}
}

func (g *grip) compare(now *grip, t *testing.T) {
	t.Helper()
	for c := range g.held {
		if !now.held[c] && g.always[c] && !g.hidden[c.repo] && !now.took(c) {
			t.Errorf("%s lost repository %s, which was granted all the time", c.who, c.repo)
		}
	}
	for c := range now.held {
		if !g.held[c] && !g.ever[c] && !g.remembered(c) {
			t.Errorf("%s gained repository %s, which was never granted", c.who, c.repo)
		}
	}
}

// remembered reports whether the catalogue has by memory what somebody would be
// granted, had he not left a team since it was read.
func (g *grip) remembered(c cell) bool {
	user, ok := strings.CutPrefix(c.who, "the catalogue's ")
	return ok && g.teams.reach(user, c.repo)
}

// took reports whether Drone deleted its row of a repository because somebody
// else's sync met another one under the name that Drone kept for it, before that
// of anybody who sees this one, whose list cannot be read. Drone's permissions
// stay, and the next sync of one who has it brings it back to all (source:
// store/batch2/batch.go:395).
func (g *grip) took(c cell) bool {
	return strings.HasPrefix(c.who, "Drone's ") && slices.Contains(g.taken, c.repo)
}
