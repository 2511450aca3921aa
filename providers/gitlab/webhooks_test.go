package gitlab_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

// hookWorld is a group on a simulated GitLab, or the whole of it.
type hookWorld struct {
	*providerstest.GitLab
	place providers.WebhookPlace
	admin providers.HookAdmin
	other providers.HookAdmin
}

func hookWorlds(t *testing.T, kind providers.HookType, opt providerstest.GitLabOptions) *hookWorld {
	g, f := start(t, opt)
	o := must[providers.Org](t)(g.CreateOrg("acme", "public"))
	must[providers.User](t)(g.CreateUser("zoe"))
	other := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.Token("zoe")}))
	w := &hookWorld{GitLab: g, admin: f, other: other}
	for _, p := range must[[]providers.WebhookPlace](t)(f.WebhookPlaces(t.Context(), []providers.Org{o}, false)) {
		if p.Kind == kind {
			w.place = p
		}
	}
	return w
}

func (w *hookWorld) Admin() providers.HookAdmin    { return w.admin }
func (w *hookWorld) Stranger() providers.HookAdmin { return w.other }
func (w *hookWorld) Place() providers.WebhookPlace { return w.place }

func (w *hookWorld) Hook(secret string) (providers.Hook, error) {
	s, err := providers.NewSecrets([]byte(secret))
	if err != nil {
		return nil, err
	}
	return gitlab.NewHook(s, nil)
}

func (w *hookWorld) Secret(id string) string {
	for _, h := range w.Hooks() {
		if strconv.FormatInt(h.ID, 10) == id {
			return h.Token + h.Signing
		}
	}
	return ""
}

func (w *hookWorld) owner() string {
	if w.place.Kind == providers.HookSystem {
		return ""
	}
	return "acme"
}

func (w *hookWorld) AddForeign(url string) error {
	_, err := w.AddHook(w.owner(), url, "theirs", "push")
	return err
}

func (w *hookWorld) Spoil(id string, flaw providers.FlawKind) bool {
	n, _ := strconv.ParseInt(id, 10, 64)
	done := true
	w.EditHook(n, func(h *providerstest.GitLabHook) {
		switch flaw {
		case providers.FlawURL:
			h.URL = strings.Replace(h.URL, "http:", "HTTP:", 1) + "/"
		case providers.FlawEvents:
			h.Hears = []string{"push", "member"}
			done = h.Group != ""
		case providers.FlawTLS:
			h.NoTLS = true
		case providers.FlawDisabled:
			h.Status = "temporarily_disabled"
		case providers.FlawSecret:
			h.Token = ""
		default:
			done = false
		}
	})
	return done
}

func (w *hookWorld) Happen(ctx context.Context) error {
	if _, err := w.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: "new"}); err != nil {
		return err
	}
	return w.Delivered(ctx)
}

func TestWebhooksOfAGroup(t *testing.T) {
	providerstest.RunHookAdmin(t, func(t *testing.T) providerstest.HookWorld {
		return hookWorlds(t, providers.HookGroup, providerstest.GitLabOptions{})
	})
}

func TestWebhooksOfTheInstance(t *testing.T) {
	providerstest.RunHookAdmin(t, func(t *testing.T) providerstest.HookWorld {
		return hookWorlds(t, providers.HookSystem, providerstest.GitLabOptions{})
	})
}

func TestAnAdministratorsWebhookIsTheInstances(t *testing.T) {
	g, f := start(t, providerstest.GitLabOptions{})
	o := must[providers.Org](t)(g.CreateOrg("acme", "public"))
	must[providers.User](t)(g.CreateUser("ana"))
	ana := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.Token("ana")}))
	for _, test := range []struct {
		admin providers.HookAdmin
		want  providers.HookType
	}{{f, providers.HookSystem}, {ana, providers.HookGroup}} {
		places := must[[]providers.WebhookPlace](t)(test.admin.WebhookPlaces(t.Context(), []providers.Org{o}, false))
		if places[0].Kind != test.want {
			t.Errorf("%v, want %v", places, test.want)
		}
	}
}

var signedHook = providers.WebhookSpec{
	Public: "http://127.0.0.1:1", Provider: "git", Signing: true, Secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}

