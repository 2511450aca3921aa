package gitea

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

// UserAccess yields u's own list, as a CI server sees it, ordered by name. It
// costs one call for the login and one per 50 repositories.
func (f *Forge) UserAccess(ctx context.Context, u providers.User) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) { return f.userAccess(ctx, u) })
}

func (f *Forge) userAccess(ctx context.Context, u providers.User) ([]providers.Access, error) {
	login, err := f.loginOf(ctx, u)
	if err != nil {
		return nil, err
	}
	repos, err := f.userRepos(ctx, login)
	if err != nil {
		return nil, err
	}
	u.Login = login
	return convert(repos, func(r *sdk.Repository) providers.Access {
		return providers.Access{User: u, Repo: convertRepo(r), Permission: listedPermission(r.Permissions)}
	}), nil
}

// Count asks for the size of u's list. Gitea says it on every page. It costs one
// call, and two more for somebody who is not called u.Login any more.
func (f *Forge) Count(ctx context.Context, u providers.User) (int, error) {
	n, err := f.count(ctx, u.Login)
	if errors.Is(err, providers.ErrNotFound) && u.ID != "" {
		var login string
		if login, err = f.loginOf(ctx, u); err == nil {
			n, err = f.count(ctx, login)
		}
	}
	return n, wrap(err)
}

func (f *Forge) count(ctx context.Context, login string) (int, error) {
	op := "GET /user/repos?limit=1 as " + login
	repos, resp, err := f.client(ctx, login).ListMyRepos(sdk.ListReposOptions{ListOptions: sdk.ListOptions{Page: 1, PageSize: 1}})
	if err != nil {
		return 0, f.failed(ctx, op, err)
	}
	total, err := totalCount(resp)
	switch {
	case err != nil || total < 0:
		return 0, nonsense(op, "a list without a count")
	case len(repos) != min(total, 1):
		return 0, nonsense(op, fmt.Sprintf("%d repositories on a page of 1, %d announced", len(repos), total))
	case total > 1 && resp.NextPage != 2:
		// Drone follows the links alone: it would stop here and revoke the rest.
		return 0, nonsense(op, "a list that cannot be paged: no link to the next page")
	}
	return total, nil
}

// ScopeAccess yields exactly the repositories that s has now (a team's, or
// all of an organization's, or the one), each once, with what u lists it as:
// None if he does not. What s had once is not in it.
//
// The scope is read before u's list, so that a repository created in between
// is missing rather than wrongly None. It costs the pages of both lists; for a
// repository what Repo and RepoAccess cost, and a call more if he does not.
func (f *Forge) ScopeAccess(ctx context.Context, u providers.User, s providers.Subject) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		if s.Kind == providers.SubjectRepo {
			a, err := f.accessTo(ctx, u, s.ID)
			return []providers.Access{a}, err
		}
		scope, err := f.reach(ctx, s)
		if err != nil {
			return nil, err
		}
		own, err := f.userAccess(ctx, u)
		if err != nil {
			return nil, err
		}
		listed := make(map[string]providers.Access, len(own))
		for _, a := range own {
			listed[a.Repo.ID] = a
		}
		all := make([]providers.Access, len(scope))
		for i, r := range scope {
			a, ok := listed[text(r.ID)]
			if !ok {
				a = providers.Access{User: u, Repo: convertRepo(r)}
			}
			all[i] = a
		}
		return all, nil
	})
}

// accessTo is u's permission on one repository.
func (f *Forge) accessTo(ctx context.Context, u providers.User, id string) (providers.Access, error) {
	r, err := f.repo(ctx, id)
	if err != nil {
		return providers.Access{}, err
	}
	all, err := f.audience(ctx, r, nil)
	if err != nil {
		return providers.Access{}, err
	}
	for _, a := range all {
		if a.User.ID == u.ID {
			return a, nil
		}
	}
	return providers.Access{User: u, Repo: r}, f.without(ctx, u, r)
}

// without fails if Gitea, asked about u alone, grants him r: an audience without
// him was not whole then. What is not private anybody may read, and of a site
// administrator Gitea says that he administers everything: that tells nothing,
// and who is one has to be asked.
func (f *Forge) without(ctx context.Context, u providers.User, r providers.Repo) error {
	if u.Login == "" {
		return nil
	}
	p, err := f.collaboratorPermission(ctx, r, u)
	if errors.Is(err, providers.ErrNotFound) {
		return nil // nobody has his login
	}
	open := r.Visibility != providers.Private && p == providers.Read
	if err == nil && p == providers.Admin {
		site, err := f.siteAdmin(ctx, u)
		if err != nil || site {
			return err
		}
	}
	if err == nil && p > providers.None && !open {
		err = nonsense("GET /repos/"+r.Path+"/collaborators", u.Login+" is missing, who has "+p.String())
	}
	return err
}

