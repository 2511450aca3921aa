package storage

import (
	"cmp"
	"slices"

	"github.com/hookd/hookd/providers"
)

// A Difference is one cell that a change would make differ.
type Difference struct {
	Provider string
	User     providers.User
	Repo     providers.Repo
	From, To providers.Permission
	Held     string // why it would not be applied, "" if it would
}

// DiffList returns what applying a user's complete list would change in what he
// is believed to hold, by repository.
func DiffList(h Holdings, l List) []Difference {
	d := diff{is: map[string]providers.Permission{}}
	for _, c := range h.Cells {
		d.is[c.Repo.ID] = c.Permission
	}
	named := map[string]bool{}
	for _, a := range l.Repos {
		named[a.Repo.ID] = true
		d.add(a.Repo.ID, l.User, a.Repo, a.Permission)
	}
	for _, c := range h.Cells {
		if !named[c.Repo.ID] {
			d.add(c.Repo.ID, l.User, c.Repo, providers.None)
		}
	}
	return d.sorted()
}

// DiffCells returns what applying single facts about one user would change.
func DiffCells(h Holdings, facts []providers.Access) []Difference {
	d := diff{is: map[string]providers.Permission{}}
	repos := map[string]providers.Repo{}
	for _, c := range h.Cells {
		d.is[c.Repo.ID], repos[c.Repo.ID] = c.Permission, c.Repo
	}
	for _, a := range facts {
		d.add(a.Repo.ID, a.User, labelled(repos[a.Repo.ID], a.Repo), a.Permission)
	}
	return d.sorted()
}

// DiffAudience returns what applying a repository's complete audience would
// change in who is believed to hold it, by user. An audience of nobody is what
// a repository that is gone has.
func DiffAudience(c Column, a Audience) []Difference {
	d := diff{is: map[string]providers.Permission{}}
	for _, h := range c.Holders {
		d.is[h.User.ID] = h.Cell.Permission
	}
	repo := labelled(c.Repo, a.Repo)
	named := map[string]bool{}
	for _, m := range a.Users {
		named[m.User.ID] = true
		d.add(m.User.ID, m.User, repo, m.Permission)
	}
	for _, h := range c.Holders {
		if !named[h.User.ID] {
			d.add(h.User.ID, h.User, repo, providers.None)
		}
	}
	return d.sorted()
}

// labelled is Relabel of what may not be known yet.
func labelled(known, r providers.Repo) providers.Repo {
	if known.ID == "" {
		return r
	}
	return Relabel(known, r)
}

// diff collects the differences to what is, by the id that tells them apart.
type diff struct {
	is  map[string]providers.Permission
	out []Difference
}

func (d *diff) add(id string, u providers.User, r providers.Repo, to providers.Permission) {
	if from := d.is[id]; from != to {
		d.out = append(d.out, Difference{User: u, Repo: r, From: from, To: to})
		d.is[id] = to
	}
}

func (d *diff) sorted() []Difference {
	slices.SortFunc(d.out, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Repo.Path, b.Repo.Path), cmp.Compare(a.User.Login, b.User.Login), cmp.Compare(a.Repo.ID, b.Repo.ID))
	})
	return d.out
}
