package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

var _ providers.HookAdmin = (*Forge)(nil)

// What hookd needs to hear, by the API's flags without their "_events". A
// system webhook hears of projects, groups, members and users whatever its
// flags are: those are for pushes and the like, of which hookd wants none
// (docs.gitlab.com/administration/system_hooks).
var groupEvents = []string{"member", "project", "subgroup"}

// WebhookPlaces begins with the whole instance where the token is an
// administrator's, as only its webhooks tell of renames, transfers and members
// of projects, and as a group's take Premium. With all nothing else will do.
func (f *Forge) WebhookPlaces(ctx context.Context, orgs []providers.Org, all bool) ([]providers.WebhookPlace, error) {
	var places []providers.WebhookPlace
	me, err := f.whoami(ctx)
	if err != nil {
		return nil, wrap(err)
	}
	if me.IsAdmin || all {
		places = append(places, providers.WebhookPlace{Kind: providers.HookSystem, TellsTLS: true})
	}
	for _, o := range orgs {
		places = append(places, providers.WebhookPlace{Kind: providers.HookGroup, Org: o, Events: groupEvents, TellsTLS: true})
	}
	return places, nil
}

// webhook is the part of lib/api/entities/hook.rb that matters here. The client
// has a type for each place, and the system's lacks what says that GitLab
// stopped sending.
type webhook struct {
	ID                  int64      `json:"id"`
	URL                 string     `json:"url"`
	CreatedAt           time.Time  `json:"created_at"`
	Push                bool       `json:"push_events"`
	TagPush             bool       `json:"tag_push_events"`
	MergeRequests       bool       `json:"merge_requests_events"`
	RepositoryUpdate    bool       `json:"repository_update_events"`
	Member              bool       `json:"member_events"`
	Project             bool       `json:"project_events"`
	Subgroup            bool       `json:"subgroup_events"`
	VerifyTLS           *bool      `json:"enable_ssl_verification"`
	AlertStatus         string     `json:"alert_status"` // executable, temporarily_disabled, disabled
	DisabledUntil       *time.Time `json:"disabled_until"`
	Template            *string    `json:"custom_webhook_template"`
	TokenPresent        *bool      `json:"token_present"`         // nil before GitLab told it
	SigningTokenPresent *bool      `json:"signing_token_present"` // nil before there were any
}

func webhooksPath(p providers.WebhookPlace) string {
	if p.Kind == providers.HookSystem {
		return "hooks"
	}
	return fmt.Sprintf("groups/%s/hooks", p.Org.ID)
}

// Webhooks needs an administrator for the system's, else an owner of the group.
func (f *Forge) Webhooks(ctx context.Context, p providers.WebhookPlace) ([]providers.Webhook, error) {
	path := webhooksPath(p)
	found, err := listing[webhook]{
		f: f, op: "GET /" + path, id: func(w *webhook) int64 { return w.ID },
		fetch: func(more ...sdk.RequestOptionFunc) ([]*webhook, *sdk.Response, error) {
			var page []*webhook
			resp, err := f.get(ctx, path, perPage{pageSize}, &page, more...)
			return page, resp, err
		},
	}.all(ctx)
	if err != nil {
		return nil, wrap(hint(p, err))
	}
	slices.SortFunc(found, func(a, b *webhook) int { return cmp.Compare(a.ID, b.ID) })
	all := make([]providers.Webhook, len(found))
	for i, w := range found {
		all[i] = w.convert()
	}
	return all, nil
}

type perPage struct {
	N int `url:"per_page"`
}

