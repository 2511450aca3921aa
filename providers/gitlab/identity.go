package gitlab

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
)

var _ providers.Identifier = (*Forge)(nil)

// Identify costs two calls. What the token may is told of personal, group and
// project tokens, and not of OAuth's.
func (f *Forge) Identify(ctx context.Context) (providers.Identity, error) {
	u, err := f.whoami(ctx)
	if err != nil {
		return providers.Identity{}, wrap(err)
	}
	who := providers.Identity{Login: u.Username, Admin: u.IsAdmin}
	var token struct {
		Scopes  []string `json:"scopes"`
		Expires string   `json:"expires_at"` // a date
	}
	if _, err := f.get(ctx, "personal_access_tokens/self", nil, &token); err != nil {
		err = f.failed(ctx, "GET /personal_access_tokens/self", err)
		if errors.Is(err, providers.ErrNotFound) || errors.Is(err, providers.ErrForbidden) || errors.Is(err, errNoRoute) {
			return who, nil
		}
		return providers.Identity{}, wrap(err)
	}
	who.Scopes = token.Scopes
	if at, err := time.Parse(time.DateOnly, token.Expires); err == nil {
		who.Expires = at
	}
	has := func(scopes ...string) bool {
		return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(who.Scopes, s) })
	}
	if !has("api", "read_api") {
		who.Lacks = append(who.Lacks, "the scope api (read_api, if somebody else sets the webhook)")
	}
	if who.Admin && !has("sudo") {
		who.Lacks = append(who.Lacks, "the scope sudo, to read others' lists")
	}
	return who, nil
}
