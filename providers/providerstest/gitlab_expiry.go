package providerstest

import (
	"maps"
	"slices"
	"time"
)

// ExpireGroupMember sets the day from whose beginning on a membership is over,
// a guest's of whoever is none. It grants until RemoveExpired. Hooks hear
// user_update_for_group, or user_add_to_group, now.
func (g *GitLab) ExpireGroupMember(path, login string, day time.Time) error {
	return g.changeGroup(path, login, func(m *glMember) { m.level, m.expires = max(m.level, GitLabGuest), glDate(day) })
}

// ExpireCollaborator is ExpireGroupMember for a member of a project.
func (g *GitLab) ExpireCollaborator(path, login string, day time.Time) error {
	return g.changeProject(path, login, func(m *glMember) { m.level, m.expires = max(m.level, GitLabGuest), glDate(day) })
}

// ExpireProjectShare does so with the share of a project. No hook tells.
func (g *GitLab) ExpireProjectShare(path, with string, day time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	other, err := g.group(with)
	if err != nil {
		return err
	}
	s := p.shares[other]
	if s == nil {
		return unknown("share", with)
	}
	s.expires = glDate(day)
	g.version++
	return nil
}

func glDate(day time.Time) time.Time { return day.UTC().Truncate(24 * time.Hour) }

// RemoveExpired takes away every membership and share that is over, as GitLab's
// workers do at ten past midnight (app/workers/remove_expired_members_worker.rb,
// remove_expired_group_links_worker.rb): "expires_at <= now", as
// app/models/concerns/expirable.rb has it. Hooks hear of members what they hear
// of any that is removed (app/models/member.rb, post_destroy_member_hook), and
// of shares nothing.
func (g *GitLab) RemoveExpired() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := func(day time.Time) bool { return !day.IsZero() && !day.After(g.opt.Now()) }
	overShare := func(_ *glGroup, s *glShare) bool { return over(s.expires) }
	for _, n := range g.sortedGroups() {
		for _, u := range slices.SortedFunc(maps.Keys(n.members), glByID) {
			if m := n.members[u]; over(m.expires) {
				delete(n.members, u)
				g.announceGroupMember("user_remove_from_group", n, u, m)
			}
		}
		maps.DeleteFunc(n.shares, overShare)
	}
	for _, p := range g.sortedProjects() {
		for _, u := range slices.SortedFunc(maps.Keys(p.members), glByID) {
			if m := p.members[u]; over(m.expires) {
				delete(p.members, u)
				g.announceProjectMember("user_remove_from_team", p, u, m)
			}
		}
		maps.DeleteFunc(p.shares, overShare)
	}
	g.version++
	return nil
}
