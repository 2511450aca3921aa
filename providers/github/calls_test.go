package github_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

// Asking for everything that each of 500 members holds would cost 10,500 calls;
// one new repository must cost six, whoever is affected.
func TestANewRepositoryCostsSixCalls(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	made[providers.Team](t)(g.CreateTeam("acme", "core", providers.Write, false))
	must(t, g.SetBasePermission("acme", providers.Read))
	for i := range 499 { // and the owner
		login := fmt.Sprintf("user-%03d", i)
		made[providers.User](t)(g.CreateUser(login))
		must(t, g.AddToOrg("acme", login, false))
		if i%10 == 0 {
			must(t, g.AddMember("acme", "core", login))
		}
	}
	for i := range 2000 {
		made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: fmt.Sprintf("repo-%04d", i), Private: true}))
	}
	cost := func(what string, want uint64, do func()) {
		t.Helper()
		g.ResetCalls()
		before := f.Requests()
		do()
		if sent := f.Requests() - before; sent != want || sum(g.Calls()) != int(want) {
			t.Errorf("%s cost %d calls, want %d: %v", what, sent, want, g.Calls())
		}
	}
	// Organization, five pages of members, owners, teams, its members, its repositories.
	cost("the model", 10, func() { made[providers.Model](t)(f.Model(t.Context(), o)) })
	created := made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "new", Private: true}))
	cost("a new repository", 6, func() {
		r := made[providers.Repo](t)(f.Repo(t.Context(), created.ID))
		if n, err := read(f.RepoAccess(t.Context(), r)); n != 500 || err != nil {
			t.Errorf("%d people, %v", n, err)
		}
	})
	price := f.Price(providers.Size{Repos: 2001, People: 500})
	cost("the listing", uint64(price.List), func() { all(t, f.Repos(t.Context(), o)) })
	if price.Repo+price.Audience != 6 {
		t.Errorf("priced as %+v", price)
	}
	ana := made[providers.User](t)(f.User(t.Context(), "user-001"))
	cost("one user's reach", 1+1+21, func() {
		if n, err := read(f.UserAccess(t.Context(), ana)); n != 2001 || err != nil {
			t.Errorf("%d repositories, %v", n, err)
		}
	})
	cost("the reach in an organization", 1+1+21, func() {
		if n, err := read(f.ScopeAccess(t.Context(), ana, providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: "acme"})); n != 2001 || err != nil {
			t.Errorf("%d repositories, %v", n, err)
		}
	})
	cost("one permission", 3, func() {
		if n, err := read(f.ScopeAccess(t.Context(), ana, providers.Subject{Kind: providers.SubjectRepo, ID: created.ID})); n != 1 || err != nil {
			t.Errorf("%d repositories, %v", n, err)
		}
	})
	cost("a look at what is new", 1, func() { made[string](t)(f.Activity(t.Context(), o)) })
}

func remaining(f *github.Forge) (int, bool) {
	r, ok := f.Budgets()[""].Rate()
	return r.Remaining, ok
}

// What was answered before is asked for conditionally, which costs nothing of
// the rate limit.
func TestAnUnchangedAnswerCostsNothingOfTheLimit(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o, _, r := acme(t, g)
	list := func() []providers.Repo { return all(t, f.Repos(t.Context(), o)) }
	first := list()
	left, ok := remaining(f)
	if !ok {
		t.Fatal("the limit is not known")
	}
	if diff := cmp.Diff(first, list()); diff != "" {
		t.Errorf("a 304 reads otherwise:\n%s", diff)
	}
	if now, _ := remaining(f); now != left {
		t.Errorf("%d left before, %d after", left, now)
	}
	must(t, g.RenameRepo(r.Path, "www"))
	if again := list(); len(again) != 1 || again[0].Path != "acme/www" {
		t.Errorf("a change went unseen: %v", again)
	}
	if now, _ := remaining(f); now != left-1 {
		t.Errorf("%d left before the change was read, %d after", left, now)
	}
}

func sum(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}
	return n
}
