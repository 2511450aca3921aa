package memory

import (
	"maps"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
)

// confirm files what a target was seen to show. Cells that changed after the
// version it looked at are left alone: it cannot have seen them.
func (a *applying) confirm(f *storage.Confirm) {
	if f == nil {
		return
	}
	a.db.target(f.Provider, f.Target)
	u := a.db.users[id{f.Provider, f.User}]
	if u == nil {
		return
	}
	cell := func(repo string) *storage.Cell {
		c := a.db.cells.get(pair{f.Provider, f.User, repo})
		if c == nil || c.Version > f.Version {
			return nil
		}
		return c
	}
	for _, repo := range f.Shown {
		if c := cell(repo); c != nil && c.Permission > providers.None {
			delete(c.Hidden, f.Target)
			a.see(f, u, repo, c, &c.Shown, false)
		}
	}
	for _, repo := range f.Gone {
		if c := cell(repo); c != nil && c.Permission == providers.None {
			delete(c.Shown, f.Target)
			a.see(f, u, repo, c, &c.Gone, true)
		}
	}
	for repo, evidence := range f.Hidden {
		if c := cell(repo); c != nil && c.Permission > providers.None {
			delete(c.Shown, f.Target)
			if c.Hidden == nil {
				c.Hidden = map[string]string{}
			}
			c.Hidden[f.Target] = evidence
		}
	}
	p := u.targets[f.Target]
	if f.Done && f.Version >= p.Version {
		p.Version, p.At = f.Version, a.now
	}
	if f.Credential != "" {
		p.Credential = f.Credential
	}
	p.Note = f.Note
	u.targets[f.Target] = p
}

// see notes in seen, once, since when a change shows.
func (a *applying) see(f *storage.Confirm, u *user, repo string, c *storage.Cell, seen *map[string]time.Time, gone bool) {
	if _, ok := (*seen)[f.Target]; ok {
		return
	}
	*seen = maps.Clone(*seen)
	if *seen == nil {
		*seen = map[string]time.Time{}
	}
	(*seen)[f.Target] = a.now
	if c.Asked.IsZero() {
		return
	}
	v := storage.Visible{
		Target: f.Target, Provider: f.Provider, UserID: u.ID, User: u.Login,
		RepoID: repo, Repo: a.db.repos[id{f.Provider, repo}].Path,
		Gone: gone, Asked: c.Asked, At: a.now,
	}
	a.out.Visible = append(a.out.Visible, v)
	a.db.visible = append(a.db.visible, v)
}
