package providerstest

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// The wire types have the fields of Gitea 1.25.4 in its own order.

type wireUser struct {
	ID           int64     `json:"id"`
	Login        string    `json:"login"`
	LoginName    string    `json:"login_name"`
	SourceID     int64     `json:"source_id"`
	FullName     string    `json:"full_name"`
	Email        string    `json:"email"`
	AvatarURL    string    `json:"avatar_url"`
	HTMLURL      string    `json:"html_url"`
	Language     string    `json:"language"`
	IsAdmin      bool      `json:"is_admin"`
	LastLogin    time.Time `json:"last_login"`
	Created      time.Time `json:"created"`
	Restricted   bool      `json:"restricted"`
	Active       bool      `json:"active"`
	Prohibit     bool      `json:"prohibit_login"`
	Location     string    `json:"location"`
	Website      string    `json:"website"`
	Description  string    `json:"description"`
	Visibility   string    `json:"visibility"`
	Followers    int       `json:"followers_count"`
	Following    int       `json:"following_count"`
	StarredRepos int       `json:"starred_repos_count"`
	Username     string    `json:"username"`
}

type wireOrg struct {
	ID                        int64  `json:"id"`
	Name                      string `json:"name"`
	FullName                  string `json:"full_name"`
	Email                     string `json:"email"`
	AvatarURL                 string `json:"avatar_url"`
	Description               string `json:"description"`
	Website                   string `json:"website"`
	Location                  string `json:"location"`
	Visibility                string `json:"visibility"`
	RepoAdminChangeTeamAccess bool   `json:"repo_admin_change_team_access"`
	Username                  string `json:"username"`
}

type wireTeam struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	Description      string            `json:"description"`
	Organization     *wireOrg          `json:"organization"`
	AllRepositories  bool              `json:"includes_all_repositories"`
	Permission       string            `json:"permission"`
	Units            []string          `json:"units"`
	UnitsMap         map[string]string `json:"units_map"`
	CanCreateOrgRepo bool              `json:"can_create_org_repo"`
}

type wireRepo struct {
	ID              int64           `json:"id"`
	Owner           wireUser        `json:"owner"`
	Name            string          `json:"name"`
	FullName        string          `json:"full_name"`
	Description     string          `json:"description"`
	Empty           bool            `json:"empty"`
	Private         bool            `json:"private"`
	Fork            bool            `json:"fork"`
	Template        bool            `json:"template"`
	Parent          *wireRepo       `json:"parent,omitempty"`
	Mirror          bool            `json:"mirror"`
	Size            int             `json:"size"`
	Language        string          `json:"language"`
	LanguagesURL    string          `json:"languages_url"`
	HTMLURL         string          `json:"html_url"`
	URL             string          `json:"url"`
	Link            string          `json:"link"`
	SSHURL          string          `json:"ssh_url"`
	CloneURL        string          `json:"clone_url"`
	OriginalURL     string          `json:"original_url"`
	Website         string          `json:"website"`
	Stars           int             `json:"stars_count"`
	Forks           int             `json:"forks_count"`
	Watchers        int             `json:"watchers_count"`
	OpenIssues      int             `json:"open_issues_count"`
	OpenPulls       int             `json:"open_pr_counter"`
	Releases        int             `json:"release_counter"`
	DefaultBranch   string          `json:"default_branch"`
	Archived        bool            `json:"archived"`
	Created         time.Time       `json:"created_at"`
	Updated         time.Time       `json:"updated_at"`
	ArchivedAt      time.Time       `json:"archived_at"`
	Permissions     *flags          `json:"permissions"`
	HasCode         bool            `json:"has_code"`
	HasIssues       bool            `json:"has_issues"`
	InternalTracker map[string]bool `json:"internal_tracker,omitempty"`
	HasWiki         bool            `json:"has_wiki"`
	HasPullRequests bool            `json:"has_pull_requests"`
	HasProjects     bool            `json:"has_projects"`
	ProjectsMode    string          `json:"projects_mode"`
	HasReleases     bool            `json:"has_releases"`
	HasPackages     bool            `json:"has_packages"`
	HasActions      bool            `json:"has_actions"`
	IgnoreSpace     bool            `json:"ignore_whitespace_conflicts"`
	AllowMerge      bool            `json:"allow_merge_commits"`
	AllowRebase     bool            `json:"allow_rebase"`
	AllowExplicit   bool            `json:"allow_rebase_explicit"`
	AllowSquash     bool            `json:"allow_squash_merge"`
	AllowFastOnly   bool            `json:"allow_fast_forward_only_merge"`
	AllowUpdate     bool            `json:"allow_rebase_update"`
	AllowManual     bool            `json:"allow_manual_merge"`
	DetectManual    bool            `json:"autodetect_manual_merge"`
	DeleteBranch    bool            `json:"default_delete_branch_after_merge"`
	DefaultMerge    string          `json:"default_merge_style"`
	MaintainerEdit  bool            `json:"default_allow_maintainer_edit"`
	AvatarURL       string          `json:"avatar_url"`
	Internal        bool            `json:"internal"`
	MirrorInterval  string          `json:"mirror_interval"`
	ObjectFormat    string          `json:"object_format_name"`
	MirrorUpdated   time.Time       `json:"mirror_updated"`
	Topics          []string        `json:"topics"`
	Licenses        []string        `json:"licenses"`
}

