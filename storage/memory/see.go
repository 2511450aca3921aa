package memory

import (
	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// user inserts or relabels. A login that moved belongs to who took it last.
func (a *applying) user(u providers.User) *user {
	known := a.db.users[id{a.provider, u.ID}]
	if known == nil {
		known = &user{User: providers.User{ID: u.ID}, targets: map[string]storage.Published{}}
		a.db.users[id{a.provider, u.ID}] = known
	}
	if known.version == 0 || !known.complete {
		a.fresh[id{a.provider, u.ID}] = true
	}
	if u.Login != "" && u.Login != known.Login && a.read >= known.read {
		a.db.claims++
		a.renamed(providers.SubjectUser, u.ID, known.Login, u.Login)
		known.Login, known.claim, known.read = u.Login, a.db.claims, a.read
	}
	return known
}

// repo inserts or relabels. A repository without a path is a mere id and says
// nothing about labels.
func (a *applying) repo(r providers.Repo) *repo {
	known := a.db.repos[id{a.provider, r.ID}]
	if known == nil {
		known = &repo{Repo: providers.Repo{ID: r.ID}, born: a.fence}
		a.db.repos[id{a.provider, r.ID}] = known
	}
	if r.Path == "" || a.labels < known.read {
		return known
	}
	if _, ok := a.met[r.ID]; !ok {
		a.met[r.ID] = known.Repo
	}
	if a.now.Sub(known.seen) >= storage.SeenStep {
		known.seen = a.now
	}
	if known.gone < a.labels {
		known.gone = 0
	}
	old := known.Repo
	known.Repo = storage.Relabel(old, r)
	if known.Labels(old) {
		return known
	}
	known.read = a.labels
	if known.Path != old.Path {
		a.db.claims++
		known.claim = a.db.claims
		a.renamed(providers.SubjectRepo, r.ID, old.Path, known.Path)
	}
	a.relabel(known, old)
	return known
}

// renamed remembers the name that somebody gave up.
func (a *applying) renamed(kind providers.SubjectKind, who, was, is string) {
	delete(a.db.former, alias{a.provider, kind, providers.Fold(is), who})
	if was != "" && providers.Fold(was) != providers.Fold(is) {
		a.db.former[alias{a.provider, kind, providers.Fold(was), who}] = a.db.claims
	}
}

// relabel makes a repository's new labels a change of everybody who holds it.
// Under a new path, or out of the archive, it has to show anew.
func (a *applying) relabel(r *repo, old providers.Repo) {
	for at, c := range a.db.cells.ofRepo[id{a.provider, r.ID}] {
		if c.Permission == providers.None {
			continue
		}
		b := a.touch(at, c)
		b.relabelled = true
		a.before[at] = b
		c.Cause, c.Why = a.cause, storage.Renamed(old, r.Repo, a.why)
		if r.Path != old.Path || r.Archived != old.Archived {
			c.Asked, c.Shown, c.Hidden = a.job.Since, nil, nil
		} else {
			c.Asked = asked(c, a.job.Since)
		}
	}
}
