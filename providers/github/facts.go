package github

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// Facts reads what GitHub tells no webhook: the base permission and who owns
// the organization, which team lies below which, and who has a role over all
// repositories. The base permission shows to owners only, and roles only with
// the scope admin:org or an App's permission to read custom organization roles;
// what does not show is left out.
//
// It costs one call for the organization, one per 100 owners and teams, one for
// the roles, and one per 100 people of each role that grants something. All of
// them come with an ETag.
func (f *Forge) Facts(ctx context.Context, org providers.Org) ([]providers.Fact, error) {
	facts, err := f.facts(ctx, org)
	if err != nil {
		return nil, fmt.Errorf("github: what decides about access in %s: %w", org.Name, err)
	}
	return facts, nil
}

func (f *Forge) facts(ctx context.Context, org providers.Org) ([]providers.Fact, error) {
	o, err := f.resolve(ctx, org)
	if err != nil {
		return nil, err
	}
	name := o.GetLogin()
	facts := []providers.Fact{}
	if o.DefaultRepoPermission != nil {
		facts = append(facts, providers.Fact{
			ID: "base", Words: "the base permission", Value: namedLevel(o.GetDefaultRepoPermission()).String(),
			About: providers.Subject{Kind: providers.SubjectOrg, ID: text(o.GetID()), Name: name},
		})
	}
	owners, err := f.orgMembers(ctx, name, "admin")
	if err != nil {
		return nil, err
	}
	for _, u := range owners {
		facts = append(facts, about(u, "role", "his role in the organization", "owner"))
	}
	teams, err := f.orgTeams(ctx, name)
	if err != nil {
		return nil, err
	}
	for _, t := range teams {
		if t.Parent == nil {
			continue
		}
		facts = append(facts, providers.Fact{
			ID: "parent/" + text(t.GetID()), Words: "the parent of team " + t.GetSlug(), Value: "team " + t.Parent.GetSlug(),
			About: providers.Subject{Kind: providers.SubjectTeam, ID: text(t.GetID()), Name: teamName(name, t.GetSlug())},
		})
	}
	roles, err := f.roles(ctx, name)
	return append(facts, roles...), err
}

// roles reads who has a role over all repositories, himself or through a team.
func (f *Forge) roles(ctx context.Context, org string) ([]providers.Fact, error) {
	all, _, err := f.api.Organizations.ListRoles(ctx, org)
	if err != nil {
		err = f.failed(ctx, "GET /orgs/"+org+"/organization-roles", err)
		if errors.Is(err, providers.ErrForbidden) || errors.Is(err, providers.ErrNotFound) {
			return nil, nil // it is not for this identity, or an older Enterprise Server
		}
		return nil, err
	}
	var facts []providers.Fact
	for _, role := range all.CustomRepoRoles {
		if namedLevel(role.GetBaseRole()) == providers.None {
			continue
		}
		people, err := listing[sdk.User]{
			f: f, op: fmt.Sprintf("GET /orgs/%s/organization-roles/%d/users", org, role.GetID()), id: (*sdk.User).GetID,
			fetch: func(o sdk.ListOptions) ([]*sdk.User, *sdk.Response, error) {
				return f.api.Organizations.ListUsersAssignedToOrgRole(ctx, org, role.GetID(), &o)
			},
		}.all(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range people {
			facts = append(facts, about(u, "role/"+text(role.GetID()), "his role "+role.GetName(), namedLevel(role.GetBaseRole()).String()))
		}
	}
	return facts, nil
}

func about(u *sdk.User, id, words, value string) providers.Fact {
	return providers.Fact{
		ID: id + "/" + text(u.GetID()), Words: words, Value: value,
		About: providers.Subject{Kind: providers.SubjectUser, ID: text(u.GetID()), Name: u.GetLogin()},
	}
}
