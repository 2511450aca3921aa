package providerstest

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ghCall is one request to the API: who asks, and what he is answered.
type ghCall struct {
	g    *GitHub
	r    *http.Request
	doer *ghAccount
	app  *ghApp // the installation, if that asks
	page int    // 1 at least
	reply
}

// ghFields is a JSON object.
type ghFields map[string]any

const ghRoot = "/api/v3"

// routes lists the endpoints. Each runs with the world locked: for writing where
// it may change something.
func (g *GitHub) routes() http.Handler {
	mux := http.NewServeMux()
	at := func(root, pattern string, h func(*ghCall)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+root+path, func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, pattern, h) })
	}
	handle := func(pattern string, h func(*ghCall)) { at(ghRoot, pattern, h) }
	handle("GET /meta", (*ghCall).meta)
	handle("GET /user", (*ghCall).self)
	handle("GET /user/repos", (*ghCall).userRepos)
	handle("GET /user/orgs", (*ghCall).userOrgs)
	handle("GET /user/memberships/orgs/{org}", (*ghCall).ownMembership)
	handle("GET /user/{id}", (*ghCall).userByID)
	handle("GET /users/{user}", (*ghCall).userInfo)
	handle("GET /organizations/{id}", (*ghCall).orgByID)
	handle("GET /orgs/{org}", (*ghCall).orgInfo)
	handle("GET /orgs/{org}/repos", (*ghCall).orgRepos)
	handle("GET /orgs/{org}/members", (*ghCall).orgMembers)
	handle("GET /orgs/{org}/invitations", (*ghCall).orgInvitations)
	handle("GET /orgs/{org}/public_members", (*ghCall).publicMembers)
	handle("GET /orgs/{org}/outside_collaborators", (*ghCall).outsideCollaborators)
	handle("GET /orgs/{org}/teams", (*ghCall).orgTeams)
	handle("GET /orgs/{org}/teams/{team}", (*ghCall).teamInfo)
	handle("GET /orgs/{org}/teams/{team}/members", (*ghCall).teamMembers)
	handle("GET /orgs/{org}/teams/{team}/repos", (*ghCall).teamRepos)
	handle("GET /orgs/{org}/organization-roles", (*ghCall).orgRoles)
	handle("GET /orgs/{org}/organization-roles/{role}/users", (*ghCall).roleUsers)
	handle("GET /orgs/{org}/hooks", (*ghCall).listHooks)
	handle("POST /orgs/{org}/hooks", (*ghCall).createHook)
	handle("GET /orgs/{org}/hooks/{id}", (*ghCall).getHook)
	handle("PATCH /orgs/{org}/hooks/{id}", (*ghCall).editHook)
	handle("DELETE /orgs/{org}/hooks/{id}", (*ghCall).deleteHook)
	handle("POST /orgs/{org}/hooks/{id}/pings", (*ghCall).pingHook)
	handle("GET /app/hook/config", (*ghCall).appHookConfig)
	for _, hook := range []string{"/orgs/{org}/hooks/{id}", "/app/hook"} {
		handle("GET "+hook+"/deliveries", (*ghCall).listDeliveries)
		handle("GET "+hook+"/deliveries/{delivery}", (*ghCall).getDelivery)
		handle("POST "+hook+"/deliveries/{delivery}/attempts", (*ghCall).redeliver)
	}
	for _, repo := range []string{"/repositories/{id}", "/repos/{owner}/{repo}"} {
		handle("GET "+repo, (*ghCall).repoInfo)
		handle("GET "+repo+"/hooks", (*ghCall).repoHooks)
		handle("POST "+repo+"/hooks", (*ghCall).createRepoHook)
		handle("DELETE "+repo+"/hooks/{hook}", (*ghCall).deleteRepoHook)
		handle("GET "+repo+"/contents/{path...}", (*ghCall).repoContents)
		handle("GET "+repo+"/teams", (*ghCall).repoTeams)
		handle("GET "+repo+"/invitations", (*ghCall).repoInvitations)
		handle("GET "+repo+"/collaborators", (*ghCall).collaborators)
		handle("GET "+repo+"/collaborators/{user}", (*ghCall).isCollaborator)
		handle("GET "+repo+"/collaborators/{user}/permission", (*ghCall).permission)
	}
	handle("GET /app", (*ghCall).appInfo)
	handle("PATCH /app/hook/config", (*ghCall).editAppHook)
	handle("GET /app/installations", (*ghCall).installations)
	handle("GET /app/installations/{id}", (*ghCall).installation)
	handle("GET /repositories/{id}/installation", (*ghCall).repoInstallation)
	handle("POST /app/installations/{id}/access_tokens", (*ghCall).accessToken)
	handle("GET /installation/repositories", (*ghCall).installedRepos)
	if !g.opt.NoGraphQL {
		at("/api", "POST /graphql", (*ghCall).graphql)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.count(r.Method+" unrouted", nil)
		c := &ghCall{g: g, r: r, reply: reply{header: http.Header{}}}
		c.header.Set("Content-Type", "application/json; charset=utf-8")
		c.notFound()
		c.send(w)
	})
	return mux
}

