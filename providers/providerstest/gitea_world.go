package providerstest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// account is a user or an organization: Gitea keeps both in one table, so they
// share ids and names.
type account struct {
	id         int64
	login      string
	org        bool
	admin      bool
	restricted bool
	visibility string // "public", "limited" (signed-in users) or "private"
	token      string
	created    time.Time
	in         map[*team]bool // a user's teams
	teams      []*team        // an organization's
}

// team is a part of an organization.
type team struct {
	id      int64
	org     *account
	name    string
	all     bool                 // new repositories come to it by themselves
	mode    providers.Permission // Admin for owners and administrators, else None: the units decide
	owners  bool
	code    providers.Permission // of the code unit; None reads issues only
	drift   int                  // how far off its counters of members and repositories are
	members map[*account]bool
	repos   map[*repo]bool // one row for each, also when all is set (source: models/organization/team_repo.go)
}

// member reports whether u is in the organization, which is to be in one of
// its teams.
func (o *account) member(u *account) bool {
	return slices.ContainsFunc(o.teams, func(t *team) bool { return t.members[u] })
}

func (g *Gitea) next(kind string) int64 {
	g.lastID[kind]++
	return g.lastID[kind]
}

func fold(s string) string { return strings.ToLower(s) }

func unknown(kind, name string) error {
	return fmt.Errorf("providerstest: no %s %q", kind, name)
}

// CreateUser creates a user with a token of his own.
func (g *Gitea) CreateUser(login string) (providers.User, error) {
	return g.createUser(login, "", false)
}

func (g *Gitea) createUser(login, token string, admin bool) (providers.User, error) {
	if token == "" {
		b := make([]byte, 20)
		rand.Read(b)
		token = hex.EncodeToString(b)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	a, err := g.addAccount(login, "public")
	if err != nil {
		return providers.User{}, err
	}
	a.admin, a.token, a.in = admin, token, map[*team]bool{}
	g.tokens[token] = a
	return a.user(), nil
}

// CreateOrg creates an organization with its team Owners, which the site
// administrator is in. The visibility is "public", "limited" or "private".
func (g *Gitea) CreateOrg(name, visibility string) (providers.Org, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.addAccount(name, visibility)
	if err != nil {
		return providers.Org{}, err
	}
	o.org = true
	owners := g.addTeam(o, "Owners", providers.Admin, true)
	owners.owners = true
	g.join(owners, g.byLogin[fold(g.opt.Admin)])
	return providers.Org{ID: strconv.FormatInt(o.id, 10), Name: o.login}, nil
}

func (g *Gitea) addAccount(login, visibility string) (*account, error) {
	if g.byLogin[fold(login)] != nil {
		return nil, fmt.Errorf("providerstest: %q exists", login)
	}
	delete(g.movedBy, fold(login))
	a := &account{id: g.next("account"), login: login, visibility: visibility, created: g.opt.Now()}
	g.accounts[a.id], g.byLogin[fold(login)] = a, a
	g.version++
	return a, nil
}

// DeleteUser deletes a user with all that is his, as an administrator does who
// purges him. No webhook tells of him.
func (g *Gitea) DeleteUser(login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	for _, r := range g.repos {
		delete(r.collaborators, u)
		if r.owner == u {
			g.remove(r)
		}
	}
	for t := range u.in {
		delete(t.members, u)
	}
	delete(g.tokens, u.token)
	g.drop(u)
	return nil
}

// DeleteOrg deletes an organization, which Gitea refuses as long as it owns
// repositories (models/organization/org.go, DeleteOrganization). No webhook
// tells.
func (g *Gitea) DeleteOrg(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(name)
	if err != nil {
		return err
	}
	for _, r := range g.repos {
		if r.owner == o {
			return fmt.Errorf("providerstest: %s still owns %s", name, r.path())
		}
	}
	for _, t := range o.teams {
		for u := range t.members {
			delete(u.in, t)
		}
		delete(g.teams, t.id)
	}
	g.drop(o)
	return nil
}

func (g *Gitea) drop(a *account) {
	delete(g.accounts, a.id)
	delete(g.byLogin, fold(a.login))
	for old, id := range g.movedBy {
		if id == a.id {
			delete(g.movedBy, old)
		}
	}
	g.version++
}

// SetRestricted makes a user one who lists only what he was granted.
func (g *Gitea) SetRestricted(login string, restricted bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	u.restricted = restricted
	g.version++
	return nil
}

// SetSiteAdmin makes a user an administrator of the instance, or no longer.
func (g *Gitea) SetSiteAdmin(login string, admin bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	u.admin = admin
	g.version++
	return nil
}

// RenameAccount gives a user or organization another name. No webhook tells.
func (g *Gitea) RenameAccount(name, to string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.byLogin[fold(name)]
	if a == nil {
		return unknown("account", name)
	}
	if other := g.byLogin[fold(to)]; other != nil && other != a {
		return fmt.Errorf("providerstest: %q exists", to)
	}
	delete(g.byLogin, fold(name))
	g.movedBy[fold(name)] = a.id
	delete(g.movedBy, fold(to))
	g.byLogin[fold(to)], a.login = a, to
	for _, r := range g.repos {
		if r.owner == a {
			delete(g.byPath, fold(name+"/"+r.name))
			g.byPath[fold(r.path())] = r
		}
	}
	g.renderAll()
	g.version++
	return nil
}

// CreateTeam creates a team whose members have the given permission on code;
// None makes a team that sees issues only. With allRepos it has every
// repository of the organization, those to come included.
func (g *Gitea) CreateTeam(org, name string, p providers.Permission, allRepos bool) (providers.Team, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(org)
	if err != nil {
		return providers.Team{}, err
	}
	t := g.addTeam(o, name, p, allRepos)
	if allRepos {
		for _, r := range g.repos {
			if r.owner == o {
				t.repos[r] = true
			}
		}
	}
	g.version++
	return providers.Team{ID: strconv.FormatInt(t.id, 10), Name: name}, nil
}

func (g *Gitea) addTeam(o *account, name string, p providers.Permission, all bool) *team {
	t := &team{
		id: g.next("team"), org: o, name: name, all: all,
		members: map[*account]bool{}, repos: map[*repo]bool{},
	}
	t.permit(p)
	o.teams = append(o.teams, t)
	g.teams[t.id] = t
	return t
}

func (t *team) permit(p providers.Permission) {
	t.code, t.mode = p, providers.None
	if p == providers.Admin {
		t.mode = providers.Admin
	}
}

// DeleteTeam deletes a team. No webhook tells.
func (g *Gitea) DeleteTeam(org, name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, name)
	if err != nil {
		return err
	}
	for u := range t.members {
		delete(u.in, t)
	}
	delete(g.teams, t.id)
	t.org.teams = slices.DeleteFunc(t.org.teams, func(x *team) bool { return x == t })
	g.version++
	return nil
}

