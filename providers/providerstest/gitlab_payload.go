package providerstest

import (
	"time"
)

// The payloads are flat, and those of system hooks and of groups' hooks alike
// (lib/gitlab/hook_data/*.rb). A group member's has the last part of the
// group's path only.

type glEvent struct {
	Name      string `json:"event_name"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

type glOwner struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

type glProjectEvent struct {
	glEvent
	Name       string    `json:"name"`
	Path       string    `json:"path"`
	FullPath   string    `json:"path_with_namespace"`
	ProjectID  int64     `json:"project_id"`
	OwnerName  string    `json:"owner_name"`
	OwnerEmail string    `json:"owner_email"`
	Owners     []glOwner `json:"owners"`
	Visibility string    `json:"project_visibility"`
	OldPath    string    `json:"old_path_with_namespace,omitempty"`
}

type glGroupEvent struct {
	glEvent
	Name           string `json:"name"`
	Path           string `json:"path"`
	FullPath       string `json:"full_path"`
	GroupID        int64  `json:"group_id"`
	OldPath        string `json:"old_path,omitempty"`
	OldFullPath    string `json:"old_full_path,omitempty"`
	ParentID       int64  `json:"parent_group_id,omitempty"`
	ParentName     string `json:"parent_name,omitempty"`
	ParentPath     string `json:"parent_path,omitempty"`
	ParentFullPath string `json:"parent_full_path,omitempty"`
}

type glGroupMemberEvent struct {
	glEvent
	GroupName   string `json:"group_name"`
	GroupPath   string `json:"group_path"`
	GroupID     int64  `json:"group_id"`
	Username    string `json:"user_username"`
	UserName    string `json:"user_name"`
	UserEmail   string `json:"user_email"`
	UserID      int64  `json:"user_id"`
	GroupAccess string `json:"group_access"`
	ExpiresAt   any    `json:"expires_at"`
}

type glProjectMemberEvent struct {
	glEvent
	ProjectName string `json:"project_name"`
	ProjectPath string `json:"project_path"`
	FullPath    string `json:"project_path_with_namespace"`
	ProjectID   int64  `json:"project_id"`
	Username    string `json:"user_username"`
	UserName    string `json:"user_name"`
	UserEmail   string `json:"user_email"`
	UserID      int64  `json:"user_id"`
	AccessLevel string `json:"access_level"`
	Visibility  string `json:"project_visibility"`
}

type glUserEvent struct {
	glEvent
	Name        string `json:"name"`
	Email       string `json:"email"`
	UserID      int64  `json:"user_id"`
	Username    string `json:"username"`
	OldUsername string `json:"old_username,omitempty"`
}

func (g *GitLab) event(name string, created time.Time) glEvent {
	return glEvent{name, created.UTC().Format(time.RFC3339), g.opt.Now().UTC().Format(time.RFC3339)}
}

func glEmail(login string) string { return login + "@example.com" }

func (g *GitLab) announceUser(name string, u *glUser, old string) {
	g.system(name, glUserEvent{g.event(name, u.created), u.login, glEmail(u.login), u.id, u.login, old})
}

func (g *GitLab) announceProject(name string, p *glProject, old string) {
	owner := p.namespace()
	e := glProjectEvent{
		glEvent: g.event(name, p.created), Name: p.name, Path: p.name, FullPath: p.path(), ProjectID: p.id,
		OwnerName: owner, Owners: []glOwner{}, Visibility: glVisibility(p.visibility), OldPath: old,
	}
	if p.user != nil {
		e.OwnerEmail, e.Owners = glEmail(owner), []glOwner{{owner, glEmail(owner)}}
	}
	g.system(name, e)
	if name == "project_create" || name == "project_destroy" {
		g.above(p.group, "Project Hook", "project", e)
	}
}

// announceGroup takes what happened, as the name of the event differs between
// system hooks and the hooks of groups.
func (g *GitLab) announceGroup(what string, n *glGroup, old string) {
	e := glGroupEvent{glEvent: g.event("group_"+what, n.created), Name: n.name, Path: n.name, FullPath: n.path(), GroupID: n.id}
	if old != "" {
		e.OldFullPath, e.OldPath = old, old[len(old)-len(glLastPart(old)):]
	}
	g.system(e.glEvent.Name, e)
	if n.parent == nil || what == "rename" {
		return
	}
	e.glEvent.Name = "subgroup_" + what
	e.ParentID, e.ParentName, e.ParentPath, e.ParentFullPath = n.parent.id, n.parent.name, n.parent.name, n.parent.path()
	g.above(n.parent, "Subgroup Hook", "subgroup", e)
}

func glLastPart(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return path
}

func (g *GitLab) announceGroupMember(name string, n *glGroup, u *glUser, m *glMember) {
	e := glGroupMemberEvent{
		g.event(name, m.created), n.name, n.name, n.id, u.login, u.login, glEmail(u.login), u.id, glRole(m.level), nil,
	}
	if !m.expires.IsZero() {
		e.ExpiresAt = m.expires.UTC().Format(time.RFC3339)
	}
	g.system(name, e)
	g.above(n, "Member Hook", "member", e)
}

func (g *GitLab) announceProjectMember(name string, p *glProject, u *glUser, m *glMember) {
	g.system(name, glProjectMemberEvent{
		g.event(name, m.created), p.name, p.name, p.path(), p.id, u.login, u.login, glEmail(u.login), u.id, glRole(m.level), glVisibility(p.visibility),
	})
}

type glPushEvent struct {
	Kind      string        `json:"object_kind"`
	Name      string        `json:"event_name"`
	Before    string        `json:"before"`
	After     string        `json:"after"`
	Ref       string        `json:"ref"`
	Checkout  string        `json:"checkout_sha"`
	UserID    int64         `json:"user_id"`
	UserName  string        `json:"user_name"`
	Username  string        `json:"user_username"`
	ProjectID int64         `json:"project_id"`
	Project   glPushProject `json:"project"`
	Commits   []any         `json:"commits"`
	Total     int           `json:"total_commits_count"`
}

type glPushProject struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	WebURL     string `json:"web_url"`
	Namespace  string `json:"namespace"`
	Visibility int    `json:"visibility_level"`
	Path       string `json:"path_with_namespace"`
	Branch     string `json:"default_branch"`
}

// Push announces a push to a branch of a project.
func (g *GitLab) Push(path, branch, by string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.project(path)
	if err != nil {
		return err
	}
	if by == "" {
		by = g.opt.Admin
	}
	u, err := g.user(by)
	if err != nil {
		return err
	}
	after := newSHA()
	e := glPushEvent{
		"push", "push", newSHA(), after, "refs/heads/" + branch, after, u.id, u.login, u.login, p.id,
		glPushProject{p.id, p.name, g.url + "/" + p.path(), p.namespace(), 0, p.path(), "main"},
		[]any{},
		0,
	}
	g.system("push", e)
	g.above(p.group, "Push Hook", "push", e)
	return nil
}
