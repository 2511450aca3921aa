package drone

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target/transport"
)

// eventWindow is how far the time of an announcement may be from ours: what is
// older may be a recording.
const eventWindow = 5 * time.Minute

// Events reads the webhooks by which Drone itself announces its users, however
// hookd acts there (DRONE_WEBHOOK_ENDPOINT and DRONE_WEBHOOK_SECRET). It does no
// I/O and is safe for concurrent use.
//
// Drone signs the Date and the Digest of the body by HTTP Signatures and nothing
// else: not the path, and not X-Drone-Event (source: plugin/webhook/webhook.go).
type Events struct {
	secrets providers.Secrets
	now     func() time.Time
}

// NewEvents returns a reader of what one of secrets signed.
func NewEvents(secrets providers.Secrets, now func() time.Time) *Events {
	return &Events{secrets: secrets, now: now}
}

// Verify checks signature, digest and time, all of them whatever is wrong, and
// returns the index of the secret that matched. The only error is
// providers.ErrSignature.
func (e *Events) Verify(h http.Header, body []byte) (int, error) {
	date, digest := h.Get("Date"), h.Get("Digest")
	fields := signatureFields(h.Get("Signature"))
	sum, err := base64.StdEncoding.Strict().DecodeString(fields["signature"])
	if err != nil {
		sum = nil
	}
	secret, err := e.secrets.MatchHMAC(hex.EncodeToString(sum), []byte("date: "+date+"\ndigest: "+digest))
	genuine := err == nil && fields["algorithm"] == "hmac-sha256" && fields["headers"] == "date digest"

	is := sha256.Sum256(body)
	whole := subtle.ConstantTimeCompare([]byte(digest), []byte("SHA-256="+base64.StdEncoding.EncodeToString(is[:]))) == 1

	at, err := http.ParseTime(date)
	recent := err == nil && e.now().Sub(at).Abs() <= eventWindow
	if !genuine || !whole || !recent {
		return 0, providers.ErrSignature
	}
	return secret, nil
}

// signatureFields reads a Signature header: key="value" with commas between.
func signatureFields(header string) map[string]string {
	fields := map[string]string{}
	for part := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(part, "=")
		fields[key] = strings.TrimSuffix(strings.TrimPrefix(value, `"`), `"`)
	}
	return fields
}

// Parse reads a verified announcement. The event's user has a login and no id:
// Drone knows its own ids only. The error is a *providers.Ignored, with an event
// that has a name, or wraps providers.ErrMalformed.
func (e *Events) Parse(body []byte) (providers.Event, error) {
	var in struct {
		Event  string `json:"event"`
		Action string `json:"action"`
		User   *struct {
			Login   string `json:"login"`
			Machine bool   `json:"machine"`
		} `json:"user"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.Event == "" {
		return providers.Event{}, fmt.Errorf("drone: announcement: %w", providers.ErrMalformed)
	}
	ev := providers.Event{Name: in.Event}
	if in.Action != "" {
		ev.Name += "." + in.Action
	}
	ignored := func(reason string) (providers.Event, error) { return ev, &providers.Ignored{Reason: reason} }
	switch {
	case in.Event == "repo":
		return ignored("hookd hears of repositories from the forge")
	case in.Event == "build":
		return ignored("a build changes nobody's list")
	case in.Event != "user":
		return ignored("hookd does not know this event")
	case in.User == nil || !transport.Segment(in.User.Login):
		return ev, fmt.Errorf("drone: %q names no user: %w", ev.Name, providers.ErrMalformed)
	case in.Action == "deleted":
		return ignored("who has no account is shown nothing")
	case in.User.Machine:
		return ignored("a machine user has no list of the forge")
	}
	ev.User, ev.Effect = &providers.User{Login: in.User.Login}, providers.EffectUser
	return ev, nil
}
