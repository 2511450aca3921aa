package providerstest

import (
	"fmt"

	"github.com/hookd/hookd/providers"
)

// glCrew is a team in the sense of other forges, made of what GitLab has. With
// all repositories it is the members of the group at one level; else it is a
// subgroup of people, which single projects are shared with.
type glCrew struct {
	group *glGroup
	level int
	all   bool
	in    map[*glUser]bool
}

// CreateTeam creates a team of a top-level group as people do on GitLab: its
// ID is that of the group or subgroup that stands for it.
func (g *GitLab) CreateTeam(org, name string, p providers.Permission, allRepos bool) (providers.Team, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n, err := g.group(org)
	if err != nil {
		return providers.Team{}, err
	}
	key := fold(org + "/" + name)
	if _, ok := g.crews[key]; ok {
		return providers.Team{}, fmt.Errorf("providerstest: team %s exists", key)
	}
	if !allRepos {
		if n, err = g.addGroup(org+"/"+name, n.visibility); err != nil {
			return providers.Team{}, err
		}
	}
	g.crews[key] = glCrew{group: n, level: GitLabLevel(p), all: allRepos, in: map[*glUser]bool{}}
	return providers.Team{ID: n.org().ID, Name: name}, nil
}

func (g *GitLab) crew(org, name, login string) (glCrew, *glUser, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	c, ok := g.crews[fold(org+"/"+name)]
	if !ok {
		return c, nil, unknown("team", org+"/"+name)
	}
	if login == "" {
		return c, nil, nil
	}
	u, err := g.user(login)
	return c, u, err
}

// AddMember puts a user into a team. Hooks hear user_add_to_group.
func (g *GitLab) AddMember(org, name, login string) error {
	c, u, err := g.crew(org, name, login)
	if err != nil {
		return err
	}
	g.mu.Lock()
	c.in[u] = true
	g.mu.Unlock()
	return g.settle(org, c, u)
}

// RemoveMember takes a user out of a team. Hooks hear user_remove_from_group,
// or user_update_for_group if another team keeps him in the group.
func (g *GitLab) RemoveMember(org, name, login string) error {
	c, u, err := g.crew(org, name, login)
	if err != nil {
		return err
	}
	g.mu.Lock()
	delete(c.in, u)
	g.mu.Unlock()
	return g.settle(org, c, u)
}

// settle gives u the level in the crew's group that the teams he is in add up
// to. A subgroup's people are its owners: the shares say what they may do.
func (g *GitLab) settle(org string, c glCrew, u *glUser) error {
	g.mu.RLock()
	level := 0
	for _, other := range g.crews {
		if other.group == c.group && other.in[u] {
			level = max(level, other.level)
			if !other.all {
				level = GitLabOwner
			}
		}
	}
	path, had := c.group.path(), c.group.members[u]
	g.mu.RUnlock()
	switch {
	case level == 0 && had == nil, had != nil && had.level == level:
		return nil
	case level == 0:
		return g.RemoveGroupMember(path, u.login)
	}
	return g.AddGroupMember(path, u.login, level)
}

// AddTeamRepo shares a project with a team. A team of all repositories has it
// already. No hook tells.
func (g *GitLab) AddTeamRepo(org, name, path string) error {
	return g.shareWithCrew(org, name, path, true)
}

// RemoveTeamRepo ends a share. What a team of all repositories has cannot be
// taken from it on GitLab, and stays.
func (g *GitLab) RemoveTeamRepo(org, name, path string) error {
	return g.shareWithCrew(org, name, path, false)
}

func (g *GitLab) shareWithCrew(org, name, path string, has bool) error {
	c, _, err := g.crew(org, name, "")
	if err != nil || c.all {
		return err
	}
	level := 0
	if has {
		level = c.level
	}
	g.mu.RLock()
	with := c.group.path()
	g.mu.RUnlock()
	return g.ShareProject(path, with, level)
}
