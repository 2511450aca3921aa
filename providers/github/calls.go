package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

func (f *Forge) orgByName(ctx context.Context, name string) (*sdk.Organization, error) {
	op := "GET /orgs/" + name
	o, _, err := f.api.Organizations.Get(ctx, name)
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if o.GetID() <= 0 || o.GetLogin() == "" {
		return nil, nonsense(op, "an organization without an id")
	}
	return o, nil
}

// resolve finds an organization by its id. The name usually still fits; if it
// was renamed, or the name is another's now, the id is asked.
func (f *Forge) resolve(ctx context.Context, org providers.Org) (*sdk.Organization, error) {
	if org.Name != "" {
		found, err := f.orgByName(ctx, org.Name)
		if err == nil && (org.ID == "" || text(found.GetID()) == org.ID) {
			return found, nil
		}
		if err != nil && (org.ID == "" || !errors.Is(err, providers.ErrNotFound)) {
			return nil, err
		}
	}
	id, err := number(org.ID)
	if err != nil {
		return nil, err
	}
	op := "GET /organizations/" + org.ID
	o, _, err := f.api.Organizations.GetByID(ctx, id)
	if err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if o.GetID() != id || o.GetLogin() == "" {
		return nil, nonsense(op, "an answer about something else")
	}
	return o, nil
}

func (f *Forge) orgRepos(ctx context.Context, org string) ([]*sdk.Repository, error) {
	return listing[sdk.Repository]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/repos", org), id: (*sdk.Repository).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			// The oldest first, so that one created meanwhile moves nothing.
			return f.api.Repositories.ListByOrg(ctx, org, &sdk.RepositoryListByOrgOptions{Type: "all", Sort: "created", Direction: "asc", ListOptions: o})
		},
	}.all(ctx)
}

// orgMembers lists everybody, or only those who own the organization. Somebody
// always does, so an empty answer is not believed.
func (f *Forge) orgMembers(ctx context.Context, org, role string) ([]*sdk.User, error) {
	op := fmt.Sprintf("GET /orgs/%s/members?role=%s", org, role)
	people, err := listing[sdk.User]{
		f: f, op: op, id: (*sdk.User).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return f.api.Organizations.ListMembers(ctx, org, &sdk.ListMembersOptions{Role: role, ListOptions: o})
		},
	}.all(ctx)
	if err == nil && len(people) == 0 {
		return nil, nonsense(op, "an organization that nobody owns")
	}
	return people, err
}

func (f *Forge) orgTeams(ctx context.Context, org string) ([]*sdk.Team, error) {
	teams, err := listing[sdk.Team]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/teams", org), id: (*sdk.Team).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Team, *sdk.Response, error) {
			return f.api.Teams.ListTeams(ctx, org, &o)
		},
	}.all(ctx)
	for _, t := range teams {
		f.teams.Store(text(t.GetID()), teamName(org, t.GetSlug()))
	}
	return teams, err
}

// teamMembers includes the members of the teams below, as GitHub's list does.
func (f *Forge) teamMembers(ctx context.Context, org, slug string) ([]*sdk.User, error) {
	return listing[sdk.User]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/teams/%s/members", org, slug), id: (*sdk.User).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return f.api.Teams.ListTeamMembersBySlug(ctx, org, slug, &sdk.TeamListTeamMembersOptions{ListOptions: o})
		},
	}.all(ctx)
}

func (f *Forge) teamRepos(ctx context.Context, org, slug string) ([]*sdk.Repository, error) {
	return listing[sdk.Repository]{
		f: f, op: fmt.Sprintf("GET /orgs/%s/teams/%s/repos", org, slug), id: (*sdk.Repository).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			return f.api.Teams.ListTeamReposBySlug(ctx, org, slug, &o)
		},
	}.all(ctx)
}

