package gitlab

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

func projectID(p *sdk.Project) int64 { return p.ID }

// What of a group's projects is listed.
const (
	owned   = false // those in it and its subgroups
	reached = true  // those it has a share of as well
)

// A view is whose eyes a list is read with: the token's own, which sees each
// project in full, or a user's, which sees the ids of those on which he has at
// least some level.
type view struct {
	user  string
	least sdk.AccessLevelValue
}

var own = view{}

// groupProjects lists projects of a group and its subgroups, ordered by id.
func (f *Forge) groupProjects(ctx context.Context, group int64, shared bool, v view) ([]*sdk.Project, error) {
	yes, by, sort := true, "id", "asc"
	opt := &sdk.ListGroupProjectsOptions{
		ListOptions: sdk.ListOptions{PerPage: pageSize}, IncludeSubGroups: &yes, WithShared: &shared, OrderBy: &by, Sort: &sort,
	}
	op := fmt.Sprintf("GET /groups/%d/projects", group)
	options := []sdk.RequestOptionFunc{sdk.WithContext(ctx)}
	if v != own {
		opt.MinAccessLevel, opt.Simple = &v.least, &yes
		op += " as user " + v.user
		options = append(options, sdk.WithSudo(v.user))
	}
	read := f.sharing.begin()
	projects, err := listing[sdk.Project]{
		f: f, op: op, id: projectID,
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Project, *sdk.Response, error) {
			return f.api.Groups.ListGroupProjects(group, opt, append(more, options...)...)
		},
	}.all(ctx)
	if err == nil && v == own { // a user sees those shares only whose groups he sees
		f.sharing.putProjects(read, projects...)
	}
	return projects, err
}

// Repos yields every project of org and its subgroups, ordered by id, archived
// ones included. It costs a call per 100. A group that is proven to be gone has
// none.
func (f *Forge) Repos(ctx context.Context, org providers.Org) iter.Seq2[providers.Repo, error] {
	return sequence(func() ([]providers.Repo, error) {
		id, err := f.groupID(ctx, org)
		if err != nil {
			return nil, err
		}
		projects, err := f.groupProjects(ctx, id, owned, own)
		if errors.Is(err, providers.ErrNotFound) && f.seesAll(ctx) == nil {
			return nil, nil // what was in it is asked for by id before anything is believed
		}
		if err != nil {
			return nil, err
		}
		return f.convertRepos(ctx, fmt.Sprintf("GET /groups/%d/projects", id), projects)
	})
}

// Activity marks the newest 100 projects of org: which they are and what they
// are called, and how many there are in all.
func (f *Forge) Activity(ctx context.Context, org providers.Org) (string, error) {
	id, err := f.groupID(ctx, org)
	if err != nil {
		return "", wrap(err)
	}
	op := fmt.Sprintf("GET /groups/%d/projects?sort=desc", id)
	yes, no, by, sort := true, false, "id", "desc"
	projects, resp, err := f.api.Groups.ListGroupProjects(id, &sdk.ListGroupProjectsOptions{
		ListOptions: sdk.ListOptions{PerPage: pageSize}, IncludeSubGroups: &yes, WithShared: &no, Simple: &yes, OrderBy: &by, Sort: &sort,
	}, sdk.WithContext(ctx))
	if err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	total, err := totalCount(resp)
	if err != nil || projects == nil || (total != uncounted && total < len(projects)) || (len(projects) == 0 && total != 0) {
		return "", wrap(nonsense(op, "a list without a sound count"))
	}
	mark := fnv.New64a()
	fmt.Fprintln(mark, total)
	for _, p := range projects {
		if p == nil || p.ID <= 0 {
			return "", wrap(nonsense(op, "a project without an id"))
		}
		fmt.Fprintln(mark, p.ID, p.PathWithNamespace)
	}
	return strconv.FormatUint(mark.Sum64(), 36), nil
}

// groupID is org's id, which costs a call where only the path is known.
func (f *Forge) groupID(ctx context.Context, org providers.Org) (int64, error) {
	if org.ID != "" {
		return number(org.ID)
	}
	g, err := f.group(ctx, org.Name)
	if err != nil {
		return 0, err
	}
	return g.ID, nil
}
