package providerstest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/hookd/hookd/providers"
)

// The wire types have the fields of GitHub that readers of it are known to use,
// in its own order.

type ghUser struct {
	Login     string `json:"login"`
	ID        int64  `json:"id"`
	NodeID    string `json:"node_id"`
	AvatarURL string `json:"avatar_url"`
	URL       string `json:"url"`
	HTMLURL   string `json:"html_url"`
	ReposURL  string `json:"repos_url"`
	Type      string `json:"type"`
	SiteAdmin bool   `json:"site_admin"`
}

// ghSelf is a user as GET /user and GET /users/{login} show him.
type ghSelf struct {
	ghUser
	Name    string    `json:"name"`
	Email   string    `json:"email"`
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
}

// ghCollaborator is a user beside his permission on the asked repository.
type ghCollaborator struct {
	ghUser
	Permissions ghFlags `json:"permissions"`
	RoleName    string  `json:"role_name"`
}

type ghOrg struct {
	Login       string  `json:"login"`
	ID          int64   `json:"id"`
	NodeID      string  `json:"node_id"`
	URL         string  `json:"url"`
	ReposURL    string  `json:"repos_url"`
	HooksURL    string  `json:"hooks_url"`
	MembersURL  string  `json:"members_url"`
	AvatarURL   string  `json:"avatar_url"`
	Description *string `json:"description"`
}

// ghOrgFull is what an owner sees of his organization.
type ghOrgFull struct {
	ghOrg
	Type         string    `json:"type"`
	PublicRepos  int       `json:"public_repos"`
	Created      time.Time `json:"created_at"`
	PrivateRepos *int      `json:"total_private_repos,omitempty"`
	BaseRole     *string   `json:"default_repository_permission,omitempty"`
}

type ghTeamJSON struct {
	Name       string      `json:"name"`
	ID         int64       `json:"id"`
	NodeID     string      `json:"node_id"`
	Slug       string      `json:"slug"`
	Desc       string      `json:"description"`
	Privacy    string      `json:"privacy"`
	URL        string      `json:"url"`
	HTMLURL    string      `json:"html_url"`
	MembersURL string      `json:"members_url"`
	ReposURL   string      `json:"repositories_url"`
	Permission string      `json:"permission"`
	Parent     *ghTeamJSON `json:"parent"`
}

