package gitlab

import (
	"context"
	"errors"
	"fmt"
	"iter"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// UserAccess yields u's own list, as a CI server sees it, ordered by id.
//
// It is read with Sudo, three times: all of it, what he may write, and what he
// administers, as the filter by level is exact. The permissions that GitLab
// shows in a list are not: they leave out what comes from a group above or a
// share. (The alternative, /users/:id/memberships, has direct memberships
// only.) It costs a call for the user, one per 100 projects, and two calls per
// 100 of those he may write or administer.
//
// Who is blocked, banned or deactivated has nothing.
func (f *Forge) UserAccess(ctx context.Context, u providers.User) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		u, active, err := f.account(ctx, u)
		if err != nil || !active {
			return nil, err
		}
		levels, projects, err := f.ownLevels(ctx, u.ID, f.ownProjects)
		if err != nil {
			return nil, err
		}
		op := "GET /projects?membership=true as user " + u.ID
		repos, err := f.convertRepos(ctx, op, projects)
		if err != nil {
			return nil, err
		}
		all := make([]providers.Access, len(repos))
		for i, r := range repos {
			all[i] = providers.Access{User: u, Repo: r, Permission: levels[r.ID]}
		}
		return all, nil
	})
}

// account finds u under his present login and tells whether he may sign in.
func (f *Forge) account(ctx context.Context, u providers.User) (providers.User, bool, error) {
	if u.ID == "" {
		found, err := f.User(ctx, u.Login)
		if err != nil {
			return u, false, errors.Unwrap(err) // it is wrapped again on its way out
		}
		u = found
	}
	now, err := f.user(ctx, u.ID)
	if err != nil {
		return u, false, err
	}
	return convertUser(now), now.State == stateActive, nil
}

// A filter lists the projects on which a user has at least the given level.
// Below the level of a writer it lists them in full, else only by id and path.
type filter func(ctx context.Context, userID string, least sdk.AccessLevelValue) ([]*sdk.Project, error)

// ownLevels reads what the filter lists for u, with his permission on each. A
// project that came meanwhile is left out, one whose level rose has the new.
func (f *Forge) ownLevels(ctx context.Context, userID string, filter filter) (map[string]providers.Permission, []*sdk.Project, error) {
	listed, err := filter(ctx, userID, sdk.GuestPermissions)
	if err != nil {
		return nil, nil, err
	}
	levels := make(map[string]providers.Permission, len(listed))
	for _, p := range listed {
		levels[text(p.ID)] = providers.Read
	}
	left := len(listed)
	for _, least := range []sdk.AccessLevelValue{sdk.DeveloperPermissions, sdk.MaintainerPermissions} {
		if left == 0 {
			break // nobody administers what he may not write
		}
		some, err := filter(ctx, userID, least)
		if err != nil {
			return nil, nil, err
		}
		left = len(some)
		for _, p := range some {
			if _, ok := levels[text(p.ID)]; ok {
				levels[text(p.ID)] = permission(least)
			}
		}
	}
	return levels, listed, nil
}

func (f *Forge) ownProjects(ctx context.Context, userID string, least sdk.AccessLevelValue) ([]*sdk.Project, error) {
	yes, by, sort := true, "id", "asc"
	opt := &sdk.ListProjectsOptions{ListOptions: sdk.ListOptions{PerPage: pageSize}, Membership: &yes, OrderBy: &by, Sort: &sort}
	if least >= sdk.DeveloperPermissions {
		opt.MinAccessLevel, opt.Simple = &least, &yes
	}
	return listing[sdk.Project]{
		f: f, op: fmt.Sprintf("GET /projects?membership=true as user %s", userID), id: projectID,
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Project, *sdk.Response, error) {
			return f.api.Projects.ListProjects(opt, append(more, sdk.WithContext(ctx), sdk.WithSudo(userID))...)
		},
	}.all(ctx)
}

// Count asks for the size of u's list, and before that whether he is blocked,
// which the list does not show. GitLab says the size on every page, but above
// 10,000: then they are counted, at a call per 100.
func (f *Forge) Count(ctx context.Context, u providers.User) (int, error) {
	u, active, err := f.account(ctx, u)
	if err != nil || !active {
		return 0, wrap(err)
	}
	op := "GET /projects?membership=true&per_page=1 as user " + u.ID
	yes := true
	opt := &sdk.ListProjectsOptions{ListOptions: sdk.ListOptions{PerPage: 1}, Membership: &yes, Simple: &yes}
	projects, resp, err := f.api.Projects.ListProjects(opt, sdk.WithContext(ctx), sdk.WithSudo(u.ID))
	if err != nil {
		return 0, wrap(f.failed(ctx, op, err))
	}
	total, err := totalCount(resp)
	switch {
	case err != nil:
		return 0, wrap(nonsense(op, err.Error()))
	case projects == nil || (total == uncounted && resp.NextPage == 0):
		return 0, wrap(nonsense(op, "a list without a count"))
	case total == uncounted:
		all, err := f.ownProjects(ctx, u.ID, sdk.GuestPermissions)
		return len(all), wrap(err)
	case len(projects) != min(total, 1):
		return 0, wrap(nonsense(op, fmt.Sprintf("%d projects on a page of 1, %d announced", len(projects), total)))
	case total > 1 && resp.NextPage != 2:
		// A CI server follows the pages alone: it would stop here and revoke the rest.
		return 0, wrap(nonsense(op, "a list that cannot be paged: no next page"))
	}
	return total, nil
}
