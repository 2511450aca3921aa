package providerstest

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// call is one request to the API: who asks, and what he is answered.
type call struct {
	g    *Gitea
	r    *http.Request
	doer *account // after Sudo; nil without a token
	page int      // 0 without
	reply
}

// reply is an answer before it is sent, so that faults can change it.
type reply struct {
	status int
	header http.Header
	body   bytes.Buffer
}

const apiRoot = "/api/v1"

// routes lists the endpoints. Each runs with the world locked for reading, or
// for writing where the method says so.
func (g *Gitea) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h func(*call)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+apiRoot+path, func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, pattern, h) })
	}
	handle("GET /version", (*call).version)
	handle("GET /user", (*call).self)
	handle("GET /user/repos", (*call).userRepos)
	handle("GET /users/search", (*call).searchUsers)
	handle("GET /users/{user}", (*call).userInfo)
	handle("GET /orgs/{org}", (*call).orgInfo)
	handle("GET /orgs/{org}/teams", (*call).orgTeams)
	handle("GET /orgs/{org}/members", (*call).orgMembers)
	handle("GET /orgs/{org}/repos", (*call).orgRepos)
	handle("GET /orgs/{org}/activities/feeds", (*call).orgFeed)
	handle("GET /orgs/{org}/hooks", (*call).listHooks)
	handle("POST /orgs/{org}/hooks", (*call).createHook)
	handle("GET /orgs/{org}/hooks/{id}", (*call).getHook)
	handle("PATCH /orgs/{org}/hooks/{id}", (*call).editHook)
	handle("DELETE /orgs/{org}/hooks/{id}", (*call).deleteHook)
	handle("GET /admin/orgs", (*call).allOrgs)
	handle("GET /admin/hooks", (*call).systemHooks)
	handle("POST /admin/hooks", (*call).createSystemHook)
	handle("GET /admin/hooks/{id}", (*call).getSystemHook)
	handle("PATCH /admin/hooks/{id}", (*call).editSystemHook)
	handle("DELETE /admin/hooks/{id}", (*call).deleteSystemHook)
	handle("GET /teams/{id}", (*call).teamInfo)
	handle("GET /teams/{id}/members", (*call).teamMembers)
	handle("GET /teams/{id}/repos", (*call).teamRepos)
	handle("GET /repositories/{id}", (*call).repoByID)
	handle("GET /repos/search", (*call).searchRepos)
	handle("GET /repos/{owner}/{repo}", (*call).repoByPath)
	handle("GET /repos/{owner}/{repo}/hooks", (*call).repoHooks)
	handle("POST /repos/{owner}/{repo}/hooks", (*call).createRepoHook)
	handle("DELETE /repos/{owner}/{repo}/hooks/{id}", (*call).deleteRepoHook)
	handle("GET /repos/{owner}/{repo}/contents/{path...}", (*call).repoContents)
	handle("GET /repos/{owner}/{repo}/teams", (*call).repoTeams)
	handle("GET /repos/{owner}/{repo}/collaborators", (*call).collaborators)
	handle("GET /repos/{owner}/{repo}/collaborators/{user}/permission", (*call).collaboratorPermission)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.count(r.Method+" unrouted", nil)
		http.Error(w, "404 page not found", http.StatusNotFound) // measured: text
	})
	return mux
}

func (g *Gitea) serve(w http.ResponseWriter, r *http.Request, endpoint string, h func(*call)) {
	c := &call{g: g, r: r, reply: reply{status: http.StatusOK, header: http.Header{}}}
	c.header.Set("Content-Type", "application/json;charset=utf-8")
	c.page, _ = strconv.Atoi(r.URL.Query().Get("page"))
	token := tokenOf(r)

	lock, unlock := g.mu.RLock, g.mu.RUnlock
	if r.Method != http.MethodGet || strings.HasPrefix(endpoint, "GET /repositories/") {
		lock, unlock = g.mu.Lock, g.mu.Unlock // reading a hidden repository counts down
	}
	lock()
	by := g.tokens[token]
	c.doer = by
	ok := c.authenticate(token, endpoint)
	unlock()

	g.count(endpoint, by)
	broken := g.faultFor(c)
	if broken != nil && broken.before(c, w) {
		return
	}
	if ok {
		lock()
		h(c)
		unlock()
	}
	if broken != nil && broken.after(c, w) {
		return
	}
	c.send(w)
}

