package providerstest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// glProject is a project in a group or in a user's namespace.
type glProject struct {
	id         int64
	group      *glGroup // nil where a user owns it
	user       *glUser
	name       string
	visibility providers.Visibility
	archived   bool
	parent     *glProject
	created    time.Time
	members    map[*glUser]*glMember
	shares     map[*glGroup]*glShare // groups invited to it
	hidden     int                   // reads by id that still answer 404
	contents   contents
}

func (p *glProject) namespace() string {
	if p.group != nil {
		return p.group.path()
	}
	return p.user.login
}

func (p *glProject) path() string { return p.namespace() + "/" + p.name }

// within reports whether n is in, or is, the group.
func (n *glGroup) within(group *glGroup) bool {
	for ; n != nil; n = n.parent {
		if n == group {
			return true
		}
	}
	return false
}

// GitLabProject describes a project to be created.
type GitLabProject struct {
	Owner, Name string // the full path of a group, or a login
	Private     bool
	Visibility  providers.Visibility // goes before Private
}

// CreateRepo creates a project. System hooks and those of the groups above
// hear project_create; of a personal one system hooks also hear that its owner
// became a member.
func (g *GitLab) CreateRepo(spec GitLabProject) (providers.Repo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if spec.Visibility == "" {
		spec.Visibility = providers.Public
		if spec.Private {
			spec.Visibility = providers.Private
		}
	}
	p, err := g.addProject(spec.Owner, spec.Name)
	if err != nil {
		return providers.Repo{}, err
	}
	p.visibility = spec.Visibility
	g.created(p)
	return p.repo(), nil
}

func (g *GitLab) created(p *glProject) {
	g.announceProject("project_create", p, "")
	if p.user != nil {
		g.announceProjectMember("user_add_to_team", p, p.user, p.members[p.user])
	}
}

// Fork forks a project into another namespace. Hooks hear project_create.
func (g *GitLab) Fork(path, owner string) (providers.Repo, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	base, err := g.project(path)
	if err != nil {
		return providers.Repo{}, err
	}
	p, err := g.addProject(owner, base.name)
	if err != nil {
		return providers.Repo{}, err
	}
	p.visibility, p.parent = base.visibility, base
	g.created(p)
	return p.repo(), nil
}

func (g *GitLab) addProject(owner, name string) (*glProject, error) {
	p := &glProject{
		id: g.next("project"), name: name, created: g.opt.Now(), hidden: g.opt.HideNew,
		members: map[*glUser]*glMember{}, shares: map[*glGroup]*glShare{},
	}
	if u := g.byLogin[fold(owner)]; u != nil {
		p.user = u
		p.members[u] = &glMember{level: GitLabOwner, created: g.opt.Now()}
	} else {
		n, err := g.group(owner)
		if err != nil {
			return nil, err
		}
		p.group = n
	}
	if g.byPath[fold(p.path())] != nil {
		return nil, fmt.Errorf("providerstest: %s exists", p.path())
	}
	delete(g.movedTo, fold(p.path()))
	g.projects[p.id], g.byPath[fold(p.path())] = p, p
	g.version++
	return p, nil
}

// HideNew changes the option of that name, for what is created from now on.
func (g *GitLab) HideNew(reads int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opt.HideNew = reads
}

// DeleteRepo deletes a project. Hooks hear project_destroy; with a DeleteLag a
// reader may still find it then.
func (g *GitLab) DeleteRepo(path string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	g.announceProject("project_destroy", p, "")
	if g.opt.DeleteLag == 0 {
		g.remove(p)
		return nil
	}
	time.AfterFunc(g.opt.DeleteLag, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.remove(p)
	})
	return nil
}

func (g *GitLab) remove(p *glProject) {
	delete(g.projects, p.id)
	delete(g.byPath, fold(p.path()))
	for _, f := range g.projects {
		if f.parent == p {
			f.parent = nil
		}
	}
	g.version++
}

// RenameRepo renames a project. System hooks hear project_rename.
func (g *GitLab) RenameRepo(path, name string) error {
	return g.move(path, "project_rename", func(p *glProject) error {
		p.name = name
		return nil
	})
}

// TransferRepo moves a project to another namespace. System hooks hear
// project_transfer. Direct members and shares go with it.
func (g *GitLab) TransferRepo(path, owner string) error {
	return g.move(path, "project_transfer", func(p *glProject) error {
		if u := g.byLogin[fold(owner)]; u != nil {
			p.group, p.user = nil, u
			p.members[u] = &glMember{level: GitLabOwner, created: g.opt.Now()}
			return nil
		}
		n, err := g.group(owner)
		if err == nil {
			p.group, p.user = n, nil
		}
		return err
	})
}

func (g *GitLab) move(path, event string, change func(*glProject) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	was := *p
	if err := change(p); err != nil {
		return err
	}
	if other := g.byPath[fold(p.path())]; other != nil && other != any(p) {
		now := p.path()
		p.group, p.user, p.name = was.group, was.user, was.name
		return fmt.Errorf("providerstest: %s exists", now)
	}
	g.repath()
	g.announceProject(event, p, was.path())
	return nil
}

// SetVisibility makes a project private or not: as visible then as its group,
// or public. System hooks hear project_update, which does not say what changed.
func (g *GitLab) SetVisibility(path string, private bool) error {
	return g.update(path, func(p *glProject) {
		p.visibility = providers.Public
		switch {
		case private:
			p.visibility = providers.Private
		case p.group != nil && p.group.visibility != "":
			p.visibility = p.group.visibility
		}
	})
}

// SetArchived archives a project, or brings it back; it stays in every list.
// System hooks hear project_update.
func (g *GitLab) SetArchived(path string, archived bool) error {
	return g.update(path, func(p *glProject) { p.archived = archived })
}

func (g *GitLab) update(path string, change func(*glProject)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	change(p)
	g.version++
	g.announceProject("project_update", p, "")
	return nil
}

func (g *GitLab) project(path string) (*glProject, error) {
	if p, ok := g.byPath[fold(path)].(*glProject); ok {
		return p, nil
	}
	return nil, unknown("project", path)
}

// descendants are the groups below n, the deepest first.
func (g *GitLab) descendants(n *glGroup) []*glGroup {
	var all []*glGroup
	for _, d := range g.groups {
		if d != n && d.within(n) {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *glGroup) int {
		return cmp.Or(cmp.Compare(strings.Count(b.path(), "/"), strings.Count(a.path(), "/")), cmp.Compare(a.id, b.id))
	})
	return all
}

func (g *GitLab) sortedProjects() []*glProject {
	return slices.SortedFunc(maps.Values(g.projects), func(a, b *glProject) int { return cmp.Compare(a.id, b.id) })
}

// repo is the project in hookd's words, with the top-level group as its owner.
func (p *glProject) repo() providers.Repo {
	out := providers.Repo{
		ID: strconv.FormatInt(p.id, 10), Path: p.path(), Created: p.created.UTC().Truncate(time.Millisecond),
		Visibility: p.visibility, Archived: p.archived, Fork: p.parent != nil,
	}
	if p.user != nil {
		out.Org = providers.Org{ID: strconv.FormatInt(p.user.namespace, 10), Name: p.user.login, Personal: true}
		return out
	}
	top := p.group
	for top.parent != nil {
		top = top.parent
	}
	out.Org = top.org()
	return out
}
