package gitlab

import (
	"context"
	"errors"
	"fmt"
	"iter"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// ScopeAccess yields exactly the projects that s reaches now, each once, with
// what u has it as: None if he does not. A group reaches what is in it and its
// subgroups, and what it, or a group that was shared with it, has a share of.
//
// The scope is read before u's list, so that a project created in between is
// missing rather than wrongly None. It costs the pages of the scope, and those
// of u's part of it as for UserAccess; for a project two calls, and where he is not
// among its members one for each group that it is shared with.
func (f *Forge) ScopeAccess(ctx context.Context, u providers.User, s providers.Subject) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		switch s.Kind {
		case providers.SubjectRepo:
			a, err := f.accessTo(ctx, u, s.ID)
			return []providers.Access{a}, err
		case providers.SubjectTeam, providers.SubjectOrg:
			return f.groupAccess(ctx, u, providers.Org{ID: s.ID, Name: s.Name})
		}
		return nil, fmt.Errorf("a %s reaches no repositories", s.Kind)
	})
}

func (f *Forge) groupAccess(ctx context.Context, u providers.User, org providers.Org) ([]providers.Access, error) {
	g, err := f.group(ctx, gid(org))
	if err != nil {
		return nil, err
	}
	groups, err := f.sharedGroups(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	groups = append([]int64{g.ID}, groups...)
	u, active, err := f.account(ctx, u)
	if err != nil {
		return nil, err
	}
	var all []providers.Access
	seen := map[string]bool{}
	for _, id := range groups {
		scope, err := f.groupProjects(ctx, id, reached, own)
		if err != nil {
			return nil, err
		}
		repos, err := f.convertRepos(ctx, fmt.Sprintf("GET /groups/%d/projects", id), scope)
		if err != nil {
			return nil, err
		}
		var levels map[string]providers.Permission
		if active {
			if levels, _, err = f.ownLevels(ctx, u.ID, f.ownIn(id)); err != nil {
				return nil, err
			}
		}
		for _, r := range repos {
			if !seen[r.ID] {
				seen[r.ID] = true
				all = append(all, providers.Access{User: u, Repo: r, Permission: levels[r.ID]})
			}
		}
	}
	return all, nil
}

// ownIn filters what a group reaches. To somebody who has nothing in it a
// private group is not there: both were found a moment ago, so that is what a
// 404 says.
func (f *Forge) ownIn(group int64) filter {
	return func(ctx context.Context, userID string, least sdk.AccessLevelValue) ([]*sdk.Project, error) {
		projects, err := f.groupProjects(ctx, group, reached, view{user: userID, least: least})
		if errors.Is(err, providers.ErrNotFound) {
			return nil, nil
		}
		return projects, err
	}
}

// sharedGroups are those that gave this group a share of all they have. An
// older GitLab cannot list them; what is reached through them is then found by
// looking at the user as a whole.
func (f *Forge) sharedGroups(ctx context.Context, group int64) ([]int64, error) {
	groups, err := listing[sdk.Group]{
		f: f, op: fmt.Sprintf("GET /groups/%d/groups/shared", group), id: func(g *sdk.Group) int64 { return g.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Group, *sdk.Response, error) {
			return f.api.Groups.ListGroupsSharedWith(group, &sdk.ListGroupsSharedWithOptions{ListOptions: sdk.ListOptions{PerPage: pageSize}}, append(more, sdk.WithContext(ctx))...)
		},
	}.all(ctx)
	if errors.Is(err, errNoRoute) {
		return nil, nil
	}
	ids := make([]int64, len(groups))
	for i, g := range groups {
		ids[i] = g.ID
	}
	return ids, err
}
