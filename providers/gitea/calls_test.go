package gitea_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// Asking for everything that each of 500 members holds would cost 20,500 calls;
// one new repository must cost three, whoever is affected.
func TestANewRepositoryCostsThreeCalls(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, err := g.CreateOrg("acme", "private")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateTeam("acme", "core", providers.Write, true); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		login := fmt.Sprintf("user-%03d", i)
		if _, err := g.CreateUser(login); err != nil {
			t.Fatal(err)
		}
		if err := g.AddMember("acme", "core", login); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2000 {
		if _, err := g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprintf("repo-%04d", i), Private: true}); err != nil {
			t.Fatal(err)
		}
	}
	m, err := f.Model(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := f.Requests(); n != 4 { // organization, teams, members of two
		t.Errorf("the model cost %d calls: %v", n, g.Calls())
	}

	created, err := g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "new", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	g.ResetCalls()
	before := f.Requests()
	r, err := f.Repo(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	n, err := read(f.RepoAccessIn(t.Context(), r, m))
	if n != 501 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
	if sent := f.Requests() - before; sent != 3 {
		t.Errorf("%d calls: %v", sent, g.Calls())
	}
	if total := sum(g.Calls()); total != 3 {
		t.Errorf("the forge counted %d: %v", total, g.Calls())
	}

	price := f.Price(providers.Size{Repos: 2001, People: 501})
	before = f.Requests()
	if n, err := read(f.Repos(t.Context(), o)); n != 2001 || err != nil || f.Requests()-before != uint64(price.List) || price.Repo+price.Audience != 3 {
		t.Errorf("listed %d in %d calls (%v), priced as %+v", n, f.Requests()-before, err, price)
	}
	before = f.Requests()
	if n, err := f.Count(t.Context(), providers.User{ID: "3", Login: "user-000"}); n != 2001 || err != nil || f.Requests()-before != 1 {
		t.Errorf("counted %d in %d calls, %v", n, f.Requests()-before, err)
	}
	before = f.Requests()
	if _, err := f.Activity(t.Context(), o); err != nil || f.Requests()-before != 1 {
		t.Errorf("a look at the feed cost %d calls, %v", f.Requests()-before, err)
	}
}

// A team that is younger than the model is read, not overlooked.
func TestATeamYoungerThanTheModelIsAsked(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, _, r := acme(t, g)
	m, err := f.Model(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateUser("late"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateTeam("acme", "late", providers.Read, false); err != nil {
		t.Fatal(err)
	}
	if err := g.AddMember("acme", "late", "late"); err != nil {
		t.Fatal(err)
	}
	if err := g.AddTeamRepo("acme", "late", r.Path); err != nil {
		t.Fatal(err)
	}
	found := false
	for a, err := range f.RepoAccessIn(t.Context(), r, m) {
		if err != nil {
			t.Fatal(err)
		}
		found = found || a.User.Login == "late"
	}
	if !found {
		t.Error("the member of the new team is not in the audience")
	}
}

func sum(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}
	return n
}
