package providerstest

import (
	"net/http"
	"slices"
)

// AddSystemHook gives the whole instance a webhook and returns its id.
func (g *Gitea) AddSystemHook(target, secret string, events ...string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addHook(nil, target, secret, events).id
}

// adminsOnly refuses everybody else in Gitea's words (measured).
func (c *call) adminsOnly() bool {
	if !c.doer.admin {
		c.refuse(http.StatusForbidden, "user should be the site admin")
	}
	return c.doer.admin
}

// systemHooks come all at once and without a count, whatever page is asked for
// (measured; routers/api/v1/admin/hooks.go, ListHooks).
func (c *call) systemHooks() {
	if !c.adminsOnly() {
		return
	}
	hooks := []any{}
	for _, h := range c.g.hooksOf(nil) {
		hooks = append(hooks, h.wireHook())
	}
	c.json(hooks)
}

// createSystemHook makes a default webhook of a form without is_system_webhook:
// one that is neither listed nor hears anything, but is copied into each new
// repository. The copies are not made here.
func (c *call) createSystemHook() {
	if c.adminsOnly() {
		c.makeHook(nil)
	}
}

// systemHook finds the asked one. One that is not there cannot be edited with
// an error of the server, and cannot be read or deleted with a 404 (measured).
func (c *call) systemHook() *hook {
	if !c.adminsOnly() {
		return nil
	}
	h := c.g.hooks[c.id("id")]
	if h == nil || h.owner != nil {
		if c.r.Method == http.MethodPatch {
			c.refuse(http.StatusInternalServerError, "")
		} else {
			c.notFound()
		}
		return nil
	}
	return h
}

func (c *call) getSystemHook() {
	if h := c.systemHook(); h != nil {
		c.json(h.wireHook())
	}
}

func (c *call) editSystemHook() {
	if h := c.systemHook(); h != nil {
		c.edit(h)
	}
}

func (c *call) deleteSystemHook() {
	if h := c.systemHook(); h != nil {
		c.drop(h)
	}
}

// A GiteaHook is a webhook as the database has it, which the API does not show.
type GiteaHook struct {
	ID                   int64
	Owner                string // "" for the instance
	Kind                 string // "gitea", or for whom else it is made
	URL, Secret, Content string
	Events               []string
	Branch, Auth         string
	Active               bool
}

// Hooks lists all webhooks, by id.
func (g *Gitea) Hooks() []GiteaHook {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []GiteaHook
	for _, h := range g.hooks {
		owner := ""
		if h.owner != nil {
			owner = h.owner.login
		}
		all = append(all, GiteaHook{h.id, owner, h.kind, h.url, h.secret, h.content, slices.Clone(h.events), h.branch, h.auth, h.active})
	}
	slices.SortFunc(all, func(a, b GiteaHook) int { return int(a.ID - b.ID) })
	return all
}

// EditHook changes a webhook as its page does, which can change everything.
func (g *Gitea) EditHook(id int64, change func(*GiteaHook)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hooks[id]
	if h == nil {
		return
	}
	now := GiteaHook{h.id, "", h.kind, h.url, h.secret, h.content, h.events, h.branch, h.auth, h.active}
	change(&now)
	h.kind, h.url, h.secret, h.content, h.events, h.branch, h.auth, h.active = now.Kind, now.URL, now.Secret, now.Content, now.Events, now.Branch, now.Auth, now.Active
	h.updated = g.opt.Now()
}