// collaborators lists who reaches a repository: "all" by whatever way, "direct"
// by a grant of his own. A repository always has somebody who owns it.
func (f *Forge) collaborators(ctx context.Context, r providers.Repo, affiliation string) ([]*sdk.User, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	op := fmt.Sprintf("GET /repos/%s/collaborators?affiliation=%s", r.Path, affiliation)
	people, err := listing[sdk.User]{
		f: f, op: op, id: (*sdk.User).GetID,
		fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
			return f.api.Repositories.ListCollaborators(ctx, owner, name, &sdk.ListCollaboratorsOptions{Affiliation: affiliation, ListOptions: o})
		},
	}.all(ctx)
	if err == nil && affiliation == "all" && len(people) == 0 {
		return nil, nonsense(op, "a repository that nobody reaches")
	}
	return people, err
}

// permission asks GitHub for what it makes of all of login's grants on r. On
// what is not private it would answer "read" for anybody, so there the first
// question is whether r is among his.
func (f *Forge) permission(ctx context.Context, r providers.Repo, login string) (providers.Permission, error) {
	owner, name, _ := strings.Cut(r.Path, "/")
	op := fmt.Sprintf("GET /repos/%s/collaborators/%s", r.Path, login)
	if r.Visibility != providers.Private {
		// Not IsCollaborator: it takes any failure it does not know for a no.
		req, err := f.api.NewRequest(ctx, "GET", fmt.Sprintf("repos/%s/%s/collaborators/%s", owner, name, login), nil)
		if err != nil {
			return providers.None, err
		}
		if _, err := f.api.Do(req, nil); err != nil {
			err = f.failed(ctx, op, err)
			if errors.Is(err, providers.ErrNotFound) {
				return providers.None, nil
			}
			return providers.None, err
		}
	}
	p, _, err := f.api.Repositories.GetPermissionLevel(ctx, owner, name, login)
	if err != nil {
		return providers.None, f.failed(ctx, op+"/permission", err)
	}
	if p == nil || p.User.GetID() <= 0 {
		return providers.None, nonsense(op+"/permission", "a permission without a user")
	}
	return namedLevel(p.GetPermission()), nil
}

// user finds u by his present login; if that is another's by now, or nobody's,
// by his id.
func (f *Forge) user(ctx context.Context, u providers.User) (providers.User, error) {
	if u.Login != "" {
		found, err := f.userByLogin(ctx, u.Login)
		if err == nil && (u.ID == "" || found.ID == u.ID) {
			return found, nil
		}
		if err != nil && (u.ID == "" || !errors.Is(err, providers.ErrNotFound)) {
			return providers.User{}, err
		}
	}
	return f.userByID(ctx, u.ID)
}

// userByID asks for "a user using their ID" (docs.github.com/rest/users/users),
// which the description of Enterprise Server leaves out.
func (f *Forge) userByID(ctx context.Context, id string) (providers.User, error) {
	n, err := number(id)
	if err != nil {
		return providers.User{}, err
	}
	op := "GET /user/" + id
	found, _, err := f.api.Users.GetByID(ctx, n)
	if err != nil {
		return providers.User{}, f.failed(ctx, op, err)
	}
	if found.GetID() != n || found.GetLogin() == "" {
		return providers.User{}, nonsense(op, "an answer about somebody else")
	}
	return convertUser(found), nil
}

// userByLogin knows no user of a login that is an organization's.
func (f *Forge) userByLogin(ctx context.Context, login string) (providers.User, error) {
	op := "GET /users/" + login
	if login == "" {
		// The path would be that of the token's own user.
		return providers.User{}, fmt.Errorf("%q is no login", login)
	}
	u, _, err := f.api.Users.Get(ctx, login)
	switch {
	case err != nil:
		return providers.User{}, f.failed(ctx, op, err)
	case u.GetID() <= 0 || u.GetLogin() == "":
		return providers.User{}, nonsense(op, "a user without an id")
	case u.GetType() == "Organization":
		return providers.User{}, &providers.ForgeError{Op: op, Status: 200, Class: providers.ErrNotFound, Err: errors.New("it is an organization")}
	}
	return convertUser(u), nil
}