func (g *GitHub) serve(w http.ResponseWriter, r *http.Request, endpoint string, h func(*ghCall)) {
	c := &ghCall{g: g, r: r, reply: reply{status: http.StatusOK, header: http.Header{}}}
	c.header.Set("Content-Type", "application/json; charset=utf-8")
	c.header.Set("X-GitHub-Media-Type", "github.v3; format=json")
	c.header.Set("X-GitHub-Enterprise-Version", ghVersion)
	c.page, _ = strconv.Atoi(r.URL.Query().Get("page"))
	c.page = max(c.page, 1)

	g.mu.RLock()
	ok := c.authenticate(endpoint)
	c.tellScopes()
	g.mu.RUnlock()
	g.count(endpoint, c.doer)
	broken := g.faultFor(c)
	if broken != nil && broken.before(c, w) {
		return
	}
	if ok {
		lock, unlock := g.mu.RLock, g.mu.RUnlock
		if c.writes(endpoint) {
			lock, unlock = g.mu.Lock, g.mu.Unlock
		}
		lock()
		h(c)
		unlock()
	}
	if broken != nil && broken.after(c, w) {
		return
	}
	c.settle()
	c.send(w)
}

// writes: reading a repository that is still hidden counts down.
func (c *ghCall) writes(endpoint string) bool {
	return c.r.Method != http.MethodGet && endpoint != "POST /graphql" || c.g.opt.HideNew > 0
}

// authenticate knows tokens of users and of installations. The endpoints of an
// App itself have a check of their own.
func (c *ghCall) authenticate(endpoint string) bool {
	if strings.HasSuffix(endpoint, " /app") || strings.Contains(endpoint, " /app/") || strings.HasSuffix(endpoint, "}/installation") {
		return true
	}
	kind, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if k := strings.ToLower(kind); k != "token" && k != "bearer" || token == "" {
		c.refuse(http.StatusUnauthorized, "Requires authentication")
		return false
	}
	if c.doer = c.g.tokens[token]; c.doer != nil {
		if c.doer.suspended {
			c.refuse(http.StatusForbidden, "Sorry. Your account was suspended.")
		}
		return !c.doer.suspended
	}
	for _, app := range c.g.apps {
		if app.token == token && c.g.opt.Now().Before(app.expires) {
			if !app.suspended.IsZero() {
				c.refuse(http.StatusForbidden, ghSuspended)
				return false
			}
			c.app, c.doer = app, app.spends
			return true
		}
	}
	c.refuse(http.StatusUnauthorized, "Bad credentials")
	return false
}

