package providerstest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// ghAccount is a user or an organization: they share ids and names.
type ghAccount struct {
	id      int64
	login   string
	org     bool
	token   string
	created time.Time

	suspended bool // a user's

	in map[*ghTeam]bool // a user's teams, those he is in himself

	members map[*ghAccount]bool // an organization's; true for owners
	invited ghInvites
	base    providers.Permission
	roles   map[*ghAccount]ghRole
	teams   []*ghTeam
}

// ghTeam is a part of an organization. Its members reach what the teams above
// it have.
type ghTeam struct {
	id         int64
	org        *ghAccount
	name, slug string
	parent     *ghTeam
	permission providers.Permission // for repositories added without one
	all        bool                 // new repositories are added by whoever creates them
	members    map[*ghAccount]bool
	repos      map[*ghRepo]providers.Permission
}

func (g *GitHub) next(kind string) int64 {
	if g.lastID[kind] == 0 {
		g.lastID[kind] = 1000
	}
	g.lastID[kind]++
	return g.lastID[kind]
}

// CreateUser creates a user with a token of his own.
func (g *GitHub) CreateUser(login string) (providers.User, error) { return g.createUser(login, "") }

func (g *GitHub) createUser(login, token string) (providers.User, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, err := g.addAccount(login)
	if err != nil {
		return providers.User{}, err
	}
	if token == "" {
		token = newGHToken("ghp_")
	}
	a.token, a.in = token, map[*ghTeam]bool{}
	g.tokens[token] = a
	return a.user(), nil
}

func newGHToken(prefix string) string {
	b := make([]byte, 18)
	rand.Read(b)
	return prefix + hex.EncodeToString(b)
}

// CreateOrg creates an organization that the admin owns, with no base
// permission. Other forges take a visibility; GitHub's organizations are all
// public.
func (g *GitHub) CreateOrg(name, _ string) (providers.Org, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.addAccount(name)
	if err != nil {
		return providers.Org{}, err
	}
	o.org, o.members = true, map[*ghAccount]bool{g.admin(): true}
	return providers.Org{ID: strconv.FormatInt(o.id, 10), Name: o.login}, nil
}

func (g *GitHub) admin() *ghAccount { return g.byLogin[fold(g.opt.Admin)] }

func (g *GitHub) addAccount(login string) (*ghAccount, error) {
	if g.byLogin[fold(login)] != nil {
		return nil, fmt.Errorf("providerstest: %q exists", login)
	}
	a := &ghAccount{id: g.next("account"), login: login, created: g.opt.Now()}
	g.accounts[a.id], g.byLogin[fold(login)] = a, a
	g.version++
	return a, nil
}

// SetBasePermission changes what every member may do with every repository of
// an organization. No webhook tells.
func (g *GitHub) SetBasePermission(org string, p providers.Permission) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(org)
	if err != nil {
		return err
	}
	o.base = p
	g.version++
	return nil
}

// RenameAccount gives a user or organization another name. The hooks of an
// organization hear "organization renamed"; of a user's new login nobody hears.
func (g *GitHub) RenameAccount(name, to string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.byLogin[fold(name)]
	if a == nil {
		return unknown("account", name)
	}
	if other := g.byLogin[fold(to)]; other != nil && other != a {
		return fmt.Errorf("providerstest: %q exists", to)
	}
	was := a.login
	delete(g.byLogin, fold(was))
	g.byLogin[fold(to)], a.login = a, to
	for _, r := range g.repos {
		if r.owner == a {
			old := fold(was + "/" + r.name)
			delete(g.byPath, old)
			g.movedTo[old] = r.id
			g.byPath[fold(r.path())] = r
		}
	}
	for _, r := range g.repos {
		g.render(r)
	}
	g.version++
	if a.org {
		g.announce(a, "organization", ghFields{"action": "renamed", "changes": ghFields{"login": ghFields{"from": was}}, "membership": g.wireMembership(a, g.admin())})
	}
	return nil
}

// DeleteUser deletes a user with all that is his. Only the hooks of an
// enterprise hear of it, and here there is none; whether an organization hears
// that it lost a member is told nowhere, so the worst is assumed.
func (g *GitHub) DeleteUser(login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	for _, r := range g.sorted() {
		delete(r.collaborators, u)
		if r.owner == u {
			g.remove(r)
		}
	}
	for t := range u.in {
		delete(t.members, u)
	}
	for _, o := range g.accounts {
		delete(o.members, u)
	}
	g.forget(u)
	delete(g.accounts, u.id)
	delete(g.byLogin, fold(u.login))
	delete(g.tokens, u.token)
	g.version++
	return nil
}

// DeleteOrg deletes an organization with its teams and repositories. Its hooks
// hear "organization deleted", and of nothing that goes with it.
func (g *GitHub) DeleteOrg(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, err := g.org(name)
	if err != nil {
		return err
	}
	g.announce(o, "organization", ghFields{"action": "deleted", "membership": g.wireMembership(o, g.admin())})
	for _, r := range g.sorted() {
		if r.owner == o {
			g.remove(r)
		}
	}
	for _, t := range o.teams {
		for u := range t.members {
			delete(u.in, t)
		}
		delete(g.teams, t.id)
	}
	for id, h := range g.hooks {
		if h.owner == o {
			delete(g.hooks, id)
		}
	}
	delete(g.accounts, o.id)
	delete(g.byLogin, fold(o.login))
	g.version++
	return nil
}

func (g *GitHub) user(login string) (*ghAccount, error) {
	if a := g.byLogin[fold(login)]; a != nil && !a.org {
		return a, nil
	}
	return nil, unknown("user", login)
}

func (g *GitHub) org(name string) (*ghAccount, error) {
	if a := g.byLogin[fold(name)]; a != nil && a.org {
		return a, nil
	}
	return nil, unknown("organization", name)
}

func (g *GitHub) orgAndUser(org, login string) (o, u *ghAccount, err error) {
	if o, err = g.org(org); err != nil {
		return nil, nil, err
	}
	u, err = g.user(login)
	return o, u, err
}

// team finds a team by its name or slug.
func (g *GitHub) team(org, name string) (*ghTeam, error) {
	o, err := g.org(org)
	if err != nil {
		return nil, err
	}
	for _, t := range o.teams {
		if fold(t.name) == fold(name) || t.slug == fold(name) {
			return t, nil
		}
	}
	return nil, unknown("team", org+"/"+name)
}

func (a *ghAccount) user() providers.User {
	return providers.User{ID: strconv.FormatInt(a.id, 10), Login: a.login}
}
