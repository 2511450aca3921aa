package providerstest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// glHook is a system hook, or a hook of a group.
type glHook struct {
	id      int64
	uuid    string
	group   *glGroup // nil for a system hook
	url     string
	token   string
	signing string          // a signing token, "whsec_…"
	hears   map[string]bool // by the kind of event
	noTLS   bool            // certificates are not verified
	name    string
	status  string // alert_status, "" for executable
	until   *time.Time
	created time.Time
}

// glKinds are the kinds of events a hook may hear, by the field that the API
// has for each. Of a system hook only pushes can be switched.
var glKinds = map[string]string{
	"push_events": "push", "tag_push_events": "tag_push", "member_events": "member", "subgroup_events": "subgroup",
	"project_events": "project", "merge_requests_events": "merge_request", "repository_update_events": "repository_update",
}

// AddHook adds a hook of a group, or with owner "" a system hook, and returns
// its id. A secret that begins with "whsec_" is a signing token. Without
// events (kinds: "project", "member", "subgroup", "push") it hears all.
func (g *GitLab) AddHook(owner, target, secret string, events ...string) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := &glHook{url: target, token: secret, hears: map[string]bool{}}
	if owner != "" {
		n, err := g.group(owner)
		if err != nil {
			return 0, err
		}
		h.group = n
	}
	if strings.HasPrefix(secret, "whsec_") {
		h.signing, h.token = secret, ""
	}
	if len(events) == 0 {
		events = slices.Collect(maps.Values(glKinds))
	}
	for _, e := range events {
		h.hears[e] = true
	}
	g.addHook(h)
	return h.id, nil
}

// sends: GitLab stops after failures (docs.gitlab.com, "Webhooks", auto-disabled).
func (h *glHook) sends() bool { return h.status == "" || h.status == "executable" }

func (g *GitLab) addHook(h *glHook) {
	h.id, h.uuid, h.created = g.next("hook"), newUUID(), g.opt.Now()
	g.hooks[h.id] = h
}

// system queues a delivery for every system hook. What is not about pushes and
// merge requests a system hook always hears. The caller holds g.mu.
func (g *GitLab) system(name string, e any) {
	kind := name
	if !slices.Contains(slices.Collect(maps.Values(glKinds)), kind) {
		kind = ""
	}
	g.fire("System Hook", name, e, func(h *glHook) bool { return h.group == nil && h.sends() && (kind == "" || h.hears[kind]) })
}

// above queues a delivery for the hooks of a group and of all above it.
func (g *GitLab) above(n *glGroup, header, kind string, e any) {
	g.fire(header, kind, e, func(h *glHook) bool { return h.group != nil && h.sends() && n.within(h.group) && h.hears[kind] })
}

func (g *GitLab) fire(header, name string, e any, hears func(*glHook) bool) {
	event := newUUID() // the same for all hooks that one event fires
	body := mustJSON(e)
	for _, id := range slices.Sorted(maps.Keys(g.hooks)) {
		if h := g.hooks[id]; hears(h) {
			g.sender.push(GitLabDelivery{
				UUID: newUUID(), hook: h.id, Hook: strconv.FormatInt(h.id, 10), Header: header, Event: name, Body: body,
				eventUUID: event, hookUUID: h.uuid, url: h.url, token: h.token, signing: h.signing,
			})
		}
	}
}

// wireHook shows neither token (lib/api/entities/hook.rb). Whether there is one
// is told by a GitLab that knows signing tokens.
func (c *glCall) wireHook(h *glHook) any {
	w := map[string]any{
		"id": h.id, "url": h.url, "name": h.name, "description": "", "created_at": glStamp(h.created),
		"enable_ssl_verification": !h.noTLS,
		"url_variables":           []any{}, "custom_webhook_template": "", "custom_headers": []any{},
	}
	if !c.g.opt.NoSigningTokens {
		w["token_present"], w["signing_token_present"] = h.token != "", h.signing != ""
	}
	w["alert_status"], w["disabled_until"] = c.g.sender.alert(h.id)
	if h.status != "" {
		w["alert_status"] = h.status
	}
	if h.until != nil {
		w["disabled_until"] = glStamp(*h.until)
	}
	for field, kind := range glKinds {
		w[field] = h.hears[kind]
	}
	if h.group != nil {
		w["group_id"] = h.group.id
	}
	return w
}

// mayHook finds whose hooks are asked for: nil and true for the instance's.
// The instance's are an administrator's (lib/api/system_hooks.rb), a group's its
// owners', and of Premium: the free edition has no such call.
func (c *glCall) mayHook() (*glGroup, bool) {
	if c.r.PathValue("id") == "" {
		if !c.doer.admin {
			c.refuse(http.StatusForbidden, "403 Forbidden")
		}
		return nil, c.doer.admin
	}
	if c.g.opt.Free {
		c.status = http.StatusNotFound
		c.json(map[string]string{"error": "404 Not Found"})
		return nil, false
	}
	n := c.askedGroup()
	if n == nil {
		return nil, false
	}
	if !c.doer.admin && c.g.groupLevels(n)[c.doer] < GitLabOwner {
		c.refuse(http.StatusForbidden, "403 Forbidden")
		return nil, false
	}
	return n, true
}

