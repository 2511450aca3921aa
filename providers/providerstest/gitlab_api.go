package providerstest

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// glCall is one request to the API: who asks, and what he is answered.
type glCall struct {
	g    *GitLab
	r    *http.Request
	doer *glUser // after Sudo
	page int     // 0 without
	reply
}

const glAPIRoot = "/api/v4"

// routes lists the endpoints. Each runs with the world locked for reading, or
// for writing where it changes something.
func (g *GitLab) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h func(*glCall)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+g.opt.Path+glAPIRoot+path, func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, pattern, h) })
	}
	handle("GET /version", (*glCall).version)
	handle("GET /metadata", (*glCall).version)
	handle("GET /user", (*glCall).self)
	handle("GET /personal_access_tokens/self", (*glCall).ownToken)
	handle("GET /users", (*glCall).findUsers)
	handle("GET /users/{id}", (*glCall).userInfo)
	handle("GET /users/{id}/memberships", (*glCall).memberships)
	handle("GET /projects", (*glCall).listProjects)
	handle("GET /projects/{id}", (*glCall).projectInfo)
	handle("GET /projects/{id}/members", (*glCall).projectMembers)
	handle("GET /projects/{id}/members/all", (*glCall).projectMembersAll)
	handle("GET /projects/{id}/members/all/{user}", (*glCall).projectMember)
	handle("GET /projects/{id}/hooks", (*glCall).repoHooks)
	handle("POST /projects/{id}/hooks", (*glCall).createRepoHook)
	handle("DELETE /projects/{id}/hooks/{hook}", (*glCall).deleteRepoHook)
	handle("GET /projects/{id}/repository/files/{file}", (*glCall).file)
	handle("GET /projects/{id}/repository/tree", (*glCall).tree)
	handle("GET /groups", (*glCall).listGroups)
	handle("GET /groups/{id}", (*glCall).groupInfo)
	handle("GET /groups/{id}/projects", (*glCall).groupProjects)
	handle("GET /groups/{id}/subgroups", (*glCall).subgroups)
	handle("GET /groups/{id}/descendant_groups", (*glCall).descendantGroups)
	handle("GET /groups/{id}/groups/shared", (*glCall).sharedGroups)
	handle("GET /groups/{id}/members", (*glCall).groupMembers)
	handle("GET /groups/{id}/members/all", (*glCall).groupMembersAll)
	handle("GET /groups/{id}/members/all/{user}", (*glCall).groupMember)
	handle("GET /hooks", (*glCall).listHooks)
	handle("POST /hooks", (*glCall).createHook)
	handle("GET /hooks/{hook}", (*glCall).getHook)
	handle("PUT /hooks/{hook}", (*glCall).editHook)
	handle("DELETE /hooks/{hook}", (*glCall).deleteHook)
	handle("GET /groups/{id}/hooks", (*glCall).listHooks)
	handle("POST /groups/{id}/hooks", (*glCall).createHook)
	handle("GET /groups/{id}/hooks/{hook}", (*glCall).getHook)
	handle("PUT /groups/{id}/hooks/{hook}", (*glCall).editHook)
	handle("DELETE /groups/{id}/hooks/{hook}", (*glCall).deleteHook)
	handle("GET /groups/{id}/hooks/{hook}/events", (*glCall).hookEvents)
	handle("POST /groups/{id}/hooks/{hook}/events/{event}/resend", (*glCall).resend)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.count(r.Method+" unrouted", nil)
		if strings.HasPrefix(r.URL.Path, g.opt.Path+glAPIRoot+"/") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":"404 Not Found"}`) // lib/api/api.rb
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		http.Redirect(w, r, g.url+"/users/sign_in", http.StatusFound)
	})
	return mux
}

func (g *GitLab) serve(w http.ResponseWriter, r *http.Request, endpoint string, h func(*glCall)) {
	c := &glCall{g: g, r: r, reply: reply{status: http.StatusOK, header: http.Header{}}}
	c.header.Set("Content-Type", "application/json")
	c.page, _ = strconv.Atoi(r.URL.Query().Get("page"))

	lock, unlock := g.mu.RLock, g.mu.RUnlock
	if r.Method != http.MethodGet || endpoint == "GET /projects/{id}" {
		lock, unlock = g.mu.Lock, g.mu.Unlock // reading a hidden project counts down
	}
	token := glTokenOf(r)
	lock()
	by := g.tokens[token]
	c.doer = by
	ok := c.authenticate()
	unlock()

	g.count(endpoint, by)
	ok = ok && c.budget(token)
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
	c.conditional()
	c.send(w)
}

// authenticate knows tokens of users and Sudo of administrators
// (lib/api/helpers.rb, current_user and sudo!). Who is blocked may do nothing.
func (c *glCall) authenticate() bool {
	if c.doer == nil {
		c.refuse(http.StatusUnauthorized, "401 Unauthorized")
		return false
	}
	as := c.r.Header.Get("Sudo")
	if as == "" {
		as = c.r.URL.Query().Get("sudo")
	}
	if as != "" {
		if !c.doer.admin {
			c.refuse(http.StatusForbidden, "403 Forbidden - Must be admin to use sudo")
			return false
		}
		u := c.g.byLogin[fold(as)]
		if id, err := strconv.ParseInt(as, 10, 64); err == nil {
			u = c.g.users[id]
		}
		if u == nil {
			c.refuse(http.StatusNotFound, "404 User with ID or username '"+as+"' Not Found")
			return false
		}
		c.doer = u
	}
	if c.doer.state != "active" {
		c.refuse(http.StatusForbidden, "403 Forbidden - Your account has been "+c.doer.state+".")
		return false
	}
	return true
}