// settle adds what every answer has: the ETag, to which a conditional request
// is answered without a body and for free, and the limits.
func (c *ghCall) settle() {
	free := false
	if c.r.Method == http.MethodGet && c.status == http.StatusOK {
		sum := maphash.Bytes(c.g.seed, c.body.Bytes()) ^ maphash.String(c.g.seed, c.header.Get("Link"))
		etag := `W/"` + strconv.FormatUint(sum, 16) + `"`
		c.header.Set("ETag", etag)
		c.header.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		c.header.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP")
		if c.r.Header.Get("If-None-Match") == etag {
			c.status, free = http.StatusNotModified, true
			c.body.Reset()
			c.header.Del("Content-Type")
		}
	}
	if c.doer == nil || c.g.opt.RateLimit < 0 {
		return
	}
	resource := "core"
	if strings.HasSuffix(c.r.URL.Path, "/graphql") {
		resource = "graphql"
	}
	b, over := c.g.spend(ghMeter{c.doer, resource}, free)
	if over {
		c.body.Reset()
		c.header = http.Header{"Content-Type": {"application/json; charset=utf-8"}}
		c.refuse(http.StatusForbidden, "API rate limit exceeded for user ID "+strconv.FormatInt(c.doer.id, 10)+".")
	}
	c.limits(c.g.opt.RateLimit-b.used, b.reset, resource)
}

func (c *ghCall) limits(left int, reset time.Time, resource string) {
	limit := c.g.opt.RateLimit
	c.header.Set("Date", c.g.opt.Now().UTC().Format(http.TimeFormat))
	c.header.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	c.header.Set("X-RateLimit-Remaining", strconv.Itoa(max(left, 0)))
	c.header.Set("X-RateLimit-Used", strconv.Itoa(limit-left))
	c.header.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	c.header.Set("X-RateLimit-Resource", resource)
}

func (c *ghCall) json(v any) { c.body.Write(mustJSON(v)) }

func (c *ghCall) refuse(status int, message string) {
	c.status = status
	c.body = bytes.Buffer{}
	c.json(ghFields{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(status)})
}

func (c *ghCall) notFound() { c.refuse(http.StatusNotFound, "Not Found") }

// moved redirects to where a repository is found for ever.
func (c *ghCall) moved(r *ghRepo) {
	old := "/repos/" + c.r.PathValue("owner") + "/" + c.r.PathValue("repo")
	u := url.URL{Path: strings.Replace(c.r.URL.Path, old, "/repositories/"+strconv.FormatInt(r.id, 10), 1), RawQuery: c.r.URL.RawQuery}
	c.refuse(http.StatusMovedPermanently, "Moved Permanently")
	c.header.Set("Location", c.g.url+u.String())
}

// ghList answers the asked page of all, each item written by wire, with GitHub's
// links. How long the list is, is not told.
func ghList[T any](c *ghCall, all []T, wire func(T) any) {
	size, _ := strconv.Atoi(c.r.URL.Query().Get("per_page"))
	if size <= 0 {
		size = 30
	}
	size = min(size, c.g.opt.MaxItems)
	from, to := min((c.page-1)*size, len(all)), min(c.page*size, len(all))
	c.link(max((len(all)+size-1)/size, 1))
	part := make([]any, 0, to-from)
	for _, v := range all[from:to] {
		part = append(part, wire(v))
	}
	c.json(part)
}

// link writes the relations in GitHub's order and form; one page has none.
func (c *ghCall) link(last int) {
	var links []string
	add := func(rel string, page int) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel=%q`, c.g.url, c.r.URL.Path, q.Encode(), rel))
	}
	if c.page > 1 {
		add("prev", min(c.page-1, last))
	}
	if c.page < last {
		add("next", c.page+1)
		add("last", last)
	}
	if c.page > 1 {
		add("first", 1)
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ", "))
	}
}

func (c *ghCall) id(name string) int64 {
	n, _ := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	return n
}
