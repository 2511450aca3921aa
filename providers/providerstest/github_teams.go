package providerstest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hookd/hookd/providers"
)

// CreateTeam creates a team that gives repositories the permission. With
// allRepos it is given every repository there is, and each one to come when it
// is created; GitHub knows no such team, so that is a habit of those who create
// repositories. The hooks hear "team created".
func (g *GitHub) CreateTeam(org, name string, p providers.Permission, allRepos bool) (providers.Team, error) {
	return g.createTeam(org, name, "", p, allRepos)
}

// CreateChildTeam creates a team below another one, whose repositories its
// members reach too.
func (g *GitHub) CreateChildTeam(org, name, parent string, p providers.Permission) (providers.Team, error) {
	return g.createTeam(org, name, parent, p, false)
}

func (g *GitHub) createTeam(org, name, parent string, p providers.Permission, all bool) (providers.Team, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(org)
	if err != nil {
		return providers.Team{}, err
	}
	t := &ghTeam{
		id: g.next("team"), org: o, name: name, slug: strings.ReplaceAll(fold(name), " ", "-"), permission: p, all: all,
		members: map[*ghAccount]bool{}, repos: map[*ghRepo]providers.Permission{},
	}
	if parent != "" {
		if t.parent, err = g.team(org, parent); err != nil {
			return providers.Team{}, err
		}
	}
	o.teams = append(o.teams, t)
	g.teams[t.id] = t
	g.version++
	g.announce(o, "team", ghFields{"action": "created", "team": g.wireTeam(t)})
	if all {
		for _, r := range g.sorted() {
			if r.owner == o {
				g.grant(t, r, p)
			}
		}
	}
	return providers.Team{ID: strconv.FormatInt(t.id, 10), Name: name}, nil
}

// DeleteTeam deletes a team, and with it those below it, as the documentation of
// its REST call says. The hooks hear "membership removed" of each member, with
// a team that is no more than an id, and "team deleted".
func (g *GitHub) DeleteTeam(org, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, name)
	if err != nil {
		return err
	}
	g.dropTeam(t)
	return nil
}

func (g *GitHub) dropTeam(t *ghTeam) {
	wire := g.wireTeam(t)
	for _, below := range slices.Clone(t.org.teams) {
		if below.parent == t {
			g.dropTeam(below)
		}
	}
	delete(g.teams, t.id)
	t.org.teams = slices.DeleteFunc(t.org.teams, func(x *ghTeam) bool { return x == t })
	g.version++
	for _, u := range byGHID(t.members) {
		delete(u.in, t)
		g.announce(t.org, "membership", ghFields{
			"action": "removed", "scope": "team", "member": g.wireUser(u),
			"team": ghFields{"id": t.id, "name": t.name, "deleted": true},
		})
	}
	g.announce(t.org, "team", ghFields{"action": "deleted", "team": wire})
}

// AddMember puts a user into a team, and into its organization if he is not in
// it. The hooks hear "membership added".
func (g *GitHub) AddMember(org, team, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, team)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	if _, member := t.org.members[u]; !member {
		g.addToOrg(t.org, u, false)
	}
	t.members[u], u.in[t] = true, true
	g.version++
	g.announce(t.org, "membership", ghFields{"action": "added", "scope": "team", "member": g.wireUser(u), "team": g.wireTeam(t)})
	return nil
}

// RemoveMember takes a user out of a team; he stays in the organization. The
// hooks hear "membership removed".
func (g *GitHub) RemoveMember(org, team, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, team)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	g.leave(t, u)
	return nil
}

func (g *GitHub) leave(t *ghTeam, u *ghAccount) {
	delete(t.members, u)
	delete(u.in, t)
	g.version++
	g.announce(t.org, "membership", ghFields{"action": "removed", "scope": "team", "member": g.wireUser(u), "team": g.wireTeam(t)})
}
