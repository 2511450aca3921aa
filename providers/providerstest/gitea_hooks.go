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

// hook is a webhook of an organization or user, or of the whole instance.
type hook struct {
	id      int64
	owner   *account // nil for a system webhook, which hears of everything
	copied  bool     // a default webhook: none of its own, but copied into each new repository
	kind    string   // "gitea", or for whom else it is made
	url     string
	secret  string
	content string // "json" or "form"
	events  []string
	branch  string // branch filter
	auth    string // authorization header
	active  bool
	created time.Time
	updated time.Time
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
	h := &hook{kind: "gitea", owner: o, url: target, secret: secret, content: "json", events: events, active: true}
	g.keepHook(h)
	return h
}

func (g *Gitea) keepHook(h *hook) {
	h.id, h.created, h.updated = g.next("hook"), g.opt.Now(), g.opt.Now()
	g.hooks[h.id] = h
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
	return wireHook{
		ID: h.id, Type: h.kind, Config: map[string]string{"url": h.url, "content_type": h.content}, BranchFilter: h.branch, AuthHeader: h.auth,
		Events: h.events, Active: h.active, Updated: h.updated.UTC().Truncate(time.Second), Created: h.created.UTC().Truncate(time.Second),
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

// hooksOf lists what an owner has, or with nil the instance, by id.
func (g *Gitea) hooksOf(o *account) []*hook {
	var hooks []*hook
	for _, h := range g.hooks {
		if h.owner == o && !h.copied {
			hooks = append(hooks, h)
		}
	}
	slices.SortFunc(hooks, func(a, b *hook) int { return cmp.Compare(a.id, b.id) })
	return hooks
}

func (c *call) listHooks() {
	if o := c.ownersOnly(); o != nil {
		list(c, c.g.hooksOf(o), listKind{}, (*hook).wireHook)
	}
}

type hookForm struct {
	Type   string            `json:"type"`
	Config map[string]string `json:"config"`
	Events []string          `json:"events"`
	Branch string            `json:"branch_filter"`
	Auth   string            `json:"authorization_header"`
	Active *bool             `json:"active"`
}

// The types of webhooks (modules/webhook/structs.go).
var hookTypes = []string{"gitea", "gogs", "slack", "discord", "dingtalk", "telegram", "msteams", "feishu", "matrix", "wechatwork", "packagist"}

// makeHook refuses what Gitea refuses: another type or content type than it knows,
// or an address that is none (routers/api/v1/utils/hook.go, addHook). It is
// off unless told otherwise.
func (c *call) makeHook(o *account) {
	var form hookForm
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || !slices.Contains(hookTypes, form.Type) {
		c.refuse(http.StatusUnprocessableEntity, "Invalid hook type: "+form.Type)
		return
	}
	h := &hook{owner: o, kind: form.Type, secret: form.Config["secret"]}
	if o == nil {
		system, _ := strconv.ParseBool(form.Config["is_system_webhook"])
		h.copied = !system
	}
	for _, name := range []string{"url", "content_type"} {
		if _, ok := form.Config[name]; !ok {
			c.refuse(http.StatusUnprocessableEntity, "Missing config option: "+name)
			return
		}
	}
	if !c.fillHook(h, form) {
		return
	}
	c.g.keepHook(h)
	c.status = http.StatusCreated
	c.json(h.wireHook())
}

// fillHook takes over a form as both creating and editing do (the same file,
// updateHookEvents and editHook; measured): what it does not name is emptied,
// no events are "push", and the secret is not among what is taken.
func (c *call) fillHook(h *hook, form hookForm) bool {
	if v, ok := form.Config["url"]; ok {
		if u, err := url.Parse(v); err != nil || u.Host == "" {
			c.refuse(http.StatusUnprocessableEntity, "Invalid url")
			return false
		}
		h.url = v
	}
	if v, ok := form.Config["content_type"]; ok {
		if v != "json" && v != "form" {
			c.refuse(http.StatusUnprocessableEntity, "Invalid content type")
			return false
		}
		h.content = v
	}
	if h.events = form.Events; len(h.events) == 0 {
		h.events = []string{"push"}
	}
	h.branch, h.auth = form.Branch, form.Auth
	if form.Active != nil {
		h.active = *form.Active
	}
	return true
}

func (c *call) createHook() {
	if o := c.ownersOnly(); o != nil {
		c.makeHook(o)
	}
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
	if h := c.own(); h != nil {
		c.edit(h)
	}
}

func (c *call) edit(h *hook) {
	var form hookForm
	if json.NewDecoder(c.r.Body).Decode(&form) != nil {
		c.refuse(http.StatusUnprocessableEntity, "Invalid form")
		return
	}
	if c.fillHook(h, form) {
		h.updated = c.g.opt.Now()
		c.json(h.wireHook())
	}
}

func (c *call) deleteHook() {
	if h := c.own(); h != nil {
		c.drop(h)
	}
}

func (c *call) drop(h *hook) {
	delete(c.g.hooks, h.id)
	c.g.sender.drop(strconv.FormatInt(h.id, 10))
	c.status = http.StatusNoContent
	c.header.Del("Content-Type")
}

// announce queues a delivery for every hook of the owner, and of the instance,
// that hears the event.
// The payload is fixed now, not when it is sent (services/webhook/webhook.go).
// The caller holds g.mu.
func (g *Gitea) announce(owner *account, event string, body []byte) {
	for _, id := range slices.Sorted(maps.Keys(g.hooks)) {
		if h := g.hooks[id]; (h.owner == owner || h.owner == nil) && !h.copied && h.hears(event) {
			target := "organization"
			switch {
			case h.owner == nil:
				target = "system"
			case !owner.org:
				target = "user"
			}
			g.sender.push(GiteaDelivery{
				UUID: newUUID(), Hook: strconv.FormatInt(h.id, 10), Event: event, Body: body,
				url: h.url, secret: h.secret, target: target, content: h.content,
			})
		}
	}
}
