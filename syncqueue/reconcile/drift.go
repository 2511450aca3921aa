package reconcile

import (
	"fmt"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// drift is what two models of one organization differ in.
type drift struct {
	users map[providers.User]sighting
	repos map[string]sighting
	price price
}

// A price is how many calls it takes to look at one person in an organization,
// and at one repository.
type price struct{ person, repo int }

// priceIn is what looking costs in the organization of a model. Where audiences
// are computed from the teams, a repository costs the same whoever has it.
func priceIn(f any, m providers.Model) price {
	const page, smallPage = 100, 50
	repos := map[string]bool{}
	for _, t := range m.Teams {
		for _, id := range t.Repos {
			repos[id] = true
		}
	}
	if _, ok := f.(providers.ModelForge); ok {
		return price{person: 1 + 2*len(repos)/smallPage, repo: 3}
	}
	return price{person: 1 + len(repos)/page, repo: 1 + len(m.Members())/page}
}

// A sighting is what a poll saw of a user or repository.
type sighting struct {
	lost bool   // somebody may have lost something
	why  string // in words
}

// diffModels tells whose access and which repositories have to be looked at
// again. A change of a whole team becomes the cheaper of its people and its
// repositories.
func diffModels(was, is providers.Model, p price) drift {
	d := drift{users: map[providers.User]sighting{}, repos: map[string]sighting{}, price: p}
	old := map[string]providers.TeamModel{}
	for _, t := range was.Teams {
		old[t.ID] = t
	}
	for _, t := range is.Teams {
		o, ok := old[t.ID]
		delete(old, t.ID)
		name := "team " + t.Name
		switch {
		case !ok:
			d.team(t, sighting{why: name + " is new"})
		case o.Permission != t.Permission || o.AllRepos != t.AllRepos || o.Owners != t.Owners:
			changed := sighting{true, name + " reaches or may do something else"}
			if o.Permission != t.Permission {
				changed.why = name + " went from " + o.Permission.String() + " to " + t.Permission.String()
			}
			d.team(o, changed)
			d.team(t, changed)
		default:
			gone, came := differ(o.Members, t.Members, func(u providers.User) string { return u.ID })
			mark(d.users, gone, sighting{true, "left " + name})
			mark(d.users, came, sighting{why: "joined " + name})
			if !t.AllRepos && !t.Owners {
				gone, came := differ(o.Repos, t.Repos, func(id string) string { return id })
				mark(d.repos, gone, sighting{true, "taken from " + name})
				mark(d.repos, came, sighting{why: "given to " + name})
			}
		}
	}
	for _, t := range old {
		d.team(t, sighting{true, "team " + t.Name + " is gone"})
	}
	d.standing(was.Admins, is.Admins, is)
	d.standing(was.Restricted, is.Restricted, is)
	return d
}

// add notes what another comparison found as well.
func (d *drift) add(other drift) {
	if d.users == nil {
		d.users, d.repos = map[providers.User]sighting{}, map[string]sighting{}
	}
	for u, s := range other.users {
		mark(d.users, []providers.User{u}, s)
	}
	for id, s := range other.repos {
		mark(d.repos, []string{id}, s)
	}
}

// standing looks at the members whose standing with the whole instance
// changed: what administrators and restricted users list differs.
func (d drift) standing(was, is []string, m providers.Model) {
	id := func(s string) string { return s }
	gone, came := differ(was, is, id)
	changed := map[string]bool{}
	for _, u := range append(gone, came...) {
		changed[u] = true
	}
	for _, u := range m.Members() {
		if changed[u.ID] {
			mark(d.users, []providers.User{u}, sighting{true, "became or ceased to be an administrator or restricted"})
		}
	}
}

func (d drift) team(t providers.TeamModel, s sighting) {
	if !t.AllRepos && !t.Owners && len(t.Repos)*d.price.repo < len(t.Members)*d.price.person {
		mark(d.repos, t.Repos, s)
		return
	}
	mark(d.users, t.Members, s)
}

// mark adds keys; one that may have lost something stays so, and keeps all
// that was seen of it.
func mark[K comparable](m map[K]sighting, keys []K, s sighting) {
	for _, k := range keys {
		old, ok := m[k]
		if ok && old.why != s.why {
			m[k] = sighting{old.lost || s.lost, old.why + ", " + s.why}
			continue
		}
		m[k] = sighting{old.lost || s.lost, s.why}
	}
}

// differ returns what is only in a and what is only in b.
func differ[T any](a, b []T, id func(T) string) (onlyA, onlyB []T) {
	inA, inB := map[string]bool{}, map[string]bool{}
	for _, v := range a {
		inA[id(v)] = true
	}
	for _, v := range b {
		inB[id(v)] = true
		if !inA[id(v)] {
			onlyB = append(onlyB, v)
		}
	}
	for _, v := range a {
		if !inB[id(v)] {
			onlyA = append(onlyA, v)
		}
	}
	return onlyA, onlyB
}

// jobsOf turns differences into jobs, losses first. Of many people, as after
// another base permission, the organization is read in one pass.
func (e *Engine) jobsOf(p *provider, org providers.Org, d drift) []syncqueue.Job {
	now := e.cfg.Now()
	if len(d.users) > scopeAbove {
		return []syncqueue.Job{e.pass(p, org, fmt.Sprintf("the teams of %d people changed", len(d.users)))}
	}
	var jobs []syncqueue.Job
	for u, s := range d.users {
		jobs = append(jobs, saw(syncqueue.MemberJob(p.Name, u, org, laneOf(s.lost), now), s.why))
	}
	for id, s := range d.repos {
		jobs = append(jobs, saw(syncqueue.RepoJob(p.Name, providers.Repo{ID: id, Org: org}, laneOf(s.lost), now), s.why))
	}
	slices.SortFunc(jobs, func(a, b syncqueue.Job) int { return int(a.Lane) - int(b.Lane) })
	return jobs
}

// pass reads all of org before what nobody asked for.
func (e *Engine) pass(p *provider, org providers.Org, why string) syncqueue.Job {
	j := syncqueue.ScopeJob(p.Name, org, e.cfg.Now())
	j.Lane = syncqueue.LanePoll
	return saw(j, why)
}

func laneOf(lost bool) syncqueue.Lane {
	if lost {
		return syncqueue.LaneRemoval
	}
	return syncqueue.LaneAddition
}
