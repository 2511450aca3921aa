package reconcile_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

// A company of some size: everybody reads every repository, and each of its
// teams, of equally many people, writes its part of them.
type company struct{ people, repos, teams int }

var (
	small100 = company{people: 100, repos: 400, teams: 20}
	large500 = company{people: 500, repos: 2000, teams: 20}
)

const costSecret = "a-secret-of-the-webhook"

// priced is a simulated forge with the company on it, and hookd's driver.
type priced struct {
	kind   string
	driver interface {
		providers.Forge
		Requests() uint64
	}
	world     providerstest.World
	hook      providers.Hook
	orgs      *providers.OrgSet
	coverage  []providers.Coverage
	addHook   func(url string) error
	delivered func(context.Context) error

	// What World has no word for.
	joins, leaves func(login string) error // the organization
	level         func(r providers.Repo, p providers.Permission) error
	deleteTeam    func() error
	base          func(p providers.Permission) error // nil where there is none

	company
	org, elsewhere providers.Org
	users          []providers.User // the members, then who is to join, and a guest
	teams          []providers.Team
}

func secrets(t *testing.T) providers.Secrets {
	t.Helper()
	s, err := providers.NewSecrets([]byte(costSecret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func pricedGitea(t *testing.T) *priced {
	sim, err := providerstest.StartGitea(providerstest.GiteaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	f, err := gitea.New(gitea.Config{URL: sim.URL(), Token: sim.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	return &priced{
		kind: "gitea", coverage: gitea.Coverage(), driver: f, world: sim.World(f), hook: gitea.NewHook(secrets(t)), orgs: providers.NewOrgSet("acme"),
		addHook:    func(url string) error { _, err := sim.AddHook("acme", url, costSecret); return err },
		delivered:  sim.Delivered,
		joins:      func(login string) error { return sim.AddMember("acme", "everybody", login) },
		leaves:     func(login string) error { return sim.RemoveMember("acme", "everybody", login) },
		level:      func(_ providers.Repo, p providers.Permission) error { return sim.SetTeamPermission("acme", "team0", p) },
		deleteTeam: func() error { return sim.DeleteTeam("acme", "team0") },
	}
}

func pricedGitHub(t *testing.T) *priced {
	sim, err := providerstest.StartGitHub(providerstest.GitHubOptions{RateLimit: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	f, err := github.New(github.Config{URL: sim.URL(), Token: sim.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	return &priced{
		kind: "github", coverage: github.Coverage(), driver: f, world: sim.World(f), hook: github.NewHook(secrets(t)), orgs: providers.NewOrgSet("acme"),
		addHook:   func(url string) error { _, err := sim.AddHook("acme", url, costSecret); return err },
		delivered: sim.Delivered,
		joins:     func(login string) error { return sim.AddToOrg("acme", login, false) },
		leaves:    func(login string) error { return sim.RemoveFromOrg("acme", login) },
		level: func(r providers.Repo, p providers.Permission) error {
			return sim.SetTeamPermission("acme", "team0", r.Path, p)
		},
		deleteTeam: func() error { return sim.DeleteTeam("acme", "team0") },
		base:       func(p providers.Permission) error { return sim.SetBasePermission("acme", p) },
	}
}

func pricedGitLab(t *testing.T) *priced {
	sim, err := providerstest.StartGitLab(providerstest.GitLabOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	orgs := providers.NewOrgSet("acme")
	f, err := gitlab.New(gitlab.Config{URL: sim.URL(), Token: sim.AdminToken(), Orgs: orgs})
	if err != nil {
		t.Fatal(err)
	}
	hook, err := gitlab.NewHook(secrets(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &priced{
		kind: "gitlab", coverage: gitlab.Coverage(), driver: f, world: sim.World(f), hook: hook, orgs: orgs,
		addHook:   func(url string) error { _, err := sim.AddHook("", url, costSecret); return err },
		delivered: sim.Delivered,
		joins:     func(login string) error { return sim.AddMember("acme", "everybody", login) },
		leaves:    func(login string) error { return sim.RemoveMember("acme", "everybody", login) },
		level: func(r providers.Repo, p providers.Permission) error {
			return sim.ShareProject(r.Path, "acme/team0", providerstest.GitLabLevel(p))
		},
		deleteTeam: func() error { return sim.DeleteGroup("acme/team0") },
	}
}

// found makes the company, before anybody listens to the forge.
func (f *priced) found(t *testing.T, c company) {
	t.Helper()
	w := f.world
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	f.company = c
	f.org = ok[providers.Org](t)(w.CreateOrg("acme", "private"))
	f.elsewhere = ok[providers.Org](t)(w.CreateOrg("elsewhere", "private"))
	for i := range c.people + 2 {
		f.users = append(f.users, ok[providers.User](t)(w.CreateUser(fmt.Sprint("user", i))))
	}
	if f.base != nil {
		must(f.base(providers.Read))
	} else {
		ok[providers.Team](t)(w.CreateTeam(f.org, "everybody", providers.Read, true))
	}
	for _, u := range f.users[:c.people] {
		must(f.joins(u.Login))
	}
	for i := range c.teams {
		team := ok[providers.Team](t)(w.CreateTeam(f.org, fmt.Sprint("team", i), providers.Write, false))
		f.teams = append(f.teams, team)
		for _, u := range f.users[i*c.people/c.teams : (i+1)*c.people/c.teams] {
			must(w.AddMember(f.org, team, u))
		}
	}
	for i := range c.repos {
		r := ok[providers.Repo](t)(w.CreateRepo("acme", fmt.Sprint("app", i), true))
		must(w.AddTeamRepo(f.org, f.teams[i*c.teams/c.repos], r))
		if i == 0 {
			must(w.AddCollaborator(r, f.guest(), providers.Read))
		}
	}
}

// joiner becomes a member, guest only ever a collaborator.
func (f *priced) joiner() providers.User { return f.users[f.people] }
func (f *priced) guest() providers.User  { return f.users[f.people+1] }
