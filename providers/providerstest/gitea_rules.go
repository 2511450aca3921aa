package providerstest

import (
	"cmp"
	"slices"
	"sync"

	"github.com/hookd/hookd/providers"
)

// lists reports whether GET /user/repos of u has r: models/repo/repo_list.go,
// SearchRepositoryCondition with the owner u, Private and no UnitType; each
// clause measured.
func (g *Gitea) lists(u *account, r *repo) bool {
	granted := r.owner == u || g.row(u, r) || g.throughTeam(u, r)
	if u.restricted {
		// AccessibleRepositoryCondition: nothing for being a member.
		return granted
	}
	return granted || (!r.private && r.owner.org && r.owner.visibility == "private" && r.owner.member(u))
}

// row reports whether u has a row in the table "access": collaborators as it
// was last calculated, and members of teams that administer.
func (g *Gitea) row(u *account, r *repo) bool {
	if c := r.collaborators[u]; c != nil && c.listed {
		return true
	}
	return g.administers(u, r)
}

// throughTeam ignores the team's units: a team without the code unit lists the
// repository all the same (measured).
func (g *Gitea) throughTeam(u *account, r *repo) bool {
	for t := range u.in {
		if t.repos[r] {
			return true
		}
	}
	return false
}

func (g *Gitea) administers(u *account, r *repo) bool {
	for t := range u.in {
		if t.org == r.owner && t.mode == providers.Admin && (t.owners || t.repos[r]) {
			return true
		}
	}
	return false
}

// recalculate writes the rows of all collaborators anew: Read is enough where
// an organization owns the repository, Write is wanted on a public one of a
// user (models/perm/access/access.go, refreshAccesses).
func (g *Gitea) recalculate(r *repo) {
	least := providers.Read
	if !r.private && !r.owner.org {
		least = providers.Write
	}
	for u, c := range r.collaborators {
		c.listed = c.permission >= least || u.restricted
	}
}

// flags are the permissions that Gitea's JSON shows to u.
type flags struct {
	Admin bool `json:"admin"`
	Push  bool `json:"push"`
	Pull  bool `json:"pull"`
}

// permissions follows GetUserRepoPermission and ToRepo
// (models/perm/access/repo_permission.go, services/convert/repository.go).
func (g *Gitea) permissions(u *account, r *repo) flags {
	if u.admin || u == r.owner {
		return flags{true, true, true}
	}
	mode, code := g.mode(u, r), providers.None
	teams := 0
	for t := range u.in {
		if t.org != r.owner || !t.repos[r] {
			continue
		}
		if t.mode == providers.Admin {
			return flags{true, true, true}
		}
		teams++
		code = max(code, t.code)
	}
	if teams == 0 || r.collaborators[u] != nil || (!r.private && !u.restricted) {
		code = max(code, mode)
	}
	return flags{mode >= providers.Admin, code >= providers.Write, code >= providers.Read}
}

// mode is the access that does not depend on units; it is also what
// /collaborators/{user}/permission answers, and why that says "none" for
// somebody who reads through a team (measured).
func (g *Gitea) mode(u *account, r *repo) providers.Permission {
	if u.admin || u == r.owner {
		return providers.Admin
	}
	c := r.collaborators[u]
	if r.owner.visibility == "private" && r.owner.org && !r.owner.member(u) && c == nil {
		return providers.None
	}
	mode := providers.None
	if !r.private && (!u.restricted || r.owner.visibility == "public") {
		mode = providers.Read
	}
	if g.administers(u, r) {
		mode = providers.Admin
	}
	if c != nil && c.listed {
		mode = max(mode, c.permission)
	}
	return mode
}

// sees reports whether u may look at r at all.
func (g *Gitea) sees(u *account, r *repo) bool {
	return g.mode(u, r) > providers.None || g.throughTeam(u, r)
}

// listCache keeps each user's list for as long as the world does not change,
// so that paging through thousands of repositories stays linear.
type listCache struct {
	mu      sync.Mutex
	version uint64
	sorted  []*repo
	byUser  map[*account][]*repo
}

// userList returns u's list ordered by name; equal names of different owners
// tie in Gitea, here the id decides. The caller holds g.mu.
func (g *Gitea) userList(u *account) []*repo {
	c := &g.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != g.version || c.byUser == nil {
		c.version, c.byUser = g.version, map[*account][]*repo{}
		c.sorted = c.sorted[:0]
		for _, r := range g.repos {
			c.sorted = append(c.sorted, r)
		}
		slices.SortFunc(c.sorted, func(a, b *repo) int {
			return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id))
		})
	}
	list, ok := c.byUser[u]
	if !ok {
		for _, r := range c.sorted {
			if g.lists(u, r) {
				list = append(list, r)
			}
		}
		c.byUser[u] = list
	}
	return list
}
