package gitea

import (
	"context"
	"fmt"
	"slices"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

// Model reads org's teams. It costs one call for the organization, one per 50
// teams, one for the members of each team, and one per 50 repositories of each
// team that does not have them all.
func (f *Forge) Model(ctx context.Context, org providers.Org) (providers.Model, error) {
	m, err := f.model(ctx, org)
	if err != nil {
		return providers.Model{}, fmt.Errorf("gitea: teams of %s: %w", org.Name, err)
	}
	return m, nil
}

func (f *Forge) model(ctx context.Context, org providers.Org) (providers.Model, error) {
	org, err := f.resolve(ctx, org)
	if err != nil {
		return providers.Model{}, err
	}
	teams, err := f.orgTeams(ctx, org.Name)
	if err != nil {
		return providers.Model{}, err
	}
	m := providers.Model{Org: org, Teams: make([]providers.TeamModel, 0, len(teams))}
	apart := map[string]bool{}
	for _, t := range teams {
		people, err := f.teamMembers(ctx, t.ID)
		if err != nil {
			return providers.Model{}, err
		}
		team := providers.TeamModel{
			Team:       providers.Team{ID: text(t.ID), Name: t.Name},
			Permission: teamPermission(t),
			Owners:     t.Permission == sdk.AccessModeOwner,
			AllRepos:   t.IncludesAllRepositories,
			Members:    convert(people, convertUser),
		}
		if !team.AllRepos {
			repos, err := f.teamRepos(ctx, t.ID)
			if err != nil {
				return providers.Model{}, err
			}
			team.Repos = convert(repos, func(r *sdk.Repository) string { return text(r.ID) })
		}
		m.Teams = append(m.Teams, team)
		for _, u := range people {
			id := text(u.ID)
			if apart[id] {
				continue
			}
			if u.IsAdmin {
				m.Admins = append(m.Admins, id)
			}
			if u.Restricted {
				m.Restricted = append(m.Restricted, id)
			}
			apart[id] = u.IsAdmin || u.Restricted
		}
	}
	slices.Sort(m.Admins)
	slices.Sort(m.Restricted)
	return m, nil
}