type ghRepoJSON struct {
	ID            int64     `json:"id"`
	NodeID        string    `json:"node_id"`
	Name          string    `json:"name"`
	FullName      string    `json:"full_name"`
	Private       bool      `json:"private"`
	Owner         ghUser    `json:"owner"`
	HTMLURL       string    `json:"html_url"`
	Description   *string   `json:"description"`
	Fork          bool      `json:"fork"`
	URL           string    `json:"url"`
	TeamsURL      string    `json:"teams_url"`
	HooksURL      string    `json:"hooks_url"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
	PushedAt      time.Time `json:"pushed_at"`
	GitURL        string    `json:"git_url"`
	SSHURL        string    `json:"ssh_url"`
	CloneURL      string    `json:"clone_url"`
	Homepage      *string   `json:"homepage"`
	Size          int       `json:"size"`
	Stargazers    int       `json:"stargazers_count"`
	Language      *string   `json:"language"`
	HasIssues     bool      `json:"has_issues"`
	Forks         int       `json:"forks_count"`
	Archived      bool      `json:"archived"`
	Disabled      bool      `json:"disabled"`
	OpenIssues    int       `json:"open_issues_count"`
	AllowForking  bool      `json:"allow_forking"`
	IsTemplate    bool      `json:"is_template"`
	Topics        []string  `json:"topics"`
	Visibility    string    `json:"visibility"`
	DefaultBranch string    `json:"default_branch"`
	Permissions   *ghFlags  `json:"permissions"`
}

// ghFlags are a permission as REST shows it.
type ghFlags struct {
	Admin    bool `json:"admin"`
	Maintain bool `json:"maintain"`
	Push     bool `json:"push"`
	Triage   bool `json:"triage"`
	Pull     bool `json:"pull"`
}

func flagsOf(p providers.Permission) ghFlags {
	admin, write, read := p >= providers.Admin, p >= providers.Write, p >= providers.Read
	return ghFlags{Admin: admin, Maintain: admin, Push: write, Triage: write, Pull: read}
}

func nodeID(kind string, id int64) string { return kind + "_" + strconv.FormatInt(id, 10) }

func (g *GitHub) api(path string) string { return g.url + ghRoot + path }

func (g *GitHub) wireUser(a *ghAccount) ghUser {
	kind := "User"
	if a.org {
		kind = "Organization"
	}
	return ghUser{
		Login: a.login, ID: a.id, NodeID: nodeID(kind[:1], a.id), AvatarURL: g.url + "/avatars/u/" + strconv.FormatInt(a.id, 10),
		URL: g.api("/users/" + a.login), HTMLURL: g.url + "/" + a.login, ReposURL: g.api("/users/" + a.login + "/repos"), Type: kind,
	}
}

func (g *GitHub) wireSelf(a *ghAccount) ghSelf {
	at := a.created.UTC().Truncate(time.Second)
	return ghSelf{ghUser: g.wireUser(a), Name: a.login, Email: a.login + "@users.noreply.localhost", Created: at, Updated: at}
}

func (g *GitHub) wireOrg(o *ghAccount) ghOrg {
	return ghOrg{
		Login: o.login, ID: o.id, NodeID: nodeID("O", o.id), URL: g.api("/orgs/" + o.login), ReposURL: g.api("/orgs/" + o.login + "/repos"),
		HooksURL: g.api("/orgs/" + o.login + "/hooks"), MembersURL: g.api("/orgs/" + o.login + "/members{/member}"),
		AvatarURL: g.url + "/avatars/u/" + strconv.FormatInt(o.id, 10),
	}
}

func (g *GitHub) wireMembership(o, u *ghAccount) ghFields {
	role := "member"
	if o.members[u] {
		role = "admin"
	}
	return ghFields{
		"url": g.api("/orgs/" + o.login + "/memberships/" + u.login), "state": "active", "role": role,
		"organization_url": g.api("/orgs/" + o.login), "user": g.wireUser(u),
	}
}

// teamRoles are the words of a team's field "permission".
var teamRoles = map[providers.Permission]string{providers.None: "pull", providers.Read: "pull", providers.Write: "push", providers.Admin: "admin"}

func (g *GitHub) wireTeam(t *ghTeam) ghTeamJSON {
	base := g.api("/organizations/" + strconv.FormatInt(t.org.id, 10) + "/team/" + strconv.FormatInt(t.id, 10))
	w := ghTeamJSON{
		Name: t.name, ID: t.id, NodeID: nodeID("T", t.id), Slug: t.slug, Privacy: "closed", URL: base,
		HTMLURL: g.url + "/orgs/" + t.org.login + "/teams/" + t.slug, MembersURL: base + "/members{/member}", ReposURL: base + "/repos",
		Permission: teamRoles[t.permission],
	}
	if t.parent != nil {
		parent := g.wireTeam(t.parent)
		parent.Parent = nil
		w.Parent = &parent
	}
	return w
}

func (g *GitHub) wireRepo(r *ghRepo) ghRepoJSON {
	at := r.created.UTC().Truncate(time.Second)
	path := r.path()
	return ghRepoJSON{
		ID: r.id, NodeID: nodeID("R", r.id), Name: r.name, FullName: path, Private: r.visibility != providers.Public, Owner: g.wireUser(r.owner),
		HTMLURL: g.url + "/" + path, Fork: r.parent != nil, URL: g.api("/repos/" + path), TeamsURL: g.api("/repos/" + path + "/teams"), HooksURL: g.api("/repos/" + path + "/hooks"),
		CreatedAt: at, UpdatedAt: at, PushedAt: at, GitURL: "git:" + g.url[len("http:"):] + "/" + path + ".git", SSHURL: "git@localhost:" + path + ".git", CloneURL: g.url + "/" + path + ".git",
		HasIssues: true, Archived: r.archived, AllowForking: true, Topics: r.contents.tagged(), Visibility: string(r.visibility), DefaultBranch: "main",
	}
}

// render keeps r's JSON with a gap for the permissions, so that serving long
// lists costs no encoding. The caller holds g.mu.
func (g *GitHub) render(r *ghRepo) { r.wire = bytes.Split(mustJSON(g.wireRepo(r)), permissionsGap) }

// jsonFor is r's JSON with the given permission.
func (g *GitHub) jsonFor(r *ghRepo, p providers.Permission) json.RawMessage {
	return bytes.Join(r.wire, append([]byte(`"permissions":`), mustJSON(flagsOf(p))...))
}

// rawRepo is r's JSON as webhooks show it: without permissions.
func (g *GitHub) rawRepo(r *ghRepo) json.RawMessage {
	return bytes.Join(r.wire, []byte(`"custom_properties":{}`))
}
