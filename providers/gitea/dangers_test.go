package gitea_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

// acme fills g with an organization of enough repositories, teams and members
// for every list to have three pages, and returns what to ask about. Ana is in
// the team core, which has everything; the team docs has every repository too,
// but one by one.
func acme(t testing.TB, g *providerstest.Gitea) (o providers.Org, ana providers.User, r providers.Repo) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	o, err := g.CreateOrg("acme", "private")
	check(err)
	_, err = g.CreateTeam("acme", "core", providers.Write, true)
	check(err)
	_, err = g.CreateTeam("acme", "docs", providers.Read, false)
	check(err)
	for i := range 120 {
		_, err = g.CreateUser(fmt.Sprintf("user-%03d", i))
		check(err)
		check(g.AddMember("acme", "core", fmt.Sprintf("user-%03d", i)))
		_, err = g.CreateTeam("acme", fmt.Sprintf("team-%03d", i), providers.Read, false)
		check(err)
	}
	ana, err = g.CreateUser("ana")
	check(err)
	check(g.AddMember("acme", "core", "ana"))
	for i := range 120 {
		r, err = g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprintf("repo-%03d", i), Private: true})
		check(err)
		check(g.AddTeamRepo("acme", "docs", r.Path))
		check(g.AddCollaborator(r.Path, fmt.Sprintf("user-%03d", i), providers.Read))
	}
	for i := range 120 {
		check(g.AddCollaborator(r.Path, fmt.Sprintf("user-%03d", i), providers.Read))
	}
	return o, ana, r
}

// read drains a sequence and tells how much it yielded before its error.
func read[T any](seq func(func(T, error) bool)) (n int, err error) {
	seq(func(_ T, e error) bool {
		if err != nil {
			panic("the sequence went on after its error")
		}
		if err = e; err == nil {
			n++
		}
		return true
	})
	return n, err
}

// A question is one of the lists a forge is asked for: the path that it reads,
// and how many things a complete answer has.
type question struct {
	name, path string
	paged      bool // by Link and count
	want       int
	ask        func(context.Context, *gitea.Forge) (int, error)
}

func questions(o providers.Org, ana providers.User, r providers.Repo) []question {
	org := providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
	return []question{
		{"UserAccess", "/user/repos", true, 120, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.UserAccess(ctx, ana)) }},
		{"ScopeAccess", "/orgs/acme/repos", true, 120, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.ScopeAccess(ctx, ana, org)) }},
		{"Repos", "/orgs/acme/repos", true, 120, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.Repos(ctx, o)) }},
		{"Members", "/orgs/acme/members", true, 122, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.Members(ctx, org)) }},
		{"Collaborators", "/collaborators", true, 120, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.Collaborators(ctx, r)) }},
		{"RepoAccess by team members", "/members", false, 122, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.RepoAccess(ctx, r)) }},
		{"RepoAccess by teams", "/repo-119/teams", false, 122, func(ctx context.Context, f *gitea.Forge) (int, error) { return read(f.RepoAccess(ctx, r)) }},
		{"Model by teams", "/orgs/acme/teams", true, 123, func(ctx context.Context, f *gitea.Forge) (int, error) {
			m, err := f.Model(ctx, o)
			return len(m.Teams), err
		}},
		{"Model by team repositories", "/repos", true, 123, func(ctx context.Context, f *gitea.Forge) (int, error) {
			m, err := f.Model(ctx, o)
			return len(m.Teams), err
		}},
	}
}

func TestEveryQuestionIsAnsweredCompletelyByASoundForge(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	for _, q := range questions(acme(t, g)) {
		if n, err := q.ask(t.Context(), f); n != q.want || err != nil {
			t.Errorf("%s: %d of %d, %v", q.name, n, q.want, err)
		}
	}
}

