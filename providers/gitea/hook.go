package gitea

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hookd/hookd/providers"
)

// Hook reads the webhooks of Gitea and Forgejo. It implements providers.Hook.
type Hook struct{ secrets providers.Secrets }

// NewHook returns a hook that accepts deliveries signed with any live secret.
func NewHook(secrets providers.Secrets) *Hook { return &Hook{secrets: secrets} }

var _ providers.Hook = (*Hook)(nil)

// Verify checks the bare hexadecimal HMAC-SHA256 that Gitea sends. The
// GitHub and Gogs signatures that Gitea sends beside it are not looked at:
// one signature decides.
func (h *Hook) Verify(header http.Header, body []byte) (int, error) {
	return h.secrets.MatchHMAC(first(header, "X-Gitea-Signature", "X-Forgejo-Signature"), body)
}

// GUID returns the delivery's UUID. A replay from Gitea's web page carries the
// same bytes under a new one.
func (h *Hook) GUID(header http.Header) string {
	return first(header, "X-Gitea-Delivery", "X-Forgejo-Delivery")
}

// Parse reads what routing needs. Actions of the repository event that Gitea
// may add later mean that the repository changed.
func (h *Hook) Parse(d providers.Delivery) (providers.Event, error) {
	name := eventName(d.Header)
	if name == "" {
		return providers.Event{}, fmt.Errorf("gitea: delivery without an event name: %w", providers.ErrMalformed)
	}
	p, err := readPayload(d.Body)
	if errors.Is(err, errNoObject) {
		return providers.Event{Name: name}, fmt.Errorf("gitea: %s: %w", name, err)
	}
	switch {
	case name != "repository" && name != "fork":
	case err != nil:
		return providers.Event{Name: name}, fmt.Errorf("gitea: %s: %w", name, err)
	case name == "fork":
		return p.fork()
	default:
		return p.repository()
	}
	// The shape of an event that changes nothing is not worth a refusal.
	return p.ignored(name)
}

// eventName prefers the event to the finer event type ("pull_request" to
// "pull_request_label"), as the names of the matrix are those of events.
func eventName(h http.Header) string {
	return first(h, "X-Gitea-Event", "X-Forgejo-Event", "X-Gitea-Event-Type", "X-Forgejo-Event-Type")
}

func first(h http.Header, names ...string) string {
	for _, n := range names {
		if v := h.Get(n); v != "" {
			return v
		}
	}
	return ""
}
