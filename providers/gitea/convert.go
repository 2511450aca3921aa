package gitea

import (
	"iter"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

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
	return providers.User{ID: text(u.ID), Login: u.UserName}
}

func convertOrg(o *sdk.Organization) providers.Org {
	return providers.Org{ID: text(o.ID), Name: o.Name}
}

// convertRepo leaves Org.Personal false: Gitea's repository does not say what
// its owner is.
func convertRepo(r *sdk.Repository) providers.Repo {
	repo := providers.Repo{
		ID: text(r.ID), Path: r.FullName,
		Visibility: visibility(r.Private, r.Internal),
		Archived:   r.Archived, Fork: r.Fork, Created: r.Created,
	}
	if r.Owner != nil && r.Owner.ID > 0 {
		repo.Org = providers.Org{ID: text(r.Owner.ID), Name: r.Owner.UserName}
	}
	return repo
}

func convertRemote(r *sdk.Repository) providers.Remote {
	return providers.Remote{Clone: r.CloneURL, SSH: r.SSHURL, Link: r.HTMLURL, Branch: r.DefaultBranch, Private: r.Private}
}

// listedPermission is the permission on a repository that is in the user's
// list. Without the code unit all flags are false, and it is listed still.
func listedPermission(p *sdk.Permission) providers.Permission {
	switch {
	case p != nil && p.Admin:
		return providers.Admin
	case p != nil && p.Push:
		return providers.Write
	}
	return providers.Read
}

// teamPermission is what a team's members may do with the code. Teams made by
// Gitea's current API say "none" and mean their units; older ones have a
// permission for everything.
func teamPermission(t *sdk.Team) providers.Permission {
	code := sdk.AccessMode(t.UnitsMap[string(sdk.RepoUnitCode)])
	return max(modePermission(t.Permission), modePermission(code), providers.Read)
}

func modePermission(m sdk.AccessMode) providers.Permission {
	switch m {
	case sdk.AccessModeOwner, sdk.AccessModeAdmin:
		return providers.Admin
	case sdk.AccessModeWrite:
		return providers.Write
	case sdk.AccessModeRead:
		return providers.Read
	}
	return providers.None
}