// Whatever goes wrong, no sequence may look complete that is not: nothing is
// yielded, and the error has its class.
func TestNoFaultLooksLikeACompleteAnswer(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	asked := questions(acme(t, g))
	for _, fault := range []struct {
		name  string
		fault providerstest.Fault
		class error
		paged bool // only what comes in pages can have it
	}{
		{"EmptyAnswerWith200", providerstest.Fault{Kind: providerstest.FaultStub}, providers.ErrNonsense, false},
		{"EmptyAnswerUnderTheTrueCount", providerstest.Fault{Kind: providerstest.FaultHollow}, providers.ErrNonsense, true},
		{"FailingPage2", providerstest.Fault{Kind: providerstest.FaultError, Page: 2}, providers.ErrUnavailable, true},
		{"FailingLastPage", providerstest.Fault{Kind: providerstest.FaultError, Page: 3}, providers.ErrUnavailable, true},
		{"EmptyPage2", providerstest.Fault{Kind: providerstest.FaultHollow, Page: 2}, providers.ErrNonsense, true},
		{"EmptyPage2WithCount0", providerstest.Fault{Kind: providerstest.FaultEmpty, Page: 2}, providers.ErrNonsense, true},
		{"LoopingPages", providerstest.Fault{Kind: providerstest.FaultLoop, Page: 2}, providers.ErrNonsense, true},
		{"HTMLWith200", providerstest.Fault{Kind: providerstest.FaultHTML}, providers.ErrNonsense, false},
		{"TruncatedJSON", providerstest.Fault{Kind: providerstest.FaultTruncated}, providers.ErrNonsense, false},
		{"JSONOfAnotherShape", providerstest.Fault{Kind: providerstest.FaultNull}, providers.ErrNonsense, false},
		{"ServerError", providerstest.Fault{Kind: providerstest.FaultError}, providers.ErrUnavailable, false},
		{"TokenRefused", providerstest.Fault{Kind: providerstest.FaultUnauthorized}, providers.ErrUnauthorized, false},
		{"Forbidden", providerstest.Fault{Kind: providerstest.FaultForbidden}, providers.ErrForbidden, false},
		{"RateLimit", providerstest.Fault{Kind: providerstest.FaultLimit}, providers.ErrLimited, false},
		{"NotFoundByAProxy", providerstest.Fault{Kind: providerstest.FaultProxy404}, providers.ErrNonsense, false},
		{"RedirectToAnotherHost", providerstest.Fault{Kind: providerstest.FaultElsewhere, To: "http://localhost.invalid/"}, providers.ErrNonsense, false},
	} {
		t.Run(fault.name, func(t *testing.T) {
			for _, q := range asked {
				if fault.paged && !q.paged {
					continue
				}
				broken := fault.fault
				broken.Path = q.path
				heal := g.Break(broken)
				f := f
				if fault.class == providers.ErrLimited { // whoever was refused once does not ask again
					var err error
					if f, err = gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken()}); err != nil {
						t.Fatal(err)
					}
				}
				n, err := q.ask(t.Context(), f)
				heal()
				if n != 0 || !errors.Is(err, fault.class) {
					t.Errorf("%s: %d yielded, %v", q.name, n, err)
				}
				if errors.Is(err, providers.ErrNotFound) {
					t.Errorf("%s: taken for an answer that there is nothing: %v", q.name, err)
				}
				if err != nil && strings.Contains(err.Error(), g.AdminToken()) {
					t.Errorf("%s: the error tells the token: %v", q.name, err)
				}
			}
		})
	}
}

// Without Link or count a full page is not the last one. What can be read
// completely all the same is; nothing is shortened.
func TestMissingHeadersNeverShortenAList(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	asked := questions(acme(t, g))
	for _, kind := range []providerstest.FaultKind{providerstest.FaultNoLink, providerstest.FaultNoTotal, providerstest.FaultBare} {
		defer g.Break(providerstest.Fault{Kind: kind})()
		for _, q := range asked {
			if n, err := q.ask(t.Context(), f); err == nil && n != q.want {
				t.Errorf("%s, %s: %d of %d and no error", q.name, kind, n, q.want)
			} else if q.name == "UserAccess" && err != nil {
				t.Errorf("%s, %s: %v", q.name, kind, err)
			}
		}
	}
}

