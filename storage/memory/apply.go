package memory

import (
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// applying is one Complete at work on the catalogue.
type applying struct {
	db    *DB
	job   syncqueue.Job
	fence uint64 // the lease's
	now   time.Time

	provider string
	read     uint64
	labels   uint64 // fence of the labels of repositories
	cause    string
	why      string
	fresh    map[id]bool               // users who never held anything before
	lost     map[id]bool               // users whose holdings changed -> whether they lost something
	before   map[pair]before           // cells written
	met      map[string]providers.Repo // repositories seen -> what they were before
	out      storage.Applied
}

// before is a cell as it was before this commit.
type before struct {
	permission providers.Permission
	relabelled bool
}

func (a *applying) change(c *storage.Change) {
	if c.Empty() {
		return
	}
	a.provider = c.Provider
	if a.provider == "" {
		a.provider = a.job.Provider
	}
	a.read = c.Read
	if a.read == 0 || a.read > a.fence {
		a.read = a.fence
	}
	if a.labels = min(c.Labels, a.fence); a.labels == 0 {
		a.labels = a.read
	}
	a.cause, a.why = syncqueue.Reason(a.job)
	a.fresh, a.lost, a.before, a.met = map[id]bool{}, map[id]bool{}, map[pair]before{}, map[string]providers.Repo{}
	for _, u := range c.Users {
		a.user(u)
	}
	for _, r := range c.Repos {
		a.repo(r)
	}
	for _, gone := range c.Gone {
		a.gone(gone)
	}
	for _, au := range c.Audiences {
		a.audience(au)
	}
	for _, l := range c.Lists {
		a.list(l)
	}
	for _, x := range c.Cells {
		a.fact(a.user(x.User), a.repo(x.Repo), x.Permission)
	}
	for key, v := range c.Snapshots {
		if v == nil {
			delete(a.db.snapshots, key)
			continue
		}
		a.db.snapshots[key] = slices.Clone(v)
	}
	a.count()
}

// gone takes a deleted repository away from everybody.
func (a *applying) gone(repoID string) {
	r := a.repo(providers.Repo{ID: repoID})
	if r.read > a.read || r.floor > a.read {
		a.out.Stale++
		return
	}
	a.audience(storage.Audience{Repo: providers.Repo{ID: repoID}})
	r.gone = max(r.gone, a.read)
}

// audience takes r away from whom a complete read does not name.
func (a *applying) audience(au storage.Audience) {
	r := a.repo(au.Repo)
	named := map[string]bool{}
	for _, m := range au.Users {
		named[m.User.ID] = true
		a.write(a.user(m.User), r, m.Permission)
	}
	for at, c := range a.db.cells.ofRepo[id{a.provider, r.ID}] {
		if c.Permission > providers.None && !named[at.user] {
			a.write(a.db.users[id{a.provider, at.user}], r, providers.None)
		}
	}
	r.floor = max(r.floor, a.read)
}

// list takes from the user what a complete read does not name, but for
// repositories that were not known yet when it was read.
func (a *applying) list(l storage.List) {
	u := a.user(l.User)
	named := map[string]bool{}
	for _, x := range l.Repos {
		named[x.Repo.ID] = true
		a.write(u, a.repo(x.Repo), x.Permission)
	}
	for at, c := range a.db.cells.ofUser[id{a.provider, u.ID}] {
		r := a.db.repos[at.byRepo()]
		if c.Permission > providers.None && !named[at.repo] && r.born <= a.read {
			a.write(u, r, providers.None)
		}
	}
	if a.read >= u.floor {
		u.floor, u.checked = a.read, a.now
	}
	u.complete = true
}

// fact is a write that nothing but its own cell remembers: there is no floor to
// keep an older read from undoing it.
func (a *applying) fact(u *user, r *repo, p providers.Permission) {
	at := pair{a.provider, u.ID, r.ID}
	c := a.db.cells.get(at)
	switch {
	case c != nil:
		a.write(u, r, p)
		c.Read = max(c.Read, a.read)
	case p > providers.None:
		a.write(u, r, p)
	case a.read >= max(storage.RowFloor(u.floor, r.born), r.floor):
		c = &storage.Cell{Read: a.read, Changed: a.now, Cause: a.cause, Why: a.why}
		a.db.cells.put(at, c)
		if !u.complete {
			// Nobody knows what the CI server shows of a user whose list was
			// never read: a named loss has to be told.
			a.touch(at, c)
			c.Asked = a.job.Since
			a.lost[id{a.provider, u.ID}] = true
		}
	}
}

// write judges p and writes it if it is the latest word.
func (a *applying) write(u *user, r *repo, p providers.Permission) {
	at := pair{a.provider, u.ID, r.ID}
	c := a.db.cells.get(at)
	if c == nil {
		c = &storage.Cell{}
	}
	switch storage.Judge(*c, storage.RowFloor(u.floor, r.born), r.floor, a.read, p) {
	case storage.Keep:
		return
	case storage.Stale:
		a.out.Stale++
		return
	}
	a.db.cells.put(at, c)
	a.touch(at, c)
	switch {
	case p == providers.None:
		c.Asked, c.Gone, c.Hidden = a.job.Since, nil, nil
		a.lost[id{a.provider, u.ID}] = true
	case c.Permission == providers.None:
		c.Asked, c.Shown, c.Gone, c.Hidden = a.job.Since, nil, nil, nil
	default: // what he may do there can be why it did not show
		c.Asked, c.Hidden = asked(c, a.job.Since), nil
	}
	c.Permission, c.Read, c.Cause, c.Why = p, a.read, a.cause, a.why
}

// touch makes c part of its user's next version, once for each commit, and
// returns what it was before.
func (a *applying) touch(at pair, c *storage.Cell) before {
	b, ok := a.before[at]
	if !ok {
		b = before{permission: c.Permission}
		a.before[at] = b
	}
	who := id{at.provider, at.user}
	u := a.db.users[who]
	if _, ok := a.lost[who]; !ok {
		a.lost[who] = false
		u.version++
	}
	c.Version, c.Changed, c.Was = u.version, a.now, b.permission
	return b
}

// asked is when a cell that stays shown was asked for: the older question, if
// there still is one.
func asked(c *storage.Cell, since time.Time) time.Time {
	if c.Asked.IsZero() || !since.IsZero() && since.Before(c.Asked) {
		return since
	}
	return c.Asked
}

func (a *applying) count() {
	for at, was := range a.before {
		is := a.db.cells.get(at).Permission
		switch {
		case was.permission == providers.None && is > providers.None:
			a.out.Granted++
			if a.fresh[id{at.provider, at.user}] {
				a.out.First++
			}
		case was.permission > providers.None && is == providers.None:
			a.out.Revoked++
		case is > providers.None && (is != was.permission || was.relabelled):
			a.out.Altered++
		}
	}
	a.out.Users = len(a.lost)
}

// outrun reports whether a cached read lost against a later decision.
func (a *applying) outrun() bool { return a.out.Stale > 0 && a.read < a.fence }
