package github

import (
	"iter"
	"strconv"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

// sequence is providers.Sequence of what this forge answers.
func sequence[T any](read func() ([]T, error)) iter.Seq2[T, error] {
	return providers.Sequence(func() ([]T, error) {
		all, err := read()
		return all, wrap(err)
	})
}

func convert[S, T any](from []*S, f func(*S) T) []T {
	to := make([]T, len(from))
	for i, s := range from {
		to[i] = f(s)
	}
	return to
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

func convertUser(u *sdk.User) providers.User {
	return providers.User{ID: text(u.GetID()), Login: u.GetLogin()}
}

func convertOrg(o *sdk.Organization) providers.Org {
	return providers.Org{ID: text(o.GetID()), Name: o.GetLogin()}
}

func convertRepo(r *sdk.Repository) providers.Repo {
	return providers.Repo{
		ID: text(r.GetID()), Path: r.GetFullName(),
		Org:        providers.Org{ID: text(r.GetOwner().GetID()), Name: r.GetOwner().GetLogin(), Personal: r.GetOwner().GetType() == "User"},
		Visibility: visibility(r.GetVisibility(), r.GetPrivate()),
		Archived:   r.GetArchived(), Fork: r.GetFork(), Created: r.GetCreatedAt().UTC(),
	}
}

func convertRemote(r *sdk.Repository) providers.Remote {
	return providers.Remote{Clone: r.GetCloneURL(), SSH: r.GetSSHURL(), Link: r.GetHTMLURL(), Branch: r.GetDefaultBranch(), Private: r.GetPrivate()}
}

// level is the permission that flags and a role name mean. The flags decide, as
// a role may be the organization's own; who is listed without either reads.
func level(p *sdk.RepositoryPermissions, role string) providers.Permission {
	switch {
	case p == nil:
		return max(namedLevel(role), providers.Read)
	case p.GetAdmin():
		return providers.Admin
	case p.GetMaintain() || p.GetPush():
		return providers.Write
	case p.GetTriage() || p.GetPull():
		return providers.Read
	}
	return namedLevel(role)
}

// namedLevel reads the names of both APIs: "push" and "write" are one, and
// GraphQL writes in capitals.
func namedLevel(name string) providers.Permission {
	switch providers.Fold(name) {
	case "admin":
		return providers.Admin
	case "maintain", "write", "push":
		return providers.Write
	case "triage", "read", "pull":
		return providers.Read
	}
	return providers.None
}
