package targettest

import (
	"net/url"
	"strconv"
	"strings"
)

// Forge is the kind of forge a simulated Drone reads.
type Forge string

// The forges; Gitea if none is said.
const (
	Gitea  Forge = "gitea"
	GitHub Forge = "github"
	GitLab Forge = "gitlab"
)

// A listing is one page of a forge's answer, to be decoded into.
type listing interface{ repos() []droneRepo }

// page returns the path of a page of the user's own list, the first if n is
// zero, and what it is decoded into. Drone asks for 100 a page (source:
// service/repo/repo.go); GitHub Enterprise Server's API lies below /api/v3
// (source: cmd/drone-server/inject_client.go).
func (f Forge) page(n int) (path string, into listing) {
	q := url.Values{}
	if n > 0 {
		q.Set("page", strconv.Itoa(n))
	}
	switch f {
	case GitHub:
		q.Set("per_page", "100")
		return f.api() + "/user/repos?" + q.Encode(), &ownedList{}
	case GitLab:
		q.Set("per_page", "100")
		q.Set("membership", "true")
		return f.api() + "/projects?" + q.Encode(), &projectList{}
	}
	q.Set("limit", "100")
	return f.api() + "/user/repos?" + q.Encode(), &ownedList{}
}

// repository returns the path of one repository, and what it is decoded into.
func (f Forge) repository(slug string) (path string, into interface{ perm() dronePerm }) {
	if f == GitLab {
		return f.api() + "/projects/" + url.PathEscape(slug), &project{}
	}
	return f.api() + "/repos/" + slug, &ownedRepo{}
}

// api is the path below which the forge's API lies.
func (f Forge) api() string {
	switch f {
	case GitHub:
		return "/api/v3"
	case GitLab:
		return "/api/v4"
	}
	return "/api/v1"
}

type ownedList []ownedRepo

func (l *ownedList) repos() []droneRepo {
	out := make([]droneRepo, 0, len(*l))
	for _, r := range *l {
		out = append(out, r.drone())
	}
	return out
}

// ownedRepo is what Drone reads of a repository of Gitea or GitHub, whose
// answers agree in this (source: go-scm 1.42, scm/driver/gitea/repo.go and
// scm/driver/github/repo.go).
type ownedRepo struct {
	ID    int64 `json:"id"`
	Owner struct {
		Login    string `json:"login"`
		Username string `json:"username"`
	} `json:"owner"`
	Name        string `json:"name"`
	Private     bool   `json:"private"`
	Archived    bool   `json:"archived"`
	Branch      string `json:"default_branch"`
	CloneURL    string `json:"clone_url"`
	SSHURL      string `json:"ssh_url"`
	HTMLURL     string `json:"html_url"`
	Permissions struct {
		Admin bool `json:"admin"`
		Push  bool `json:"push"`
		Pull  bool `json:"pull"`
	} `json:"permissions"`
}

func (r ownedRepo) drone() droneRepo {
	owner := r.Owner.Login
	if owner == "" {
		owner = r.Owner.Username
	}
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	return droneRepo{
		UID: strconv.FormatInt(r.ID, 10), Namespace: owner, Name: r.Name, Slug: owner + "/" + r.Name,
		HTTPURL: r.CloneURL, SSHURL: r.SSHURL, Link: r.HTMLURL, Branch: r.Branch,
		Private: r.Private, Visibility: visibility, Archived: r.Archived,
	}
}

func (r *ownedRepo) perm() dronePerm {
	return dronePerm{Read: r.Permissions.Pull, Write: r.Permissions.Push, Admin: r.Permissions.Admin}
}

// project is what Drone reads of a project of GitLab (source: go-scm 1.42,
// scm/driver/gitlab/repo.go).
type project struct {
	ID        int64  `json:"id"`
	Path      string `json:"path"`
	Namespace struct {
		Path     string `json:"path"`
		FullPath string `json:"full_path"`
	} `json:"namespace"`
	Branch     string `json:"default_branch"`
	Visibility string `json:"visibility"`
	Archived   bool   `json:"archived"`
	HTTPURL    string `json:"http_url_to_repo"`
	SSHURL     string `json:"ssh_url_to_repo"`
	Link       string `json:"web_url"`
	Access     struct {
		Project struct {
			Level int `json:"access_level"`
		} `json:"project_access"`
		Group struct {
			Level int `json:"access_level"`
		} `json:"group_access"`
	} `json:"permissions"`
}

// perm follows GitLab's levels: 30 may push, 40 administers. Whoever may read
// the project at all reads.
func (p *project) perm() dronePerm {
	level := max(p.Access.Project.Level, p.Access.Group.Level)
	return dronePerm{Read: true, Write: level >= 30, Admin: level >= 40}
}

type projectList []project

func (l *projectList) repos() []droneRepo {
	out := make([]droneRepo, 0, len(*l))
	for _, p := range *l {
		owner := p.Namespace.Path
		if p.Namespace.FullPath != "" {
			owner = p.Namespace.FullPath
		}
		out = append(out, droneRepo{
			UID: strconv.FormatInt(p.ID, 10), Namespace: owner, Name: p.Path, Slug: strings.Trim(owner, "/") + "/" + p.Path,
			HTTPURL: p.HTTPURL, SSHURL: p.SSHURL, Link: p.Link, Branch: p.Branch,
			Private: p.Visibility != "public", Visibility: p.Visibility, Archived: p.Archived,
		})
	}
	return out
}
