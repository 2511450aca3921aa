package github_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

// hookWorld is an organization on a simulated GitHub.
type hookWorld struct {
	*providerstest.GitHub
	place providers.WebhookPlace
	admin providers.HookAdmin
	other providers.HookAdmin
}

func hookWorlds(t *testing.T, opt providerstest.GitHubOptions) *hookWorld {
	g, f := start(t, opt)
	o, _, _ := acme(t, g)
	other := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.Token("ana")}))
	places := made[[]providers.WebhookPlace](t)(f.WebhookPlaces(t.Context(), []providers.Org{o}, false))
	return &hookWorld{GitHub: g, place: places[0], admin: f, other: other}
}

func (w *hookWorld) Admin() providers.HookAdmin    { return w.admin }
func (w *hookWorld) Stranger() providers.HookAdmin { return w.other }
func (w *hookWorld) Place() providers.WebhookPlace { return w.place }

func (w *hookWorld) Hook(secret string) (providers.Hook, error) {
	s, err := providers.NewSecrets([]byte(secret))
	return github.NewHook(s), err
}

func (w *hookWorld) Secret(id string) string {
	for _, h := range w.Hooks() {
		if strconv.FormatInt(h.ID, 10) == id {
			return h.Secret
		}
	}
	return ""
}

func (w *hookWorld) AddForeign(url string) error {
	_, err := w.AddHook("acme", url, "theirs", "push")
	return err
}

func (w *hookWorld) Spoil(id string, flaw providers.FlawKind) bool {
	n, _ := strconv.ParseInt(id, 10, 64)
	done := true
	w.EditHook(n, func(h *providerstest.GitHubHook) {
		switch flaw {
		case providers.FlawURL:
			h.URL = strings.Replace(h.URL, "http:", "HTTP:", 1) + "/"
		case providers.FlawEvents:
			h.Events = []string{"push", "repository"}
		case providers.FlawContent:
			h.Form = true
		case providers.FlawTLS:
			h.NoTLS = true
		case providers.FlawInactive:
			h.Active = false
		case providers.FlawSecret:
			h.Secret = ""
		default:
			done = false
		}
	})
	return done
}

func (w *hookWorld) Happen(ctx context.Context) error {
	if _, err := w.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "new"}); err != nil {
		return err
	}
	return w.Delivered(ctx)
}

func TestWebhooksOfAnOrganization(t *testing.T) {
	providerstest.RunHookAdmin(t, func(t *testing.T) providerstest.HookWorld {
		return hookWorlds(t, providerstest.GitHubOptions{})
	})
}

var hookWanted = providers.WebhookSpec{Public: "http://127.0.0.1:1", Provider: "git", Secret: "a-secret-of-the-hook"}

// GitHub says of webhooks it does not show that they are not there.
func TestATokenWithoutTheScopeIsTold(t *testing.T) {
	w := hookWorlds(t, providerstest.GitHubOptions{})
	must(t, w.SetScopes("gitadmin", "repo", "read:org"))
	if _, err := w.admin.Webhooks(t.Context(), w.place); !errors.Is(err, providers.ErrForbidden) || !strings.Contains(err.Error(), "admin:org_hook") {
		t.Errorf("%v", err)
	}
}

func TestTheLimitOfHooksPerEventIsTold(t *testing.T) {
	w := hookWorlds(t, providerstest.GitHubOptions{HooksPerEvent: 2})
	for _, name := range []string{"a", "b"} {
		made[int64](t)(w.AddHook("acme", "http://127.0.0.1:1/"+name, "", "team", "push"))
	}
	_, err := w.admin.CreateWebhook(t.Context(), w.place, hookWanted)
	if !errors.Is(err, providers.ErrRejected) || !strings.Contains(err.Error(), `\"team\" event cannot have more than 2 hooks`) {
		t.Errorf("%v", err)
	}
	found := made[[]providers.Webhook](t)(w.admin.Webhooks(t.Context(), w.place))
	place := w.place
	place.PerEvent = 2
	if full := place.Full(found, providers.Webhook{}); !slices.Equal(full, []string{"team"}) {
		t.Errorf("full: %v", full)
	}
}

