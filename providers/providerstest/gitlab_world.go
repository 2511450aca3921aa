package providerstest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// GitLab's levels of access.
const (
	GitLabMinimal    = 5
	GitLabGuest      = 10
	GitLabPlanner    = 15
	GitLabReporter   = 20
	GitLabDeveloper  = 30
	GitLabMaintainer = 40
	GitLabOwner      = 50
)

// glUser is a user with his namespace.
type glUser struct {
	id        int64
	namespace int64 // shares its ids with groups
	login     string
	state     string // "active", "blocked", …
	admin     bool
	token     string
	created   time.Time
}

// glGroup is a group; what grants access to it grants access to what lies
// below.
type glGroup struct {
	id         int64
	name       string // the last part of its path
	parent     *glGroup
	visibility providers.Visibility
	created    time.Time
	members    map[*glUser]*glMember
	shares     map[*glGroup]*glShare // groups invited to it
	locked     bool                  // single projects in it are shared with nobody
}

func (n *glGroup) path() string {
	if n.parent == nil {
		return n.name
	}
	return n.parent.path() + "/" + n.name
}

// glMember is a direct membership.
type glMember struct {
	level   int
	role    string    // a custom role, by name
	expires time.Time // zero for never; the beginning of a day
	waiting bool      // for somebody's consent
	created time.Time
}

// glShare is what an invited group may do at most.
type glShare struct {
	level   int
	expires time.Time
}

// CreateUser creates a user with a token of his own. System hooks hear
// user_create.
func (g *GitLab) CreateUser(login string) (providers.User, error) {
	return g.createUser(login, "", false)
}

func (g *GitLab) createUser(login, token string, admin bool) (providers.User, error) {
	if token == "" {
		b := make([]byte, 10)
		rand.Read(b)
		token = "glpat-" + hex.EncodeToString(b)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byLogin[fold(login)] != nil || g.byPath[fold(login)] != nil {
		return providers.User{}, fmt.Errorf("providerstest: %q exists", login)
	}
	u := &glUser{
		id: g.next("user"), namespace: g.next("namespace"), login: login, state: "active",
		admin: admin, token: token, created: g.opt.Now(),
	}
	g.users[u.id], g.byLogin[fold(login)], g.tokens[token] = u, u, u
	g.version++
	g.announceUser("user_create", u, "")
	return u.user(), nil
}

// DeleteUser deletes a user without his contributions. System hooks hear
// user_destroy.
func (g *GitLab) DeleteUser(login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	for _, n := range g.groups {
		delete(n.members, u)
	}
	for _, p := range g.projects {
		delete(p.members, u)
		if p.user == u {
			g.remove(p)
		}
	}
	delete(g.users, u.id)
	delete(g.byLogin, fold(login))
	delete(g.tokens, u.token)
	g.version++
	g.announceUser("user_destroy", u, "")
	return nil
}

// SetState blocks a user or brings him back ("active", "blocked", "banned",
// "deactivated"). No hook tells.
func (g *GitLab) SetState(login, state string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err == nil {
		u.state = state
		g.version++
	}
	return err
}

// State is what SetState made of a user, "" for nobody.
func (g *GitLab) State(login string) string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if u := g.byLogin[fold(login)]; u != nil {
		return u.state
	}
	return ""
}

// CreateOrg creates a top-level group, which the administrator owns.
func (g *GitLab) CreateOrg(name, visibility string) (providers.Org, error) {
	return g.CreateGroup(name, visibility)
}

// CreateGroup creates a group at a path whose parent exists. System hooks hear
// group_create, hooks of the groups above subgroup_create. A top-level group is
// owned by the administrator.
func (g *GitLab) CreateGroup(path, visibility string) (providers.Org, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.addGroup(path, providers.Visibility(visibility))
	if err != nil {
		return providers.Org{}, err
	}
	return n.org(), nil
}

