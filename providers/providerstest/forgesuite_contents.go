package providerstest

import (
	"errors"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
)

// contents examines what policies ask of a repository.
func (x *forgeExam) contents(t *testing.T) {
	f, ok := x.f.(providers.ContentForge)
	if !ok {
		t.Log("the driver does not tell")
		return
	}
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	paths := []string{".drone.yml", ".woodpecker/", ".woodpecker", ".drone.yml/", "ci/a b/ü.yml", "ci/a b/", "ci/", "none"}
	has := func(want ...string) {
		t.Helper()
		for _, path := range paths {
			got, err := f.HasPath(t.Context(), r, path)
			if err != nil || got != slices.Contains(want, path) {
				t.Errorf("HasPath(%q) is %v, %v", path, got, err)
			}
		}
	}
	topics := func(want ...string) {
		t.Helper()
		got, err := f.Topics(t.Context(), r)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Topics are %q, %v, want %q", got, err, want)
		}
	}
	has() // an empty repository
	topics()
	for _, file := range []string{".drone.yml", ".woodpecker/build.yml", "ci/a b/ü.yml"} {
		if err := x.w.AddFile(r, file); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.w.SetTopics(r, "ci", "go"); err != nil {
		t.Fatal(err)
	}
	has(".drone.yml", ".woodpecker/", "ci/a b/ü.yml", "ci/a b/", "ci/")
	topics("ci", "go")
	if err := x.w.DeleteRepo(r); err != nil {
		t.Fatal(err)
	}
	has() // nothing, and no error: it is gone
}

// repoHooks examines the webhooks of a repository's own: there are none, and
// those that a CI server makes are told with their addresses.
func (x *forgeExam) repoHooks(t *testing.T) {
	f, ok := x.f.(providers.RepoHookForge)
	if !ok {
		t.Log("the driver does not tell")
		return
	}
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	want := []string{}
	for _, address := range []string{"", "http://127.0.0.1:3400/hook", "http://127.0.0.1:3500/api/hook?access_token=x"} {
		if address != "" {
			if err := x.w.AddRepoHook(r, address); err != nil {
				t.Fatal(err)
			}
			want = append(want, address)
		}
		got, err := f.RepoHooks(t.Context(), r)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := x.w.DeleteRepo(r); err != nil {
		t.Fatal(err)
	}
	if _, err := f.RepoHooks(t.Context(), r); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("of what is gone: %v", err)
	}
}
