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

// ghHook is a webhook of an organization or, for its repositories, of a user.
type ghHook struct {
	id      int64
	owner   *ghAccount
	app     *ghApp // of an App's hook: the installation on owner
	url     string
	secret  string
	form    bool // content type form instead of json
	events  []string
	active  bool
	created time.Time
}

func (h *ghHook) hears(event string) bool {
	return h.active && (event == "ping" || slices.Contains(h.events, event) || slices.Contains(h.events, "*"))
}

// AddHook gives an owner a webhook, as its page or API does, and returns its id;
// GitHub pings it at once. Without events it hears everything that changes who
// sees what, and pushes.
func (g *GitHub) AddHook(owner, target, secret string, events ...string) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o := g.byLogin[fold(owner)]
	if o == nil {
		return 0, unknown("owner", owner)
	}
	if len(events) == 0 {
		events = []string{"repository", "public", "fork", "organization", "membership", "team", "team_add", "member", "push"}
	}
	return g.addHook(o, target, secret, events).id, nil
}

func (g *GitHub) addHook(o *ghAccount, target, secret string, events []string) *ghHook {
	h := &ghHook{id: g.next("hook"), owner: o, url: target, secret: secret, events: events, active: true, created: g.opt.Now()}
	g.hooks[h.id] = h
	g.ping(h)
	return h
}

func (g *GitHub) ping(h *ghHook) {
	g.deliver(h, "ping", ghFields{"zen": "Keep it logically awesome.", "hook_id": h.id, "hook": g.wireHook(h), "organization": g.wireOrg(h.owner), "sender": g.wireUser(g.admin())})
}

// wireHook shows stars for the secret.
func (g *GitHub) wireHook(h *ghHook) ghFields {
	config := ghFields{"url": h.url, "content_type": "json", "insecure_ssl": "0"}
	if h.form {
		config["content_type"] = "form"
	}
	if h.secret != "" {
		config["secret"] = "********"
	}
	at, address := h.created.UTC().Truncate(time.Second), g.api("/orgs/"+h.owner.login+"/hooks/"+strconv.FormatInt(h.id, 10))
	return ghFields{
		"type": "Organization", "id": h.id, "name": "web", "active": h.active, "events": h.events, "config": config,
		"updated_at": at, "created_at": at, "url": address, "ping_url": address + "/pings", "deliveries_url": address + "/deliveries",
	}
}

// ownersOnly is the organization; to others it is not there.
func (c *ghCall) ownersOnly() *ghAccount {
	o := c.organization()
	if o != nil && !c.owns(o) {
		c.notFound()
		return nil
	}
	return o
}

func (c *ghCall) listHooks() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	var hooks []*ghHook
	for _, h := range c.g.hooks {
		if h.owner == o && h.app == nil {
			hooks = append(hooks, h)
		}
	}
	slices.SortFunc(hooks, func(a, b *ghHook) int { return cmp.Compare(a.id, b.id) })
	ghList(c, hooks, func(h *ghHook) any { return c.g.wireHook(h) })
}

type ghHookForm struct {
	Name   string `json:"name"`
	Config struct {
		URL         *string `json:"url"`
		Secret      *string `json:"secret"`
		ContentType *string `json:"content_type"`
	} `json:"config"`
	Events []string `json:"events"`
	Active *bool    `json:"active"`
}

// fill takes what the form has, and refuses an address that is none.
func (h *ghHook) fill(form ghHookForm) bool {
	if form.Config.URL != nil {
		if u, err := url.Parse(*form.Config.URL); err != nil || u.Host == "" {
			return false
		}
		h.url = *form.Config.URL
	}
	if form.Config.Secret != nil {
		h.secret = *form.Config.Secret
	}
	if form.Config.ContentType != nil {
		h.form = *form.Config.ContentType != "json"
	}
	if form.Events != nil {
		h.events = form.Events
	}
	if form.Active != nil {
		h.active = *form.Active
	}
	return true
}

