package github

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

var _ providers.Identifier = (*Forge)(nil)

// needed are the scopes of a classic token, each with those that include it
// (docs.github.com, "Scopes for OAuth apps").
var needed = []struct {
	scope  string
	others []string
}{
	{scope: "repo"},
	{scope: "read:org", others: []string{"write:org", "admin:org"}},
}

// Identify costs one call. The scopes of a classic token come with every
// answer; those of a fine-grained one, and of an App, are not told.
func (f *Forge) Identify(ctx context.Context) (providers.Identity, error) {
	if f.app != nil {
		app, _, err := f.app.Apps.Get(ctx, "")
		if err != nil {
			return providers.Identity{}, wrap(f.failed(ctx, "GET /app", err))
		}
		return providers.Identity{Login: app.GetSlug() + "[bot]"}, nil
	}
	const op = "GET /user"
	u, resp, err := f.api.Users.Get(ctx, "")
	switch {
	case err != nil:
		return providers.Identity{}, wrap(f.failed(ctx, op, err))
	case u.GetID() <= 0 || u.GetLogin() == "":
		return providers.Identity{}, wrap(nonsense(op, "a user without an id"))
	}
	who := providers.Identity{Login: u.GetLogin(), Admin: u.GetSiteAdmin()}
	if at, err := time.Parse("2006-01-02 15:04:05 MST", resp.Header.Get("Github-Authentication-Token-Expiration")); err == nil {
		who.Expires = at
	}
	told, classic := resp.Header["X-Oauth-Scopes"]
	if !classic {
		return who, nil
	}
	for scope := range strings.SplitSeq(strings.Join(told, ","), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			who.Scopes = append(who.Scopes, scope)
		}
	}
	for _, n := range needed {
		if !slices.ContainsFunc(append(n.others, n.scope), func(s string) bool { return slices.Contains(who.Scopes, s) }) {
			who.Lacks = append(who.Lacks, "the scope "+n.scope)
		}
	}
	return who, nil
}
