package gitea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/hookd/hookd/providers"
)

var _ providers.HookAdmin = (*Forge)(nil)

// webhookEvents are what hookd needs to hear. A fork into an organization is a
// repository created there, and one of its repositories forked elsewhere
// changes nobody's list in it.
var webhookEvents = []string{"repository"}

// WebhookPlaces are the organizations, or with all the whole instance: its
// webhooks come first then, and after the organizations otherwise. Its secret
// is given to a webhook when it is made: a later change is accepted and
// forgotten (measured on 1.25.4; routers/api/v1/utils/hook.go, editHook).
func (f *Forge) WebhookPlaces(_ context.Context, orgs []providers.Org, all bool) ([]providers.WebhookPlace, error) {
	var places []providers.WebhookPlace
	for _, o := range orgs {
		places = append(places, providers.WebhookPlace{Kind: providers.HookOrg, Org: o, Events: webhookEvents, SecretOnce: true})
	}
	system := providers.WebhookPlace{Kind: providers.HookSystem, Events: webhookEvents, SecretOnce: true}
	if all {
		return slices.Insert(places, 0, system), nil
	}
	return append(places, system), nil
}

// Webhooks needs the scope read:organization, or read:admin for the system's.
func (f *Forge) Webhooks(ctx context.Context, p providers.WebhookPlace) ([]providers.Webhook, error) {
	found, err := f.webhooks(ctx, p)
	if err != nil {
		return nil, wrap(hint(p, err))
	}
	slices.SortFunc(found, func(a, b *sdk.Hook) int { return cmp.Compare(a.ID, b.ID) })
	return convert(found, convertWebhook), nil
}

func (f *Forge) webhooks(ctx context.Context, p providers.WebhookPlace) ([]*sdk.Hook, error) {
	c := f.client(ctx, "")
	if p.Kind == providers.HookOrg {
		return list[sdk.Hook]{
			f: f, op: "GET /orgs/" + p.Org.Name + "/hooks", id: func(h *sdk.Hook) int64 { return h.ID },
			fetch: func(o sdk.ListOptions) ([]*sdk.Hook, *sdk.Response, error) {
				return c.ListOrgHooks(p.Org.Name, sdk.ListHooksOptions{ListOptions: o})
			},
		}.all(ctx)
	}
	// All in one answer without a count, whatever page is asked for (measured;
	// routers/api/v1/admin/hooks.go, ListHooks).
	const op = "GET /admin/hooks"
	found, _, err := c.ListAdminHooks(sdk.ListAdminHooksOptions{Type: "system"})
	switch {
	case err != nil:
		return nil, f.failed(ctx, op, err)
	case found == nil:
		return nil, nonsense(op, "null instead of a list")
	}
	for _, h := range found {
		if h == nil || h.ID <= 0 {
			return nil, nonsense(op, "a webhook without an id")
		}
	}
	return found, nil
}

// CreateWebhook needs an owner of the organization and the scope
// write:organization, or an administrator and write:admin for the system's.
func (f *Forge) CreateWebhook(ctx context.Context, p providers.WebhookPlace, want providers.WebhookSpec) (providers.Webhook, error) {
	c := f.client(ctx, "")
	form := sdk.CreateHookOption{
		Type: sdk.HookTypeGitea, Events: p.Events, Active: true,
		Config: map[string]string{"url": want.URL(), "content_type": "json", "secret": want.Secret},
	}
	var made *sdk.Hook
	var err error
	op := "POST /orgs/" + p.Org.Name + "/hooks"
	if p.Kind == providers.HookSystem {
		// Without this it would be a default webhook, which is copied into each
		// new repository and never hears that one is deleted.
		form.Config["is_system_webhook"] = "true"
		op = "POST /admin/hooks"
		made, _, err = c.CreateAdminHook(form)
	} else {
		made, _, err = c.CreateOrgHook(p.Org.Name, form)
	}
	return f.changed(ctx, op, p, made, err)
}

