package providerstest

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/hookd/hookd/providers"
)

// reaches is what GitHub makes of all of u's grants on r: as owner of the
// organization, by its base permission or a role of his, through a team or one above it, or
// directly. An internal repository is read by every member. That anybody may
// read a public one is not a grant: it puts the repository in nobody's list.
func (g *GitHub) reaches(u *ghAccount, r *ghRepo) providers.Permission {
	if r.owner == u {
		return providers.Admin
	}
	p := r.collaborators[u]
	owner, member := r.owner.members[u]
	if owner {
		return providers.Admin
	}
	if member {
		p = max(p, r.owner.base, r.owner.roles[u].level)
		if r.visibility == providers.Internal {
			p = max(p, providers.Read)
		}
	}
	for t := range u.in {
		for ; t != nil; t = t.parent {
			p = max(p, t.repos[r])
		}
	}
	return p
}

// sees reports whether u may look at r at all.
func (g *GitHub) sees(u *ghAccount, r *ghRepo) bool {
	return r.visibility == providers.Public || g.reaches(u, r) > providers.None
}

// within lists the members of a team and of the teams below it, as GitHub's own
// list does.
func (t *ghTeam) within() []*ghAccount {
	people := maps.Clone(t.members)
	for _, other := range t.org.teams {
		for up := other.parent; up != nil; up = up.parent {
			if up == t {
				maps.Copy(people, other.members)
			}
		}
	}
	return byGHID(people)
}

// audience lists who reaches r, by the affiliation "all", "direct" or "outside".
func (g *GitHub) audience(r *ghRepo, affiliation string) []*ghAccount {
	people := map[*ghAccount]bool{}
	for u := range r.collaborators {
		if _, member := r.owner.members[u]; affiliation != "outside" || !member {
			people[u] = true
		}
	}
	if affiliation != "all" {
		return byGHID(people)
	}
	if !r.owner.org {
		people[r.owner] = true
	}
	for u := range r.owner.members {
		if g.reaches(u, r) > providers.None {
			people[u] = true
		}
	}
	return byGHID(people)
}

func byGHID(people map[*ghAccount]bool) []*ghAccount {
	return slices.SortedFunc(maps.Keys(people), func(a, b *ghAccount) int { return cmp.Compare(a.id, b.id) })
}

// ghListCache keeps each user's list for as long as the world does not change,
// so that paging through thousands of repositories stays linear.
type ghListCache struct {
	mu      sync.Mutex
	version uint64
	sorted  []*ghRepo
	byUser  map[*ghAccount][]*ghRepo
}

// userList returns u's list ordered by path. The caller holds g.mu.
func (g *GitHub) userList(u *ghAccount) []*ghRepo {
	c := &g.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version != g.version || c.byUser == nil {
		c.version, c.byUser = g.version, map[*ghAccount][]*ghRepo{}
		c.sorted = g.sorted()
		slices.SortStableFunc(c.sorted, func(a, b *ghRepo) int { return cmp.Compare(fold(a.path()), fold(b.path())) })
	}
	list, ok := c.byUser[u]
	if !ok {
		for _, r := range c.sorted {
			if g.reaches(u, r) > providers.None {
				list = append(list, r)
			}
		}
		c.byUser[u] = list
	}
	return list
}
