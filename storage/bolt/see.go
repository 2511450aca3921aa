package bolt

import (
	"maps"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// user returns a user's row, which may be new.
func (a *applying) user(id string) (*row[userRecord], error) {
	return load(a.t, a.users, id, tUsers, userKey(a.provider, id), userRecord{User: providers.User{ID: id}})
}

func (a *applying) repo(id string) (*row[repoRecord], error) {
	return load(a.t, a.repos, id, tRepos, repoKey(a.provider, id), repoRecord{Repo: providers.Repo{ID: id}, Born: a.fence})
}

func (a *applying) cell(u *row[userRecord], r *row[repoRecord]) (*row[cellRecord], error) {
	where := at{u.is.User.ID, r.is.Repo.ID}
	return load(a.t, a.cells, where, tCells, cellKey(a.provider, where.user, where.repo), cellRecord{})
}

// load returns the row of an id: the one at work, the stored one, or fresh.
func load[K comparable, R any](t *txn, rows map[K]*row[R], id K, in table, key []byte, fresh R) (*row[R], error) {
	if r := rows[id]; r != nil {
		return r, nil
	}
	r := &row[R]{is: fresh}
	ok, err := t.get(in, key, &r.is)
	if err != nil {
		return nil, err
	}
	if ok {
		r.was, r.known = r.is, true
	}
	rows[id] = r
	return r, nil
}

// seeUser inserts or relabels. A login that moved belongs to who took it last.
func (a *applying) seeUser(u providers.User) (*row[userRecord], error) {
	r, err := a.user(u.ID)
	if err != nil {
		return nil, err
	}
	if !r.known && !r.written {
		r.written = true
	}
	if r.is.Version == 0 || !r.is.Complete {
		a.fresh[u.ID] = true
	}
	if u.Login == "" || a.read < r.is.Read {
		return r, nil
	}
	if u.Login != r.is.User.Login {
		a.t.st.Claims++
		r.is.User.Login, r.is.Claim, r.is.Read, r.written = u.Login, a.t.st.Claims, a.read, true
	}
	return r, nil
}

// seeRepo inserts or relabels. A repository without a path is a mere id and
// says nothing about labels.
func (a *applying) seeRepo(x providers.Repo) (*row[repoRecord], error) {
	r, err := a.repo(x.ID)
	if err != nil {
		return nil, err
	}
	r.written = r.written || !r.known
	if x.Path == "" || a.labels < r.is.Read {
		return r, nil
	}
	if a.t.now.Sub(r.is.Seen) >= storage.SeenStep {
		r.is.Seen, r.written = a.t.now, true
	}
	if r.is.Gone != 0 && r.is.Gone < a.labels {
		r.is.Gone, r.written = 0, true
	}
	old := r.is.Repo
	r.is.Repo = storage.Relabel(old, x)
	if r.is.Repo.Labels(old) {
		r.written = r.written || r.is.Repo != old
		return r, nil
	}
	r.is.Read, r.written = a.labels, true
	if r.is.Repo.Path != old.Path {
		a.t.st.Claims++
		r.is.Claim = a.t.st.Claims
	}
	return r, a.relabel(r, old)
}

// relabel makes a repository's new labels a change of everybody who holds it.
// Under a new path, or out of the archive, it has to show anew.
func (a *applying) relabel(r *row[repoRecord], old providers.Repo) error {
	holders, err := a.holders(r.is.Repo.ID)
	if err != nil {
		return err
	}
	anew := r.is.Repo.Path != old.Path || r.is.Repo.Archived != old.Archived
	for _, id := range holders {
		u, err := a.user(id)
		if err != nil {
			return err
		}
		c, err := a.cell(u, r)
		if err != nil {
			return err
		}
		b := a.touch(u, r, c)
		b.relabelled = true
		a.before[at{id, r.is.Repo.ID}] = b
		c.is.Cause, c.is.Why = a.cause, storage.Renamed(old, r.is.Repo, a.why)
		if anew {
			c.is.Asked, c.is.Shown, c.is.Hidden = a.job.Since, nil, nil
		} else {
			c.is.Asked = asked(c.is.Asked, a.job.Since)
		}
	}
	return nil
}

// holders returns who holds a repository now, with what this transaction did.
func (a *applying) holders(repo string) ([]string, error) {
	ids, err := a.t.holdersOf(a.provider, repo)
	if err != nil {
		return nil, err
	}
	set := map[string]bool{}
	for _, user := range ids {
		u, err := a.user(user)
		if err != nil {
			return nil, err
		}
		r, err := a.repo(repo)
		if err != nil {
			return nil, err
		}
		c, err := a.cell(u, r)
		if err != nil {
			return nil, err
		}
		set[user] = c.is.held()
	}
	for where, c := range a.cells {
		if where.repo == repo {
			set[where.user] = c.is.held()
		}
	}
	return trueKeys(set), nil
}

// held returns the repositories that a user holds now, likewise.
func (a *applying) held(user string) ([]string, error) {
	set := map[string]bool{}
	err := a.t.cellsOf(a.provider, user, func(repo string, c *cellRecord) error {
		set[repo] = c.held()
		return nil
	})
	for where, c := range a.cells {
		if where.user == user {
			set[where.repo] = c.is.held()
		}
	}
	return trueKeys(set), err
}

// trueKeys returns the keys that map to true, in order.
func trueKeys(set map[string]bool) []string {
	maps.DeleteFunc(set, func(_ string, v bool) bool { return !v })
	return slices.Sorted(maps.Keys(set))
}

// flush writes every row that changed, and what is derived from it.
func (a *applying) flush() error {
	for where, c := range a.cells {
		if c.written {
			if err := a.flushCell(where, c); err != nil {
				return err
			}
		}
	}
	for id, r := range a.repos {
		if r.written {
			if err := a.flushRepo(id, r); err != nil {
				return err
			}
		}
	}
	for id, u := range a.users {
		if u.written {
			if err := a.flushUser(id, u); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *applying) flushCell(where at, c *row[cellRecord]) error {
	t := a.t
	if c.known && !c.was.held() {
		if err := t.del(tTombs, tombKey(a.provider, where, &c.was)); err != nil {
			return err
		}
	}
	if !c.is.held() {
		if err := t.put(tTombs, tombKey(a.provider, where, &c.is), []byte{}); err != nil {
			return err
		}
	}
	if !c.known {
		if err := t.put(tHolders, holderKey(a.provider, where.repo, where.user), []byte{}); err != nil {
			return err
		}
	}
	if was, is := c.known && c.was.held(), c.is.held(); was != is {
		d := 1
		if was {
			d = -1
		}
		u, r := a.users[where.user], a.repos[where.repo]
		u.is.Held += d
		r.is.Holders += d
		u.written, r.written = true, true
	}
	return t.putJSON(tCells, cellKey(a.provider, where.user, where.repo), c.is)
}

func (a *applying) flushUser(id string, u *row[userRecord]) error {
	if err := a.claim(tLogins, u.was.User.Login, u.is.User.Login, id, u.known, u.is.Claim); err != nil {
		return err
	}
	return a.t.putJSON(tUsers, userKey(a.provider, id), u.is)
}

func (a *applying) flushRepo(id string, r *row[repoRecord]) error {
	if err := a.claim(tPaths, r.was.Repo.Path, r.is.Repo.Path, id, r.known, r.is.Claim); err != nil {
		return err
	}
	return a.t.putJSON(tRepos, repoKey(a.provider, id), r.is)
}

// claim moves an id from one name to another in an index of names, and
// remembers the one it gave up.
func (a *applying) claim(in table, was, is, id string, known bool, claim uint64) error {
	if known && was == is {
		return nil
	}
	if known {
		if err := a.t.del(in, claimKey(a.provider, was, id)); err != nil {
			return err
		}
		if err := a.former(in, was, is, id, claim); err != nil {
			return err
		}
	}
	key := claimKey(a.provider, is, id)
	return a.t.put(in, key, seal(key, claimValue(claim)))
}
