package reconcile

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// What a poll job polls.
const (
	pollOrgs    = "orgs"
	pollMembers = "members"
	pollRepos   = "repos"
)

// seen is what the members poll compares with.
type seen struct {
	Model         *providers.Model  `json:"model,omitempty"`
	Collaborators map[string]string `json:"collaborators,omitempty"` // repository -> digest of its collaborators
	Counts        map[string]int    `json:"counts,omitempty"`        // user -> size of his own list
	Activity      string            `json:"activity,omitempty"`
}

// pollMembers finds what the forge never announces about people: teams, their
// members and repositories, collaborators. One call more tells whether the
// repositories are worth a look before their own poll is due.
func (e *Engine) pollMembers(ctx context.Context, p *provider, l syncqueue.Lease) (syncqueue.Outcome, error) {
	org := providers.Org{ID: l.Job.Subject.ID, Name: l.Job.Subject.Name}
	key := "members/" + p.Name + "/" + org.ID
	var was seen
	if err := e.load(ctx, key, &was); err != nil {
		return syncqueue.Outcome{}, err
	}
	now := e.cfg.Now()
	is := seen{}
	c := &storage.Change{}
	o := p.change(c)
	o.Next = now.Add(p.Members)

	if tf, ok := p.Forge.(providers.TeamForge); ok {
		m, err := readModel(ctx, tf, org)
		if err != nil {
			return syncqueue.Outcome{}, err
		}
		if had, has := was.Model.Size(), m.Size(); e.cfg.Guard.Shrinks(had, has) && !l.Job.Force {
			return e.hold(l, atCatalogue, fmt.Sprintf("the teams of %s have %d members and repositories, %d before", org.Name, has, had)), nil
		}
		if before, ok := p.models.peek(org.ID); ok && was.Model == nil {
			// The first fill read the teams earlier than this first poll.
			was.Model = &before
		}
		p.models.put(org.ID, m, l.Fence)
		is.Model, c.Users = &m, m.Members()
		if was.Model != nil {
			o.Follow = append(o.Follow, e.jobsOf(p, org, diffModels(*was.Model, m))...)
		}
	}
	jobs, err := e.pollCollaborators(ctx, p, org, was, &is)
	if err != nil {
		return syncqueue.Outcome{}, err
	}
	o.Follow = append(o.Follow, jobs...)
	if feed, ok := p.Forge.(providers.RepoFeed); ok && p.Repos > 0 {
		if is.Activity, err = feed.Activity(ctx, org); err != nil {
			// Only a hint: the poll of repositories finds the same later.
			e.cfg.Log.Warn("the activity feed cannot be read", "provider", p.Name, "org", org.Name, "err", err)
			is.Activity = was.Activity
		}
		if was.Activity != "" && was.Activity != is.Activity {
			o.Follow = append(o.Follow, syncqueue.PollJob(p.Name, pollRepos, org, now))
		}
	}
	polled(o.Follow, "member poll", now)
	c.Snapshots = map[string][]byte{key: encode(is)}
	o.Note = fmt.Sprintf("%d differences", len(o.Follow))
	return o, nil
}

// drift is what two models of one organization differ in.
type drift struct {
	users map[providers.User]sighting
	repos map[string]sighting
}

// A sighting is what a poll saw of a user or repository.
type sighting struct {
	lost bool   // somebody may have lost something
	why  string // in words
}

// diffModels tells whose access and which repositories have to be looked at
// again. A change of a whole team becomes the cheaper of its people and its
// repositories.
func diffModels(was, is providers.Model) drift {
	d := drift{users: map[providers.User]sighting{}, repos: map[string]sighting{}}
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
	if !t.AllRepos && !t.Owners && len(t.Repos) < len(t.Members) {
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

// jobsOf turns differences into jobs, losses first.
func (e *Engine) jobsOf(p *provider, org providers.Org, d drift) []syncqueue.Job {
	now := e.cfg.Now()
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

func laneOf(lost bool) syncqueue.Lane {
	if lost {
		return syncqueue.LaneRemoval
	}
	return syncqueue.LaneAddition
}

// pollCollaborators looks for changes among direct collaborators: exactly, by
// listing each repository's, where the repositories are not many more than the
// people; else by the size of each person's own list, which also shows what
// teams did, but not an exchange of one repository for another. The sweep
// finds those.
func (e *Engine) pollCollaborators(ctx context.Context, p *provider, org providers.Org, was seen, is *seen) ([]syncqueue.Job, error) {
	repos, err := e.known(ctx, p, org)
	if err != nil {
		return nil, err
	}
	users, err := e.people(ctx, p)
	if err != nil {
		return nil, err
	}
	if cf, ok := p.Forge.(providers.CollaboratorForge); ok && len(repos) <= len(users)+100 {
		return e.pollRepoCollaborators(ctx, p, cf, repos, was, is)
	}
	if cf, ok := p.Forge.(providers.Counter); ok {
		return e.pollCounts(ctx, p, cf, users, was, is)
	}
	return nil, nil
}

func (e *Engine) pollRepoCollaborators(ctx context.Context, p *provider, cf providers.CollaboratorForge, repos []providers.Repo, was seen, is *seen) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	is.Collaborators = make(map[string]string, len(repos))
	for _, r := range repos {
		list, err := collect(cf.Collaborators(ctx, r))
		if errors.Is(err, providers.ErrNotFound) {
			jobs = append(jobs, syncqueue.RepoJob(p.Name, r, syncqueue.LanePoll, e.cfg.Now()))
			continue
		}
		if err != nil {
			return nil, err
		}
		is.Collaborators[r.ID] = digest(list)
		if before, ok := was.Collaborators[r.ID]; ok && before != is.Collaborators[r.ID] {
			jobs = append(jobs, saw(syncqueue.RepoJob(p.Name, r, syncqueue.LaneRemoval, e.cfg.Now()), "its collaborators changed"))
		}
	}
	return jobs, nil
}

func (e *Engine) pollCounts(ctx context.Context, p *provider, cf providers.Counter, users []providers.User, was seen, is *seen) ([]syncqueue.Job, error) {
	var jobs []syncqueue.Job
	is.Counts = make(map[string]int, len(users))
	for _, u := range users {
		n, err := cf.Count(ctx, u)
		if errors.Is(err, providers.ErrNotFound) {
			n = -1 // renamed or gone: his own job finds out
		} else if err != nil {
			return nil, err
		}
		is.Counts[u.ID] = n
		if before, ok := was.Counts[u.ID]; ok && before != n {
			why := fmt.Sprintf("the length of his list went from %d to %d", before, n)
			jobs = append(jobs, saw(syncqueue.UserJob(p.Name, u, laneOf(n < before), e.cfg.Now()), why))
		}
	}
	return jobs, nil
}

// people returns every user of the catalogue.
func (e *Engine) people(ctx context.Context, p *provider) ([]providers.User, error) {
	var out []providers.User
	cursor := ""
	for {
		rows, next, err := e.cfg.Store.Users(ctx, storage.UserQuery{Provider: p.Name}, cursor, 500)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out = append(out, r.User)
		}
		if next == "" {
			return out, nil
		}
		cursor = next
	}
}

// digest stands for a set of accesses, whatever their order.
func digest(list []providers.Access) string {
	lines := make([]string, 0, len(list))
	for _, a := range list {
		lines = append(lines, a.User.ID+"="+a.Permission.String())
	}
	slices.Sort(lines)
	h := fnv.New64a()
	for _, line := range lines {
		h.Write([]byte(line))
		h.Write([]byte{0})
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
