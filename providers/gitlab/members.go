package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// member is one row of the members of a group or project. The client's types
// leave out whether the membership itself is active.
type member struct {
	ID              int64                `json:"id"`
	Username        string               `json:"username"`
	State           string               `json:"state"`            // of the user
	MembershipState string               `json:"membership_state"` // "active", or "awaiting" somebody's consent
	AccessLevel     sdk.AccessLevelValue `json:"access_level"`
	ExpiresAt       *sdk.ISOTime         `json:"expires_at"`
}

func (m *member) user() providers.User {
	return providers.User{ID: text(m.ID), Login: m.Username}
}

// active reports whether the row grants anything: to a user who is not blocked,
// banned or deactivated, by a membership that is consented to. One that has
// expired grants as long as there is a row: see until.
func (m *member) active() bool {
	return (m.State == "" || m.State == stateActive) &&
		(m.MembershipState == "" || m.MembershipState == stateActive)
}

// until is when the row will be gone, zero for never.
func (m *member) until() time.Time { return until(m.ExpiresAt) }

const stateActive = "active"

// members reads one list of members: path is "groups/7/members/all" or alike.
func (f *Forge) members(ctx context.Context, path string) ([]*member, error) {
	query := memberQuery{PerPage: pageSize, State: stateActive}
	return listing[member]{
		f: f, op: "GET /" + path, id: func(m *member) int64 { return m.ID }, repeats: true,
		fetch: func(more ...sdk.RequestOptionFunc) ([]*member, *sdk.Response, error) {
			var page []*member
			resp, err := f.get(ctx, path, query, &page, more...)
			return page, resp, err
		},
	}.all(ctx)
}

// member reads one row, as above.
func (f *Forge) member(ctx context.Context, path string) (*member, error) {
	var m *member
	if _, err := f.get(ctx, path, nil, &m); err != nil {
		return nil, f.failed(ctx, "GET /"+path, err)
	}
	if m == nil || m.ID <= 0 {
		return nil, nonsense("GET /"+path, "a member without an id")
	}
	return m, nil
}

type memberQuery struct {
	PerPage int    `url:"per_page"`
	State   string `url:"state"` // of the membership; GitLab's free edition knows no other
}

// get is a call for which the client has no type that fits. The query is a
// struct with url tags, or nil.
func (f *Forge) get(ctx context.Context, path string, query, v any, more ...sdk.RequestOptionFunc) (*sdk.Response, error) {
	req, err := f.api.NewRequest(http.MethodGet, path, query, append(more, sdk.WithContext(ctx)))
	if err != nil {
		return nil, err
	}
	return f.api.Do(req, v)
}

// RepoAccess yields everybody who has r among his projects, ordered by id: its
// members, direct, inherited from the groups it lies in, and through groups
// that it or one of those is shared with. GitLab computes their levels from
// the very table that their own lists come from. It costs a call per 100, and
// where its shares have people that it does not list (package comment), one and
// the pages of those groups until they are known.
func (f *Forge) RepoAccess(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		rows, err := f.membersOf(ctx, r, "/all")
		if err != nil {
			return nil, err
		}
		beyond, err := f.beyond(ctx, r.ID, rows)
		return accesses(r, append(rows, beyond...)), err
	})
}

// Collaborators yields the direct members of r, with what r alone grants them.
func (f *Forge) Collaborators(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		rows, err := f.membersOf(ctx, r, "")
		return accesses(r, rows), err
	})
}

func (f *Forge) membersOf(ctx context.Context, r providers.Repo, which string) ([]*member, error) {
	if _, err := number(r.ID); err != nil {
		return nil, err
	}
	return f.members(ctx, "projects/"+r.ID+"/members"+which)
}

func accesses(r providers.Repo, rows []*member) []providers.Access {
	best := best(rows)
	all := make([]providers.Access, 0, len(best))
	for _, m := range best {
		all = append(all, providers.Access{User: m.user(), Repo: r, Permission: permission(m.AccessLevel), Until: m.until()})
	}
	return all
}

// best keeps of each user the active row of the highest level, if it grants
// anything, ordered by id.
func best(rows []*member) []*member {
	byID := map[int64]*member{}
	for _, m := range rows {
		if !m.active() || permission(m.AccessLevel) == providers.None {
			continue
		}
		if had := byID[m.ID]; had == nil || m.AccessLevel > had.AccessLevel {
			byID[m.ID] = m
		}
	}
	all := make([]*member, 0, len(byID))
	for _, m := range byID {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *member) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// accessTo is u's permission on one project.
func (f *Forge) accessTo(ctx context.Context, u providers.User, id string) (providers.Access, error) {
	p, err := f.project(ctx, id)
	if err != nil {
		return providers.Access{}, err
	}
	r, err := f.convertRepo(ctx, "GET /projects/"+id, p)
	if err != nil {
		return providers.Access{}, err
	}
	a := providers.Access{User: u, Repo: r}
	m, err := f.member(ctx, "projects/"+id+"/members/all/"+url.PathEscape(u.ID))
	if errors.Is(err, providers.ErrNotFound) {
		// The project was there a moment ago: it is the membership that is not.
		m, err = f.isBeyond(ctx, p, u)
	}
	switch {
	case err != nil || m == nil:
		return a, err
	case text(m.ID) != u.ID:
		return a, nonsense("GET /projects/"+id+"/members/all/"+u.ID, "somebody else")
	}
	if m.active() {
		a.Permission, a.Until = permission(m.AccessLevel), m.until()
	}
	return a, nil
}

// Members yields the users of a group, ordered by id: for a team those whom it
// has itself; for an organization also those from groups above and shared with
// it, and those of its subgroups. It costs a call per 100 of each group.
func (f *Forge) Members(ctx context.Context, s providers.Subject) iter.Seq2[providers.User, error] {
	return sequence(func() ([]providers.User, error) {
		if s.Kind != providers.SubjectTeam && s.Kind != providers.SubjectOrg {
			return nil, fmt.Errorf("a %s has no members", s.Kind)
		}
		id, err := f.groupID(ctx, providers.Org{ID: s.ID, Name: s.Name})
		if err != nil {
			return nil, err
		}
		paths := []string{fmt.Sprintf("groups/%d/members", id)}
		if s.Kind == providers.SubjectOrg {
			below, err := f.descendants(ctx, id)
			if err != nil {
				return nil, err
			}
			paths[0] += "/all"
			for _, g := range below {
				paths = append(paths, fmt.Sprintf("groups/%d/members/all", g.ID))
			}
		}
		var rows []*member
		for _, path := range paths {
			some, err := f.members(ctx, path)
			if err != nil {
				return nil, err
			}
			rows = append(rows, some...)
		}
		best := best(rows)
		users := make([]providers.User, len(best))
		for i, m := range best {
			users[i] = m.user()
		}
		return users, nil
	})
}
