package providerstest

import "github.com/hookd/hookd/providers"

// GitLabLevel is the level of access that grants a permission.
func GitLabLevel(p providers.Permission) int {
	switch p {
	case providers.Admin:
		return GitLabMaintainer
	case providers.Write:
		return GitLabDeveloper
	case providers.Read:
		return GitLabReporter
	}
	return 0
}

// AddGroupMember makes a user a direct member of a group, or changes his
// level. Hooks hear user_add_to_group or user_update_for_group.
func (g *GitLab) AddGroupMember(path, login string, level int) error {
	return g.changeGroup(path, login, func(m *glMember) { m.level = level })
}

// HoldGroupMember makes a membership wait for consent, or ends the wait.
func (g *GitLab) HoldGroupMember(path, login string, waiting bool) error {
	return g.changeGroup(path, login, func(m *glMember) { m.waiting = waiting })
}

func (g *GitLab) changeGroup(path, login string, change func(*glMember)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	event := "user_update_for_group"
	m := n.members[u]
	if m == nil {
		event, m = "user_add_to_group", &glMember{created: g.opt.Now()}
		n.members[u] = m
	}
	change(m)
	g.version++
	g.announceGroupMember(event, n, u, m)
	return nil
}

// RemoveGroupMember ends a direct membership. Hooks hear
// user_remove_from_group.
func (g *GitLab) RemoveGroupMember(path, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	m := n.members[u]
	if m == nil {
		return unknown("member", login)
	}
	delete(n.members, u)
	g.version++
	g.announceGroupMember("user_remove_from_group", n, u, m)
	return nil
}

// ShareGroup invites a group to another, whose projects its members then
// reach at most at the given level; level 0 ends it. No hook tells.
func (g *GitLab) ShareGroup(path, with string, level int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	other, err := g.group(with)
	if err != nil {
		return err
	}
	glInvite(n.shares, other, level)
	g.version++
	return nil
}

// LockShares sets or lifts a group's ban on sharing single projects, and with it that
// of the groups below: shares that there are grant nothing while it holds. No hook
// tells (app/models/namespace.rb, force_share_with_group_lock_on_descendants).
func (g *GitLab) LockShares(path string, locked bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(path)
	if err != nil {
		return err
	}
	for _, d := range append(g.descendants(n), n) {
		if locked || d == n { // lifting it leaves those below as they are
			d.locked = locked
		}
	}
	g.version++
	return nil
}

// ShareProject invites a group to a project, likewise. No hook tells.
func (g *GitLab) ShareProject(path, with string, level int) error {
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
	glInvite(p.shares, other, level)
	g.version++
	return nil
}

func glInvite(shares map[*glGroup]*glShare, with *glGroup, level int) {
	if level == 0 {
		delete(shares, with)
		return
	}
	shares[with] = &glShare{level: level}
}

// AddCollaborator makes a user a direct member of a project, or changes his
// level. Hooks hear user_add_to_team or user_update_for_team.
func (g *GitLab) AddCollaborator(path, login string, p providers.Permission) error {
	return g.AddProjectMember(path, login, GitLabLevel(p))
}

// AddProjectMember is AddCollaborator with one of GitLab's own levels.
func (g *GitLab) AddProjectMember(path, login string, level int) error {
	return g.changeProject(path, login, func(m *glMember) { m.level, m.role = level, "" })
}

// HoldCollaborator is HoldGroupMember for a member of a project, a guest if he
// was none.
func (g *GitLab) HoldCollaborator(path, login string, waiting bool) error {
	return g.changeProject(path, login, func(m *glMember) { m.level, m.waiting = max(m.level, GitLabGuest), waiting })
}

// SetCustomRole gives a member of a project a custom role, which has the level
// that it is based on (docs.gitlab.com/user/custom_roles; the member's field
// member_role with its base_access_level, docs.gitlab.com/api/members).
func (g *GitLab) SetCustomRole(path, login, role string, base int) error {
	return g.changeProject(path, login, func(m *glMember) { m.level, m.role = base, role })
}

// RequestAccess lets a user ask to be a member of a group or project: he is none
// by that, and in none of the lists of members, as requests have one of their own
// (docs.gitlab.com/api/access_requests; app/models/project.rb, project_members and
// requesters). Hooks hear user_access_request_to_group, or _to_project.
// Whoever lets him in adds him as any member.
func (g *GitLab) RequestAccess(path, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err != nil {
		return err
	}
	m := &glMember{level: GitLabDeveloper, created: g.opt.Now()}
	if n, err := g.group(path); err == nil {
		g.announceGroupMember("user_access_request_to_group", n, u, m)
		return nil
	}
	p, err := g.project(path)
	if err == nil {
		g.announceProjectMember("user_access_request_to_project", p, u, m)
	}
	return err
}

func (g *GitLab) changeProject(path, login string, change func(*glMember)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	event := "user_update_for_team"
	m := p.members[u]
	if m == nil {
		event, m = "user_add_to_team", &glMember{created: g.opt.Now()}
		p.members[u] = m
	}
	change(m)
	g.version++
	g.announceProjectMember(event, p, u, m)
	return nil
}

// RemoveCollaborator ends a direct membership. Hooks hear
// user_remove_from_team.
func (g *GitLab) RemoveCollaborator(path, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	u, err := g.user(login)
	if err != nil {
		return err
	}
	m := p.members[u]
	if m == nil {
		return unknown("member", login)
	}
	delete(p.members, u)
	g.version++
	g.announceProjectMember("user_remove_from_team", p, u, m)
	return nil
}
