package providerstest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// The wire types have the fields of GitLab 18 that describe identity, place,
// visibility and access; settings are left out.

type wireGLUser struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Name      string `json:"name"`
	State     string `json:"state"`
	Locked    bool   `json:"locked"`
	AvatarURL any    `json:"avatar_url"`
	WebURL    string `json:"web_url"`
	CreatedAt string `json:"created_at"`
	Email     string `json:"email,omitempty"`
	IsAdmin   *bool  `json:"is_admin,omitempty"` // shown to administrators
}

type wireGLMember struct {
	ID              int64  `json:"id"`
	Username        string `json:"username"`
	Name            string `json:"name"`
	State           string `json:"state"`
	Locked          bool   `json:"locked"`
	AvatarURL       any    `json:"avatar_url"`
	WebURL          string `json:"web_url"`
	AccessLevel     int    `json:"access_level"`
	CreatedAt       string `json:"created_at"`
	ExpiresAt       any    `json:"expires_at"`
	MembershipState string `json:"membership_state"`

	MemberRole *wireGLRole `json:"member_role"`
}

// wireGLRole is a custom role, which GitLab's free edition has not.
type wireGLRole struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Level int    `json:"base_access_level"`
}

type wireGLNamespace struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Path      string `json:"path"`
	Kind      string `json:"kind"`
	FullPath  string `json:"full_path"`
	ParentID  *int64 `json:"parent_id"`
	AvatarURL any    `json:"avatar_url"`
	WebURL    string `json:"web_url"`
}

type wireGLGroup struct {
	ID               int64  `json:"id"`
	WebURL           string `json:"web_url"`
	Name             string `json:"name"`
	Path             string `json:"path"`
	Description      string `json:"description"`
	Visibility       string `json:"visibility"`
	ShareLock        bool   `json:"share_with_group_lock"`
	FullName         string `json:"full_name"`
	FullPath         string `json:"full_path"`
	CreatedAt        string `json:"created_at"`
	ParentID         *int64 `json:"parent_id"`
	SharedWithGroups []any  `json:"shared_with_groups"`
}

type wireGLSimple struct {
	ID                int64           `json:"id"`
	Description       any             `json:"description"`
	Name              string          `json:"name"`
	NameWithNamespace string          `json:"name_with_namespace"`
	Path              string          `json:"path"`
	PathWithNamespace string          `json:"path_with_namespace"`
	CreatedAt         string          `json:"created_at"`
	DefaultBranch     string          `json:"default_branch"`
	TagList           []string        `json:"tag_list"`
	Topics            []string        `json:"topics"`
	SSHURL            string          `json:"ssh_url_to_repo"`
	HTTPURL           string          `json:"http_url_to_repo"`
	WebURL            string          `json:"web_url"`
	ReadmeURL         string          `json:"readme_url"`
	ForksCount        int             `json:"forks_count"`
	AvatarURL         any             `json:"avatar_url"`
	StarCount         int             `json:"star_count"`
	LastActivityAt    string          `json:"last_activity_at"`
	Namespace         wireGLNamespace `json:"namespace"`
}

type wireGLProject struct {
	wireGLSimple
	Archived         bool           `json:"archived"`
	EmptyRepo        bool           `json:"empty_repo"`
	Visibility       string         `json:"visibility"`
	Owner            *wireGLUser    `json:"owner,omitempty"`
	IssuesEnabled    bool           `json:"issues_enabled"`
	MergeEnabled     bool           `json:"merge_requests_enabled"`
	WikiEnabled      bool           `json:"wiki_enabled"`
	JobsEnabled      bool           `json:"jobs_enabled"`
	CreatorID        int64          `json:"creator_id"`
	ForkedFrom       *wireGLSimple  `json:"forked_from_project,omitempty"`
	PublicJobs       bool           `json:"public_jobs"`
	SharedWithGroups []wireGLShared `json:"shared_with_groups"`
	Permissions      *struct{}      `json:"permissions"`
}

type wireGLShared struct {
	ID     int64  `json:"group_id"`
	Name   string `json:"group_name"`
	Path   string `json:"group_full_path"`
	Level  int    `json:"group_access_level"`
	Expire any    `json:"expires_at"`
}

func (g *GitLab) wireUser(u, doer *glUser) wireGLUser {
	w := wireGLUser{
		ID: u.id, Username: u.login, Name: u.login, State: u.state,
		WebURL: g.url + "/" + u.login, CreatedAt: glStamp(u.created),
	}
	if doer.admin || doer == u {
		w.Email = u.login + "@example.com"
	}
	if doer.admin { // an administrator sees of everybody, himself included
		admin := u.admin
		w.IsAdmin = &admin
	}
	return w
}

