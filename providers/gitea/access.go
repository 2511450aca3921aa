package gitea

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

// RepoAccess yields everybody who lists r, ordered by id. It costs a call for
// the repository's teams, one for the members of each (one answer whatever
// their number), one for the collaborators (per 50) and one for each of these;
// and one for the organization's members if r is Internal. r.Path must be
// current.
func (f *Forge) RepoAccess(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) { return f.audience(ctx, r, nil) })
}

// RepoAccessIn costs two calls, however many people and repositories the
// organization has: the teams and the collaborators of r are asked for, as no
// model knows a repository that was created after it was read, and who is in
// the teams comes from m. Each direct collaborator and each team that is
// younger than m costs one more.
func (f *Forge) RepoAccessIn(ctx context.Context, r providers.Repo, m providers.Model) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) { return f.audience(ctx, r, &m) })
}

// Collaborators yields the direct collaborators of r with their permissions.
// Gitea lists them without, so each costs a call of its own.
func (f *Forge) Collaborators(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		people, err := f.collaborators(ctx, r)
		if err != nil {
			return nil, err
		}
		all := make([]providers.Access, 0, len(people))
		for _, u := range people {
			p, err := f.collaboratorPermission(ctx, r, convertUser(u))
			if err != nil {
				return nil, err
			}
			all = append(all, providers.Access{User: convertUser(u), Repo: r, Permission: p})
		}
		return all, nil
	})
}

func (f *Forge) audience(ctx context.Context, r providers.Repo, m *providers.Model) ([]providers.Access, error) {
	a := audience{}
	teams, err := f.repoTeams(ctx, r)
	switch {
	case errors.Is(err, errPersonal):
		r.Org.Personal = true
		a.add(providers.User{ID: r.Org.ID, Login: r.Org.Name}, providers.Admin)
	case err != nil:
		return nil, err
	default:
		if err := f.addTeams(ctx, a, teams, m); err != nil {
			return nil, err
		}
		if r.Visibility == providers.Internal {
			if err := f.addMembers(ctx, a, r.Org, m); err != nil {
				return nil, err
			}
		}
	}
	if err := f.addCollaborators(ctx, a, r); err != nil {
		return nil, err
	}
	if m != nil {
		a.raise(m.Admins)
	}
	return a.access(r), nil
}

// addTeams adds the members of the teams that have the repository. Owners
// count whether or not their team is listed: Gitea grants them everything.
func (f *Forge) addTeams(ctx context.Context, a audience, teams []*sdk.Team, m *providers.Model) error {
	for _, t := range teams {
		if known := teamIn(m, text(t.ID)); known != nil {
			for _, u := range known.Members {
				a.add(u, teamPermission(t))
			}
			continue
		}
		people, err := f.teamMembers(ctx, t.ID)
		if err != nil {
			return err
		}
		for _, u := range people {
			a.addUser(u, teamPermission(t))
		}
	}
	if m != nil {
		for _, t := range m.Teams {
			if t.Owners {
				for _, u := range t.Members {
					a.add(u, providers.Admin)
				}
			}
		}
	}
	return nil
}

// addMembers adds those to whom a public repository of a private organization
// shows: everybody in it but restricted users.
func (f *Forge) addMembers(ctx context.Context, a audience, org providers.Org, m *providers.Model) error {
	if m != nil {
		for _, u := range m.Members() {
			if !slices.Contains(m.Restricted, u.ID) {
				a.add(u, providers.Read)
			}
		}
		return nil
	}
	people, err := f.orgMembers(ctx, org.Name)
	if err != nil {
		return err
	}
	for _, u := range people {
		if !u.Restricted {
			a.addUser(u, providers.Read)
		}
	}
	return nil
}

func (f *Forge) addCollaborators(ctx context.Context, a audience, r providers.Repo) error {
	people, err := f.collaborators(ctx, r)
	if err != nil {
		return err
	}
	for _, u := range people {
		if a[text(u.ID)].Permission == providers.Admin {
			continue
		}
		p, err := f.collaboratorPermission(ctx, r, convertUser(u))
		if err != nil {
			return err
		}
		if p == providers.None {
			continue // removed since the list was read
		}
		// A reader of what is not private need not list it. Of a site
		// administrator Gitea does not tell what he was granted.
		if _, already := a[text(u.ID)]; !already && (p == providers.Read || u.IsAdmin) && r.Visibility != providers.Private {
			ok, err := f.listed(ctx, convertUser(u), r)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		a.addUser(u, p)
	}
	return nil
}

// listed reports whether r is in u's own list, by a search whose condition is
// that of GET /user/repos.
func (f *Forge) listed(ctx context.Context, u providers.User, r providers.Repo) (bool, error) {
	_, name, _ := strings.Cut(r.Path, "/")
	c := f.client(ctx, u.Login)
	found, err := list[sdk.Repository]{
		f: f, op: "GET /repos/search?q=" + name, id: repoID,
		fetch: func(o sdk.ListOptions) ([]*sdk.Repository, *sdk.Response, error) {
			q := url.Values{"uid": {u.ID}, "q": {name}, "page": {strconv.Itoa(o.Page)}, "limit": {strconv.Itoa(o.PageSize)}}
			return c.SearchRepos(sdk.SearchRepoOptions{RawQuery: q.Encode()})
		},
	}.all(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(found, func(x *sdk.Repository) bool { return text(x.ID) == r.ID }), nil
}

func teamIn(m *providers.Model, id string) *providers.TeamModel {
	if m == nil {
		return nil
	}
	for i := range m.Teams {
		if m.Teams[i].ID == id {
			return &m.Teams[i]
		}
	}
	return nil
}

// audience is who lists a repository, by user id, with the best permission.
type audience map[string]providers.Access

func (a audience) add(u providers.User, p providers.Permission) {
	a[u.ID] = providers.Access{User: u, Permission: max(p, a[u.ID].Permission)}
}

func (a audience) addUser(u *sdk.User, p providers.Permission) {
	if u.IsAdmin {
		p = providers.Admin
	}
	a.add(convertUser(u), p)
}

// raise gives site administrators the permission that Gitea shows for them.
func (a audience) raise(admins []string) {
	for _, id := range admins {
		if x, ok := a[id]; ok {
			a.add(x.User, providers.Admin)
		}
	}
}

func (a audience) access(r providers.Repo) []providers.Access {
	all := make([]providers.Access, 0, len(a))
	for _, x := range a {
		x.Repo = r
		all = append(all, x)
	}
	slices.SortFunc(all, func(x, y providers.Access) int {
		return cmp.Or(cmp.Compare(len(x.User.ID), len(y.User.ID)), cmp.Compare(x.User.ID, y.User.ID))
	})
	return all
}
