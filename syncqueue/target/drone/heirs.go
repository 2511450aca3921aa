package drone

import (
	"context"
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// mostHeirs bounds how many people are asked to see one repository.
const mostHeirs = 5

// presentHeirs lets Drone learn who else administers what a user owns. It hands
// over only to whom it knows to, and finds that out when he opens the repository
// (source: handler/api/acl/repo.go), for a call of the forge. Where nobody can be
// found, nobody will own it.
func (t *Target) presentHeirs(ctx context.Context, login string, heirs func(context.Context, string) ([]string, error)) error {
	if t.cfg.AdminToken == "" || !transport.Segment(login) {
		return nil // it is about to fail anyway
	}
	who, err := t.accountOf(ctx, login)
	if err != nil || !who.Active {
		return err
	}
	all, err := t.ownership(ctx, login)
	if err != nil {
		return err
	}
	for slug, x := range all {
		if x.Owner != who.ID {
			continue
		}
		logins, err := heirs(ctx, x.UID)
		if err != nil {
			return err
		}
		// The administrator may have no token beside his own: he comes last.
		able := func(login string) bool { return t.act(login).missing == nil }
		slices.SortStableFunc(logins, func(a, b string) int {
			switch {
			case able(a) == able(b):
				return 0
			case able(a):
				return -1
			}
			return 1
		})
		r := providers.Repo{ID: x.UID, Path: slug}
		found := slices.ContainsFunc(logins[:min(len(logins), mostHeirs)], func(heir string) bool {
			return transport.Segment(heir) && t.presents(ctx, r, heir)
		})
		if !found {
			t.cfg.Log.Warn("nobody can be found to own a repository after somebody who left", "user", login, "repo", slug)
		}
	}
	return ctx.Err()
}

// presents lets one user open a repository, and reports whether Drone now knows
// that he administers it. His session may be renewed by that, so nothing else
// may act for him.
func (t *Target) presents(ctx context.Context, r providers.Repo, login string) bool {
	done, err := t.turns.Take(ctx, login)
	if err != nil {
		return false
	}
	defer done()
	a, who, err := t.administrator(ctx, login)
	if err != nil || !who.Active {
		return false
	}
	now, err := t.repository(ctx, r, a.as)
	return err == nil && now.Perms != nil && now.Perms.Admin
}