// createHook: an organization's hook is called "web", hears pushes and sends
// forms unless told otherwise.
func (c *ghCall) createHook() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	var form ghHookForm
	h := &ghHook{owner: o, events: []string{"push"}, active: true, form: true, created: c.g.opt.Now()}
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || form.Name != "web" || form.Config.URL == nil || !h.fill(form) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	for _, other := range c.g.hooks {
		if other.owner == o && other.url == h.url {
			c.refuse(http.StatusUnprocessableEntity, "Validation Failed: Hook already exists on this organization")
			return
		}
	}
	h.id = c.g.next("hook")
	c.g.hooks[h.id] = h
	c.g.ping(h)
	c.status = http.StatusCreated
	c.json(c.g.wireHook(h))
}

// own finds the asked hook of the asked organization.
func (c *ghCall) own() *ghHook {
	o := c.ownersOnly()
	if o == nil {
		return nil
	}
	h := c.g.hooks[c.id("id")]
	if h == nil || h.owner != o || h.app != nil {
		c.notFound()
		return nil
	}
	return h
}

func (c *ghCall) getHook() {
	if h := c.own(); h != nil {
		c.json(c.g.wireHook(h))
	}
}

func (c *ghCall) editHook() {
	h := c.own()
	if h == nil {
		return
	}
	var form ghHookForm
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || !h.fill(form) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	c.json(c.g.wireHook(h))
}

func (c *ghCall) deleteHook() {
	if h := c.own(); h != nil {
		c.g.deliver(h, "meta", ghFields{"action": "deleted", "hook_id": h.id, "hook": c.g.wireHook(h), "organization": c.g.wireOrg(h.owner), "sender": c.g.wireUser(c.g.admin())})
		delete(c.g.hooks, h.id)
		c.noContent()
	}
}

func (c *ghCall) pingHook() {
	if h := c.own(); h != nil {
		c.g.ping(h)
		c.noContent()
	}
}

func (c *ghCall) noContent() {
	c.status = http.StatusNoContent
	c.header.Del("Content-Type")
}

// announce sends an event to every hook of the owner that hears it, as the
// admin's doing. The payload is fixed now. The caller holds g.mu.
func (g *GitHub) announce(owner *ghAccount, event string, fields ghFields) {
	g.announceBy(owner, g.admin(), event, fields)
}

func (g *GitHub) announceBy(owner, by *ghAccount, event string, fields ghFields) {
	for _, id := range slices.Sorted(maps.Keys(g.hooks)) {
		if h := g.hooks[id]; h.owner == owner && h.hears(event) {
			if owner.org {
				fields["organization"] = g.wireOrg(owner)
			}
			fields["sender"] = g.wireUser(by)
			delete(fields, "installation")
			if h.app != nil {
				fields["installation"] = ghFields{"id": h.app.installation, "node_id": nodeID("I", h.app.installation)}
			}
			g.deliver(h, event, fields)
		}
	}
}

func (g *GitHub) announceRepo(action string, r *ghRepo, by *ghAccount, changes ghFields) {
	fields := ghFields{"action": action, "repository": g.rawRepo(r)}
	if changes != nil {
		fields["changes"] = changes
	}
	g.announceBy(r.owner, by, "repository", fields)
}

func (g *GitHub) announcePush(r *ghRepo, branch string, by *ghAccount) {
	after := newSHA()
	g.announceBy(r.owner, by, "push", ghFields{
		"ref": "refs/heads/" + branch, "before": noCommit, "after": after, "created": true, "deleted": false, "forced": false,
		"base_ref": nil, "compare": g.url + "/" + r.path() + "/commit/" + after[:12], "commits": []any{}, "head_commit": nil,
		"repository": g.rawRepo(r), "pusher": ghFields{"name": by.login, "email": by.login + "@users.noreply.localhost"},
	})
}

// Push announces a push to a branch of a repository.
func (g *GitHub) Push(path, branch, by string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.repo(path)
	if err != nil {
		return err
	}
	doer, err := g.actor(by)
	if err != nil {
		return err
	}
	g.announcePush(r, branch, doer)
	return nil
}
