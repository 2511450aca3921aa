package bolt

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// An applying is one Complete at work on the catalogue within one transaction.
// The rows it touches are kept until flush writes each once.
type applying struct {
	t     *txn
	job   syncqueue.Job
	fence uint64 // the lease's

	provider string
	read     uint64
	labels   uint64 // fence of the labels of repositories
	cause    string
	why      string
	users    map[string]*row[userRecord]
	repos    map[string]*row[repoRecord]
	cells    map[at]*row[cellRecord]
	fresh    map[string]bool // users who never held anything before the whole change
	lost     map[string]bool // users whose holdings changed -> whether they lost something
	before   map[at]before   // cells written
	out      storage.Applied
}

// A row is a record with what it was when the transaction began. They share
// their maps: of what was, only plain fields mean anything.
type row[R any] struct {
	is, was R
	known   bool // it was there
	written bool
}

// before is a cell as it was before this commit.
type before struct {
	permission uint8
	relabelled bool
}

// applying returns the work on c. Fresh may be shared by several transactions
// of one Complete: a user stays new until the end of it.
func (t *txn) applying(l syncqueue.Lease, job syncqueue.Job, c *storage.Change, fresh map[string]bool) *applying {
	a := &applying{
		t: t, job: job, fence: l.Fence, provider: job.Provider, read: l.Fence,
		fresh: fresh,
		users: map[string]*row[userRecord]{}, repos: map[string]*row[repoRecord]{}, cells: map[at]*row[cellRecord]{},
		lost: map[string]bool{}, before: map[at]before{},
	}
	a.cause, a.why = syncqueue.Reason(job)
	if c != nil && c.Provider != "" {
		a.provider = c.Provider
	}
	if c != nil && c.Read != 0 {
		a.read = min(c.Read, l.Fence)
	}
	a.labels = a.read
	if c != nil && c.Labels != 0 {
		a.labels = min(c.Labels, l.Fence)
	}
	return a
}

func (a *applying) change(c *storage.Change) error {
	if c.Empty() {
		return nil
	}
	for _, u := range c.Users {
		if _, err := a.seeUser(u); err != nil {
			return err
		}
	}
	for _, r := range c.Repos {
		if _, err := a.seeRepo(r); err != nil {
			return err
		}
	}
	for _, gone := range c.Gone {
		if err := a.gone(gone); err != nil {
			return err
		}
	}
	for _, au := range c.Audiences {
		if err := a.audience(au); err != nil {
			return err
		}
	}
	for _, l := range c.Lists {
		if err := a.list(l); err != nil {
			return err
		}
	}
	for _, x := range c.Cells {
		if err := a.fact(x); err != nil {
			return err
		}
	}
	for key, v := range c.Snapshots {
		if err := a.snapshot(key, v); err != nil {
			return err
		}
	}
	a.count()
	return a.flush()
}

func (a *applying) snapshot(key string, v []byte) error {
	if v == nil {
		return a.t.del(tSnapshots, []byte(key))
	}
	return a.t.put(tSnapshots, []byte(key), seal([]byte(key), v))
}

// gone takes a deleted repository away from everybody.
func (a *applying) gone(repoID string) error {
	r, err := a.repo(repoID)
	if err != nil {
		return err
	}
	if r.is.Read > a.read || r.is.Floor > a.read {
		a.out.Stale++
		return nil
	}
	if err := a.audience(storage.Audience{Repo: providers.Repo{ID: repoID}}); err != nil {
		return err
	}
	r.is.Gone, r.written = max(r.is.Gone, a.read), true
	return nil
}

// audience takes the repository away from whom a complete read does not name.
func (a *applying) audience(au storage.Audience) error {
	r, err := a.seeRepo(au.Repo)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, m := range au.Users {
		named[m.User.ID] = true
		u, err := a.seeUser(m.User)
		if err != nil {
			return err
		}
		if err := a.write(u, r, m.Permission); err != nil {
			return err
		}
	}
	holders, err := a.holders(au.Repo.ID)
	if err != nil {
		return err
	}
	for _, user := range holders {
		if named[user] {
			continue
		}
		u, err := a.user(user)
		if err != nil {
			return err
		}
		if err := a.write(u, r, providers.None); err != nil {
			return err
		}
	}
	r.is.Floor, r.written = max(r.is.Floor, a.read), true
	return nil
}

// list takes from the user what a complete read does not name, but for
// repositories that were not known yet when it was read.
func (a *applying) list(l storage.List) error {
	u, err := a.seeUser(l.User)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, x := range l.Repos {
		named[x.Repo.ID] = true
		r, err := a.seeRepo(x.Repo)
		if err != nil {
			return err
		}
		if err := a.write(u, r, x.Permission); err != nil {
			return err
		}
	}
	held, err := a.held(l.User.ID)
	if err != nil {
		return err
	}
	for _, id := range held {
		if named[id] {
			continue
		}
		r, err := a.repo(id)
		if err != nil {
			return err
		}
		if r.is.Born > a.read {
			continue
		}
		if err := a.write(u, r, providers.None); err != nil {
			return err
		}
	}
	if a.read >= u.is.Floor {
		u.is.Floor, u.is.Checked = a.read, a.t.now
	}
	u.is.Complete, u.written = true, true
	return nil
}

