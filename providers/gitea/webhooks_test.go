package gitea_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/providerstest"
)

// hookWorld is a place of a simulated Gitea.
type hookWorld struct {
	*providerstest.Gitea
	place providers.WebhookPlace
	admin providers.HookAdmin
	other providers.HookAdmin
}

func hookWorlds(t *testing.T, kind providers.HookType) *hookWorld {
	g, f := start(t, providerstest.GiteaOptions{})
	o, err := g.CreateOrg("acme", "private")
	ok(t, err)
	_, err = g.CreateUser("zoe")
	ok(t, err)
	other, err := gitea.New(gitea.Config{URL: g.URL(), Token: g.Token("zoe")})
	ok(t, err)
	places, err := f.WebhookPlaces(t.Context(), []providers.Org{o}, kind == providers.HookSystem)
	ok(t, err)
	if places[0].Kind != kind {
		t.Fatalf("the first place is %v", places[0])
	}
	return &hookWorld{Gitea: g, place: places[0], admin: f, other: other}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *hookWorld) Admin() providers.HookAdmin    { return w.admin }
func (w *hookWorld) Stranger() providers.HookAdmin { return w.other }
func (w *hookWorld) Place() providers.WebhookPlace { return w.place }

func (w *hookWorld) Hook(secret string) (providers.Hook, error) {
	s, err := providers.NewSecrets([]byte(secret))
	return gitea.NewHook(s), err
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
	if w.place.Kind == providers.HookSystem {
		w.AddSystemHook(url, "theirs", "push")
		return nil
	}
	_, err := w.AddHook("acme", url, "theirs", "push")
	return err
}

func (w *hookWorld) Spoil(id string, flaw providers.FlawKind) bool {
	n, _ := strconv.ParseInt(id, 10, 64)
	done := true
	w.EditHook(n, func(h *providerstest.GiteaHook) {
		switch flaw {
		case providers.FlawURL:
			h.URL = strings.Replace(h.URL, "http:", "HTTP:", 1) + "/"
		case providers.FlawEvents:
			h.Events = []string{"push", "wiki"}
		case providers.FlawContent:
			h.Content = "form"
		case providers.FlawInactive:
			h.Active = false
		case providers.FlawFormat:
			h.Kind = "slack"
		default:
			done = false
		}
	})
	return done
}

func (w *hookWorld) Happen(ctx context.Context) error {
	if _, err := w.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "app"}); err != nil {
		return err
	}
	return w.Delivered(ctx)
}

func TestWebhooksOfAnOrganization(t *testing.T) {
	providerstest.RunHookAdmin(t, func(t *testing.T) providerstest.HookWorld { return hookWorlds(t, providers.HookOrg) })
}

func TestWebhooksOfTheInstance(t *testing.T) {
	providerstest.RunHookAdmin(t, func(t *testing.T) providerstest.HookWorld { return hookWorlds(t, providers.HookSystem) })
}

// Gitea takes an update that does not name them for one that empties them.
func TestMendingKeepsFilterAndHeader(t *testing.T) {
	w := hookWorlds(t, providers.HookOrg)
	want := providers.WebhookSpec{Public: "https://hookd.example.com", Provider: "git", Secret: "a-secret-of-the-hook"}
	made, err := w.admin.CreateWebhook(t.Context(), w.place, want)
	ok(t, err)
	n, _ := strconv.ParseInt(made.ID, 10, 64)
	w.EditHook(n, func(h *providerstest.GiteaHook) { h.Branch, h.Auth, h.Active = "release/*", "Basic Zm9v", false })
	_, err = w.admin.UpdateWebhook(t.Context(), w.place, made, want)
	ok(t, err)
	if h := w.Hooks()[0]; h.Branch != "release/*" || h.Auth != "Basic Zm9v" || !h.Active || !slices.Contains(h.Events, "repository") {
		t.Errorf("%+v", h)
	}
}

func TestFailuresOfWebhooksAreClassified(t *testing.T) {
	for kind, want := range map[providerstest.FaultKind]error{
		providerstest.FaultUnauthorized: providers.ErrUnauthorized,
		providerstest.FaultForbidden:    providers.ErrForbidden,
		providerstest.FaultError:        providers.ErrUnavailable,
		providerstest.FaultProxy404:     providers.ErrNonsense,
		providerstest.FaultHTML:         providers.ErrNonsense,
		providerstest.FaultNull:         providers.ErrNonsense,
		providerstest.FaultTruncated:    providers.ErrNonsense,
		providerstest.FaultLimit:        providers.ErrLimited,
	} {
		for _, place := range []providers.HookType{providers.HookOrg, providers.HookSystem} {
			w := hookWorlds(t, place)
			ok(t, w.AddForeign("https://chat.example.com/x"))
			w.Break(providerstest.Fault{Kind: kind, Path: "/hooks"})
			if found, err := w.admin.Webhooks(t.Context(), w.place); !errors.Is(err, want) || found != nil {
				t.Errorf("%s at %s: %v, %v", kind, place, found, err)
			}
		}
	}
}

func TestIdentityTellsWhoIsAsked(t *testing.T) {
	w := hookWorlds(t, providers.HookOrg)
	admin, err := w.admin.(providers.Identifier).Identify(t.Context())
	if err != nil || admin.Login != "gitadmin" || !admin.Admin || len(admin.Lacks) != 0 {
		t.Errorf("%+v, %v", admin, err)
	}
	zoe, err := w.other.(providers.Identifier).Identify(t.Context())
	if err != nil || zoe.Login != "zoe" || zoe.Admin || len(zoe.Lacks) != 1 {
		t.Errorf("%+v, %v", zoe, err)
	}
}