// While the change is under way the plain token goes on being sent, and goes
// once the signature is there.
func TestAPlainTokenGivesWayToASigningToken(t *testing.T) {
	for _, kind := range []providers.HookType{providers.HookSystem, providers.HookGroup} {
		w := hookWorlds(t, kind, providerstest.GitLabOptions{})
		plain := signedHook
		plain.Signing, plain.Secret = false, "a-plain-token-of-the-hook"
		h := must[providers.Webhook](t)(w.admin.CreateWebhook(t.Context(), w.place, plain))
		if flaws := w.place.Flaws(h, signedHook); len(flaws) != 1 || flaws[0].Kind != providers.FlawSecret {
			t.Errorf("%s: %v", kind, flaws)
		}
		now := must[providers.Webhook](t)(w.admin.UpdateWebhook(t.Context(), w.place, h, signedHook))
		if got := w.Hooks()[0]; got.Token != "" || got.Signing != signedHook.Secret || now.Secret != providers.SecretSigned {
			t.Errorf("%s: %+v, %+v", kind, got, now)
		}
		back := must[providers.Webhook](t)(w.admin.UpdateWebhook(t.Context(), w.place, now, plain))
		if got := w.Hooks()[0]; got.Token != plain.Secret || got.Signing != "" || back.Secret != providers.SecretSet {
			t.Errorf("%s: back: %+v, %+v", kind, got, back)
		}
	}
}

// A GitLab that ignores signing tokens says nothing of it: a webhook that would
// send unsigned must not stay, and one that sends a plain token must keep it.
func TestAnIgnoredSigningTokenIsNoticed(t *testing.T) {
	w := hookWorlds(t, providers.HookSystem, providerstest.GitLabOptions{NoSigningTokens: true})
	_, err := w.admin.CreateWebhook(t.Context(), w.place, signedHook)
	if !errors.Is(err, providers.ErrRejected) || !strings.Contains(err.Error(), "webhook_signing_token") || strings.Contains(err.Error(), signedHook.Secret) {
		t.Errorf("%v", err)
	}
	if left := w.Hooks(); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
	plain := signedHook
	plain.Signing, plain.Secret = false, "a-plain-token-of-the-hook"
	h := must[providers.Webhook](t)(w.admin.CreateWebhook(t.Context(), w.place, plain))
	if h.Secret != providers.SecretUntold {
		t.Errorf("an older GitLab tells of a secret: %+v", h)
	}
	if _, err := w.admin.UpdateWebhook(t.Context(), w.place, h, signedHook); !errors.Is(err, providers.ErrRejected) {
		t.Errorf("%v", err)
	}
	if got := w.Hooks()[0]; got.Token != plain.Secret {
		t.Errorf("the plain token is %q", got.Token)
	}
}

// The defaults would have the instance's webhook hear of every push.
func TestASystemWebhookHearsNoPushes(t *testing.T) {
	w := hookWorlds(t, providers.HookSystem, providerstest.GitLabOptions{})
	h := must[providers.Webhook](t)(w.admin.CreateWebhook(t.Context(), w.place, providers.WebhookSpec{Public: "http://127.0.0.1:1", Provider: "git", Secret: "a-plain-token-of-the-hook"}))
	if len(h.Events) != 0 {
		t.Errorf("hears %v", h.Events)
	}
}

func TestGroupsOfAFreeGitLabHaveNoWebhooks(t *testing.T) {
	w := hookWorlds(t, providers.HookGroup, providerstest.GitLabOptions{Free: true})
	if _, err := w.admin.Webhooks(t.Context(), w.place); !errors.Is(err, providers.ErrForbidden) || !strings.Contains(err.Error(), "Premium") {
		t.Errorf("%v", err)
	}
}

func TestTheLimitOfAGroupsHooksIsTold(t *testing.T) {
	w := hookWorlds(t, providers.HookGroup, providerstest.GitLabOptions{GroupHooks: 1})
	check(t, w.AddForeign("https://chat.example.com/x"))
	if _, err := w.admin.CreateWebhook(t.Context(), w.place, signedHook); !errors.Is(err, providers.ErrRejected) || !strings.Contains(err.Error(), "Maximum number") {
		t.Errorf("%v", err)
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
		for _, place := range []providers.HookType{providers.HookGroup, providers.HookSystem} {
			w := hookWorlds(t, place, providerstest.GitLabOptions{})
			check(t, w.AddForeign("https://chat.example.com/x"))
			w.Break(providerstest.Fault{Kind: kind, Path: "/hooks"})
			if found, err := w.admin.Webhooks(t.Context(), w.place); !errors.Is(err, want) || found != nil {
				t.Errorf("%s at %s: %v, %v", kind, place, found, err)
			}
		}
	}
}

func TestIdentityTellsWhenTheTokenEnds(t *testing.T) {
	end := "2027-01-31"
	g, f := start(t, providerstest.GitLabOptions{TokenExpires: &end})
	who := must[providers.Identity](t)(f.Identify(t.Context()))
	if who.Login != "root" || !who.Admin || len(who.Lacks) != 0 || who.Expires.Format("2006-01-02") != end {
		t.Errorf("%+v", who)
	}
	// OAuth's tokens are told nothing of.
	g.Break(providerstest.Fault{Kind: providerstest.FaultForbidden, Path: "/personal_access_tokens"})
	if who = must[providers.Identity](t)(f.Identify(t.Context())); who.Scopes != nil || who.Lacks != nil || who.Login != "root" {
		t.Errorf("%+v", who)
	}
}
