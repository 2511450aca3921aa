package providerstest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/hookd/hookd/providers"
)

// A repoHook is a webhook of a repository's own, as a CI server makes it. It is
// kept and never sent to: what it would tell is builds.
type repoHook struct {
	id  int64
	url string
}

// repoHooks are those of one repository, by id.
type repoHooks []repoHook

func (h *repoHooks) add(id int64, url string) repoHook {
	made := repoHook{id, url}
	*h = append(*h, made)
	return made
}

// drop takes one away, and reports whether it was there.
func (h *repoHooks) drop(id int64) bool {
	n := len(*h)
	*h = slices.DeleteFunc(*h, func(x repoHook) bool { return x.id == id })
	return len(*h) < n
}

// hookConfig is the part of a form that Gitea and GitHub agree on.
type hookConfig struct {
	Config struct {
		URL         string `json:"url"`
		ContentType string `json:"content_type"`
	} `json:"config"`
}

// administered is the asked repository, refused to those who do not administer
// it (routers/api/v1/api.go, reqAdmin).
func (c *call) administered() *repo {
	r := c.repository()
	if r != nil && !c.g.permissions(c.doer, r).Admin {
		c.refuse(http.StatusForbidden, "user should be an owner or a collaborator with admin write of a repository")
		return nil
	}
	return r
}

func (h repoHook) gitea() any {
	return wireHook{ID: h.id, Type: "gitea", Config: map[string]string{"url": h.url, "content_type": "json"}, Events: []string{"push"}, Active: true}
}

func (c *call) repoHooks() {
	if r := c.administered(); r != nil {
		list(c, r.contents.hooks, listKind{}, repoHook.gitea)
	}
}

func (c *call) createRepoHook() {
	r := c.administered()
	var form hookConfig
	switch {
	case r == nil:
	case json.NewDecoder(c.r.Body).Decode(&form) != nil || form.Config.URL == "" || form.Config.ContentType == "":
		c.refuse(http.StatusUnprocessableEntity, "Missing config option: url")
	default:
		c.status = http.StatusCreated
		c.json(r.contents.hooks.add(c.g.next("hook"), form.Config.URL).gitea())
	}
}

func (c *call) deleteRepoHook() {
	r := c.administered()
	switch {
	case r == nil:
	case !r.contents.hooks.drop(c.id("id")):
		c.notFound()
	default:
		c.status = http.StatusNoContent
		c.header.Del("Content-Type")
	}
}

// administered is the asked repository, which to all but its administrators is
// not found, and of which an App without the permission is told nothing
// (docs.github.com/en/rest/repos/webhooks).
func (c *ghCall) administered() *ghRepo {
	r := c.repository()
	switch {
	case r == nil:
	case c.app != nil:
		c.refuse(http.StatusForbidden, "Resource not accessible by integration")
		return nil
	case c.level(r) < providers.Admin:
		c.notFound()
		return nil
	}
	return r
}

func (h repoHook) github() any {
	return ghFields{
		"type": "Repository", "id": h.id, "name": "web", "active": true, "events": []string{"push"},
		"config": ghFields{"url": h.url, "content_type": "json", "insecure_ssl": "0"},
	}
}

func (c *ghCall) repoHooks() {
	if r := c.administered(); r != nil {
		ghList(c, r.contents.hooks, repoHook.github)
	}
}

func (c *ghCall) createRepoHook() {
	r := c.administered()
	var form hookConfig
	switch {
	case r == nil:
	case json.NewDecoder(c.r.Body).Decode(&form) != nil || form.Config.URL == "":
		c.refuse(http.StatusUnprocessableEntity, "Validation Failed")
	default:
		c.status = http.StatusCreated
		c.json(r.contents.hooks.add(c.g.next("hook"), form.Config.URL).github())
	}
}

func (c *ghCall) deleteRepoHook() {
	r := c.administered()
	switch {
	case r == nil:
	case !r.contents.hooks.drop(c.id("hook")):
		c.notFound()
	default:
		c.status = http.StatusNoContent
		c.header.Del("Content-Type")
	}
}

// administered is the asked project, refused to those who are less than its
// maintainers (lib/api/project_hooks.rb, authorize! :admin_web_hook).
func (c *glCall) administered() *glProject {
	p := c.askedProject()
	if p != nil && !c.doer.admin && c.g.level(c.doer, p) < GitLabMaintainer {
		c.refuse(http.StatusForbidden, "403 Forbidden")
		return nil
	}
	return p
}

func (p *glProject) wireHook(h repoHook) any {
	return map[string]any{"id": h.id, "url": h.url, "project_id": p.id, "push_events": true, "enable_ssl_verification": true}
}

func (c *glCall) repoHooks() {
	if p := c.administered(); p != nil {
		glPaged(c, p.contents.hooks, p.wireHook)
	}
}

// createRepoHook takes its form from the query as well.
func (c *glCall) createRepoHook() {
	p := c.administered()
	if p == nil {
		return
	}
	address := c.r.FormValue("url")
	if address == "" {
		c.status = http.StatusBadRequest
		c.json(map[string]string{"error": "url is missing"})
		return
	}
	c.status = http.StatusCreated
	c.json(p.wireHook(p.contents.hooks.add(c.g.next("hook"), address)))
}

func (c *glCall) deleteRepoHook() {
	p := c.administered()
	id, _ := strconv.ParseInt(c.r.PathValue("hook"), 10, 64)
	switch {
	case p == nil:
	case !p.contents.hooks.drop(id):
		c.refuse(http.StatusNotFound, "404 Not found")
	default:
		c.status = http.StatusNoContent
		c.header.Del("Content-Type")
	}
}