func (g *GitLab) addGroup(path string, v providers.Visibility) (*glGroup, error) {
	if g.byPath[fold(path)] != nil || g.byLogin[fold(path)] != nil {
		return nil, fmt.Errorf("providerstest: %q exists", path)
	}
	n := &glGroup{
		id: g.next("namespace"), name: path, visibility: v, created: g.opt.Now(),
		members: map[*glUser]*glMember{}, shares: map[*glGroup]*glShare{},
	}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parent, err := g.group(path[:i])
		if err != nil {
			return nil, err
		}
		n.parent, n.name = parent, path[i+1:]
	} else {
		n.members[g.byLogin[fold(g.opt.Admin)]] = &glMember{level: GitLabOwner, created: g.opt.Now()}
	}
	delete(g.movedTo, fold(path))
	g.groups[n.id], g.byPath[fold(path)] = n, n
	g.version++
	g.announceGroup("create", n, "")
	return n, nil
}

// DeleteGroup deletes a group with all that is in it, deepest first. System
// hooks hear of every project and group, hooks of the groups above of projects
// and subgroups.
func (g *GitLab) DeleteGroup(path string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	for _, p := range g.sortedProjects() {
		if p.group.within(n) {
			g.announceProject("project_destroy", p, "")
			g.remove(p)
		}
	}
	for _, d := range g.descendants(n) {
		g.dropGroup(d)
	}
	g.dropGroup(n)
	return nil
}

func (g *GitLab) dropGroup(n *glGroup) {
	g.announceGroup("destroy", n, "")
	for _, other := range g.groups {
		delete(other.shares, n)
	}
	for _, p := range g.projects {
		delete(p.shares, n)
	}
	delete(g.groups, n.id)
	delete(g.byPath, fold(n.path()))
	g.version++
}

// RenameAccount gives a user or a group another name; for a group, only the
// last part of its path. System hooks hear user_rename or group_rename, and
// nothing of the projects below, whose paths change with it.
func (g *GitLab) RenameAccount(name, to string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if u := g.byLogin[fold(name)]; u != nil {
		if g.byLogin[fold(to)] != nil || g.byPath[fold(to)] != nil {
			return fmt.Errorf("providerstest: %q exists", to)
		}
		delete(g.byLogin, fold(name))
		u.login = to
		g.byLogin[fold(to)] = u
		g.repath()
		g.announceUser("user_rename", u, name)
		return nil
	}
	n, err := g.group(name)
	if err != nil {
		return err
	}
	old := n.path()
	if path := strings.TrimSuffix(old, n.name) + to; g.byPath[fold(path)] != nil || g.byLogin[fold(path)] != nil {
		return fmt.Errorf("providerstest: %q exists", path)
	}
	n.name = to
	g.repath()
	g.announceGroup("rename", n, old)
	return nil
}

// TransferGroup moves a group below another one. No hook tells: group_rename is
// sent only where the last part of a path changes (app/models/group.rb,
// path_changed_hook).
func (g *GitLab) TransferGroup(path, parent string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	to, err := g.group(parent)
	if err != nil {
		return err
	}
	if to.within(n) || g.byPath[fold(to.path()+"/"+n.name)] != nil {
		return fmt.Errorf("providerstest: %s cannot be in %s", path, parent)
	}
	n.parent = to
	g.repath()
	return nil
}

// repath files everything under its present path; old ones redirect.
func (g *GitLab) repath() {
	was := g.byPath
	g.byPath = make(map[string]any, len(was))
	for _, n := range g.groups {
		g.byPath[fold(n.path())] = n
	}
	for _, p := range g.projects {
		g.byPath[fold(p.path())] = p
	}
	for path, x := range was {
		if g.byPath[path] == nil {
			g.movedTo[path] = x
		}
	}
	for path := range g.byPath {
		delete(g.movedTo, path)
	}
	g.version++
}

func (g *GitLab) user(login string) (*glUser, error) {
	if u := g.byLogin[fold(login)]; u != nil {
		return u, nil
	}
	return nil, unknown("user", login)
}

func (g *GitLab) group(path string) (*glGroup, error) {
	if n, ok := g.byPath[fold(path)].(*glGroup); ok {
		return n, nil
	}
	return nil, unknown("group", path)
}

func (u *glUser) user() providers.User {
	return providers.User{ID: strconv.FormatInt(u.id, 10), Login: u.login}
}

func (n *glGroup) org() providers.Org {
	return providers.Org{ID: strconv.FormatInt(n.id, 10), Name: n.path()}
}
