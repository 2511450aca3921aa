package gitlab

import (
	"context"
	"iter"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// sequence is providers.Sequence of what this forge answers.
func sequence[T any](read func() ([]T, error)) iter.Seq2[T, error] {
	return providers.Sequence(func() ([]T, error) {
		all, err := read()
		return all, wrap(err)
	})
}

func convertUser(u *sdk.User) providers.User {
	return providers.User{ID: text(u.ID), Login: u.Username}
}

// convertRepo may ask which groups the namespace lies in.
func (f *Forge) convertRepo(ctx context.Context, op string, p *sdk.Project) (providers.Repo, error) {
	if p.Namespace == nil || p.Namespace.ID <= 0 || p.PathWithNamespace == "" {
		return providers.Repo{}, nonsense(op, "a project without a namespace")
	}
	org, err := f.owner(ctx, p.Namespace)
	if err != nil {
		return providers.Repo{}, err
	}
	r := providers.Repo{
		ID: text(p.ID), Path: p.PathWithNamespace, Org: org,
		Visibility: visibility(string(p.Visibility)),
		Archived:   p.Archived, Fork: p.ForkedFromProject != nil,
	}
	if p.CreatedAt != nil {
		r.Created = *p.CreatedAt
	}
	return r, nil
}

func convertRemote(p *sdk.Project) providers.Remote {
	return providers.Remote{Clone: p.HTTPURLToRepo, SSH: p.SSHURLToRepo, Link: p.WebURL, Branch: p.DefaultBranch, Private: p.Visibility != sdk.PublicVisibility}
}

func (f *Forge) convertRepos(ctx context.Context, op string, projects []*sdk.Project) ([]providers.Repo, error) {
	repos := make([]providers.Repo, len(projects))
	for i, p := range projects {
		var err error
		if repos[i], err = f.convertRepo(ctx, op, p); err != nil {
			return nil, err
		}
	}
	return repos, nil
}

// permission folds GitLab's levels: minimal access (5) reaches no project,
// guest (10), planner (15), reporter (20) and what lies between read, developer
// (30) writes, maintainer (40) and owner (50) administer. A custom role has the
// level it is based on.
func permission(level sdk.AccessLevelValue) providers.Permission {
	switch {
	case level >= sdk.MaintainerPermissions:
		return providers.Admin
	case level >= sdk.DeveloperPermissions:
		return providers.Write
	case level >= sdk.GuestPermissions:
		return providers.Read
	}
	return providers.None
}
