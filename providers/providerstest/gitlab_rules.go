package providerstest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// glRules keeps what follows from the world for as long as it does not change,
// so that lists of thousands stay linear.
type glRules struct {
	mu      sync.Mutex
	version uint64
	groups  map[*glGroup]map[*glUser]int
	sorted  []*glProject
	lists   map[*glUser][]*glProject
}

// fresh drops what is out of date. The caller holds r.mu, and g.mu.
func (g *GitLab) fresh() *glRules {
	r := &g.rules
	if r.groups == nil || r.version != g.version {
		r.version = g.version
		r.groups, r.sorted, r.lists = map[*glGroup]map[*glUser]int{}, g.sortedProjects(), map[*glUser][]*glProject{}
	}
	return r
}

// grants is what a membership gives: nothing while it waits for consent, and
// nothing at minimal access. That it has expired makes no difference until
// RemoveExpired (lib/gitlab/project_authorizations.rb asks for the state and the
// level, and not for the date).
func (m *glMember) grants() int {
	if m.waiting || m.level < GitLabGuest {
		return 0
	}
	return m.level
}

// inherited are the levels of all who are in a group: directly, by being in a
// group above, and by being a direct member of a group that it or a group above
// is shared with, up to what the share gives (lib/gitlab/project_authorizations.rb;
// app/models/members/members/members_with_parents.rb).
func (g *GitLab) inherited(r *glRules, n *glGroup) map[*glUser]int {
	if n == nil {
		return nil
	}
	if levels, ok := r.groups[n]; ok {
		return levels
	}
	levels := maps.Clone(g.inherited(r, n.parent))
	if levels == nil {
		levels = map[*glUser]int{}
	}
	for u, m := range n.members {
		levels[u] = max(levels[u], m.grants())
	}
	for other, s := range n.shares {
		for u, m := range other.members {
			levels[u] = max(levels[u], min(m.grants(), s.level))
		}
	}
	r.groups[n] = levels
	return levels
}

// groupLevels are the levels of a group's members, those above and through
// shares included.
func (g *GitLab) groupLevels(n *glGroup) map[*glUser]int {
	g.rules.mu.Lock()
	defer g.rules.mu.Unlock()
	return g.inherited(g.fresh(), n)
}

// granting are the shares of a project, none where its group locks them
// (lib/gitlab/project_authorizations.rb, share_with_group_lock).
func (p *glProject) granting() map[*glGroup]*glShare {
	if p.group != nil && p.group.locked {
		return nil
	}
	return p.shares
}

// projectLevels are the levels of everybody who has a project: of the groups it
// is shared with all who are in them, those included whom such a group is shared
// with itself (app/finders/projects/members/effective_access_level_finder.rb).
func (g *GitLab) projectLevels(p *glProject) map[*glUser]int {
	levels := maps.Clone(g.groupLevels(p.group))
	if levels == nil {
		levels = map[*glUser]int{}
	}
	for u, m := range p.members {
		levels[u] = max(levels[u], m.grants())
	}
	for other, s := range p.granting() {
		for u, level := range g.groupLevels(other) {
			levels[u] = max(levels[u], min(level, s.level))
		}
	}
	maps.DeleteFunc(levels, func(_ *glUser, level int) bool { return level == 0 })
	return levels
}

// level is u's level on a project, 0 for none.
func (g *GitLab) level(u *glUser, p *glProject) int {
	g.rules.mu.Lock()
	defer g.rules.mu.Unlock()
	return g.levelIn(g.fresh(), u, p)
}

func (g *GitLab) levelIn(r *glRules, u *glUser, p *glProject) int {
	level := g.inherited(r, p.group)[u]
	if m := p.members[u]; m != nil {
		level = max(level, m.grants())
	}
	for other, s := range p.granting() {
		level = max(level, min(g.inherited(r, other)[u], s.level))
	}
	return level
}

// userList are u's projects, ordered by id: those he is authorized for, which
// is what "membership" means (app/finders/projects_finder.rb).
func (g *GitLab) userList(u *glUser) []*glProject {
	g.rules.mu.Lock()
	defer g.rules.mu.Unlock()
	r := g.fresh()
	list, ok := r.lists[u]
	if !ok {
		for _, p := range r.sorted {
			if g.levelIn(r, u, p) >= GitLabGuest {
				list = append(list, p)
			}
		}
		r.lists[u] = list
	}
	return list
}

// sees reports whether u may look at p at all.
func (g *GitLab) sees(u *glUser, p *glProject) bool {
	return u.admin || p.visibility != "private" || g.level(u, p) > 0
}

func (g *GitLab) seesGroup(u *glUser, n *glGroup) bool {
	if u.admin || n.visibility != "private" || g.groupLevels(n)[u] > 0 {
		return true
	}
	// Whoever has something inside sees the way to it.
	return slices.ContainsFunc(g.userList(u), func(p *glProject) bool { return p.group.within(n) })
}

func glByID(a, b *glUser) int { return cmp.Compare(a.id, b.id) }
