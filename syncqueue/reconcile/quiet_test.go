package reconcile_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
)

// poll runs one poll of members, as if a hook of the given coverage had sent
// the last delivery. The catalogue knows the repositories and people, since a
// poll asks about those.
func poll(t *testing.T, forge providers.Forge, org providers.Org, kind []providers.Coverage, c providers.Coverage, repos []providers.Repo) {
	t.Helper()
	db := memory.New(memory.Options{})
	defer db.Close()
	header := http.Header{}
	header.Set(c.Header, c.Values[0])
	heard := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: "ping", Header: header, Received: time.Now()}
	_, err := db.Push(t.Context(), syncqueue.Entry{Delivery: heard, Event: providers.Event{Name: "ping"}, Result: syncqueue.EntryPing})
	do(t, err)
	_, err = db.Enqueue(t.Context(), syncqueue.Cause{By: "test"}, syncqueue.ScopeJob("git", org, time.Now()))
	do(t, err)
	l := ok[syncqueue.Lease](t)(db.Lease(t.Context(), time.Minute, syncqueue.Filter{}))
	_, err = db.Complete(t.Context(), l, syncqueue.Outcome{Change: &storage.Change{Provider: "git", Repos: repos}})
	do(t, err)
	engine := ok[*reconcile.Engine](t)(reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{
			Name: "git", Forge: forge, Orgs: providers.NewOrgSet(org.Name), Names: []string{org.Name},
			Members: time.Minute, Repos: time.Minute, Coverage: kind,
		}},
		Store: db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
	}))
	_, err = engine.Handle(t.Context(), syncqueue.Lease{Job: syncqueue.PollJob("git", "members", org, time.Now()), Fence: 2})
	do(t, err)
}

// TestAPollAsksOnlyWhatTheHookIsSilentAbout counts each call of one poll of an
// organization with 40 teams, 60 people and 30 repositories. Its baseline is
// what the webhooks announce: that is asked nowhere.
func TestAPollAsksOnlyWhatTheHookIsSilentAbout(t *testing.T) {
	const teams, people, projects = 40, 60, 30
	type org interface {
		CreateOrg(name, visibility string) (providers.Org, error)
		CreateUser(login string) (providers.User, error)
		CreateTeam(org, name string, p providers.Permission, all bool) (providers.Team, error)
		AddMember(org, team, login string) error
		Calls() map[string]int
		ResetCalls()
	}
	fill := func(t *testing.T, g org, create func(name string) (providers.Repo, error)) (providers.Org, []providers.Repo) {
		o := ok[providers.Org](t)(g.CreateOrg("acme", "private"))
		for i := range teams {
			ok[providers.Team](t)(g.CreateTeam("acme", fmt.Sprint("t", i), providers.Write, false))
		}
		for i := range people {
			u := ok[providers.User](t)(g.CreateUser(fmt.Sprint("user", i)))
			do(t, g.AddMember("acme", fmt.Sprint("t", i%teams), u.Login))
		}
		repos := several(t, projects, func(i int) (providers.Repo, error) { return create(fmt.Sprint("r", i)) })
		return o, repos
	}
	spent := func(t *testing.T, g org, c providers.Coverage, want map[string]int) {
		t.Helper()
		got := maps.Clone(g.Calls())
		sum := 0
		for _, n := range got {
			sum += n
		}
		t.Logf("a quiet poll beside a hook of type %s: %d calls", c.Hook, sum)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", c.Hook, diff)
		}
	}
	t.Run("gitea", func(t *testing.T) {
		g := ok[*providerstest.Gitea](t)(providerstest.StartGitea(providerstest.GiteaOptions{}))
		t.Cleanup(g.Close)
		o, repos := fill(t, g, func(name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: name, Private: true})
		})
		forge := ok[*gitea.Forge](t)(gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken()}))
		g.ResetCalls()
		c := gitea.Coverage()[0]
		poll(t, forge, o, gitea.Coverage(), c, repos)
		spent(t, g, c, map[string]int{
			"GET /orgs/{org}": 1, "GET /orgs/{org}/teams": 1, "GET /teams/{id}/members": teams + 1, "GET /teams/{id}/repos": teams, // and the owners
			"GET /repos/{owner}/{repo}/collaborators": projects, "GET /orgs/{org}/activities/feeds": 1,
		})
	})
	t.Run("github", func(t *testing.T) {
		g := ok[*providerstest.GitHub](t)(providerstest.StartGitHub(providerstest.GitHubOptions{}))
		t.Cleanup(g.Close)
		o, repos := fill(t, g, func(name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: name, Private: true})
		})
		forge := ok[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.AdminToken()}))
		for _, c := range github.Coverage() {
			g.ResetCalls()
			poll(t, forge, o, github.Coverage(), c, repos)
			spent(t, g, c, map[string]int{
				"GET /orgs/{org}": 1, "GET /orgs/{org}/members": 1, "GET /orgs/{org}/teams": 1,
				"GET /orgs/{org}/organization-roles": 1, "GET /orgs/{org}/organization-roles/{role}/users": 5,
			})
		}
	})
	t.Run("gitlab", func(t *testing.T) {
		g := ok[*providerstest.GitLab](t)(providerstest.StartGitLab(providerstest.GitLabOptions{}))
		t.Cleanup(g.Close)
		o, repos := fill(t, g, func(name string) (providers.Repo, error) {
			return g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: name, Private: true})
		})
		forge := ok[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken()}))
		for _, c := range gitlab.Coverage() {
			g.ResetCalls()
			poll(t, forge, o, gitlab.Coverage(), c, repos)
			want := map[string]int{
				"GET /groups/{id}": 1, "GET /groups/{id}/descendant_groups": 1, "GET /groups/{id}/members/all": teams + 1, "GET /groups/{id}/projects": 1,
			}
			if c.Hook == providers.HookGroup {
				want["GET /projects/{id}/members"] = projects
				want["GET /groups/{id}/projects"]++ // as a feed
			}
			spent(t, g, c, want)
		}
	})
}
