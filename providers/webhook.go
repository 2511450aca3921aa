package providers

import (
	"context"
	"slices"
	"time"
)

// A HookAdmin sets, reads and removes a forge's webhooks through its API. It
// is found by type assertion. As Forge's, its methods block on the network and
// never retry; their errors are classified by errors.go: ErrForbidden where
// the token may not, ErrRejected where the forge declines and says why.
type HookAdmin interface {
	// WebhookPlaces lists the places whose webhooks can tell of these
	// organizations, or with all of the whole instance: the one where hookd's
	// own belong first, those that tell of less or of one organization each
	// after it.
	WebhookPlaces(ctx context.Context, orgs []Org, all bool) ([]WebhookPlace, error)

	// Webhooks lists every webhook of a place, whoever set it, ordered by id.
	Webhooks(ctx context.Context, p WebhookPlace) ([]Webhook, error)

	// CreateWebhook returns the webhook as the forge then shows it.
	CreateWebhook(ctx context.Context, p WebhookPlace, want WebhookSpec) (Webhook, error)

	// UpdateWebhook makes w what is wanted, the secret included where the place
	// allows that, and returns it as the forge then shows it. What w hears
	// beyond that it goes on hearing.
	UpdateWebhook(ctx context.Context, p WebhookPlace, w Webhook, want WebhookSpec) (Webhook, error)

	// DeleteWebhook removes a webhook. ErrNotFound if it is not there.
	DeleteWebhook(ctx context.Context, p WebhookPlace, id string) error
}

// A WebhookPlace is where a forge keeps webhooks.
type WebhookPlace struct {
	Kind   HookType
	Org    Org      // whose they are; none of HookSystem and HookApp
	Events []string // what hookd needs to hear from here, in the forge's words, sorted

	// PerEvent is how many webhooks of the place may hear one event, 0 if the
	// forge has no such limit.
	PerEvent int
	// TellsTLS: Webhook.Insecure is known.
	TellsTLS bool
	// SecretOnce: a webhook gets its secret when it is made and never another.
	SecretOnce bool
	// Fixed: there is exactly one webhook, and which events it hears is set by
	// hand on the forge's page.
	Fixed bool
}

// Whole reports whether its webhooks tell of more than one organization.
func (p WebhookPlace) Whole() bool { return p.Kind == HookSystem || p.Kind == HookApp }

// Name is what people call the place.
func (p WebhookPlace) Name() string {
	if p.Whole() {
		return "(" + string(p.Kind) + ")"
	}
	return p.Org.Name
}

// SecretState is what a forge tells of a webhook's secret. None tells the
// secret itself.
type SecretState string

// The states of a webhook's secret.
const (
	SecretUntold SecretState = ""        // the forge does not tell whether there is one
	SecretNone   SecretState = "none"    // deliveries are not signed
	SecretSet    SecretState = "set"     // there is one
	SecretSigned SecretState = "signing" // a signing token of GitLab
)

// A Webhook is one that a forge has, as its API shows it.
type Webhook struct {
	ID          string
	URL         string
	Events      []string // in the forge's words, sorted; "*" is all
	ContentType string   // "json" or "form", "" where there is no choice
	Active      bool
	Insecure    bool   // the certificate of the receiver is not verified
	Disabled    string // why the forge stopped sending by itself; "" if it sends
	Foreign     string // why its deliveries are not in the forge's own format; "" if they are
	Secret      SecretState
	Created     time.Time // zero if not told
	Updated     time.Time // zero if not told
}

// A WebhookSpec is what a webhook of hookd has to be.
type WebhookSpec struct {
	Public   string   // hookd's public address
	Former   []string // public addresses that hookd had before
	Provider string   // the name of its entry

	Secret  string // the newest live one
	Signing bool   // the secret is a signing token of GitLab
	// Since is when the secret came to be, as far as that is known: a webhook
	// that is older cannot have it.
	Since time.Time
	// Other: it is known to be another than the webhook has.
	Other bool
}

// URL is where the webhook has to send.
func (s WebhookSpec) URL() string { return HookURL(s.Public, s.Provider) }

// Ours reports whether a webhook sends to us, or to where we used to be.
func (s WebhookSpec) Ours(w Webhook) bool {
	return IsHookURL(w.URL, s.Public, s.Provider) || slices.ContainsFunc(s.Former, func(public string) bool {
		return IsHookURL(w.URL, public, s.Provider)
	})
}

// Stray reports whether a webhook sends to a hookd elsewhere that has a
// provider of this name: this one at its former address perhaps, or another.
func (s WebhookSpec) Stray(w Webhook) bool {
	return !s.Ours(w) && IsHookURL(w.URL, "", s.Provider)
}
