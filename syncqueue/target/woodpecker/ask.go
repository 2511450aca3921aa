package woodpecker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// few is up to how many repositories are asked about one by one. Each costs
// Woodpecker one call to the forge, or two on GitLab, if the user has no row or
// an old one; a refresh costs one for each 50 of his repositories, and one more
// for each on GitLab.
const few = 20

// asked returns the repositories of one side of want that Woodpecker may know
// and does not list for the user.
func (v *view) asked(side []providers.Access) []providers.Repo {
	var repos []providers.Repo
	for _, a := range side {
		if _, shows := v.shown[a.Repo.ID]; !shows && !v.opens[a.Repo.ID] && v.concerns(a.Repo) {
			repos = append(repos, a.Repo)
		}
	}
	return repos
}

// ask asks for the user's permission on each of some repositories. Where he has
// no row, Woodpecker asks the forge and makes one; where he has one that is
// younger than an hour, it answers that; and whatever the forge says, it deletes
// none [server/router/middleware/session/repo.go]. So this can only add.
//
// failed reports that for one of them the forge did not answer Woodpecker with a
// permission: it denied it, or it could not be asked.
func (t *Target) ask(ctx context.Context, a actor, v *view, repos []providers.Repo) (failed bool, err error) {
	for _, r := range repos {
		p, err := t.permission(ctx, a, v, r)
		if err != nil {
			return failed, t.userError(ctx, a, err)
		}
		failed = failed || p.Synced == 0
		v.opens[r.ID] = p.Synced > 0 && p.Pull
	}
	return failed, nil
}

// permission asks about one repository: by Woodpecker's id, or, if the
// administrator's list does not tell that, by its name.
func (t *Target) permission(ctx context.Context, a actor, v *view, r providers.Repo) (perm, error) {
	known, ok := v.active[r.ID]
	if !ok {
		path, fit := escape(r.Path)
		if !fit {
			return perm{}, nil
		}
		err := t.get(ctx, "/api/repos/lookup/"+path, a.as(), &known)
		if unknown(err) || err == nil && (known.RemoteID != r.ID || !known.Active) {
			return perm{}, nil
		}
		if err != nil {
			return perm{}, err
		}
		v.active[r.ID] = known
	}
	var p perm
	err := t.get(ctx, "/api/repos/"+strconv.FormatInt(known.ID, 10)+"/permissions", a.as(), &p)
	if unknown(err) { // it went in between
		return perm{}, nil
	}
	return p, err
}

// escape makes a path of segments that a router does not read otherwise; fit is
// false if there is none.
func escape(path string) (escaped string, fit bool) {
	parts := strings.Split(path, "/")
	for i, s := range parts {
		if !transport.Segment(s) {
			return "", false
		}
		parts[i] = url.PathEscape(s)
	}
	return strings.Join(parts, "/"), true
}

// unknown reports whether Woodpecker knows no such repository, or does not let
// the user open it: it answers 404 to both.
func unknown(err error) bool {
	var p *transport.Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}