// webhookForm names every flag that has a default of its own.
type webhookForm struct {
	URL              string  `json:"url"`
	Name             string  `json:"name,omitempty"`
	Token            *string `json:"token,omitempty"`
	SigningToken     *string `json:"signing_token,omitempty"`
	VerifyTLS        bool    `json:"enable_ssl_verification"`
	Push             *bool   `json:"push_events,omitempty"`
	TagPush          *bool   `json:"tag_push_events,omitempty"`
	MergeRequests    *bool   `json:"merge_requests_events,omitempty"`
	RepositoryUpdate *bool   `json:"repository_update_events,omitempty"`
	Member           *bool   `json:"member_events,omitempty"`
	Project          *bool   `json:"project_events,omitempty"`
	Subgroup         *bool   `json:"subgroup_events,omitempty"`
}

func form(p providers.WebhookPlace, want providers.WebhookSpec) webhookForm {
	w := webhookForm{URL: want.URL(), VerifyTLS: true}
	if want.Signing {
		// The plain token goes, or it would be sent beside the signature.
		w.SigningToken, w.Token = &want.Secret, new("")
	} else {
		w.Token = &want.Secret
	}
	if p.Kind == providers.HookGroup {
		w.Member, w.Project, w.Subgroup = new(true), new(true), new(true)
	}
	return w
}

// CreateWebhook needs what Webhooks needs. A GitLab that knows no signing
// tokens, or has them switched off, ignores one without a word: the webhook,
// which would send unsigned, is then removed again.
func (f *Forge) CreateWebhook(ctx context.Context, p providers.WebhookPlace, want providers.WebhookSpec) (providers.Webhook, error) {
	w := form(p, want)
	w.Name = "hookd"
	w.Push, w.TagPush, w.MergeRequests = new(false), new(false), new(false)
	if p.Kind == providers.HookSystem {
		w.RepositoryUpdate = new(false) // else one for each push
	}
	made, err := f.send(ctx, p, http.MethodPost, webhooksPath(p), w)
	if err != nil {
		return providers.Webhook{}, wrap(err)
	}
	if err := signed(made, want); err != nil {
		return providers.Webhook{}, wrap(errors.Join(err, f.DeleteWebhook(ctx, p, strconv.FormatInt(made.ID, 10))))
	}
	return made.convert(), nil
}

// UpdateWebhook leaves the flags that nobody needs as they are.
func (f *Forge) UpdateWebhook(ctx context.Context, p providers.WebhookPlace, w providers.Webhook, want providers.WebhookSpec) (providers.Webhook, error) {
	if _, err := number(w.ID); err != nil {
		return providers.Webhook{}, wrap(err)
	}
	body := form(p, want)
	if !want.Signing && w.Secret == providers.SecretSigned {
		body.SigningToken = new("")
	}
	if want.Signing && w.Secret != providers.SecretSigned {
		// Not before it is known that signing tokens are taken: until then the
		// plain one is what its deliveries are known by.
		body.Token = nil
	}
	now, err := f.send(ctx, p, http.MethodPut, webhooksPath(p)+"/"+w.ID, body)
	if err != nil {
		return providers.Webhook{}, wrap(err)
	}
	if err := signed(now, want); err != nil {
		return providers.Webhook{}, wrap(err)
	}
	if want.Signing && body.Token == nil {
		if now, err = f.send(ctx, p, http.MethodPut, webhooksPath(p)+"/"+w.ID, form(p, want)); err != nil {
			return providers.Webhook{}, wrap(err)
		}
	}
	return now.convert(), nil
}

func signed(w *webhook, want providers.WebhookSpec) error {
	if want.Signing && (w.SigningTokenPresent == nil || !*w.SigningTokenPresent) {
		return &providers.ForgeError{
			Op: "signing_token", Class: providers.ErrRejected,
			Err: errors.New("this GitLab ignores signing tokens (its feature flag webhook_signing_token is off, or it is too old): use a plain secret"),
		}
	}
	return nil
}

