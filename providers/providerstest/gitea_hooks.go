package providerstest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// hook is a webhook of an organization or user.
type hook struct {
	id      int64
	owner   *account
	url     string
	secret  string
	events  []string
	active  bool
	created time.Time
}

func (h *hook) hears(event string) bool { return h.active && slices.Contains(h.events, event) }

// AddHook gives an owner a webhook, as its page or API does, and returns its
// id. Without events it hears repository, fork, push, create and delete.
func (g *Gitea) AddHook(owner, target, secret string, events ...string) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.byLogin[fold(owner)]
	if o == nil {
		return 0, unknown("owner", owner)
	}
	if len(events) == 0 {
		events = []string{"repository", "fork", "push", "create", "delete"}
	}
	return g.addHook(o, target, secret, events).id, nil
}

func (g *Gitea) addHook(o *account, target, secret string, events []string) *hook {
	h := &hook{id: g.next("hook"), owner: o, url: target, secret: secret, events: events, active: true, created: g.opt.Now()}
	g.hooks[h.id] = h
	return h
}

type wireHook struct {
	ID           int64             `json:"id"`
	Type         string            `json:"type"`
	BranchFilter string            `json:"branch_filter"`
	Config       map[string]string `json:"config"`
	Events       []string          `json:"events"`
	AuthHeader   string            `json:"authorization_header"`
	Active       bool              `json:"active"`
	Updated      time.Time         `json:"updated_at"`
	Created      time.Time         `json:"created_at"`
}

// wireHook never shows the secret (services/webhook/general.go, ToHook).
func (h *hook) wireHook() any {
	at := h.created.UTC().Truncate(time.Second)
	return wireHook{
		ID: h.id, Type: "gitea", Config: map[string]string{"url": h.url, "content_type": "json"},
		Events: h.events, Active: h.active, Updated: at, Created: at,
	}
}

// ownersOnly is the organization, refused to those who do not own it.
func (c *call) ownersOnly() *account {
	o := c.organization()
	if o == nil || c.doer.admin || slices.ContainsFunc(o.teams, func(t *team) bool { return t.owners && t.members[c.doer] }) {
		return o
	}
	c.refuse(http.StatusForbidden, "Must be an organization owner")
	return nil
}

func (c *call) listHooks() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	var hooks []*hook
	for _, h := range c.g.hooks {
		if h.owner == o {
			hooks = append(hooks, h)
		}
	}
	slices.SortFunc(hooks, func(a, b *hook) int { return cmp.Compare(a.id, b.id) })
	list(c, hooks, listKind{}, (*hook).wireHook)
}

type hookForm struct {
	Type   string            `json:"type"`
	Config map[string]string `json:"config"`
	Events []string          `json:"events"`
	Active *bool             `json:"active"`
}

// createHook refuses what Gitea refuses: another type or content type than it
// knows, or an address that is none (routers/api/v1/utils/hook.go).
func (c *call) createHook() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	var form hookForm
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || (form.Type != "gitea" && form.Type != "forgejo") {
		c.refuse(http.StatusUnprocessableEntity, "Invalid hook type: "+form.Type)
		return
	}
	if u, err := url.Parse(form.Config["url"]); err != nil || u.Host == "" {
		c.refuse(http.StatusUnprocessableEntity, "Invalid url")
		return
	}
	if form.Config["content_type"] != "json" {
		c.refuse(http.StatusUnprocessableEntity, "Invalid content type")
		return
	}
	if len(form.Events) == 0 {
		form.Events = []string{"push"}
	}
	h := c.g.addHook(o, form.Config["url"], form.Config["secret"], form.Events)
	h.active = form.Active != nil && *form.Active
	c.status = http.StatusCreated
	c.json(h.wireHook())
}

// own finds the asked hook of the asked organization.
func (c *call) own() *hook {
	o := c.ownersOnly()
	if o == nil {
		return nil
	}
	h := c.g.hooks[c.id("id")]
	if h == nil || h.owner != o {
		c.notFound()
		return nil
	}
	return h
}

func (c *call) getHook() {
	if h := c.own(); h != nil {
		c.json(h.wireHook())
	}
}

func (c *call) editHook() {
	h := c.own()
	if h == nil {
		return
	}
	var form hookForm
	if json.NewDecoder(c.r.Body).Decode(&form) != nil {
		c.refuse(http.StatusUnprocessableEntity, "Invalid form")
		return
	}
	if v, ok := form.Config["url"]; ok {
		h.url = v
	}
	if v, ok := form.Config["secret"]; ok {
		h.secret = v
	}
	if form.Events != nil {
		h.events = form.Events
	}
	if form.Active != nil {
		h.active = *form.Active
	}
	c.json(h.wireHook())
}

func (c *call) deleteHook() {
	if h := c.own(); h != nil {
		delete(c.g.hooks, h.id)
		c.status = http.StatusNoContent
		c.header.Del("Content-Type")
	}
}

// announce queues a delivery for every hook of the owner that hears the event.
// The payload is fixed now, not when it is sent (services/webhook/webhook.go).
// The caller holds g.mu.
func (g *Gitea) announce(owner *account, event string, body []byte) {
	for _, id := range slices.Sorted(maps.Keys(g.hooks)) {
		if h := g.hooks[id]; h.owner == owner && h.hears(event) {
			target := "organization"
			if !owner.org {
				target = "user"
			}
			g.sender.push(GiteaDelivery{
				UUID: newUUID(), Hook: strconv.FormatInt(h.id, 10), Event: event, Body: body,
				url: h.url, secret: h.secret, target: target,
			})
		}
	}
}
