package gitlab

import (
	"context"
	"fmt"
	"iter"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

func convertGroup(g *sdk.Group) providers.Org {
	return providers.Org{ID: text(g.ID), Name: g.FullPath}
}

// gid is how a group is asked for: by its id, which renaming does not change,
// else by its full path.
func gid(org providers.Org) any {
	if n, err := number(org.ID); err == nil {
		return n
	}
	return org.Name
}

// Org finds a group by its full path.
func (f *Forge) Org(ctx context.Context, name string) (providers.Org, error) {
	g, err := f.group(ctx, name)
	if err != nil {
		return providers.Org{}, wrap(err)
	}
	return convertGroup(g), nil
}

// groupQuery leaves out the group's projects, 100 of which would come along.
type groupQuery struct {
	WithProjects bool `url:"with_projects"`
}

// group asks by id or full path.
func (f *Forge) group(ctx context.Context, id any) (*sdk.Group, error) {
	op := fmt.Sprintf("GET /groups/%v", id)
	var g *sdk.Group
	if _, err := f.get(ctx, "groups/"+sdk.PathEscape(fmt.Sprint(id)), groupQuery{}, &g); err != nil {
		return nil, f.failed(ctx, op, err)
	}
	if n, byID := id.(int64); g == nil || g.ID <= 0 || g.FullPath == "" || (byID && g.ID != n) {
		return nil, nonsense(op, "an answer about something else")
	}
	return g, nil
}

// Orgs lists the top-level groups of the instance.
func (f *Forge) Orgs(ctx context.Context) iter.Seq2[providers.Org, error] {
	return sequence(func() ([]providers.Org, error) {
		yes, by, sort := true, "id", "asc"
		groups, err := listing[sdk.Group]{
			f: f, op: "GET /groups", id: func(g *sdk.Group) int64 { return g.ID },
			fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Group, *sdk.Response, error) {
				return f.api.Groups.ListGroups(&sdk.ListGroupsOptions{
					ListOptions: sdk.ListOptions{PerPage: pageSize}, AllAvailable: &yes, TopLevelOnly: &yes, OrderBy: &by, Sort: &sort,
				}, append(more, sdk.WithContext(ctx))...)
			},
		}.all(ctx)
		orgs := make([]providers.Org, len(groups))
		for i, g := range groups {
			orgs[i] = convertGroup(g)
		}
		return orgs, err
	})
}

// descendants are the subgroups of a group at any depth.
func (f *Forge) descendants(ctx context.Context, id int64) ([]*sdk.Group, error) {
	yes, by, sort := true, "id", "asc"
	return listing[sdk.Group]{
		f: f, op: fmt.Sprintf("GET /groups/%d/descendant_groups", id), id: func(g *sdk.Group) int64 { return g.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*sdk.Group, *sdk.Response, error) {
			return f.api.Groups.ListDescendantGroups(id, &sdk.ListDescendantGroupsOptions{
				ListOptions: sdk.ListOptions{PerPage: pageSize}, AllAvailable: &yes, OrderBy: &by, Sort: &sort,
			}, append(more, sdk.WithContext(ctx))...)
		},
	}.all(ctx)
}
