package providerstest

import (
	"slices"
	"strings"
)

// ghAllScopes are what a token has unless it was given others.
var ghAllScopes = []string{"admin:org", "admin:org_hook", "repo", "user"}

// SetScopes limits a user's classic token to these scopes; with none it is a
// fine-grained one, of which no scopes are told. Only what concerns webhooks
// looks at them.
func (g *GitHub) SetScopes(login string, scopes ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.byLogin[fold(login)]
	if a == nil {
		return unknown("user", login)
	}
	g.scopes[a] = scopes
	return nil
}

func (c *ghCall) scopes() []string {
	if scopes, limited := c.g.scopes[c.doer]; limited {
		return scopes
	}
	return ghAllScopes
}

func (c *ghCall) scoped(scope string) bool {
	scopes := c.scopes()
	return len(scopes) == 0 || slices.Contains(scopes, scope)
}

// tellScopes is on every answer to a classic token (docs.github.com, "Scopes for
// OAuth apps").
func (c *ghCall) tellScopes() {
	if c.doer == nil || c.app != nil {
		return
	}
	if scopes := c.scopes(); len(scopes) > 0 {
		c.header.Set("X-OAuth-Scopes", strings.Join(scopes, ", "))
	}
}