func (f *Forge) send(ctx context.Context, p providers.WebhookPlace, method, path string, body webhookForm) (*webhook, error) {
	op := method + " /" + path
	req, err := f.api.NewRequest(method, path, body, []sdk.RequestOptionFunc{sdk.WithContext(ctx)})
	if err != nil {
		return nil, err
	}
	var w *webhook
	if _, err := f.api.Do(req, &w); err != nil {
		return nil, hint(p, f.failed(ctx, op, err))
	}
	if w == nil || w.ID <= 0 {
		return nil, nonsense(op, "a webhook without an id")
	}
	return w, nil
}

// DeleteWebhook needs what Webhooks needs.
func (f *Forge) DeleteWebhook(ctx context.Context, p providers.WebhookPlace, id string) error {
	if _, err := number(id); err != nil {
		return wrap(err)
	}
	path := webhooksPath(p) + "/" + id
	req, err := f.api.NewRequest(http.MethodDelete, path, nil, []sdk.RequestOptionFunc{sdk.WithContext(ctx)})
	if err != nil {
		return wrap(err)
	}
	if _, err := f.api.Do(req, nil); err != nil {
		err = f.failed(ctx, "DELETE /"+path, err)
		if errors.Is(err, providers.ErrNotFound) {
			return wrap(err)
		}
		return wrap(hint(p, err))
	}
	return nil
}

// hint says what the token lacks, and calls a refusal by its name. A GitLab
// without Premium has no webhooks of groups, and no such call or a 404.
func hint(p providers.WebhookPlace, err error) error {
	var fe *providers.ForgeError
	if !errors.As(err, &fe) {
		return err
	}
	told := *fe
	why := func(need string) {
		told.Class = providers.ErrForbidden
		told.Err = errors.New(need)
		if fe.Err != nil {
			told.Err = fmt.Errorf("%s: %w", need, fe.Err)
		}
	}
	group := p.Kind == providers.HookGroup
	switch {
	case group && (errors.Is(fe.Class, providers.ErrNotFound) || errors.Is(fe.Err, errNoRoute)):
		why("webhooks of groups take GitLab Premium, and an owner of " + p.Org.Name + " with the scope api; elsewhere an administrator's token sets a system webhook")
	case group && errors.Is(fe.Class, providers.ErrForbidden):
		why("the token needs an owner of " + p.Org.Name + " and the scope api")
	case errors.Is(fe.Class, providers.ErrForbidden), errors.Is(fe.Class, providers.ErrNotFound):
		why("the token needs an administrator and the scope api")
	case fe.Status == 422 || fe.Status == 400:
		told.Class = providers.ErrRejected
	}
	return &told
}

func (w *webhook) convert() providers.Webhook {
	c := providers.Webhook{
		ID: strconv.FormatInt(w.ID, 10), URL: w.URL, Active: true, Created: w.CreatedAt,
		Insecure: w.VerifyTLS != nil && !*w.VerifyTLS,
	}
	for name, hears := range map[string]bool{
		"push": w.Push, "tag_push": w.TagPush, "merge_requests": w.MergeRequests, "repository_update": w.RepositoryUpdate,
		"member": w.Member, "project": w.Project, "subgroup": w.Subgroup,
	} {
		if hears {
			c.Events = append(c.Events, name)
		}
	}
	slices.Sort(c.Events)
	switch {
	case w.AlertStatus == "temporarily_disabled" && w.DisabledUntil != nil:
		c.Disabled = "after failures, until " + w.DisabledUntil.UTC().Format(time.RFC3339)
	case w.AlertStatus != "" && w.AlertStatus != "executable":
		c.Disabled = "after failures (" + w.AlertStatus + ")"
	}
	if w.Template != nil && *w.Template != "" {
		c.Foreign = "sends a template of its own instead of the event"
	}
	switch {
	case w.SigningTokenPresent != nil && *w.SigningTokenPresent:
		c.Secret = providers.SecretSigned
	case w.TokenPresent == nil:
	case *w.TokenPresent:
		c.Secret = providers.SecretSet
	default:
		c.Secret = providers.SecretNone
	}
	return c
}