// fact is a write that nothing but its own cell remembers: there is no floor to
// keep an older read from undoing it.
func (a *applying) fact(x providers.Access) error {
	u, err := a.seeUser(x.User)
	if err != nil {
		return err
	}
	r, err := a.seeRepo(x.Repo)
	if err != nil {
		return err
	}
	c, err := a.cell(u, r)
	if err != nil {
		return err
	}
	if c.known || c.written || x.Permission > providers.None {
		err := a.write(u, r, x.Permission)
		if a.read > c.is.Read && (c.known || c.written) {
			c.is.Read, c.written = a.read, true
		}
		return err
	}
	if a.read < max(storage.RowFloor(u.is.Floor, r.is.Born), r.is.Floor) {
		return nil
	}
	c.is = cellRecord{Read: a.read, Changed: a.t.now, Cause: a.cause, Why: a.why}
	c.written = true
	if !u.is.Complete {
		// Nobody knows what the CI server shows of a user whose list was never
		// read: a named loss has to be told.
		a.touch(u, r, c)
		c.is.Asked = a.job.Since
		a.lost[u.is.User.ID] = true
	}
	return nil
}

// write judges p and writes it if it is the latest word.
func (a *applying) write(u *row[userRecord], r *row[repoRecord], p providers.Permission) error {
	c, err := a.cell(u, r)
	if err != nil {
		return err
	}
	old := c.is.cell(providers.Repo{})
	switch storage.Judge(old, storage.RowFloor(u.is.Floor, r.is.Born), r.is.Floor, a.read, p) {
	case storage.Keep:
		return nil
	case storage.Stale:
		a.out.Stale++
		return nil
	}
	a.touch(u, r, c)
	switch {
	case p == providers.None:
		c.is.Asked, c.is.Gone, c.is.Hidden = a.job.Since, nil, nil
		a.lost[u.is.User.ID] = true
	case old.Permission == providers.None:
		c.is.Asked, c.is.Shown, c.is.Gone, c.is.Hidden = a.job.Since, nil, nil, nil
	default: // what he may do there can be why it did not show
		c.is.Asked, c.is.Hidden = asked(c.is.Asked, a.job.Since), nil
	}
	c.is.Permission, c.is.Read, c.is.Cause, c.is.Why = uint8(p), a.read, a.cause, a.why
	return nil
}

// touch makes a cell part of its user's next version, once for each commit, and
// returns what it was before.
func (a *applying) touch(u *row[userRecord], r *row[repoRecord], c *row[cellRecord]) before {
	where := at{u.is.User.ID, r.is.Repo.ID}
	b, ok := a.before[where]
	if !ok {
		b = before{permission: c.is.Permission}
		a.before[where] = b
	}
	if _, ok := a.lost[where.user]; !ok {
		a.lost[where.user] = false
		u.is.Version++
		u.written = true
	}
	c.is.Version, c.is.Changed, c.is.Was, c.written = u.is.Version, a.t.now, b.permission, true
	return b
}

// asked is when a cell that stays shown was asked for: the older question, if
// there still is one.
func asked(old, since time.Time) time.Time {
	if old.IsZero() || !since.IsZero() && since.Before(old) {
		return since
	}
	return old
}

func (a *applying) count() {
	for where, was := range a.before {
		is := a.cells[where].is.Permission
		switch {
		case was.permission == 0 && is > 0:
			a.out.Granted++
			if a.fresh[where.user] {
				a.out.First++
			}
		case was.permission > 0 && is == 0:
			a.out.Revoked++
		case is > 0 && (is != was.permission || was.relabelled):
			a.out.Altered++
		}
	}
	a.out.Users = len(a.lost)
}

// publish returns a job for each target and user whose holdings changed.
func (a *applying) publish(targets []string) []syncqueue.Job {
	for _, target := range targets {
		a.t.target(a.job.Provider, target)
	}
	users := map[providers.User]bool{}
	for id, lost := range a.lost {
		users[a.users[id].is.User] = lost
	}
	jobs := syncqueue.OfChange(targets, &storage.Change{Provider: a.provider}, a.job, users, a.t.now)
	slices.SortFunc(jobs, func(x, y syncqueue.Job) int { return strings.Compare(string(x.Key), string(y.Key)) })
	return jobs
}

// publishRepos returns a job for each target and repository that was met.
func (a *applying) publishRepos(targets []string) []syncqueue.Job {
	if len(targets) == 0 {
		return nil
	}
	var met []storage.Met
	for _, id := range slices.Sorted(maps.Keys(a.repos)) {
		if r := a.repos[id]; r.is.Gone == 0 {
			met = storage.Meet(met, r.was.Repo, r.is.Repo)
		}
	}
	return syncqueue.OfRepos(targets, a.provider, met, a.job, a.t.now)
}
