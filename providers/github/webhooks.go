package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	sdk "github.com/google/go-github/v88/github"

	"github.com/hookd/hookd/providers"
)

var _ providers.HookAdmin = (*Forge)(nil)

// What hookd needs to hear. An App is not told of imports; "meta" says that the
// webhook itself was deleted.
var (
	webhookEvents = []string{"fork", "member", "membership", "meta", "organization", "public", "repository", "repository_import", "team", "team_add"}
	appEvents     = []string{"fork", "member", "membership", "organization", "public", "repository", "team", "team_add"}
)

// How many webhooks of an organization may hear one event: docs.github.com,
// "About webhooks", on github.com and on an Enterprise Server.
const (
	perEvent       = 20
	perEventServer = 250
)

// WebhookPlaces are the organizations, or of an App its own webhook, which
// tells of every account it is installed on.
func (f *Forge) WebhookPlaces(_ context.Context, orgs []providers.Org, _ bool) ([]providers.WebhookPlace, error) {
	if f.app != nil {
		return []providers.WebhookPlace{{Kind: providers.HookApp, Events: appEvents, TellsTLS: true, Fixed: true}}, nil
	}
	limit := perEvent
	if f.server {
		limit = perEventServer
	}
	places := make([]providers.WebhookPlace, len(orgs))
	for i, o := range orgs {
		places[i] = providers.WebhookPlace{Kind: providers.HookOrg, Org: o, Events: webhookEvents, PerEvent: limit, TellsTLS: true}
	}
	return places, nil
}

// Webhooks needs an owner of the organization and the scope admin:org_hook.
// Those that an OAuth application made are shown to none but it.
func (f *Forge) Webhooks(ctx context.Context, p providers.WebhookPlace) ([]providers.Webhook, error) {
	if p.Kind == providers.HookApp {
		w, err := f.appWebhook(ctx)
		if err != nil {
			return nil, wrap(hint(p, err))
		}
		return []providers.Webhook{w}, nil
	}
	found, err := f.orgHooks(ctx, p.Org.Name)
	if err != nil {
		return nil, wrap(hint(p, err))
	}
	slices.SortFunc(found, func(a, b *sdk.Hook) int { return cmp.Compare(a.GetID(), b.GetID()) })
	return convert(found, convertWebhook), nil
}

// CreateWebhook needs what Webhooks needs. GitHub pings the webhook at once.
func (f *Forge) CreateWebhook(ctx context.Context, p providers.WebhookPlace, want providers.WebhookSpec) (providers.Webhook, error) {
	if p.Kind == providers.HookApp {
		return providers.Webhook{}, wrap(&providers.ForgeError{Op: "POST /app/hook", Class: providers.ErrRejected, Err: errors.New("an App's webhook is made on the App's page")})
	}
	active := true
	h, _, err := f.api.Organizations.CreateHook(ctx, p.Org.Name, &sdk.Hook{
		Name: new("web"), Events: p.Events, Active: &active, Config: webhookConfig(want),
	})
	return f.changed(ctx, "POST /orgs/"+p.Org.Name+"/hooks", p, h, err)
}

// UpdateWebhook sends the secret along: without it GitHub would remove it
// (docs.github.com, "Update an organization webhook"). A ping then shows whether
// deliveries arrive now, where the last one may have been refused.
func (f *Forge) UpdateWebhook(ctx context.Context, p providers.WebhookPlace, w providers.Webhook, want providers.WebhookSpec) (providers.Webhook, error) {
	op := "PATCH " + webhookPath(p, w.ID)
	if p.Kind == providers.HookApp {
		if _, _, err := f.app.Apps.UpdateHookConfig(ctx, webhookConfig(want)); err != nil {
			return providers.Webhook{}, wrap(hint(p, f.failed(ctx, op, err)))
		}
		now, err := f.appWebhook(ctx)
		return now, wrap(hint(p, err))
	}
	id, err := number(w.ID)
	if err != nil {
		return providers.Webhook{}, wrap(err)
	}
	events := append(slices.Clone(w.Events), p.Missing(w)...)
	active := true
	h, _, err := f.api.Organizations.EditHook(ctx, p.Org.Name, id, &sdk.Hook{Events: events, Active: &active, Config: webhookConfig(want)})
	now, err := f.changed(ctx, op, p, h, err)
	if err == nil {
		_, err = f.api.Organizations.PingHook(ctx, p.Org.Name, id)
		if err != nil {
			err = wrap(hint(p, f.failed(ctx, "POST "+webhookPath(p, w.ID)+"/pings", err)))
		}
	}
	return now, err
}

