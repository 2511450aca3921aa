package github_test

import (
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// held is what each way of asking says that a user has of a repository.
func held(t *testing.T, f providers.Forge, u providers.User, r providers.Repo) map[string]providers.Permission {
	t.Helper()
	got := map[string]providers.Permission{}
	note := func(how string, seq iter.Seq2[providers.Access, error]) {
		for _, a := range all(t, seq) {
			if a.User.ID == u.ID && a.Repo.ID == r.ID && a.Permission > providers.None {
				got[how] = a.Permission
			}
		}
	}
	note("audience", f.RepoAccess(t.Context(), r))
	note("own list", f.UserAccess(t.Context(), u))
	note("repository", f.ScopeAccess(t.Context(), u, providers.Subject{Kind: providers.SubjectRepo, ID: r.ID}))
	note("organization", f.ScopeAccess(t.Context(), u, providers.Subject{Kind: providers.SubjectOrg, ID: r.Org.ID, Name: r.Org.Name}))
	return got
}

func everyWay(p providers.Permission) map[string]providers.Permission {
	return map[string]providers.Permission{"audience": p, "own list": p, "repository": p, "organization": p}
}

func TestPendingInvitationsAreNoAccess(t *testing.T) {
	for _, graphql := range []bool{true, false} {
		g, f := start(t, providerstest.GitHubOptions{NoGraphQL: !graphql})
		o, _, r := acme(t, g)
		li := made[providers.User](t)(g.CreateUser("li"))
		r.Org = o
		must(t, g.SetBasePermission("acme", providers.Read))
		must(t, g.InviteCollaborator(r.Path, "li", providers.Write))
		must(t, g.InviteToOrg("acme", "li"))
		if diff := cmp.Diff(map[string]providers.Permission{}, held(t, f, li, r)); diff != "" {
			t.Errorf("invited: -want +got\n%s", diff)
		}
		if slices.Contains(all(t, f.Members(t.Context(), providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name})), li) {
			t.Error("invited, and among the members")
		}
		must(t, g.AcceptMembership("acme", "li"))
		if diff := cmp.Diff(everyWay(providers.Read), held(t, f, li, r)); diff != "" {
			t.Errorf("a member now: -want +got\n%s", diff)
		}
		must(t, g.AcceptCollaboration(r.Path, "li"))
		if diff := cmp.Diff(everyWay(providers.Write), held(t, f, li, r)); diff != "" {
			t.Errorf("a collaborator now: -want +got\n%s", diff)
		}
		must(t, g.SuspendUser("li", true))
		if diff := cmp.Diff(everyWay(providers.Write), held(t, f, li, r)); diff != "" {
			t.Errorf("suspended: -want +got\n%s", diff)
		}
	}
}
