package github

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/hookd/hookd/providers"
)

// Hook reads the webhooks of GitHub and GitHub Enterprise Server, of
// organizations, repositories, enterprises and Apps alike. It implements
// providers.Hook.
type Hook struct{ secrets providers.Secrets }

// NewHook returns a hook that accepts deliveries signed with any live secret.
func NewHook(secrets providers.Secrets) *Hook { return &Hook{secrets: secrets} }

var _ providers.Hook = (*Hook)(nil)

const signaturePrefix = "sha256="

// Verify checks the HMAC-SHA256 in X-Hub-Signature-256 over the bytes as they
// were sent: of a form-encoded delivery that is the form, not the JSON in it.
// The older SHA-1 signature beside it is not looked at.
func (h *Hook) Verify(header http.Header, body []byte) (int, error) {
	sum, ok := strings.CutPrefix(header.Get("X-Hub-Signature-256"), signaturePrefix)
	if !ok {
		sum = "" // refused below, for the same price
	}
	return h.secrets.MatchHMAC(sum, body)
}

// GUID returns the delivery's id, which a redelivery keeps.
func (h *Hook) GUID(header http.Header) string { return header.Get("X-GitHub-Delivery") }

// Parse reads what routing needs. An action that is not known yet, of an event
// that is, means that its subject changed.
func (h *Hook) Parse(d providers.Delivery) (providers.Event, error) {
	name := d.Header.Get("X-GitHub-Event")
	if name == "" {
		return providers.Event{}, fmt.Errorf("github: delivery without an event name: %w", providers.ErrMalformed)
	}
	p, err := readPayload(d.Body)
	if err != nil && (changes(name) || errors.Is(err, errNoObject)) {
		return providers.Event{Name: name}, fmt.Errorf("github: %s: %w", name, err)
	}
	// The shape of an event that changes nothing is not worth a refusal.
	e, err := p.event(name)
	if errors.Is(err, providers.ErrMalformed) {
		return providers.Event{Name: e.Name}, fmt.Errorf("github: %s: %w", e.Name, err)
	}
	return e, err
}