type wireActivity struct {
	ID        int64           `json:"id"`
	UserID    int64           `json:"user_id"`
	OpType    string          `json:"op_type"`
	ActUserID int64           `json:"act_user_id"`
	ActUser   wireUser        `json:"act_user"`
	RepoID    int64           `json:"repo_id"`
	Repo      json.RawMessage `json:"repo"`
	CommentID int64           `json:"comment_id"`
	Comment   *struct{}       `json:"comment"`
	RefName   string          `json:"ref_name"`
	IsPrivate bool            `json:"is_private"`
	Content   string          `json:"content"`
	Created   time.Time       `json:"created"`
}

// wireUser shows to others no more than Gitea does: whether somebody is an
// administrator, for instance, is shown only to administrators and to himself
// (services/convert/user.go); doer nil is the view of a webhook.
func (g *Gitea) wireUser(a, doer *account) wireUser {
	u := wireUser{
		ID: a.id, Login: a.login, Username: a.login,
		Email:      a.login + "@noreply.localhost",
		AvatarURL:  g.opt.RootURL + "/avatars/" + a.login,
		HTMLURL:    g.opt.RootURL + "/" + a.login,
		Created:    a.created.UTC().Truncate(time.Second),
		Restricted: a.restricted, Visibility: a.visibility,
	}
	if doer != nil && (doer.admin || doer == a) && !a.org {
		u.IsAdmin, u.Active, u.Language = a.admin, true, "en-US"
		u.LastLogin = u.Created
	}
	return u
}

func (g *Gitea) wireOrg(o *account) wireOrg {
	return wireOrg{ID: o.id, Name: o.login, Username: o.login, AvatarURL: g.opt.RootURL + "/avatars/" + o.login, Visibility: o.visibility}
}

// wireTeam: a team made by the present API says "none" and has its level in
// the units; owners say "owner" (measured).
func (g *Gitea) wireTeam(t *team, withOrg bool) wireTeam {
	units := []string{"repo.code", "repo.issues", "repo.pulls", "repo.releases", "repo.wiki", "repo.projects", "repo.packages", "repo.actions"}
	w := wireTeam{ID: t.id, Name: t.name, AllRepositories: t.all, Permission: "none", UnitsMap: map[string]string{}, CanCreateOrgRepo: t.owners}
	level := t.code.String()
	switch {
	case t.owners:
		w.Permission, level = "owner", "owner"
		units = append(units, "repo.ext_issues", "repo.ext_wiki")
	case t.mode == providers.Admin:
		w.Permission, level = "admin", "admin"
	case t.code == providers.None:
		units, level = []string{"repo.issues"}, "read"
	}
	w.Units = units
	for _, unit := range units {
		w.UnitsMap[unit] = level
	}
	if withOrg {
		o := g.wireOrg(t.org)
		w.Organization = &o
	}
	return w
}

func (g *Gitea) wireRepo(r *repo, p *flags) wireRepo {
	created := r.created.UTC().Truncate(time.Second)
	root, path := g.opt.RootURL, r.path()
	w := wireRepo{
		ID: r.id, Owner: g.wireUser(r.owner, nil), Name: r.name, FullName: path,
		Empty: r.empty, Private: r.private, Fork: r.parent != nil,
		LanguagesURL: root + "/api/v1/repos/" + path + "/languages", HTMLURL: root + "/" + path,
		URL:    root + "/api/v1/repos/" + path,
		SSHURL: "git@" + strings.TrimPrefix(strings.TrimPrefix(root, "http://"), "https://") + ":" + path + ".git", CloneURL: root + "/" + path + ".git",
		DefaultBranch: "main", Archived: r.archived, Created: created, Updated: created,
		ArchivedAt: time.Unix(0, 0).UTC(), Permissions: p,
		HasCode: true, HasIssues: true, InternalTracker: map[string]bool{"enable_time_tracker": true, "allow_only_contributors_to_track_time": true, "enable_issue_dependencies": true},
		HasWiki: true, HasPullRequests: true, HasProjects: true, ProjectsMode: "all", HasReleases: true, HasPackages: true,
		AllowMerge: true, AllowRebase: true, AllowExplicit: true, AllowSquash: true, AllowFastOnly: true, AllowUpdate: true, DefaultMerge: "merge",
		Internal:     !r.private && r.owner.visibility == "private",
		ObjectFormat: "sha1", Topics: r.contents.tagged(), Licenses: []string{},
	}
	if r.parent != nil {
		w.HasIssues, w.InternalTracker = false, nil // forks start without issues (measured)
		parent := g.wireRepo(r.parent, p)
		parent.Parent = nil
		w.Parent = &parent
	}
	return w
}

var permissionsGap = []byte(`"permissions":null`)

// render keeps r's JSON with a gap for the permissions, so that serving long
// lists costs no encoding. The caller holds g.mu.
func (g *Gitea) render(r *repo) {
	r.wire = bytes.Split(mustJSON(g.wireRepo(r, nil)), permissionsGap)
}

func (g *Gitea) renderAll() {
	for _, r := range g.repos {
		g.render(r)
	}
}

// jsonFor is r's JSON as u sees it. The parent of a fork has the permissions
// of the fork, as in Gitea.
func (g *Gitea) jsonFor(r *repo, u *account) json.RawMessage {
	return bytes.Join(r.wire, append([]byte(`"permissions":`), mustJSON(g.permissions(u, r))...))
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain structs come here
	}
	return b
}
