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
	noTLS   bool // certificates are not verified
	events  []string
	active  bool
	created time.Time
	updated time.Time
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
	h := &ghHook{id: g.next("hook"), owner: o, url: target, secret: secret, events: events, active: true, created: g.opt.Now(), updated: g.opt.Now()}
	g.hooks[h.id] = h
	g.ping(h)
	return h
}

func (g *GitHub) ping(h *ghHook) {
	g.deliver(h, "ping", ghFields{"zen": "Keep it logically awesome.", "hook_id": h.id, "hook": g.wireHook(h), "organization": g.wireOrg(h.owner), "sender": g.wireUser(g.admin())})
}

// wireHook shows stars for the secret.
func (g *GitHub) wireHook(h *ghHook) ghFields {
	address := g.api("/orgs/" + h.owner.login + "/hooks/" + strconv.FormatInt(h.id, 10))
	return ghFields{
		"type": "Organization", "id": h.id, "name": "web", "active": h.active, "events": h.events, "config": h.config(),
		"updated_at": h.updated.UTC().Truncate(time.Second), "created_at": h.created.UTC().Truncate(time.Second), "url": address, "ping_url": address + "/pings", "deliveries_url": address + "/deliveries",
	}
}

func (h *ghHook) config() ghFields {
	config := ghFields{"url": h.url, "content_type": "json", "insecure_ssl": "0"}
	if h.form {
		config["content_type"] = "form"
	}
	if h.noTLS {
		config["insecure_ssl"] = "1"
	}
	if h.secret != "" {
		config["secret"] = "********"
	}
	return config
}

// ownersOnly is the organization; to others, and to tokens without the scope,
// its webhooks are not there (docs.github.com, "REST API endpoints for
// organization webhooks").
func (c *ghCall) ownersOnly() *ghAccount {
	o := c.organization()
	if o == nil {
		return nil
	}
	c.header.Set("X-Accepted-OAuth-Scopes", "admin:org_hook")
	if !c.owns(o) || !c.scoped("admin:org_hook") {
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
	Config *struct {
		URL         *string `json:"url"`
		Secret      *string `json:"secret"`
		ContentType *string `json:"content_type"`
		InsecureSSL *string `json:"insecure_ssl"`
	} `json:"config"`
	Events []string `json:"events"`
	Active *bool    `json:"active"`
}

// fill takes what the form has, and refuses an address that is none. An update
// of the configuration without a secret removes it (docs.github.com, "Update an
// organization webhook"), and even one of nothing but the events does.
func (h *ghHook) fill(form ghHookForm) bool {
	h.secret = ""
	if c := form.Config; c != nil {
		if c.URL != nil {
			if u, err := url.Parse(*c.URL); err != nil || u.Host == "" {
				return false
			}
			h.url = *c.URL
		}
		if c.Secret != nil {
			h.secret = *c.Secret
		}
		if c.ContentType != nil {
			h.form = *c.ContentType != "json"
		}
		if c.InsecureSSL != nil {
			h.noTLS = *c.InsecureSSL == "1"
		}
	}
	if form.Events != nil {
		h.events = form.Events
	}
	if form.Active != nil {
		h.active = *form.Active
	}
	return true
}

// crowded names an event that as many webhooks of the owner hear as may,
// without h (docs.github.com, "About webhooks": 20 for each event, 250 on an
// Enterprise Server).
func (g *GitHub) crowded(h *ghHook) string {
	for _, event := range h.events {
		n := 0
		for _, other := range g.hooks {
			if other != h && other.owner == h.owner && slices.Contains(other.events, event) {
				n++
			}
		}
		if n >= g.opt.HooksPerEvent {
			return event
		}
	}
	return ""
}

// invalid is what GitHub answers to a form that it understands.
func (c *ghCall) invalid(message string) {
	c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
	c.body.Reset()
	c.json(ghFields{
		"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest", "status": "422",
		"errors": []ghFields{{"resource": "Hook", "code": "custom", "message": message}},
	})
}

func (c *ghCall) full(event string) {
	c.invalid("The " + strconv.Quote(event) + " event cannot have more than " + strconv.Itoa(c.g.opt.HooksPerEvent) + " hooks")
}

// createHook: an organization's hook is called "web", hears pushes and sends
// forms unless told otherwise.
func (c *ghCall) createHook() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	var form ghHookForm
	h := &ghHook{owner: o, events: []string{"push"}, active: true, form: true, created: c.g.opt.Now(), updated: c.g.opt.Now()}
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || form.Name != "web" || form.Config == nil || form.Config.URL == nil || !h.fill(form) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	for _, other := range c.g.hooks {
		if other.owner == o && other.url == h.url {
			c.invalid("Hook already exists on this organization")
			return
		}
	}
	if event := c.g.crowded(h); event != "" {
		c.full(event)
		return
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
	now := *h
	if json.NewDecoder(c.r.Body).Decode(&form) != nil || !now.fill(form) {
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	before := *h
	now.updated = c.g.opt.Now()
	*h = now
	if event := c.g.crowded(h); event != "" && !slices.Contains(before.events, event) {
		*h = before
		c.full(event)
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
