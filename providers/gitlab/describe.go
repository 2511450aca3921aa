package gitlab

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"

	hooks "github.com/go-playground/webhooks/v6/gitlab"
	sdk "gitlab.com/gitlab-org/api/client-go/v2"

	"github.com/hookd/hookd/providers"
)

// Describe reads the typed payload: go-playground's, else that of GitLab's own
// client. What neither knows, or refuses although our own check passed, is
// described from what Parse knows; so the only error is Parse's ErrMalformed.
func (h *Hook) Describe(d providers.Delivery) (providers.Details, error) {
	e, err := h.Parse(d)
	if errors.Is(err, providers.ErrMalformed) {
		return providers.Details{}, err
	}
	f := facts{}
	f.event(e)
	if p, err := h.typed(d); err == nil {
		f.typed(p)
	}
	return providers.Details{Summary: f.summary(e), Facts: f}, nil
}

// typed hands a copy of the delivery to the library with the secret that
// matched. The token is put back, as the journal keeps none; where the
// delivery was signed, the library, which knows tokens only, gets the signing
// token as one.
func (h *Hook) typed(d providers.Delivery) (any, error) {
	if d.Secret < 0 || d.Secret >= h.secrets.Len() {
		return nil, errors.New("gitlab: the secret of this delivery is no longer live")
	}
	key := h.secrets.Key(d.Secret)
	lib, err := hooks.New(hooks.Options.Secret(key))
	if err != nil {
		return nil, err
	}
	header := d.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	kind := header.Get("X-Gitlab-Event")
	header.Set("X-Gitlab-Token", key)
	// The hooks of groups have the bodies of system hooks, which is all that
	// the library goes by.
	header.Set("X-Gitlab-Event", string(hooks.SystemHookEvents))
	p, err := lib.Parse(&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/"}, Header: header,
		Body: io.NopCloser(bytes.NewReader(d.Body)), ContentLength: int64(len(d.Body)),
	}, hooks.SystemHookEvents, hooks.PushEvents, hooks.TagEvents, hooks.MergeRequestEvents)
	if err == nil {
		return p, nil
	}
	if kind == "" || kind == string(sdk.EventTypeSystemHook) {
		return sdk.ParseSystemhook(d.Body)
	}
	return sdk.ParseWebhook(sdk.EventType(kind), d.Body)
}
