package providerstest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

func (c *call) version() { c.json(map[string]string{"version": "1.25.4"}) }

func (c *call) self() { c.json(c.g.wireUser(c.doer, c.doer)) }

func (c *call) userRepos() {
	list(c, c.g.userList(c.doer), listKind{link: true}, c.wireRepo)
}

func (c *call) wireRepo(r *repo) any    { return c.g.jsonFor(r, c.doer) }
func (c *call) wireUser(u *account) any { return c.g.wireUser(u, c.doer) }

func (c *call) userInfo() {
	u, err := c.g.user(c.r.PathValue("user"))
	if err != nil {
		c.notFound()
		return
	}
	c.json(c.wireUser(u))
}

// searchUsers knows the search by uid, which finds users only.
func (c *call) searchUsers() {
	var found []*account
	q := c.r.URL.Query()
	for _, a := range c.g.accounts {
		if !a.org && (q.Get("uid") == "" || q.Get("uid") == a.user().ID) && strings.Contains(fold(a.login), fold(q.Get("q"))) {
			found = append(found, a)
		}
	}
	byID(found)
	from, to := c.bounds(len(found), listKind{link: true})
	data := make([]any, 0, to-from)
	for _, u := range found[from:to] {
		data = append(data, c.wireUser(u))
	}
	c.json(map[string]any{"ok": true, "data": data})
}

// searchRepos knows uid, which selects as /user/repos does, and q, a part of
// the name (models/repo/repo_list.go; the doer must be that user).
func (c *call) searchRepos() {
	q := c.r.URL.Query()
	var found []*repo
	if q.Get("uid") == c.doer.user().ID {
		for _, r := range c.g.userList(c.doer) {
			if strings.Contains(fold(r.name), fold(q.Get("q"))) {
				found = append(found, r)
			}
		}
	}
	from, to := c.bounds(len(found), listKind{link: true})
	data := make([]any, 0, to-from)
	for _, r := range found[from:to] {
		data = append(data, c.wireRepo(r))
	}
	c.json(map[string]any{"ok": true, "data": data})
}

// organization finds the asked one, or answers as Gitea does for one that is
// unknown, renamed, or hidden from the doer.
func (c *call) organization() *account {
	name := c.r.PathValue("org")
	o, err := c.g.org(name)
	if err != nil {
		if moved := c.g.accounts[c.g.movedBy[fold(name)]]; moved != nil {
			c.redirect(http.StatusTemporaryRedirect, name, moved.login)
			return nil
		}
		c.status = http.StatusNotFound
		c.json(map[string]any{"errors": []string{"user redirect does not exist [name: " + name + "]"}, "message": "GetOrgByName", "url": c.g.opt.RootURL + "/api/swagger"})
		return nil
	}
	return o
}

// membersOnly is organization, refused to those outside.
func (c *call) membersOnly() *account {
	o := c.organization()
	if o != nil && !c.doer.admin && !o.member(c.doer) {
		c.refuse(http.StatusForbidden, "Must be an organization member")
		return nil
	}
	return o
}

func (c *call) orgInfo() {
	o := c.organization()
	switch {
	case o == nil:
	case o.visibility == "private" && !c.doer.admin && !o.member(c.doer):
		c.notFound()
	default:
		c.json(c.g.wireOrg(o))
	}
}

func (c *call) allOrgs() {
	if !c.doer.admin {
		c.refuse(http.StatusForbidden, "user should be the site admin")
		return
	}
	var orgs []*account
	for _, a := range c.g.accounts {
		if a.org {
			orgs = append(orgs, a)
		}
	}
	slices.SortFunc(orgs, func(a, b *account) int { return cmp.Compare(a.login, b.login) })
	list(c, orgs, listKind{link: true}, func(o *account) any { return c.g.wireOrg(o) })
}

// orgTeams are ordered by lower-case name and come without their organization.
func (c *call) orgTeams() {
	o := c.membersOnly()
	if o == nil {
		return
	}
	teams := slices.SortedFunc(slices.Values(o.teams), func(a, b *team) int { return cmp.Compare(fold(a.name), fold(b.name)) })
	list(c, teams, listKind{}, func(t *team) any { return c.g.wireTeam(t, false) })
}

// orgMembers shows outsiders the public members, of whom there are none here.
func (c *call) orgMembers() {
	o := c.organization()
	if o == nil {
		return
	}
	var members []*account
	if c.doer.admin || o.member(c.doer) {
		seen := map[*account]bool{}
		for _, t := range o.teams {
			for u := range t.members {
				if !seen[u] {
					seen[u] = true
					members = append(members, u)
				}
			}
		}
	}
	byID(members)
	list(c, members, listKind{}, c.wireUser)
}