// authenticate knows tokens of users and Sudo of site administrators, and
// refuses as measured. Sudo is taken from the query before the header.
func (c *call) authenticate(token, endpoint string) bool {
	switch {
	case token == "" && endpoint == "GET /version":
		return true
	case token == "":
		c.refuse(http.StatusUnauthorized, "token is required")
		return false
	case c.doer == nil:
		c.refuse(http.StatusUnauthorized, "invalid username, password or token")
		return false
	}
	as := c.r.URL.Query().Get("sudo")
	if as == "" {
		as = c.r.Header.Get("Sudo")
	}
	if as == "" {
		return true
	}
	if !c.doer.admin {
		c.status = http.StatusForbidden
		c.json(map[string]string{"message": "Only administrators allowed to sudo."})
		return false
	}
	u, err := c.g.user(as)
	if err != nil {
		c.notFound()
		return false
	}
	c.doer = u
	return true
}

func tokenOf(r *http.Request) string {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if k := strings.ToLower(kind); k == "token" || k == "bearer" {
		return token
	}
	q := r.URL.Query()
	if t := q.Get("access_token"); t != "" {
		return t
	}
	return q.Get("token")
}

func (p *reply) send(w http.ResponseWriter) {
	for k, v := range p.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(p.body.Len()))
	w.WriteHeader(p.status)
	w.Write(p.body.Bytes())
}

func (c *call) json(v any) {
	c.body.Write(mustJSON(v))
	c.body.WriteByte('\n')
}

func (c *call) refuse(status int, message string) {
	c.status = status
	c.json(map[string]string{"message": message, "url": c.g.opt.RootURL + "/api/swagger"})
}

func (c *call) notFound() {
	c.status = http.StatusNotFound
	c.json(map[string]any{"errors": nil, "message": "not found", "url": c.g.opt.RootURL + "/api/swagger"})
}

// redirect is relative and replaces the old name in the path; the query stays
// (measured; 301 for a repository, 307 for an owner).
func (c *call) redirect(status int, old, now string) {
	u := url.URL{Path: strings.Replace(c.r.URL.Path, old, now, 1), RawQuery: c.r.URL.RawQuery}
	c.status = status
	c.header.Set("Location", u.String())
	c.header.Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(&c.body, "<a href=%q>%s</a>.\n", u.String(), http.StatusText(status))
}

// Which headers a list comes with (measured): everything but a repository's
// teams has X-Total-Count, only lists of repositories and searches have Link.
type listKind struct {
	link  bool
	whole bool // without a page number everything comes, whatever the limit
	drift int  // how far off the count is
}

// bounds returns the part of a list of n items that the request asks for, and
// sets the headers. The limit is 30 unless given and is cut without a word.
func (c *call) bounds(n int, k listKind) (from, to int) {
	limit, _ := strconv.Atoi(c.r.URL.Query().Get("limit"))
	if limit <= 0 {
		limit = 30
	}
	limit = min(limit, c.g.opt.MaxItems)
	c.header.Set("X-Total-Count", strconv.Itoa(max(n+k.drift, 0)))
	if k.link {
		c.link(n, limit)
	}
	if k.whole && c.page <= 0 {
		return 0, n
	}
	page := max(c.page, 1)
	return min((page-1)*limit, n), min(page*limit, n)
}

// link writes the relations in Gitea's order and form: a comma without a
// space, addresses made of ROOT_URL, none at all when one page is enough
// (services/context/api.go, genAPILinks).
func (c *call) link(n, limit int) {
	last := max((n+limit-1)/limit, 1)
	page := min(max(c.page, 1), last) // a page past the end links as the last one does
	var links []string
	add := func(rel string, page int) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(page))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel=%q`, c.g.opt.RootURL, c.r.URL.Path, q.Encode(), rel))
	}
	if page < last {
		add("next", page+1)
		add("last", last)
	}
	if page > 1 {
		add("first", 1)
		add("prev", page-1)
	}
	if len(links) > 0 {
		c.header.Set("Link", strings.Join(links, ","))
	}
}

// list answers the asked part of all, each item written by wire.
func list[T any](c *call, all []T, k listKind, wire func(T) any) {
	from, to := c.bounds(len(all), k)
	part := make([]any, 0, to-from)
	for _, v := range all[from:to] {
		part = append(part, wire(v))
	}
	c.json(part)
}

func (c *call) id(name string) int64 {
	n, _ := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	return n
}
