package gitlab

import (
	"context"
	"fmt"
	"maps"
	"slices"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// Model reads the group and its subgroups as teams: who is in each, be it from
// above or from a group it is shared with, and which projects lie directly in
// it; and each group that single projects are shared with, as far as the
// shares go. As members of one group differ in what they may do, each makes up
// to three teams, one for each permission.
//
// It costs one call for the group, one per 100 subgroups, one per 100 projects,
// and one per 100 members of each subgroup and each such other group.
func (f *Forge) Model(ctx context.Context, org providers.Org) (providers.Model, error) {
	m, err := f.model(ctx, org)
	if err != nil {
		return providers.Model{}, fmt.Errorf("gitlab: groups of %s: %w", org.Name, err)
	}
	return m, nil
}

func (f *Forge) model(ctx context.Context, org providers.Org) (providers.Model, error) {
	root, err := f.group(ctx, gid(org))
	if err != nil {
		return providers.Model{}, err
	}
	below, err := f.descendants(ctx, root.ID)
	if err != nil {
		return providers.Model{}, err
	}
	groups := append([]*sdk.Group{root}, below...)
	f.tree.put(groups...)
	f.within(root, below)
	projects, err := f.groupProjects(ctx, root.ID, owned, own)
	if err != nil {
		return providers.Model{}, err
	}
	repos, shares := holdings(groups, projects)
	m := providers.Model{Org: convertGroup(root), Ends: shareEnds(projects)}
	rows, began := map[int64][]*member{}, map[int64]uint64{} // of groups that were read
	read := func(group int64) (err error) {
		began[group] = f.sharing.begin()
		rows[group], err = f.members(ctx, allIn(group))
		return err
	}
	for _, g := range groups {
		if err := read(g.ID); err != nil {
			return providers.Model{}, err
		}
		m.Teams = append(m.Teams, teams(team{id: text(g.ID), name: g.FullPath, cap: sdk.OwnerPermissions, repos: repos[g.ID]}, rows[g.ID])...)
	}
	m.Ends = append(m.Ends, memberEnds(rows)...)
	for _, s := range slices.SortedFunc(maps.Keys(shares), share.compare) {
		if _, ok := rows[s.group]; !ok {
			if err := read(s.group); err != nil {
				return providers.Model{}, err
			}
		}
		f.sharing.putGroup(began[s.group], s.group, rows[s.group])
		t := team{id: fmt.Sprintf("%d@%d", s.group, s.level), name: s.path + " (share)", cap: s.level, repos: shares[s]}
		m.Teams = append(m.Teams, teams(t, rows[s.group])...)
	}
	return m, nil
}

// within tells the set of organizations which groups lie in one of its own,
// as events about their members name them by id only.
func (f *Forge) within(root *sdk.Group, below []*sdk.Group) {
	if f.orgs == nil || !f.orgs.Is(convertGroup(root)) {
		return
	}
	ids := make([]string, len(below))
	for i, g := range below {
		ids[i] = text(g.ID)
	}
	f.orgs.Within(text(root.ID), ids...)
}

// holdings sorts projects by the group they lie in and by the shares of them. Those
// in a group that locks its shares grant nothing
// (lib/gitlab/project_authorizations.rb, share_with_group_lock).
func holdings(groups []*sdk.Group, projects []*sdk.Project) (repos map[int64][]string, shares map[share][]string) {
	repos, shares = map[int64][]string{}, map[share][]string{}
	locked := map[int64]bool{}
	for _, g := range groups {
		locked[g.ID] = g.ShareWithGroupLock
	}
	for _, p := range projects {
		id := text(p.ID)
		if p.Namespace != nil {
			repos[p.Namespace.ID] = append(repos[p.Namespace.ID], id)
			if locked[p.Namespace.ID] {
				continue
			}
		}
		for _, s := range sharesOf(p) {
			shares[s] = append(shares[s], id)
		}
	}
	return repos, shares
}

// A team is a group before its members are told apart.
type team struct {
	id, name string
	cap      sdk.AccessLevelValue // nobody has more through it
	repos    []string
}

// teams splits a group's members by what they may do.
func teams(t team, rows []*member) []providers.TeamModel {
	members := map[providers.Permission][]providers.User{}
	for _, m := range best(rows) {
		p := permission(min(m.AccessLevel, t.cap))
		members[p] = append(members[p], m.user())
	}
	var out []providers.TeamModel
	for _, p := range []providers.Permission{providers.Read, providers.Write, providers.Admin} {
		if len(members[p]) == 0 {
			continue
		}
		out = append(out, providers.TeamModel{
			Team:       providers.Team{ID: t.id + "/" + p.String(), Name: t.name + " (" + p.String() + ")"},
			Permission: p, Members: members[p], Repos: t.repos,
		})
	}
	return out
}
