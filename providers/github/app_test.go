package github_test

import (
	"errors"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

func asApp(t *testing.T, g *providerstest.GitHub, app providerstest.GitHubApp) *github.Forge {
	t.Helper()
	return made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), App: &github.AppConfig{
		ID: app.ID, InstallationID: app.InstallationID, PrivateKey: app.PrivateKey,
	}}))
}

func TestAnInstallationReadsItsOrganization(t *testing.T) {
	g, _ := start(t, providerstest.GitHubOptions{})
	o, ana, r := acme(t, g)
	made[providers.Org](t)(g.CreateOrg("lab", ""))
	f := asApp(t, g, made[providerstest.GitHubApp](t)(g.InstallApp("acme", true)))
	if orgs := all(t, f.Orgs(t.Context())); len(orgs) != 1 || orgs[0] != o {
		t.Errorf("%v", orgs)
	}
	must(t, f.Prove(t.Context(), o))
	if n, err := read(f.RepoAccess(t.Context(), r)); n != 2 || err != nil {
		t.Errorf("%d people, %v", n, err)
	}
	if n, err := read(f.UserAccess(t.Context(), ana)); n != 1 || err != nil {
		t.Errorf("%d repositories, %v", n, err)
	}
	if n := f.Requests(); n != uint64(sum(g.Calls())) {
		t.Errorf("counted %d requests, the forge %v", n, g.Calls())
	}
	if n := g.Calls()["POST /app/installations/{id}/access_tokens"]; n != 1 {
		t.Errorf("asked %d times for a token", n)
	}
}

// What says that the App may not look says nothing of what it looks for.
func TestAnAppThatIsNotInstalledIsShownNothing(t *testing.T) {
	g, _ := start(t, providerstest.GitHubOptions{})
	o, _, r := acme(t, g)
	app := made[providerstest.GitHubApp](t)(g.InstallApp("acme", false))
	if err := asApp(t, g, app).Prove(t.Context(), o); !errors.Is(err, providers.ErrWithheld) {
		t.Errorf("on selected repositories only: %v", err)
	}
	wrong := app
	wrong.ID++
	g.UninstallApp(0)
	if _, err := asApp(t, g, wrong).Repo(t.Context(), r.ID); !errors.Is(err, providers.ErrUnauthorized) {
		t.Errorf("another App's key: %v", err)
	}
	g.UninstallApp(app.InstallationID)
	if _, err := asApp(t, g, app).Repo(t.Context(), r.ID); !errors.Is(err, providers.ErrWithheld) || errors.Is(err, providers.ErrNotFound) {
		t.Errorf("uninstalled: %v", err)
	}
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	for what, cfg := range map[string]github.Config{
		"neither token nor App":   {},
		"both":                    {Token: "t", App: &github.AppConfig{}},
		"an App without a key":    {App: &github.AppConfig{ID: 1, InstallationID: 2}},
		"an address that is none": {URL: "github", Token: "t"},
		"another scheme":          {URL: "ssh://github.example.com", Token: "t"},
		"a password in it":        {URL: "https://a:b@github.example.com", Token: "t"},
	} {
		if f, err := github.New(cfg); err == nil {
			t.Errorf("%s: %v", what, f)
		}
	}
}
