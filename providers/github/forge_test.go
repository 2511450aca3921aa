package github_test

import (
	"iter"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

// start returns a simulated GitHub and a forge that reads it with the token of
// the one who owns every organization.
func start(t *testing.T, opt providerstest.GitHubOptions) (*providerstest.GitHub, *github.Forge) {
	t.Helper()
	g, err := providerstest.StartGitHub(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	f, err := github.New(github.Config{URL: g.URL(), Token: g.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	return g, f
}

// read counts what a sequence yields before its error.
func read[T any](seq iter.Seq2[T, error]) (int, error) {
	n := 0
	for _, err := range seq {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func all[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func made[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		must(t, err)
		return v
	}
}

func TestForgeAgainstTheSimulator(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	providerstest.RunForge(t, g.World(f))
}

// Without the GraphQL API the same answers come by more calls.
func TestForgeWithoutGraphQL(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{NoGraphQL: true})
	providerstest.RunForge(t, g.World(f))
}

// acme is an organization with one team, one member in it, and one repository.
func acme(t *testing.T, g *providerstest.GitHub) (providers.Org, providers.User, providers.Repo) {
	t.Helper()
	o := made[providers.Org](t)(g.CreateOrg("acme", ""))
	u := made[providers.User](t)(g.CreateUser("ana"))
	made[providers.Team](t)(g.CreateTeam("acme", "core", providers.Write, true))
	must(t, g.AddMember("acme", "core", "ana"))
	return o, u, made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "app", Private: true}))
}