// The webhook of an App tells of all its installations. It can be turned to
// another address, and neither made nor removed.
func TestTheWebhookOfAnApp(t *testing.T) {
	g, _ := start(t, providerstest.GitHubOptions{})
	o, _, _ := acme(t, g)
	app := made[providerstest.GitHubApp](t)(g.InstallApp("acme", true))
	f := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), App: &github.AppConfig{ID: app.ID, InstallationID: app.InstallationID, PrivateKey: app.PrivateKey}}))
	places := made[[]providers.WebhookPlace](t)(f.WebhookPlaces(t.Context(), []providers.Org{o}, false))
	if len(places) != 1 || places[0].Kind != providers.HookApp {
		t.Fatalf("%+v", places)
	}
	place := places[0]
	if _, err := f.Webhooks(t.Context(), place); !errors.Is(err, providers.ErrForbidden) {
		t.Errorf("without a webhook: %v", err)
	}
	must(t, g.AddAppHook(app.InstallationID, "http://former.example.com/hooks/git", "old"))
	id := g.Hooks()[0].ID
	g.EditHook(id, func(h *providerstest.GitHubHook) { h.Form, h.Events = true, []string{"member", "repository"} })
	want := hookWanted
	want.Former = []string{"http://former.example.com"}
	found := made[[]providers.Webhook](t)(f.Webhooks(t.Context(), place))
	steps := place.Plan(found, want)
	if len(steps) != 1 || steps[0].Do != providers.StepUpdate {
		t.Fatalf("%+v", steps)
	}
	// Its events are chosen on the App's page.
	if _, err := steps[0].Apply(t.Context(), f, place, want); !errors.Is(err, providers.ErrRejected) || !strings.Contains(err.Error(), "team_add") {
		t.Errorf("%v", err)
	}
	if h := g.Hooks()[0]; h.URL != want.URL() || h.Secret != want.Secret || h.Form {
		t.Errorf("%+v", h)
	}
	for _, err := range []error{
		f.DeleteWebhook(t.Context(), place, found[0].ID),
		func() error { _, err := f.CreateWebhook(t.Context(), place, want); return err }(),
	} {
		if !errors.Is(err, providers.ErrRejected) {
			t.Errorf("%v", err)
		}
	}
}

func TestFailuresOfWebhooksAreClassified(t *testing.T) {
	for kind, want := range map[providerstest.FaultKind]error{
		providerstest.FaultUnauthorized: providers.ErrUnauthorized,
		providerstest.FaultForbidden:    providers.ErrForbidden,
		providerstest.FaultSSO:          providers.ErrForbidden,
		providerstest.FaultError:        providers.ErrUnavailable,
		providerstest.FaultProxy404:     providers.ErrNonsense,
		providerstest.FaultHTML:         providers.ErrNonsense,
		providerstest.FaultNull:         providers.ErrNonsense,
		providerstest.FaultTruncated:    providers.ErrNonsense,
		providerstest.FaultPrimary:      providers.ErrLimited,
	} {
		w := hookWorlds(t, providerstest.GitHubOptions{})
		must(t, w.AddForeign("http://127.0.0.1:1/x"))
		w.Break(providerstest.Fault{Kind: kind, Path: "/hooks"})
		if found, err := w.admin.Webhooks(t.Context(), w.place); !errors.Is(err, want) || found != nil {
			t.Errorf("%s: %v, %v", kind, found, err)
		}
	}
}

func TestIdentityTellsScopes(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	who := made[providers.Identity](t)(f.Identify(t.Context()))
	if who.Login != "gitadmin" || len(who.Lacks) != 0 || !slices.Contains(who.Scopes, "admin:org_hook") {
		t.Errorf("%+v", who)
	}
	must(t, g.SetScopes("gitadmin", "public_repo"))
	if who = made[providers.Identity](t)(f.Identify(t.Context())); !slices.Equal(who.Lacks, []string{"the scope repo", "the scope read:org"}) {
		t.Errorf("lacks %v", who.Lacks)
	}
	must(t, g.SetScopes("gitadmin"))
	if who = made[providers.Identity](t)(f.Identify(t.Context())); who.Scopes != nil || who.Lacks != nil {
		t.Errorf("a fine-grained token tells none: %+v", who)
	}
	acme(t, g)
	app := made[providerstest.GitHubApp](t)(g.InstallApp("acme", true))
	asApp := made[*github.Forge](t)(github.New(github.Config{URL: g.URL(), App: &github.AppConfig{ID: app.ID, InstallationID: app.InstallationID, PrivateKey: app.PrivateKey}}))
	if who = made[providers.Identity](t)(asApp.Identify(t.Context())); who.Login != "hookd[bot]" {
		t.Errorf("%+v", who)
	}
}