// Gitea keeps the counts of a team in the team's row and does not count anew.
// An old installation whose counters are off must not be unreadable for ever.
func TestADriftedCounterOfATeamIsOutvotedByTwoReads(t *testing.T) {
	for _, maxItems := range []int{0, 30} {
		g, f := start(t, providerstest.GiteaOptions{MaxItems: maxItems})
		o, _, r := acme(t, g)
		if err := g.AddMember("acme", "docs", "ana"); err != nil {
			t.Fatal(err)
		}
		// -20, -70 and -30 end the repositories of docs on the border of a page.
		for _, drift := range []int{3, -3, -20, -70, -30, 500} {
			for _, team := range []string{"core", "docs"} {
				if err := g.DriftCounters("acme", team, drift); err != nil {
					t.Fatal(err)
				}
			}
			m, err := f.Model(t.Context(), o)
			if err != nil || len(m.Members()) != 122 {
				t.Errorf("counters off by %d: %d members, %v", drift, len(m.Members()), err)
			}
			for _, team := range m.Teams {
				if team.Name == "docs" && len(team.Repos) != 120 {
					t.Errorf("counters off by %d: docs has %d repositories", drift, len(team.Repos))
				}
			}
			if n, err := read(f.RepoAccess(t.Context(), r)); n != 122 || err != nil {
				t.Errorf("counters off by %d: audience of %d, %v", drift, n, err)
			}
		}
	}
}

