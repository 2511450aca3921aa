package bolt

import (
	"encoding/binary"
	"time"

	"github.com/hookd/hookd/storage"
)

// confirm files what a target was seen to show. Cells that changed after the
// version it looked at are left alone: it cannot have seen them.
func (a *applying) confirm(f *storage.Confirm) error {
	a.t.target(f.Provider, f.Target)
	u, err := a.user(f.User)
	if err != nil || !u.known {
		return err
	}
	for _, repo := range f.Shown {
		c, err := a.seen(f, u, repo)
		if err != nil {
			return err
		}
		if c != nil && c.is.held() {
			delete(c.is.Hidden, f.Target)
			if err := a.shows(f, u, repo, c, &c.is.Shown, false); err != nil {
				return err
			}
		}
	}
	for _, repo := range f.Gone {
		c, err := a.seen(f, u, repo)
		if err != nil {
			return err
		}
		if c != nil && !c.is.held() {
			delete(c.is.Shown, f.Target)
			if err := a.shows(f, u, repo, c, &c.is.Gone, true); err != nil {
				return err
			}
		}
	}
	for repo, evidence := range f.Hidden {
		c, err := a.seen(f, u, repo)
		if err != nil {
			return err
		}
		if c != nil && c.is.held() {
			delete(c.is.Shown, f.Target)
			if c.is.Hidden == nil {
				c.is.Hidden = map[string]string{}
			}
			c.is.Hidden[f.Target], c.written = evidence, true
		}
	}
	a.published(f, u)
	return a.flush()
}

// seen returns the cell on a repository if the target saw it as it is, else nil.
func (a *applying) seen(f *storage.Confirm, u *row[userRecord], repo string) (*row[cellRecord], error) {
	if !a.t.has(tCells, cellKey(a.provider, f.User, repo)) {
		return nil, nil
	}
	r, err := a.repo(repo)
	if err != nil {
		return nil, err
	}
	c, err := a.cell(u, r)
	if err != nil || c.is.Version > f.Version {
		return nil, err
	}
	return c, nil
}

// shows notes, once, since when a change shows.
func (a *applying) shows(f *storage.Confirm, u *row[userRecord], repo string, c *row[cellRecord], since *map[string]time.Time, gone bool) error {
	if _, ok := (*since)[f.Target]; ok {
		return nil
	}
	if *since == nil {
		*since = map[string]time.Time{}
	}
	(*since)[f.Target], c.written = a.t.now, true
	if c.is.Asked.IsZero() {
		return nil
	}
	v := storage.Visible{
		Target: f.Target, Provider: f.Provider, UserID: u.is.User.ID, User: u.is.User.Login,
		RepoID: repo, Repo: a.repos[repo].is.Repo.Path,
		Gone: gone, Asked: c.is.Asked, At: a.t.now,
	}
	a.out.Visible = append(a.out.Visible, v)
	a.t.st.Visible++
	return a.t.putJSON(tVisible, binary.BigEndian.AppendUint64(appendTime(nil, v.At), a.t.st.Visible), v)
}

// published files what the target said of the user as a whole.
func (a *applying) published(f *storage.Confirm, u *row[userRecord]) {
	if u.is.Targets == nil {
		u.is.Targets = map[string]storage.Published{}
	}
	p := u.is.Targets[f.Target]
	if f.Done && f.Version >= p.Version {
		p.Version, p.At = f.Version, a.t.now
	}
	if f.Credential != "" {
		p.Credential = f.Credential
	}
	p.Note = f.Note
	u.is.Targets[f.Target], u.written = p, true
}
