package gitlab_test

import (
	"fmt"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// Asking for everything that each of 500 members holds would cost 30,500 calls;
// one new project must cost seven, whoever is affected.
func TestANewRepositoryCostsSevenCalls(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{}, "acme")
	o := must[providers.Org](t)(g.CreateOrg("acme", "private"))
	must[providers.Org](t)(g.CreateGroup("acme/sub", "private"))
	must[providers.Org](t)(g.CreateGroup("acme/sub/deep", "private"))
	for i := range 500 {
		login := fmt.Sprintf("user-%03d", i)
		must[providers.User](t)(g.CreateUser(login))
		check(t, g.AddGroupMember("acme", login, providerstest.GitLabDeveloper))
	}
	for i := range 2000 {
		owner := "acme"
		if i%10 == 0 {
			owner = "acme/sub/deep"
		}
		must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: owner, Name: fmt.Sprintf("repo-%04d", i), Private: true}))
	}
	cost := func(ask func()) uint64 {
		g.ResetCalls()
		before := f.Requests()
		ask()
		sent := f.Requests() - before
		if n := sum(g.Calls()); n != int(sent) {
			t.Errorf("%d calls sent, the forge counted %d", sent, n)
		}
		return sent
	}

	created := must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: "new", Private: true}))
	if n := cost(func() {
		r := must[providers.Repo](t)(f.Repo(t.Context(), created.ID))
		if r.Org != o || r.Path != "acme/new" {
			t.Errorf("%+v", r)
		}
		if n, err := read(f.RepoAccess(t.Context(), r)); n != 501 || err != nil {
			t.Errorf("%d people, %v", n, err)
		}
	}); n != 7 {
		t.Errorf("a new project cost %d calls: %v", n, g.Calls())
	}

	price := f.Price(providers.Size{Repos: 2001, People: 501})
	if price.Repo+price.Audience != 7 {
		t.Errorf("priced as %+v", price)
	}
	created = must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme/sub/deep", Name: "new", Private: true}))
	for _, want := range []uint64{2, 1} { // the group between is asked for once
		if n := cost(func() {
			if r := must[providers.Repo](t)(f.Repo(t.Context(), created.ID)); r.Org != o || r.Path != "acme/sub/deep/new" {
				t.Errorf("%+v", r)
			}
		}); n != want {
			t.Errorf("a project three groups deep cost %d calls, want %d: %v", n, want, g.Calls())
		}
	}
	if n := cost(func() { must[providers.Model](t)(f.Model(t.Context(), o)) }); n != 2+21+3*6 {
		t.Errorf("the model cost %d calls: %v", n, g.Calls())
	}
	u := must[providers.User](t)(f.User(t.Context(), "user-000"))
	if n := cost(func() {
		if n := must[int](t)(f.Count(t.Context(), u)); n != 2002 {
			t.Errorf("counted %d", n)
		}
	}); n != 2 {
		t.Errorf("a count cost %d calls: %v", n, g.Calls())
	}
	if n := cost(func() {
		if n, err := read(f.UserAccess(t.Context(), u)); n != 2002 || err != nil {
			t.Errorf("%d projects, %v", n, err)
		}
	}); n != 1+21+21+1 {
		t.Errorf("a user's list cost %d calls: %v", n, g.Calls())
	}
	if n := cost(func() { must[string](t)(f.Activity(t.Context(), o)) }); n != 1 {
		t.Errorf("a look at the newest projects cost %d calls", n)
	}
}

// What GitLab confirms to be current is not sent again, and counts all the same.
func TestAnswersAreAskedForAnewOnlyIfTheyChanged(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	must[providers.Org](t)(g.CreateOrg("acme", "private"))
	r := must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: "app", Private: true}))
	must[providers.User](t)(g.CreateUser("ana"))
	for _, people := range []int{1, 1, 2, 2} {
		if people == 2 {
			check(t, g.AddCollaborator(r.Path, "ana", providers.Read))
		}
		if n, err := read(f.RepoAccess(t.Context(), r)); n != people || err != nil {
			t.Errorf("%d people, want %d: %v", n, people, err)
		}
	}
	if n := f.Requests(); n != 1+4 { // once for whom it is shared with, as nobody read it before
		t.Errorf("%d requests", n)
	}
}

// The people of a group that many projects are shared with are read once, though
// the members of none of these projects have them.
func TestWhomASharedGroupIsSharedWithIsReadOnce(t *testing.T) {
	for _, polled := range []bool{false, true} {
		g, f := start(t, providerstest.GitLabOptions{})
		o := must[providers.Org](t)(g.CreateOrg("acme", "private"))
		must[providers.Org](t)(g.CreateGroup("core", "private"))
		must[providers.Org](t)(g.CreateGroup("friends", "private"))
		must[providers.User](t)(g.CreateUser("ana"))
		check(t, g.AddGroupMember("friends", "ana", providerstest.GitLabDeveloper), g.ShareGroup("core", "friends", providerstest.GitLabDeveloper))
		for i := range 40 {
			r := must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: fmt.Sprint("r", i), Private: true}))
			check(t, g.ShareProject(r.Path, "core", providerstest.GitLabReporter))
		}
		if polled {
			must[providers.Model](t)(f.Model(t.Context(), o))
		}
		repos := all(t, f.Repos(t.Context(), o))
		before := f.Requests()
		for range 2 {
			for _, r := range repos {
				if n, err := read(f.RepoAccess(t.Context(), r)); n != 2 || err != nil {
					t.Errorf("%d people, %v", n, err)
				}
			}
		}
		if n := f.Requests() - before; n != 2*40+2 { // once the project again, and the group
			t.Errorf("polled %v: %d calls", polled, n)
		}
	}
}

func sum(calls map[string]int) int {
	n := 0
	for _, c := range calls {
		n += c
	}
	return n
}

// GitLab tags the body of an answer and not its headers, so the full last page
// is confirmed by a 304 also when there is another one behind it now.
func TestAFullPageThatIsAsItWasMayHaveGotAnotherBehindIt(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	o := must[providers.Org](t)(g.CreateOrg("acme", "private"))
	for i := range 102 {
		if i > 98 {
			if n, err := read(f.Repos(t.Context(), o)); n != i || err != nil {
				t.Errorf("%d projects are listed, want %d: %v", n, i, err)
			}
		}
		must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: fmt.Sprint("r", i), Private: true}))
	}
}
