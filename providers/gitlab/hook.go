package gitlab

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

// Hook reads the webhooks of GitLab: system hooks of an instance and hooks of
// groups, which have the same flat bodies. It implements providers.Hook.
type Hook struct {
	secrets providers.Secrets
	tokens  [][sha256.Size]byte // hashes of the plain tokens; nil where signing has a key
	signing [][]byte            // keys of the signing tokens; nil where tokens has a hash
	signed  bool                // a signing token is live: plain ones are refused
	now     func() time.Time
}

// signingPrefix marks a secret as a signing token.
const signingPrefix = "whsec_"

// NewHook returns a hook that accepts deliveries authenticated by any live
// secret: a plain token that GitLab repeats, or a signing token ("whsec_" and
// a key in base64). While a signing token is live, plain tokens are refused,
// or whoever knows an old one could go round the signature. Now is the clock
// signatures are dated by, nil for time.Now.
func NewHook(secrets providers.Secrets, now func() time.Time) (*Hook, error) {
	if now == nil {
		now = time.Now
	}
	h := &Hook{
		secrets: secrets, now: now,
		tokens: make([][sha256.Size]byte, secrets.Len()), signing: make([][]byte, secrets.Len()),
	}
	for i := range secrets.Len() {
		encoded, ok := strings.CutPrefix(secrets.Key(i), signingPrefix)
		if !ok {
			h.tokens[i] = sha256.Sum256([]byte(secrets.Key(i)))
			continue
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) < providers.MinSecret {
			return nil, fmt.Errorf("gitlab: webhook secret %d is no signing token: want %s and at least %d bytes in base64", i+1, signingPrefix, providers.MinSecret)
		}
		h.signing[i], h.signed = key, true
	}
	return h, nil
}

var _ providers.Hook = (*Hook)(nil)

// Verify checks the signature if a signing token is live, else the token.
func (h *Hook) Verify(header http.Header, body []byte) (int, error) {
	if h.signed {
		return h.verifySignature(header, body)
	}
	return h.verifyToken(header.Get("X-Gitlab-Token"))
}

// verifyToken compares hashes, so that neither the time nor the length of the
// comparison depends on a secret, and tries every one.
func (h *Hook) verifyToken(token string) (int, error) {
	given := sha256.Sum256([]byte(token))
	match := -1
	for i := range h.tokens {
		if subtle.ConstantTimeCompare(given[:], h.tokens[i][:]) == 1 && match < 0 {
			match = i
		}
	}
	if match < 0 {
		return 0, providers.ErrSignature
	}
	return match, nil
}

// GUID returns the id that GitLab repeats when it sends a delivery again. The
// last resort, the event's UUID, is shared by the hooks that one event fires.
func (h *Hook) GUID(header http.Header) string { return guidOf(header) }

func guidOf(header http.Header) string {
	return first(header, "Webhook-Id", "Idempotency-Key", "X-Gitlab-Event-Uuid")
}

// Parse reads what routing needs. What GitLab may add to a family of events
// that is known means that their subject changed.
func (h *Hook) Parse(d providers.Delivery) (providers.Event, error) {
	p, err := readPayload(d.Body)
	name := p.name(d.Header)
	// The shape of an event that changes nothing is not worth a refusal.
	if err != nil && (errors.Is(err, errNoObject) || p.family() != "" || p.Name+p.Kind == "") {
		return providers.Event{Name: name}, fmt.Errorf("gitlab: %s: %w", name, err)
	}
	if name == "" {
		return providers.Event{}, fmt.Errorf("gitlab: delivery without an event name: %w", providers.ErrMalformed)
	}
	e, err := p.event(name)
	if err != nil {
		return e, fmt.Errorf("gitlab: %s: %w", name, err)
	}
	return e, nil
}

func first(h http.Header, names ...string) string {
	for _, n := range names {
		if v := h.Get(n); v != "" {
			return v
		}
	}
	return ""
}