func (c *glCall) listHooks() {
	n, ok := c.mayHook()
	if !ok {
		return
	}
	glPaged(c, c.g.hooksOf(n), c.wireHook)
}

// hooksOf lists the hooks of a group, or with nil the instance's, by id.
func (g *GitLab) hooksOf(n *glGroup) []*glHook {
	var hooks []*glHook
	for _, h := range g.hooks {
		if h.group == n {
			hooks = append(hooks, h)
		}
	}
	slices.SortFunc(hooks, func(a, b *glHook) int { return cmp.Compare(a.id, b.id) })
	return hooks
}

// form sets what the request names. A signing token is taken only if its form
// is right.
func (c *glCall) form(h *glHook) bool {
	var fields map[string]any
	if json.NewDecoder(c.r.Body).Decode(&fields) != nil {
		c.status = http.StatusBadRequest
		c.json(map[string]string{"error": "Problems parsing JSON"})
		return false
	}
	if v, ok := fields["url"].(string); ok {
		h.url = v
	}
	if u, err := url.Parse(h.url); err != nil || u.Host == "" {
		c.status = http.StatusUnprocessableEntity
		c.json(map[string]any{"error": "Invalid url given"})
		return false
	}
	if v, ok := fields["token"].(string); ok {
		h.token = v
	}
	// Switched off by its flag, the field is ignored without a word
	// (gitlab-org/gitlab, merge request 230944).
	if v, ok := fields["signing_token"].(string); ok && !c.g.opt.NoSigningTokens {
		h.signing = v
	}
	if v, ok := fields["name"].(string); ok {
		h.name = v
	}
	if v, ok := fields["enable_ssl_verification"].(bool); ok {
		h.noTLS = !v
	}
	for field, kind := range glKinds {
		if v, ok := fields[field].(bool); ok {
			h.hears[kind] = v
		}
	}
	return true
}

func (c *glCall) createHook() {
	n, ok := c.mayHook()
	if !ok {
		return
	}
	// The defaults of lib/api: pushes of a group, and of the instance whatever
	// changes a repository.
	h := &glHook{group: n, hears: map[string]bool{"push": n != nil, "repository_update": n == nil}}
	if !c.form(h) {
		return
	}
	if n != nil && len(c.g.hooksOf(n)) >= c.g.opt.GroupHooks {
		c.status = http.StatusUnprocessableEntity
		c.json(map[string]any{"message": "Maximum number of group hooks (" + strconv.Itoa(c.g.opt.GroupHooks) + ") exceeded"})
		return
	}
	c.g.addHook(h)
	c.status = http.StatusCreated
	c.json(c.wireHook(h))
}

// ownHook finds the asked hook of the asked group or of the instance.
func (c *glCall) ownHook() *glHook {
	n, ok := c.mayHook()
	if !ok {
		return nil
	}
	id, _ := strconv.ParseInt(c.r.PathValue("hook"), 10, 64)
	h := c.g.hooks[id]
	if h == nil || h.group != n {
		c.refuse(http.StatusNotFound, "404 Not found")
		return nil
	}
	return h
}

func (c *glCall) getHook() {
	if h := c.ownHook(); h != nil {
		c.json(c.wireHook(h))
	}
}

func (c *glCall) editHook() {
	if h := c.ownHook(); h != nil && c.form(h) {
		c.json(c.wireHook(h))
	}
}

func (c *glCall) deleteHook() {
	if h := c.ownHook(); h != nil {
		delete(c.g.hooks, h.id)
		c.status = http.StatusNoContent
		c.header.Del("Content-Type")
	}
}

// A GitLabHook is a hook as the database has it, which the API does not show.
type GitLabHook struct {
	ID                  int64
	Group               string // "" for a system hook
	URL, Token, Signing string
	Hears               []string
	NoTLS               bool
	Status              string // alert_status
}

// Hooks lists all hooks, by id.
func (g *GitLab) Hooks() []GitLabHook {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var all []GitLabHook
	for _, h := range g.hooks {
		all = append(all, h.shown())
	}
	slices.SortFunc(all, func(a, b GitLabHook) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

func (h *glHook) shown() GitLabHook {
	s := GitLabHook{ID: h.id, URL: h.url, Token: h.token, Signing: h.signing, NoTLS: h.noTLS, Status: h.status}
	if h.group != nil {
		s.Group = h.group.path()
	}
	for kind, hears := range h.hears {
		if hears {
			s.Hears = append(s.Hears, kind)
		}
	}
	slices.Sort(s.Hears)
	return s
}

// EditHook changes a hook as its page does, and its status as failures do.
func (g *GitLab) EditHook(id int64, change func(*GitLabHook)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hooks[id]
	if h == nil {
		return
	}
	now := h.shown()
	change(&now)
	h.url, h.token, h.signing, h.noTLS, h.status = now.URL, now.Token, now.Signing, now.NoTLS, now.Status
	h.until = nil
	if h.status == "temporarily_disabled" {
		until := g.opt.Now().Add(time.Hour)
		h.until = &until
	}
	h.hears = map[string]bool{}
	for _, kind := range now.Hears {
		h.hears[kind] = true
	}
}
