package providerstest

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/hookd/hookd/providers"
)

// A Truth is what a simulated forge knows to be so, whatever its API answers.
// Tests compare with it what was made of the answers.
type Truth interface {
	// Users are all users, by id.
	Users() []providers.User
	// Repos are all repositories, by id.
	Repos() []providers.Repo
	// Lists tells which repositories are in the user's own list, and with what
	// permission, by their ids. It is nil for nobody.
	Lists(login string) map[string]providers.Permission
}

var (
	_ Truth = (*Gitea)(nil)
	_ Truth = (*GitHub)(nil)
	_ Truth = (*GitLab)(nil)
)

// Users implements Truth.
func (g *Gitea) Users() []providers.User {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []*account
	for _, a := range g.accounts {
		if !a.org {
			all = append(all, a)
		}
	}
	byID(all)
	return usersOf(all, (*account).user)
}

// Repos implements Truth.
func (g *Gitea) Repos() []providers.Repo {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []*repo
	for _, r := range g.repos {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *repo) int { return cmp.Compare(a.id, b.id) })
	out := make([]providers.Repo, len(all))
	for i, r := range all {
		out[i] = r.repo()
		out[i].Org.Personal = !r.owner.org
	}
	return out
}

// Lists implements Truth.
func (g *Gitea) Lists(login string) map[string]providers.Permission {
	g.mu.RLock()
	defer g.mu.RUnlock()
	u, err := g.user(login)
	if err != nil {
		return nil
	}
	list := map[string]providers.Permission{}
	for _, r := range g.userList(u) {
		p := providers.Read // it is listed, whatever the team's units say
		switch f := g.permissions(u, r); {
		case f.Admin:
			p = providers.Admin
		case f.Push:
			p = providers.Write
		}
		list[r.repo().ID] = p
	}
	return list
}

// Model tells who is in an organization's teams and which repositories each of
// them has, those of a team that has them all too, whatever the API answers.
func (g *Gitea) Model(org string) (providers.Model, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	o, err := g.org(org)
	if err != nil {
		return providers.Model{}, err
	}
	m := providers.Model{Org: providers.Org{ID: strconv.FormatInt(o.id, 10), Name: o.login}}
	for _, t := range o.teams {
		team := providers.TeamModel{Team: providers.Team{ID: strconv.FormatInt(t.id, 10), Name: t.name}, Owners: t.owners, AllRepos: t.all}
		for u := range t.members {
			team.Members = append(team.Members, u.user())
			if id := u.user().ID; u.restricted && !slices.Contains(m.Restricted, id) {
				m.Restricted = append(m.Restricted, id)
			}
		}
		for r := range t.repos {
			team.Repos = append(team.Repos, r.repo().ID)
		}
		m.Teams = append(m.Teams, team)
	}
	return m, nil
}

// Users implements Truth.
func (g *GitHub) Users() []providers.User {
	g.mu.RLock()
	defer g.mu.RUnlock()
	people := map[*ghAccount]bool{}
	for _, a := range g.accounts {
		if !a.org {
			people[a] = true
		}
	}
	return usersOf(byGHID(people), (*ghAccount).user)
}

// Repos implements Truth.
func (g *GitHub) Repos() []providers.Repo {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := g.sorted()
	out := make([]providers.Repo, len(all))
	for i, r := range all {
		out[i] = r.repo()
	}
	return out
}

// Lists implements Truth.
func (g *GitHub) Lists(login string) map[string]providers.Permission {
	g.mu.RLock()
	defer g.mu.RUnlock()
	u, err := g.user(login)
	if err != nil {
		return nil
	}
	list := map[string]providers.Permission{}
	for _, r := range g.userList(u) {
		list[r.repo().ID] = g.reaches(u, r)
	}
	return list
}

// Users implements Truth.
func (g *GitLab) Users() []providers.User {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []*glUser
	for _, u := range g.users {
		all = append(all, u)
	}
	slices.SortFunc(all, glByID)
	return usersOf(all, (*glUser).user)
}

// Repos implements Truth.
func (g *GitLab) Repos() []providers.Repo {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := g.sortedProjects()
	out := make([]providers.Repo, len(all))
	for i, p := range all {
		out[i] = p.repo()
	}
	return out
}

// Lists implements Truth. Whoever is blocked cannot ask for his list.
func (g *GitLab) Lists(login string) map[string]providers.Permission {
	g.mu.RLock()
	defer g.mu.RUnlock()
	u, err := g.user(login)
	if err != nil {
		return nil
	}
	list := map[string]providers.Permission{}
	if u.state != "active" {
		return list
	}
	for _, p := range g.userList(u) {
		switch level := g.level(u, p); {
		case level >= GitLabMaintainer:
			list[p.repo().ID] = providers.Admin
		case level >= GitLabDeveloper:
			list[p.repo().ID] = providers.Write
		default:
			list[p.repo().ID] = providers.Read
		}
	}
	return list
}

func usersOf[T any](all []T, user func(T) providers.User) []providers.User {
	out := make([]providers.User, len(all))
	for i, a := range all {
		out[i] = user(a)
	}
	return out
}
