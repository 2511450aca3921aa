package github

import (
	"context"
	"iter"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// RepoAccess yields everybody who reaches r, with what GitHub makes of all of
// his grants. It costs one call per 100 people. r.Path must be current.
func (f *Forge) RepoAccess(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) { return f.audience(ctx, r, "all") })
}

// Collaborators yields those to whom r was granted directly, members of the
// organization and others. It costs one call per 100 people.
func (f *Forge) Collaborators(ctx context.Context, r providers.Repo) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) { return f.audience(ctx, r, "direct") })
}

func (f *Forge) audience(ctx context.Context, r providers.Repo, affiliation string) ([]providers.Access, error) {
	people, err := f.collaborators(ctx, r, affiliation)
	return convert(people, func(u *sdk.User) providers.Access {
		return providers.Access{User: convertUser(u), Repo: r, Permission: level(u.Permissions, u.GetRoleName())}
	}), err
}

// UserAccess yields what u reaches in the organizations that the identity
// belongs to; what belongs to users is not in it, as no token of an
// organization sees that. It costs a call for the login, one for the
// organizations, and one per 100 repositories of each.
func (f *Forge) UserAccess(ctx context.Context, u providers.User) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		u, err := f.user(ctx, u)
		if err != nil {
			return nil, err
		}
		orgs, err := f.orgs(ctx)
		if err != nil {
			return nil, err
		}
		var own []providers.Access
		for _, o := range orgs {
			all, err := f.inOrg(ctx, u, o.Name)
			if err != nil {
				return nil, err
			}
			for _, a := range all {
				if a.Permission > providers.None {
					own = append(own, a)
				}
			}
		}
		return own, nil
	})
}

// ScopeAccess yields exactly the repositories that s has now, each once, with
// what u reaches it with. A team has those of the teams above it too; one that
// is no more stands for its whole organization, whichever repositories it had.
//
// It costs, beside a call for the login and one or two to find the scope, a
// call per 100 repositories; for a repository one to three.
func (f *Forge) ScopeAccess(ctx context.Context, u providers.User, s providers.Subject) iter.Seq2[providers.Access, error] {
	return sequence(func() ([]providers.Access, error) {
		u, err := f.user(ctx, u)
		if err != nil {
			return nil, err
		}
		switch s.Kind {
		case providers.SubjectRepo:
			r, err := f.repo(ctx, s.ID)
			if err != nil {
				return nil, err
			}
			p, err := f.permission(ctx, r, u.Login)
			return []providers.Access{{User: u, Repo: r, Permission: p}}, err
		case providers.SubjectTeam:
			org, slug, err := f.team(ctx, s)
			if err != nil {
				return nil, err
			}
			if slug == "" {
				return f.inOrg(ctx, u, org)
			}
			return f.inTeam(ctx, u, org, slug)
		case providers.SubjectOrg:
			org, err := f.resolve(ctx, providers.Org{ID: s.ID, Name: s.Name})
			if err != nil {
				return nil, err
			}
			return f.inOrg(ctx, u, org.GetLogin())
		}
		return nil, errNoScope(s)
	})
}