func (c *glCall) wireMember(r glRow) any {
	w := wireGLMember{
		ID: r.user.id, Username: r.user.login, Name: r.user.login, State: r.user.state,
		WebURL: c.g.url + "/" + r.user.login, AccessLevel: r.level, CreatedAt: glStamp(r.from.created),
		ExpiresAt: glDay(r.from.expires), MembershipState: "active",
	}
	if r.from.waiting {
		w.MembershipState = "awaiting"
	}
	if r.from.role != "" {
		w.MemberRole = &wireGLRole{1, r.from.role, r.from.level}
	}
	return w
}

func (c *glCall) wireGroup(n *glGroup) any {
	w := wireGLGroup{
		ID: n.id, WebURL: c.g.url + "/groups/" + n.path(), Name: n.name, Path: n.name, Visibility: glVisibility(n.visibility),
		FullName: strings.ReplaceAll(n.path(), "/", " / "), FullPath: n.path(), CreatedAt: glStamp(n.created), SharedWithGroups: []any{}, ShareLock: n.locked,
	}
	if n.parent != nil {
		w.ParentID = &n.parent.id
	}
	for _, other := range c.g.sortedGroups() {
		if s := n.shares[other]; s != nil {
			w.SharedWithGroups = append(w.SharedWithGroups, wireGLShared{other.id, other.name, other.path(), s.level, glDay(s.expires)})
		}
	}
	return w
}

func (g *GitLab) simple(p *glProject) wireGLSimple {
	path, web := p.path(), g.url+"/"+p.path()
	host, _, _ := strings.Cut(strings.TrimPrefix(g.url, "http://"), ":")
	w := wireGLSimple{
		ID: p.id, Name: p.name, NameWithNamespace: strings.ReplaceAll(path, "/", " / "), Path: p.name, PathWithNamespace: path,
		CreatedAt: glStamp(p.created), DefaultBranch: "main", TagList: p.contents.tagged(), Topics: p.contents.tagged(),
		SSHURL: "git@" + host + ":" + path + ".git", HTTPURL: web + ".git", WebURL: web, ReadmeURL: web + "/-/blob/main/README.md",
		LastActivityAt: glStamp(p.created),
	}
	if p.user != nil {
		w.Namespace = wireGLNamespace{ID: p.user.namespace, Name: p.user.login, Path: p.user.login, Kind: "user", FullPath: p.user.login, WebURL: g.url + "/" + p.user.login}
		return w
	}
	n := p.group
	w.Namespace = wireGLNamespace{ID: n.id, Name: n.name, Path: n.name, Kind: "group", FullPath: n.path(), WebURL: g.url + "/groups/" + n.path()}
	if n.parent != nil {
		w.Namespace.ParentID = &n.parent.id
	}
	return w
}

func (g *GitLab) full(p *glProject) wireGLProject {
	w := wireGLProject{
		wireGLSimple: g.simple(p), Archived: p.archived, Visibility: glVisibility(p.visibility),
		IssuesEnabled: true, MergeEnabled: true, WikiEnabled: true, JobsEnabled: true, CreatorID: 1, PublicJobs: true,
		SharedWithGroups: []wireGLShared{},
	}
	if p.user != nil {
		w.Owner = &wireGLUser{ID: p.user.id, Username: p.user.login, Name: p.user.login, State: p.user.state, WebURL: g.url + "/" + p.user.login, CreatedAt: glStamp(p.user.created)}
	}
	if p.parent != nil {
		parent := g.simple(p.parent)
		w.ForkedFrom = &parent
	}
	for _, n := range g.sortedGroups() {
		if s := p.shares[n]; s != nil {
			w.SharedWithGroups = append(w.SharedWithGroups, wireGLShared{n.id, n.name, n.path(), s.level, glDay(s.expires)})
		}
	}
	return w
}

// simple leaves out visibility, whether it is archived, and permissions
// (lib/api/entities/basic_project_details.rb).
func (c *glCall) wireSimple(p *glProject) any { return c.g.simple(p) }

var glPermissionsGap = []byte(`"permissions":null`)

// wireProject is a project as the asking user sees it. In a list the
// permissions show direct memberships of the project and of the very group it
// lies in, and nothing of groups above or shares
// (lib/api/entities/project_with_access.rb).
func (c *glCall) wireProject(p *glProject) any {
	wire := mustJSON(c.g.full(p))
	type access struct {
		Level  int `json:"access_level"`
		Notify int `json:"notification_level"`
	}
	var permissions struct {
		Project *access `json:"project_access"`
		Group   *access `json:"group_access"`
	}
	if m := p.members[c.doer]; m != nil {
		permissions.Project = &access{m.level, 3}
	}
	if p.group != nil {
		if m := p.group.members[c.doer]; m != nil {
			permissions.Group = &access{m.level, 3}
		}
	}
	return json.RawMessage(bytes.Replace(wire, glPermissionsGap, append([]byte(`"permissions":`), mustJSON(permissions)...), 1))
}