// UpdateWebhook leaves the secret as it is. Gitea takes what the form does not
// name for empty, and no events for "push", so all is repeated.
func (f *Forge) UpdateWebhook(ctx context.Context, p providers.WebhookPlace, w providers.Webhook, want providers.WebhookSpec) (providers.Webhook, error) {
	id, err := number(w.ID)
	if err != nil {
		return providers.Webhook{}, wrap(err)
	}
	c := f.client(ctx, "")
	op := "PATCH " + webhookPath(p, w.ID)
	now, err := f.webhook(ctx, p, id)
	if err != nil {
		return providers.Webhook{}, wrap(hint(p, err))
	}
	events := slices.Clone(now.Events)
	for _, e := range p.Events {
		if !slices.Contains(events, e) {
			events = append(events, e)
		}
	}
	active := true
	form := sdk.EditHookOption{
		Config: map[string]string{"url": want.URL(), "content_type": "json"}, Events: events, Active: &active,
		BranchFilter: now.BranchFilter, AuthorizationHeader: now.AuthorizationHeader,
	}
	if p.Kind == providers.HookSystem {
		now, _, err = c.EditAdminHook(id, form)
		return f.changed(ctx, op, p, now, err)
	}
	// The SDK returns nothing of the answer.
	if _, err = c.EditOrgHook(p.Org.Name, id, form); err == nil {
		now, err = f.webhook(ctx, p, id)
	}
	return f.changed(ctx, op, p, now, err)
}

func (f *Forge) webhook(ctx context.Context, p providers.WebhookPlace, id int64) (*sdk.Hook, error) {
	c := f.client(ctx, "")
	op := "GET " + webhookPath(p, strconv.FormatInt(id, 10))
	var h *sdk.Hook
	var err error
	if p.Kind == providers.HookSystem {
		h, _, err = c.GetAdminHook(id)
	} else {
		h, _, err = c.GetOrgHook(p.Org.Name, id)
	}
	switch {
	case err != nil:
		return nil, f.failed(ctx, op, err)
	case h == nil || h.ID != id:
		return nil, nonsense(op, "an answer about something else")
	}
	return h, nil
}

func (f *Forge) changed(ctx context.Context, op string, p providers.WebhookPlace, h *sdk.Hook, err error) (providers.Webhook, error) {
	switch {
	case err != nil:
		return providers.Webhook{}, wrap(hint(p, f.failed(ctx, op, err)))
	case h == nil || h.ID <= 0:
		return providers.Webhook{}, wrap(nonsense(op, "a webhook without an id"))
	}
	return convertWebhook(h), nil
}

// DeleteWebhook needs what CreateWebhook needs.
func (f *Forge) DeleteWebhook(ctx context.Context, p providers.WebhookPlace, id string) error {
	n, err := number(id)
	if err != nil {
		return wrap(err)
	}
	c := f.client(ctx, "")
	if p.Kind == providers.HookSystem {
		_, err = c.DeleteAdminHook(n)
	} else {
		_, err = c.DeleteOrgHook(p.Org.Name, n)
	}
	if err != nil {
		return wrap(hint(p, f.failed(ctx, "DELETE "+webhookPath(p, id), err)))
	}
	return nil
}

func webhookPath(p providers.WebhookPlace, id string) string {
	if p.Kind == providers.HookSystem {
		return "/admin/hooks/" + id
	}
	return "/orgs/" + p.Org.Name + "/hooks/" + id
}

// hint says what the token lacks, and calls a refusal by its name.
func hint(p providers.WebhookPlace, err error) error {
	var fe *providers.ForgeError
	if !errors.As(err, &fe) {
		return err
	}
	told := *fe
	switch {
	case errors.Is(fe.Class, providers.ErrForbidden):
		need := "an owner of " + p.Org.Name + " and the scope write:organization"
		if p.Kind == providers.HookSystem {
			need = "a site administrator and the scope write:admin"
		}
		told.Err = fmt.Errorf("the token needs %s: %w", need, orElse(fe.Err))
	case fe.Status == 422 || fe.Status == 400:
		told.Class = providers.ErrRejected
	}
	return &told
}

func orElse(err error) error {
	if err == nil {
		return errors.New("no reason was told")
	}
	return err
}

func convertWebhook(h *sdk.Hook) providers.Webhook {
	w := providers.Webhook{
		ID: strconv.FormatInt(h.ID, 10), URL: h.Config["url"], ContentType: h.Config["content_type"],
		Active: h.Active, Created: h.Created, Updated: h.Updated,
	}
	set := map[string]bool{} // Gitea gives them in no order
	for _, e := range h.Events {
		set[e] = true
	}
	w.Events = slices.Sorted(maps.Keys(set))
	// A Gogs webhook has the headers and the payload of a Gitea one
	// (services/webhook/deliver.go writes both sets); all others are made for
	// chats and the like.
	switch h.Type {
	case "gitea", "forgejo", "gogs":
	default:
		w.Foreign = fmt.Sprintf("is of the type %s", h.Type)
	}
	return w
}
