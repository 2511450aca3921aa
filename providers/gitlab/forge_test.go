package gitlab_test

import (
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

// start returns a simulated GitLab and a forge that reads it with the
// administrator's token.
func start(t testing.TB, opt providerstest.GitLabOptions, orgs ...string) (*providerstest.GitLab, *gitlab.Forge) {
	t.Helper()
	g, err := providerstest.StartGitLab(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	cfg := gitlab.Config{URL: g.URL(), Token: g.AdminToken(), Now: opt.Now}
	if len(orgs) > 0 {
		cfg.Orgs = providers.NewOrgSet(orgs...)
	}
	f, err := gitlab.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, f
}

// check ends the test at the first of the errors.
func check(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		check(t, err)
		return v
	}
}

// all drains a sequence that must not fail.
func all[T any](t testing.TB, seq func(func(T, error) bool)) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		check(t, err)
		out = append(out, v)
	}
	return out
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

func TestForgeAgainstTheSimulator(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	providerstest.RunForge(t, g.World(f))
}

func TestForgeBelowAPathWithARateLimit(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{Path: "/git", RateLimit: 100_000}, "*")
	providerstest.RunForge(t, g.World(f))
	if r, ok := f.Budgets()[""].Rate(); !ok || r.Remaining <= 0 || r.Remaining >= 100_000 {
		t.Errorf("%+v, %v", r, ok)
	}
}