// A list that changes while its pages are read is read again.
func TestATornListIsReadAgain(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, ana, _ := acme(t, g)
	// Deleting what page 1 had shifts one living repository out of page 2.
	deleted := false
	torn, err := gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken(), Observe: func(int) {
		if !deleted && sum(g.Calls()) > 0 && g.Calls()["GET /user/repos"] == 1 {
			deleted = true
			if err := g.DeleteRepo("acme/repo-000"); err != nil {
				t.Error(err)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	g.ResetCalls()
	if n, err := read(torn.UserAccess(t.Context(), ana)); n != 119 || err != nil || !deleted {
		t.Errorf("%d of 119, %v", n, err)
	}
	if n, err := read(f.Repos(t.Context(), o)); n != 119 || err != nil {
		t.Errorf("%d of 119, %v", n, err)
	}
}

// A forge that caps pages lower than asked gives short pages before the last.
func TestShortPagesAreNotTheLast(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{MaxItems: 7})
	asked := questions(acme(t, g))
	for _, kind := range []providerstest.FaultKind{"", providerstest.FaultBare} {
		defer g.Break(providerstest.Fault{Kind: kind, Path: "/user/repos"})()
		if n, err := asked[0].ask(t.Context(), f); n != 120 || err != nil {
			t.Errorf("fault %q: %d of 120, %v", kind, n, err)
		}
	}
}

// Links are made of ROOT_URL, which need not be the address that hookd uses;
// they are read for their page numbers and never followed.
func TestLinksToTheOutsideAddressAreNotFollowed(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{RootURL: "https://git.example.com"})
	for _, q := range questions(acme(t, g)) {
		if n, err := q.ask(t.Context(), f); n != q.want || err != nil {
			t.Errorf("%s: %d of %d, %v", q.name, n, q.want, err)
		}
	}
}

func TestCountRefusesAListThatNobodyCanPage(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	_, ana, _ := acme(t, g)
	if n, err := f.Count(t.Context(), ana); n != 120 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, kind := range []providerstest.FaultKind{
		providerstest.FaultNoLink, providerstest.FaultNoTotal, providerstest.FaultBare, providerstest.FaultStub,
		providerstest.FaultHollow, providerstest.FaultHTML, providerstest.FaultNull, providerstest.FaultTruncated,
	} {
		heal := g.Break(providerstest.Fault{Kind: kind})
		if n, err := f.Count(t.Context(), ana); !errors.Is(err, providers.ErrNonsense) {
			t.Errorf("%s: %d, %v", kind, n, err)
		}
		heal()
	}
	if _, err := g.CreateUser("one"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateRepo(providerstest.GiteaRepo{Owner: "one", Name: "r", By: "one"}); err != nil {
		t.Fatal(err)
	}
	one, err := f.User(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.Count(t.Context(), one); n != 1 || err != nil {
		t.Errorf("%d of 1, %v", n, err)
	}
	heal := g.Break(providerstest.Fault{Kind: providerstest.FaultHollow})
	if n, err := f.Count(t.Context(), one); !errors.Is(err, providers.ErrNonsense) {
		t.Errorf("hollow: %d, %v", n, err)
	}
	heal()
	// A consistent lie passes here: it is for whoever compares it with before.
	defer g.Break(providerstest.Fault{Kind: providerstest.FaultEmpty})()
	if n, err := f.Count(t.Context(), ana); n != 0 || err != nil {
		t.Errorf("consistently empty: %d, %v", n, err)
	}
}

// A 404 from a token that may not look is no evidence; Prove tells.
func TestATokenWithoutPowerProvesNothing(t *testing.T) {
	g, _ := start(t, providerstest.GiteaOptions{})
	o, _, r := acme(t, g)
	if _, err := g.CreateUser("zoe"); err != nil {
		t.Fatal(err)
	}
	f, err := gitea.New(gitea.Config{URL: g.URL(), Token: g.Token("zoe")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Repo(t.Context(), r.ID); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("what zoe may not see: %v", err)
	}
	if err := f.Prove(t.Context(), o); !errors.Is(err, providers.ErrForbidden) {
		t.Errorf("zoe's token proves %v", err)
	}
}

func TestTheFeedOfSomebodyElseIsNoSign(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, _, _ := acme(t, g)
	heal := g.Break(providerstest.Fault{Kind: providerstest.FaultHollow})
	if mark, err := f.Activity(t.Context(), o); !errors.Is(err, providers.ErrNonsense) {
		t.Errorf("hollow: %q, %v", mark, err)
	}
	heal()
	if err := g.RenameAccount("acme", "acme2"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateOrg("acme", "private"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "r"}); err != nil {
		t.Fatal(err)
	}
	if mark, err := f.Activity(t.Context(), o); !errors.Is(err, providers.ErrNonsense) {
		t.Errorf("of the organization that took the name: %q, %v", mark, err)
	}
}

// Pushes fill the feed too; what they push out of the page must not go unseen.
func TestPushesDoNotHideARenameInTheFeed(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	o, _, r := acme(t, g)
	pushes := func() {
		for range 60 {
			if err := g.Push(r.Path, "main", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	pushes()
	before, err := f.Activity(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.RenameRepo("acme/repo-000", "renamed"); err != nil {
		t.Fatal(err)
	}
	pushes()
	after, err := f.Activity(t.Context(), o)
	if err != nil || after == before {
		t.Errorf("the mark is still %q, %v", after, err)
	}
}

// Every list is empty and agrees, but Gitea, asked about somebody alone, still
// grants him the repository. Of a site administrator that tells nothing.
func TestSomebodyMissingIsAskedAboutAlone(t *testing.T) {
	g, f := start(t, providerstest.GiteaOptions{})
	_, _, r := acme(t, g)
	for login, p := range map[string]providers.Permission{"omar": providers.Admin, "zoe": providers.Write, "root": providers.Admin} {
		u, err := g.CreateUser(login)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.AddCollaborator(r.Path, login, p); err != nil {
			t.Fatal(err)
		}
		if login == "root" {
			if err := g.SetSiteAdmin(login, true); err != nil {
				t.Fatal(err)
			}
		}
		heal := g.Break(providerstest.Fault{Kind: providerstest.FaultEmpty})
		for a, err := range f.ScopeAccess(t.Context(), u, providers.Subject{Kind: providers.SubjectRepo, ID: r.ID, Name: r.Path}) {
			if login == "root" && (err != nil || a.Permission != providers.None) || login != "root" && !errors.Is(err, providers.ErrNonsense) {
				t.Errorf("%s: %+v, %v", login, a, err)
			}
		}
		heal()
	}
}