// SetTeamPermission changes what a team gives on all it has. No webhook tells.
func (g *Gitea) SetTeamPermission(org, name string, p providers.Permission) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, name)
	if err != nil {
		return err
	}
	t.permit(p)
	g.version++
	return nil
}

// DriftCounters makes the counters of members and repositories that Gitea keeps
// in a team's row, and sends as X-Total-Count, wrong by n: they are not counted
// anew (models/organization/team.go).
func (g *Gitea) DriftCounters(org, team string, n int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, team)
	if err != nil {
		return err
	}
	t.drift = n
	return nil
}

// AddMember puts a user into a team, and so into its organization. No webhook
// tells.
func (g *Gitea) AddMember(org, team, login string) error {
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
	g.join(t, u)
	return nil
}

func (g *Gitea) join(t *team, u *account) {
	t.members[u], u.in[t] = true, true
	g.version++
}

// RemoveMember takes a user out of a team. No webhook tells.
func (g *Gitea) RemoveMember(org, team, login string) error {
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
	delete(t.members, u)
	delete(u.in, t)
	g.version++
	return nil
}

func (g *Gitea) user(login string) (*account, error) {
	if a := g.byLogin[fold(login)]; a != nil && !a.org {
		return a, nil
	}
	return nil, unknown("user", login)
}

func (g *Gitea) org(name string) (*account, error) {
	if a := g.byLogin[fold(name)]; a != nil && a.org {
		return a, nil
	}
	return nil, unknown("organization", name)
}

func (g *Gitea) team(org, name string) (*team, error) {
	o, err := g.org(org)
	if err != nil {
		return nil, err
	}
	for _, t := range o.teams {
		if fold(t.name) == fold(name) {
			return t, nil
		}
	}
	return nil, unknown("team", org+"/"+name)
}

func (a *account) user() providers.User {
	return providers.User{ID: strconv.FormatInt(a.id, 10), Login: a.login}
}
