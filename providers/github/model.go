package github

import (
	"context"
	"fmt"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// The ids of what is no team on GitHub but stands as one in a model.
const (
	ownersTeam  = "owners"
	membersTeam = "members"
)

// Model reads who may reach what in org through owners, base permission and
// teams. GitHub grants a team each repository at a level of its own, so a team
// stands in the model once for each level it has; owners and, where there is a
// base permission, all members stand for teams too. Direct grants and roles over the
// organization are not in it, and neither is a base permission that the
// identity may not see: a model may grant less than GitHub, never more.
//
// It costs one call for the organization, one for the owners, one per 100
// members if there is a base permission, one per 100 teams, and for each team
// one per 100 members and one per 100 repositories.
func (f *Forge) Model(ctx context.Context, org providers.Org) (providers.Model, error) {
	m, err := f.model(ctx, org)
	if err != nil {
		return providers.Model{}, fmt.Errorf("github: teams of %s: %w", org.Name, err)
	}
	return m, nil
}

func (f *Forge) model(ctx context.Context, org providers.Org) (providers.Model, error) {
	o, err := f.resolve(ctx, org)
	if err != nil {
		return providers.Model{}, err
	}
	name := o.GetLogin()
	owners, err := f.orgMembers(ctx, name, "admin")
	if err != nil {
		return providers.Model{}, err
	}
	m := providers.Model{Org: convertOrg(o), Teams: []providers.TeamModel{{
		Team:       providers.Team{ID: ownersTeam, Name: teamName(name, ownersTeam)},
		Permission: providers.Admin, Owners: true, AllRepos: true,
		Members: convert(owners, convertUser),
	}}}
	// Without a base permission being a member grants nothing, and whoever left
	// his last team is in the model no more: that explains all he lost.
	if base := namedLevel(o.GetDefaultRepoPermission()); base > providers.None {
		members, err := f.orgMembers(ctx, name, "all")
		if err != nil {
			return providers.Model{}, err
		}
		m.Teams = append(m.Teams, providers.TeamModel{
			Team:       providers.Team{ID: membersTeam, Name: teamName(name, membersTeam)},
			Permission: base, AllRepos: true,
			Members: convert(members, convertUser),
		})
	}
	teams, err := f.orgTeams(ctx, name)
	if err != nil {
		return providers.Model{}, err
	}
	for _, t := range teams {
		people, err := f.teamMembers(ctx, name, t.GetSlug())
		if err != nil {
			return providers.Model{}, err
		}
		repos, err := f.teamRepos(ctx, name, t.GetSlug())
		if err != nil {
			return providers.Model{}, err
		}
		m.Teams = append(m.Teams, byLevel(name, t, convert(people, convertUser), repos)...)
	}
	return m, nil
}

// byLevel is a team as the model knows teams: one that reads, under the team's
// own id, and one for each higher level that it has somewhere.
func byLevel(org string, t *sdk.Team, members []providers.User, repos []*sdk.Repository) []providers.TeamModel {
	ids := map[providers.Permission][]string{}
	for _, r := range repos {
		p := level(r.Permissions, r.GetRoleName())
		ids[p] = append(ids[p], text(r.GetID()))
	}
	var all []providers.TeamModel
	for p := providers.Read; p <= providers.Admin; p++ {
		team := providers.Team{ID: text(t.GetID()), Name: teamName(org, t.GetSlug())}
		if p > providers.Read {
			if len(ids[p]) == 0 {
				continue
			}
			team.ID += ":" + p.String()
			team.Name += " (" + p.String() + ")"
		}
		all = append(all, providers.TeamModel{Team: team, Permission: p, Members: members, Repos: ids[p]})
	}
	return all
}