func glTokenOf(r *http.Request) string {
	if t := r.Header.Get("Private-Token"); t != "" {
		return t
	}
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(kind, "Bearer") {
		return token
	}
	q := r.URL.Query()
	if t := q.Get("private_token"); t != "" {
		return t
	}
	return q.Get("access_token")
}

// glWindow counts one token's calls of a minute.
type glWindow struct {
	start time.Time
	n     int
}

// budget tells what is left of the rate limit, and refuses as GitLab does when
// nothing is: in plain text.
func (c *glCall) budget(token string) bool {
	limit := c.g.opt.RateLimit
	if limit == 0 {
		return true
	}
	c.g.callsMu.Lock()
	now := c.g.opt.Now()
	w := c.g.window[token]
	if w == nil || now.Sub(w.start) >= time.Minute {
		w = &glWindow{start: now}
		c.g.window[token] = w
	}
	w.n++
	n, reset := w.n, w.start.Add(time.Minute)
	c.header.Set("Date", now.UTC().Format(http.TimeFormat))
	c.g.callsMu.Unlock()
	for name, v := range map[string]int64{
		"RateLimit-Limit": int64(limit), "RateLimit-Observed": int64(n),
		"RateLimit-Remaining": int64(max(limit-n, 0)), "RateLimit-Reset": reset.Unix(),
	} {
		c.header.Set(name, strconv.FormatInt(v, 10))
	}
	if n <= limit {
		return true
	}
	c.limited(reset.Sub(now))
	return false
}

func (c *glCall) limited(wait time.Duration) {
	c.status = http.StatusTooManyRequests
	c.header.Set("Content-Type", "text/plain")
	c.header.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	c.body.Reset()
	c.body.WriteString("Retry later\n")
}

// conditional answers 304 to who has this very answer already, as the web
// layer does for every GET.
func (c *glCall) conditional() {
	if c.r.Method != http.MethodGet || c.status != http.StatusOK {
		return
	}
	sum := md5.Sum(c.body.Bytes())
	tag := `W/"` + hex.EncodeToString(sum[:]) + `"`
	c.header.Set("ETag", tag)
	c.header.Set("Cache-Control", "max-age=0, private, must-revalidate")
	if c.r.Header.Get("If-None-Match") == tag {
		c.status = http.StatusNotModified
		c.body.Reset()
	}
}

func (c *glCall) json(v any) { c.body.Write(mustJSON(v)) }

func (c *glCall) refuse(status int, message string) {
	c.status = status
	c.json(map[string]string{"message": message})
}

// glPaged answers the asked part of a list, each item written by wire
// (lib/gitlab/pagination/offset_pagination.rb): per_page is 20 unless given and
// at most 100, and what is longer than the count limit has no count.
func glPaged[T any](c *glCall, all []T, wire func(T) any) {
	q := c.r.URL.Query()
	per, _ := strconv.Atoi(q.Get("per_page"))
	if per <= 0 {
		per = 20
	}
	per = min(per, c.g.opt.MaxItems)
	n, page := len(all), max(c.page, 1)
	from, to := min((page-1)*per, n), min(page*per, n)
	pages := max((n+per-1)/per, 1)
	set := func(name string, v int, told bool) {
		s := ""
		if told {
			s = strconv.Itoa(v)
		}
		c.header.Set(name, s)
	}
	counted := n <= c.g.opt.CountLimit
	if counted {
		set("X-Total", n, true)
		set("X-Total-Pages", (n+per-1)/per, true)
	}
	set("X-Per-Page", per, true)
	set("X-Page", page, true)
	set("X-Next-Page", page+1, page < pages)
	set("X-Prev-Page", page-1, page > 1)
	var links []string
	link := func(rel string, page int) {
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(page))
		q.Set("per_page", strconv.Itoa(per))
		links = append(links, c.linkTo(q, rel))
	}
	if page > 1 {
		link("prev", page-1)
	}
	if page < pages {
		link("next", page+1)
	}
	link("first", 1)
	if counted {
		link("last", pages)
	}
	c.header.Set("Link", strings.Join(links, ", "))
	c.write(len(all[from:to]), func(i int) any { return wire(all[from+i]) })
}

// glKeyset answers the asked part of a list of projects ordered by id, with a
// link to what comes after it and no numbers.
func glKeyset(c *glCall, all []*glProject, wire func(*glProject) any) {
	q := c.r.URL.Query()
	per, _ := strconv.Atoi(q.Get("per_page"))
	if per <= 0 {
		per = 20
	}
	per = min(per, c.g.opt.MaxItems, len(all))
	if per < len(all) {
		q.Set("id_after", strconv.FormatInt(all[per-1].id, 10))
		c.header.Set("Link", c.linkTo(q, "next"))
	}
	c.write(per, func(i int) any { return wire(all[i]) })
}

func (c *glCall) linkTo(q url.Values, rel string) string {
	path := strings.TrimPrefix(c.r.URL.EscapedPath(), c.g.opt.Path)
	return fmt.Sprintf(`<%s%s?%s>; rel=%q`, c.g.url, path, q.Encode(), rel)
}

func (c *glCall) write(n int, item func(int) any) {
	part := make([]any, n)
	for i := range part {
		part[i] = item(i)
	}
	c.json(part)
}
