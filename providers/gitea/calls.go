package gitea

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

func repoID(r *sdk.Repository) int64 { return r.ID }
func userID(u *sdk.User) int64       { return u.ID }

// repoTeams asks which teams have r. The answer is not paged and has no count;
// it names the owners' team at least, so an empty one is not believed. For a
// user's repository the error is errPersonal.
func (f *Forge) repoTeams(ctx context.Context, r providers.Repo) ([]*sdk.Team, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	op := fmt.Sprintf("GET /repos/%s/%s/teams", owner, name)
	teams, _, err := f.client(ctx, "").GetRepoTeams(owner, name)
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if len(teams) == 0 {
		return nil, nonsense(op, "a repository of an organization without its owners' team")
	}
	for _, t := range teams {
		if t == nil || t.ID <= 0 {
			return nil, nonsense(op, "a team without an id")
		}
	}
	return teams, nil
}

func (f *Forge) orgTeams(ctx context.Context, org string) ([]*sdk.Team, error) {
	c := f.client(ctx, "")
	return list[sdk.Team]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/teams", org), id: func(t *sdk.Team) int64 { return t.ID },
		fetch: func(o sdk.ListOptions) ([]*sdk.Team, *sdk.Response, error) {
			return c.ListOrgTeams(org, sdk.ListTeamsOptions{ListOptions: o})
		},
	}.all(ctx)
}

func (f *Forge) teamMembers(ctx context.Context, team int64) ([]*sdk.User, error) {
	c := f.client(ctx, "")
	return list[sdk.User]{
		f: f, op: fmt.Sprintf("GET /teams/%d/members", team), id: userID, cached: true, whole: true,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return c.ListTeamMembers(team, sdk.ListTeamMembersOptions{ListOptions: o})
		},
	}.all(ctx)
}

// teamRepos goes by pages: asked for everything at once, Gitea turns page 0
// into a negative offset, which not every database takes.
func (f *Forge) teamRepos(ctx context.Context, team int64) ([]*sdk.Repository, error) {
	c := f.client(ctx, "")
	return list[sdk.Repository]{
		f: f, op: fmt.Sprintf("GET /teams/%d/repos", team), id: repoID, cached: true,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			return c.ListTeamRepositories(team, sdk.ListTeamRepositoriesOptions{ListOptions: o})
		},
	}.all(ctx)
}

func (f *Forge) orgMembers(ctx context.Context, org string) ([]*sdk.User, error) {
	c := f.client(ctx, "")
	return list[sdk.User]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/members", org), id: userID,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return c.ListOrgMembership(org, sdk.ListOrgMembershipOption{ListOptions: o})
		},
	}.all(ctx)
}

func (f *Forge) orgRepos(ctx context.Context, org string) ([]*sdk.Repository, error) {
	c := f.client(ctx, "")
	return list[sdk.Repository]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/repos", org), id: repoID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			return c.ListOrgRepos(org, sdk.ListOrgReposOptions{ListOptions: o})
		},
	}.all(ctx)
}

// userRepos reads the list that a CI server sees when it asks as login.
func (f *Forge) userRepos(ctx context.Context, login string) ([]*sdk.Repository, error) {
	c := f.client(ctx, login)
	return list[sdk.Repository]{
		f: f, op: "GET /user/repos as " + login, id: repoID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			return c.ListMyRepos(sdk.ListReposOptions{ListOptions: o})
		},
	}.all(ctx)
}

func (f *Forge) collaborators(ctx context.Context, r providers.Repo) ([]*sdk.User, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	c := f.client(ctx, "")
	return list[sdk.User]{
		f: f, op: fmt.Sprintf("GET /repos/%s/%s/collaborators", owner, name), id: userID,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return c.ListCollaborators(owner, name, sdk.ListCollaboratorsOptions{ListOptions: o})
		},
	}.all(ctx)
}

// collaboratorPermission is exact for direct collaborators; of team members
// Gitea answers "none" there.
func (f *Forge) collaboratorPermission(ctx context.Context, r providers.Repo, u providers.User) (providers.Permission, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	op := fmt.Sprintf("GET /repos/%s/%s/collaborators/%s/permission", owner, name, u.Login)
	p, _, err := f.client(ctx, "").CollaboratorPermission(owner, name, u.Login)
	if err != nil {
		return providers.None, f.failed(ctx, op, err)
	}
	if p == nil || p.User == nil || p.User.ID <= 0 {
		return providers.None, nonsense(op, "a permission without a user")
	}
	if text(p.User.ID) != u.ID {
		return providers.None, nil // somebody else has his login by now
	}
	return modePermission(p.Permission), nil
}

// loginOf finds the name under which u's list can be asked for, by his id, as
// a login may have been changed, or be another's by now.
func (f *Forge) loginOf(ctx context.Context, u providers.User) (string, error) {
	if u.ID == "" {
		return u.Login, nil
	}
	now, err := f.userByID(ctx, u.ID)
	return now.Login, err
}

// userByID searches, as no other call of Gitea's takes the id of a user
// (routers/api/v1/user/user.go, Search).
func (f *Forge) userByID(ctx context.Context, id string) (providers.User, error) {
	op := "GET /users/search?uid=" + id
	n, err := number(id)
	if err != nil {
		return providers.User{}, err
	}
	found, resp, err := f.client(ctx, "").SearchUsers(sdk.SearchUsersOption{UID: n, ListOptions: sdk.ListOptions{Page: 1, PageSize: 1}})
	if err != nil {
		return providers.User{}, f.failed(ctx, op, err)
	}
	total, err := totalCount(resp)
	switch {
	case err != nil:
		return providers.User{}, nonsense(op, err.Error())
	case total == 0 && found != nil && len(found) == 0:
		return providers.User{}, &providers.ForgeError{Op: op, Status: http.StatusOK, Class: providers.ErrNotFound}
	case len(found) != 1 || (total != 1 && total != uncounted):
		return providers.User{}, nonsense(op, fmt.Sprintf("%d found, %d announced", len(found), total))
	case found[0] == nil || found[0].ID != n || found[0].UserName == "":
		return providers.User{}, nonsense(op, "somebody else")
	}
	return convertUser(found[0]), nil
}