// reach lists what a team or an organization has.
func (f *Forge) reach(ctx context.Context, s providers.Subject) ([]*sdk.Repository, error) {
	switch s.Kind {
	case providers.SubjectTeam:
		id, err := number(s.ID)
		if err != nil {
			return nil, err
		}
		return f.teamRepos(ctx, id)
	case providers.SubjectOrg:
		org, err := f.resolve(ctx, providers.Org{ID: s.ID, Name: s.Name})
		if err != nil {
			return nil, err
		}
		return f.orgRepos(ctx, org.Name)
	}
	return nil, fmt.Errorf("a %s reaches no repositories", s.Kind)
}

// Members yields the users of a team, ordered by name, or of an organization.
func (f *Forge) Members(ctx context.Context, s providers.Subject) iter.Seq2[providers.User, error] {
	return sequence(func() ([]providers.User, error) {
		switch s.Kind {
		case providers.SubjectTeam:
			id, err := number(s.ID)
			if err != nil {
				return nil, err
			}
			people, err := f.teamMembers(ctx, id)
			return convert(people, convertUser), err
		case providers.SubjectOrg:
			org, err := f.resolve(ctx, providers.Org{ID: s.ID, Name: s.Name})
			if err != nil {
				return nil, err
			}
			people, err := f.orgMembers(ctx, org.Name)
			return convert(people, convertUser), err
		}
		return nil, fmt.Errorf("a %s has no members", s.Kind)
	})
}

// Repos yields every repository of org, ordered by id. It costs one call for
// the organization's present name and one per 50 repositories.
func (f *Forge) Repos(ctx context.Context, org providers.Org) iter.Seq2[providers.Repo, error] {
	return sequence(func() ([]providers.Repo, error) {
		org, err := f.resolve(ctx, org)
		if err != nil {
			return nil, err
		}
		repos, err := f.orgRepos(ctx, org.Name)
		return convert(repos, convertRepo), err
	})
}

// Activity marks the newest page of org's feed: the rows about repositories
// coming or being named otherwise. Rows of a deleted repository vanish, and so
// change the mark too; a transfer shows in the new owner's feed only.
//
// Pushes are in the feed as well. Where they crowd the page, the mark follows
// the length of the feed: it then says that something changed when nothing did,
// rather than the opposite.
func (f *Forge) Activity(ctx context.Context, org providers.Org) (string, error) {
	op := fmt.Sprintf("GET /orgs/%s/activities/feeds", org.Name)
	rows, resp, err := f.client(ctx, "").ListOrgActivityFeeds(org.Name, sdk.ListOrgActivityFeedsOptions{ListOptions: sdk.ListOptions{Page: 1, PageSize: pageSize}})
	if err != nil {
		return "", wrap(f.failed(ctx, op, err))
	}
	total, err := totalCount(resp)
	if err != nil || total < len(rows) || rows == nil || (len(rows) == 0 && total > 0) {
		return "", wrap(nonsense(op, "a feed without a sound count"))
	}
	mark := fnv.New64a()
	found := false
	for _, row := range rows {
		if row == nil || row.ID <= 0 || (org.ID != "" && text(row.UserID) != org.ID) {
			return "", wrap(nonsense(op, "the feed of somebody else"))
		}
		switch row.OpType {
		case "create_repo", "rename_repo", "transfer_repo":
			found = true
			fmt.Fprintln(mark, row.ID)
		}
	}
	// Rows are ordered by whole seconds only: a page within one second may be
	// any of that second's.
	crowded := len(rows) > 0 && rows[0].Created.Equal(rows[len(rows)-1].Created)
	if total > len(rows) && (!found || crowded) {
		fmt.Fprintln(mark, total)
	}
	return strconv.FormatUint(mark.Sum64(), 36), nil
}

// siteAdmin reports whether u administers the site. Beside a permission Gitea
// does not say so.
func (f *Forge) siteAdmin(ctx context.Context, u providers.User) (bool, error) {
	found, _, err := f.client(ctx, "").GetUserInfo(u.Login)
	if err != nil {
		return false, f.failed(ctx, "GET /users/"+u.Login, err)
	}
	if text(found.ID) != u.ID {
		return false, nonsense("GET /users/"+u.Login, "somebody else")
	}
	return found.IsAdmin, nil
}
