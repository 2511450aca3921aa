package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// A share lets a group have some projects up to a level.
type share struct {
	group int64
	level sdk.AccessLevelValue
	path  string
}

func (s share) compare(o share) int {
	return cmp.Or(cmp.Compare(s.group, o.group), cmp.Compare(s.level, o.level), strings.Compare(s.path, o.path))
}

// sharesOf are the shares of a project that grant anything.
func sharesOf(p *sdk.Project) []share {
	var all []share
	for _, s := range p.SharedWithGroups {
		if level := sdk.AccessLevelValue(s.GroupAccessLevel); permission(level) != providers.None {
			all = append(all, share{group: s.GroupID, level: level, path: s.GroupFullPath})
		}
	}
	return all
}

// beyond are those who have a project because it is shared with a group that is
// shared with a group of theirs. GitLab leaves them out of the project's members,
// which are rows. Everybody else in the groups that it is shared with has a row, so
// these are read only until it is known who has not: from then on such people cost
// no more than the polls that read them anyway, and are as old as those.
func (f *Forge) beyond(ctx context.Context, project string, rows []*member) ([]*member, error) {
	id, err := number(project)
	if err != nil {
		return nil, err
	}
	listed := make(map[int64]bool, len(rows))
	for _, m := range rows {
		if m.AccessLevel == sdk.NoPermissions {
			return nil, nil // its shares are locked: they list people and grant nothing
		}
		listed[m.ID] = true
	}
	if left, told := f.sharing.recall(id, listed); told {
		return left, nil
	}
	p, err := f.project(ctx, project)
	if err != nil {
		return nil, err
	}
	var left []*member
	for _, s := range sharesOf(p) {
		read := f.sharing.begin()
		inside, err := f.members(ctx, allIn(s.group))
		if err != nil && !errors.Is(err, providers.ErrNotFound) && !errors.Is(err, providers.ErrForbidden) {
			return nil, err // else it is gone, or shows its people to its own
		}
		f.sharing.putGroup(read, s.group, inside)
		left = append(left, f.sharing.leftOut(s, listed)...)
	}
	return left, nil
}

// isBeyond asks the groups that a project is shared with for one user whom its
// members leave out; nil if there is nothing. It costs a call for each, and if he is
// in one of them another.
func (f *Forge) isBeyond(ctx context.Context, p *sdk.Project, u providers.User) (*member, error) {
	var rows []*member
	for _, s := range sharesOf(p) {
		m, err := f.member(ctx, allIn(s.group)+"/"+url.PathEscape(u.ID))
		if errors.Is(err, providers.ErrNotFound) || errors.Is(err, providers.ErrForbidden) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, m.upTo(s.level))
	}
	found := best(rows)
	if len(found) == 0 {
		return nil, nil
	}
	if p.Namespace != nil && p.Namespace.Kind != "user" {
		g, err := f.group(ctx, p.Namespace.ID)
		if err != nil || g.ShareWithGroupLock {
			return nil, err
		}
	}
	return found[0], nil
}

// allIn lists all who are in a group: its own members, those of the groups above,
// and the own members of the groups that it or one of those is shared with.
func allIn(group int64) string { return fmt.Sprintf("groups/%d/members/all", group) }

// upTo is the row of somebody whom a share lets have no more than level.
func (m *member) upTo(level sdk.AccessLevelValue) *member {
	out := *m
	out.AccessLevel = min(m.AccessLevel, level)
	return &out
}