// orgRepos are ordered by id. The page is cut before what the doer may not see
// is taken out, and the count is that of all (measured): zoe, in no team, gets
// "[]" and X-Total-Count 3.
func (c *call) orgRepos() {
	o := c.organization()
	if o == nil {
		return
	}
	var repos []*repo
	for _, r := range c.g.repos {
		if r.owner == o {
			repos = append(repos, r)
		}
	}
	slices.SortFunc(repos, func(a, b *repo) int { return cmp.Compare(a.id, b.id) })
	from, to := c.bounds(len(repos), listKind{link: true})
	part := make([]any, 0, to-from)
	for _, r := range repos[from:to] {
		if c.doer.admin || c.g.sees(c.doer, r) {
			part = append(part, c.wireRepo(r))
		}
	}
	c.json(part)
}

func (c *call) orgFeed() {
	o := c.organization()
	if o == nil {
		return
	}
	list(c, c.g.feedOf(o, c.doer), listKind{}, func(a *activity) any { return c.g.wireActivity(a, c.doer) })
}

// asked finds a team for its members and for site administrators.
func (c *call) asked() *team {
	t := c.g.teams[c.id("id")]
	if t == nil || (!c.doer.admin && !t.org.member(c.doer)) {
		c.notFound()
		return nil
	}
	return t
}

func (c *call) teamInfo() {
	if t := c.asked(); t != nil {
		c.json(c.g.wireTeam(t, true))
	}
}

// teamMembers are ordered by full name and name, and come all at once without
// a page number (measured).
func (c *call) teamMembers() {
	t := c.asked()
	if t == nil {
		return
	}
	members := make([]*account, 0, len(t.members))
	for u := range t.members {
		members = append(members, u)
	}
	slices.SortFunc(members, func(a, b *account) int { return cmp.Compare(a.login, b.login) })
	list(c, members, listKind{whole: true, drift: t.drift}, c.wireUser)
}

// teamRepos are ordered by name, with the permissions of the doer and not of
// the team.
func (c *call) teamRepos() {
	t := c.asked()
	if t == nil {
		return
	}
	repos := make([]*repo, 0, len(t.repos))
	for r := range t.repos {
		repos = append(repos, r)
	}
	slices.SortFunc(repos, func(a, b *repo) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	list(c, repos, listKind{drift: t.drift}, c.wireRepo)
}

// repoByID answers 404 alike to what does not exist and to what may not be
// seen.
func (c *call) repoByID() {
	r := c.g.repos[c.id("id")]
	switch {
	case r == nil || !c.g.sees(c.doer, r):
		c.notFound()
	case r.hidden > 0:
		r.hidden--
		c.notFound()
	default:
		c.json(c.wireRepo(r))
	}
}

// repository finds the asked one; the old path of a renamed or transferred one
// redirects.
func (c *call) repository() *repo {
	owner, name := c.r.PathValue("owner"), c.r.PathValue("repo")
	r := c.g.byPath[fold(owner+"/"+name)]
	if r != nil && c.g.sees(c.doer, r) {
		return r
	}
	if moved := c.g.repos[c.g.movedTo[fold(owner+"/"+name)]]; r == nil && moved != nil {
		c.redirect(http.StatusMovedPermanently, owner+"/"+name, moved.path())
		return nil
	}
	if moved := c.g.accounts[c.g.movedBy[fold(owner)]]; r == nil && moved != nil {
		c.redirect(http.StatusTemporaryRedirect, owner, moved.login)
		return nil
	}
	c.notFound()
	return nil
}

func (c *call) repoByPath() {
	if r := c.repository(); r != nil {
		c.json(c.wireRepo(r))
	}
}

// repoTeams come owners first, then by name, all at once and without a count.
func (c *call) repoTeams() {
	r := c.repository()
	if r == nil {
		return
	}
	if !r.owner.org {
		c.refuse(http.StatusMethodNotAllowed, "repo is not owned by an organization")
		return
	}
	teams := []wireTeam{}
	for _, t := range slices.SortedFunc(slices.Values(r.owner.teams), func(a, b *team) int {
		if a.owners != b.owners {
			if a.owners {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.name, b.name)
	}) {
		if t.repos[r] {
			teams = append(teams, c.g.wireTeam(t, false))
		}
	}
	c.json(teams)
}

// collaborators are plain users, without their permission.
func (c *call) collaborators() {
	r := c.repository()
	if r == nil {
		return
	}
	users := make([]*account, 0, len(r.collaborators))
	for u := range r.collaborators {
		users = append(users, u)
	}
	byID(users)
	list(c, users, listKind{}, c.wireUser)
}

func (c *call) collaboratorPermission() {
	r := c.repository()
	if r == nil {
		return
	}
	u, err := c.g.user(c.r.PathValue("user"))
	if err != nil {
		c.notFound()
		return
	}
	level := c.g.mode(u, r).String()
	if u.admin || u == r.owner {
		level = "owner"
	}
	c.json(map[string]any{"permission": level, "role_name": level, "user": c.wireUser(u)})
}

func byID(a []*account) {
	slices.SortFunc(a, func(x, y *account) int { return cmp.Compare(x.id, y.id) })
}
