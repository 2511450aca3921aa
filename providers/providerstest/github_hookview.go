package providerstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// signedApp finds the App that signs a request which names no installation.
func (c *ghCall) signedApp() *ghApp {
	token := strings.TrimPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	for _, app := range c.g.apps {
		if app.signed(token, c.g.opt.Now()) {
			return app
		}
	}
	c.refuse(http.StatusUnauthorized, "A JSON web token could not be decoded")
	return nil
}

// appInfo tells what the App is subscribed to; only its page changes that.
func (c *ghCall) appInfo() {
	app := c.signedApp()
	if app == nil {
		return
	}
	events := []string{}
	for _, h := range c.g.hooks {
		if h.app == app {
			events = append(events, h.events...)
		}
	}
	c.json(ghFields{"id": app.id, "slug": "hookd", "name": "hookd", "events": events})
}

// editAppHook changes what is named (docs.github.com, "Update a webhook
// configuration for an app").
func (c *ghCall) editAppHook() {
	h := c.loggedHook()
	if h == nil {
		return
	}
	var form ghHookForm
	secret := h.secret
	if json.NewDecoder(c.r.Body).Decode(&form.Config) != nil || !h.fill(form) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	if form.Config == nil || form.Config.Secret == nil {
		h.secret = secret
	}
	c.json(h.config())
}

// A GitHubHook is a webhook as GitHub has it, which the API does not show.
type GitHubHook struct {
	ID          int64
	Owner       string
	URL, Secret string
	Form, NoTLS bool
	Events      []string
	Active      bool
}

// Hooks lists all webhooks, by id.
func (g *GitHub) Hooks() []GitHubHook {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []GitHubHook
	for _, h := range g.hooks {
		all = append(all, h.shown())
	}
	slices.SortFunc(all, func(a, b GitHubHook) int { return int(a.ID - b.ID) })
	return all
}

func (h *ghHook) shown() GitHubHook {
	return GitHubHook{h.id, h.owner.login, h.url, h.secret, h.form, h.noTLS, slices.Clone(h.events), h.active}
}

// EditHook changes a webhook as its page does.
func (g *GitHub) EditHook(id int64, change func(*GitHubHook)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hooks[id]
	if h == nil {
		return
	}
	now := h.shown()
	change(&now)
	h.url, h.secret, h.form, h.noTLS, h.events, h.active = now.URL, now.Secret, now.Form, now.NoTLS, now.Events, now.Active
	h.updated = g.opt.Now()
}