func webhookConfig(want providers.WebhookSpec) *sdk.HookConfig {
	return &sdk.HookConfig{URL: new(want.URL()), Secret: &want.Secret, ContentType: new("json"), InsecureSSL: new("0")}
}

func (f *Forge) changed(ctx context.Context, op string, p providers.WebhookPlace, h *sdk.Hook, err error) (providers.Webhook, error) {
	switch {
	case err != nil:
		return providers.Webhook{}, wrap(hint(p, f.failed(ctx, op, err)))
	case h.GetID() <= 0:
		return providers.Webhook{}, wrap(nonsense(op, "a webhook without an id"))
	}
	return convertWebhook(h), nil
}

// DeleteWebhook needs what Webhooks needs.
func (f *Forge) DeleteWebhook(ctx context.Context, p providers.WebhookPlace, id string) error {
	op := "DELETE " + webhookPath(p, id)
	if p.Kind == providers.HookApp {
		return wrap(&providers.ForgeError{Op: op, Class: providers.ErrRejected, Err: errors.New("an App's webhook is switched off on the App's page")})
	}
	n, err := number(id)
	if err != nil {
		return wrap(err)
	}
	if _, err = f.api.Organizations.DeleteHook(ctx, p.Org.Name, n); err != nil {
		err = f.failed(ctx, op, err)
		if errors.Is(err, providers.ErrNotFound) {
			// The organization's webhooks could be read before: this one is gone.
			return wrap(err)
		}
		return wrap(hint(p, err))
	}
	return nil
}

// appWebhook reads an App's webhook and what the App is subscribed to. Who
// changed it when is not told.
func (f *Forge) appWebhook(ctx context.Context) (providers.Webhook, error) {
	config, _, err := f.app.Apps.GetHookConfig(ctx)
	if err != nil {
		return providers.Webhook{}, f.failed(ctx, "GET /app/hook/config", err)
	}
	app, _, err := f.app.Apps.Get(ctx, "")
	if err != nil {
		return providers.Webhook{}, f.failed(ctx, "GET /app", err)
	}
	active := true
	w := convertWebhook(&sdk.Hook{Config: config, Events: app.Events, Active: &active})
	w.ID = appHook
	return w, nil
}

func webhookPath(p providers.WebhookPlace, id string) string {
	if p.Kind == providers.HookApp {
		return "/app/hook"
	}
	return "/orgs/" + p.Org.Name + "/hooks/" + id
}

// hint says what the token lacks, and calls a refusal by its name. To whom
// GitHub does not show an organization's webhooks it says that they are not
// there; that the organization is was seen before.
func hint(p providers.WebhookPlace, err error) error {
	var fe *providers.ForgeError
	if !errors.As(err, &fe) {
		return err
	}
	told := *fe
	switch {
	case errors.Is(fe.Class, providers.ErrForbidden), errors.Is(fe.Class, providers.ErrNotFound):
		need := "an owner of " + p.Org.Name + " and the scope admin:org_hook (a fine-grained one: the organization permission Webhooks, read and write)"
		if p.Kind == providers.HookApp {
			need = "the App's own key, and the App a webhook"
		}
		told.Class = providers.ErrForbidden
		told.Err = fmt.Errorf("the token needs %s", need)
		if fe.Err != nil {
			told.Err = fmt.Errorf("%w: %w", told.Err, fe.Err)
		}
	case fe.Status == 422 || fe.Status == 400:
		told.Class = providers.ErrRejected
	}
	return &told
}

func convertWebhook(h *sdk.Hook) providers.Webhook {
	c := h.GetConfig()
	w := providers.Webhook{
		ID: strconv.FormatInt(h.GetID(), 10), URL: c.GetURL(), Events: slices.Sorted(slices.Values(h.Events)),
		ContentType: cmp.Or(c.GetContentType(), "form"), // the default
		Active:      h.GetActive(), Insecure: c.GetInsecureSSL() == "1",
		Secret: providers.SecretNone, Created: h.GetCreatedAt().Time, Updated: h.GetUpdatedAt().Time,
	}
	if c.GetSecret() != "" { // stars
		w.Secret = providers.SecretSet
	}
	return w
}
