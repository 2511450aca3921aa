package github

import (
	"context"
	"errors"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// inOrg returns what u reaches each repository of org with, None included.
func (f *Forge) inOrg(ctx context.Context, u providers.User, org string) ([]providers.Access, error) {
	all, err := f.graphPages(ctx, u, inOrgQuery, map[string]any{"org": org}, func(o *graphOrg) (*graphRepos, error) { return o.Repositories, nil })
	if !errors.Is(err, errNoGraphQL) {
		return all, err
	}
	repos, err := f.orgRepos(ctx, org)
	if err != nil {
		return nil, err
	}
	return f.oneByOne(ctx, u, repos)
}

// inTeam does the same for what a team has, which is what the teams above it
// have too, whether or not GitHub's list of its repositories says so.
func (f *Forge) inTeam(ctx context.Context, u providers.User, org, slug string) ([]providers.Access, error) {
	var all []providers.Access
	seen, above := map[string]bool{}, map[string]bool{}
	for slug != "" && !above[slug] {
		above[slug] = true
		parent := ""
		part, err := f.graphPages(ctx, u, inTeamQuery, map[string]any{"org": org, "team": slug}, func(o *graphOrg) (*graphRepos, error) {
			if o.Team == nil {
				return nil, &providers.ForgeError{Op: "POST /graphql TeamAccess", Status: 200, Class: providers.ErrUnavailable, Err: errors.New("the team went meanwhile")}
			}
			if o.Team.ParentTeam != nil {
				parent = o.Team.ParentTeam.Slug
			}
			return o.Team.Repositories, nil
		})
		if errors.Is(err, errNoGraphQL) {
			part, parent, err = f.inTeamByREST(ctx, u, org, slug)
		}
		if err != nil {
			return nil, err
		}
		for _, a := range part {
			if !seen[a.Repo.ID] {
				seen[a.Repo.ID] = true
				all = append(all, a)
			}
		}
		slug = parent
	}
	return all, nil
}

func (f *Forge) inTeamByREST(ctx context.Context, u providers.User, org, slug string) (part []providers.Access, parent string, err error) {
	t, _, err := f.api.Teams.GetTeamBySlug(ctx, org, slug)
	if err != nil {
		return nil, "", f.failed(ctx, "GET /orgs/"+org+"/teams/"+slug, err)
	}
	repos, err := f.teamRepos(ctx, org, slug)
	if err != nil {
		return nil, "", err
	}
	part, err = f.oneByOne(ctx, u, repos)
	return part, t.GetParent().GetSlug(), err
}

// oneByOne asks about each repository by itself, one call for a private one and
// up to two for another.
func (f *Forge) oneByOne(ctx context.Context, u providers.User, repos []*sdk.Repository) ([]providers.Access, error) {
	all := make([]providers.Access, len(repos))
	for i, r := range repos {
		repo := convertRepo(r)
		p, err := f.permission(ctx, repo, u.Login)
		if err != nil {
			return nil, err
		}
		all[i] = providers.Access{User: u, Repo: repo, Permission: p}
	}
	return all, nil
}
