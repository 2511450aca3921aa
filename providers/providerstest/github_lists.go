package providerstest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/hookd/hookd/providers"
)

const ghVersion = "3.19.1"

func (c *ghCall) meta() {
	c.json(ghFields{"verifiable_password_authentication": true, "installed_version": ghVersion})
}

func (c *ghCall) self() { c.json(c.g.wireSelf(c.doer)) }

func (c *ghCall) userRepos() { ghList(c, c.g.userList(c.doer), c.wireRepo) }

func (c *ghCall) wireRepo(r *ghRepo) any    { return c.g.jsonFor(r, c.level(r)) }
func (c *ghCall) wireUser(u *ghAccount) any { return c.g.wireUser(u) }
func (c *ghCall) wireTeam(t *ghTeam) any    { return c.g.wireTeam(t) }

// level is what the asking one may do; an installation reads.
func (c *ghCall) level(r *ghRepo) providers.Permission {
	if c.app != nil {
		return providers.Read
	}
	return c.g.reaches(c.doer, r)
}

func (c *ghCall) sees(r *ghRepo) bool {
	if c.app != nil {
		return r.visibility == providers.Public || c.app.shows(r)
	}
	return c.g.sees(c.doer, r)
}

// inside reports whether the asking one is in the organization, and owns
// reports whether he sees all of it.
func (c *ghCall) inside(o *ghAccount) bool {
	_, member := o.members[c.doer]
	return member || c.app != nil && c.app.org == o
}

func (c *ghCall) owns(o *ghAccount) bool {
	return o.members[c.doer] || c.app != nil && c.app.org == o
}

func (c *ghCall) userOrgs() {
	var orgs []*ghAccount
	for _, a := range c.g.accounts {
		if _, in := a.members[c.doer]; in {
			orgs = append(orgs, a)
		}
	}
	slices.SortFunc(orgs, func(a, b *ghAccount) int { return cmp.Compare(a.id, b.id) })
	ghList(c, orgs, func(o *ghAccount) any { return c.g.wireOrg(o) })
}

func (c *ghCall) ownMembership() {
	o, err := c.g.org(c.r.PathValue("org"))
	if err != nil || !c.inside(o) || c.app != nil {
		c.notFound()
		return
	}
	m := c.g.wireMembership(o, c.doer)
	m["organization"] = c.g.wireOrg(o)
	c.json(m)
}

func (c *ghCall) userByID() { c.account(c.g.accounts[c.id("id")]) }

// userInfo shows organizations too, as accounts.
func (c *ghCall) userInfo() { c.account(c.g.byLogin[fold(c.r.PathValue("user"))]) }

func (c *ghCall) account(a *ghAccount) {
	if a == nil {
		c.notFound()
		return
	}
	c.json(c.g.wireSelf(a))
}

func (c *ghCall) organization() *ghAccount {
	o, err := c.g.org(c.r.PathValue("org"))
	if err != nil {
		c.notFound()
		return nil
	}
	return o
}

func (c *ghCall) orgByID() {
	o := c.g.accounts[c.id("id")]
	if o == nil || !o.org {
		c.notFound()
		return
	}
	c.org(o)
}

func (c *ghCall) orgInfo() {
	if o := c.organization(); o != nil {
		c.org(o)
	}
}

// org shows the base permission to owners alone.
func (c *ghCall) org(o *ghAccount) {
	w := ghOrgFull{ghOrg: c.g.wireOrg(o), Type: "Organization", Created: o.created.UTC().Truncate(time.Second)}
	private := 0
	for _, r := range c.g.repos {
		if r.owner == o {
			if r.visibility == providers.Public {
				w.PublicRepos++
			} else {
				private++
			}
		}
	}
	if o.members[c.doer] {
		base := o.base.String()
		w.PrivateRepos, w.BaseRole = &private, &base
	}
	c.json(w)
}

// orgRepos are sorted by age, the newest first unless asked otherwise.
func (c *ghCall) orgRepos() {
	o := c.organization()
	if o == nil {
		return
	}
	var repos []*ghRepo
	for _, r := range c.g.sorted() {
		if r.owner == o && c.sees(r) && r.hidden == 0 {
			repos = append(repos, r)
		}
	}
	if c.r.URL.Query().Get("direction") != "asc" {
		slices.Reverse(repos)
	}
	ghList(c, repos, c.wireRepo)
}

// orgMembers redirects those outside to the public members.
func (c *ghCall) orgMembers() {
	o := c.organization()
	if o == nil {
		return
	}
	if !c.inside(o) {
		c.refuse(http.StatusFound, "Found")
		c.header.Set("Location", c.g.api("/orgs/"+o.login+"/public_members"))
		return
	}
	people := map[*ghAccount]bool{}
	for u, owner := range o.members {
		switch role := c.r.URL.Query().Get("role"); {
		case role == "admin" && !owner, role == "member" && owner:
		default:
			people[u] = true
		}
	}
	ghList(c, byGHID(people), c.wireUser)
}

func (c *ghCall) publicMembers() { ghList(c, nil, c.wireUser) }

func (c *ghCall) outsideCollaborators() {
	o := c.ownersOnly()
	if o == nil {
		return
	}
	people := map[*ghAccount]bool{}
	for _, r := range c.g.repos {
		if r.owner == o {
			for _, u := range c.g.audience(r, "outside") {
				people[u] = true
			}
		}
	}
	ghList(c, byGHID(people), c.wireUser)
}

func (c *ghCall) orgTeams() {
	o := c.organization()
	if o == nil {
		return
	}
	if !c.inside(o) {
		c.refuse(http.StatusForbidden, "Must have admin rights to Repository.")
		return
	}
	ghList(c, o.teams, c.wireTeam)
}

func (c *ghCall) team() *ghTeam {
	o := c.organization()
	if o == nil {
		return nil
	}
	for _, t := range o.teams {
		if c.inside(o) && t.slug == fold(c.r.PathValue("team")) {
			return t
		}
	}
	c.notFound()
	return nil
}

func (c *ghCall) teamInfo() {
	if t := c.team(); t != nil {
		c.json(c.g.wireTeam(t))
	}
}

func (c *ghCall) teamMembers() {
	if t := c.team(); t != nil {
		ghList(c, t.within(), c.wireUser)
	}
}

// teamRepos come with what the team may do.
func (c *ghCall) teamRepos() {
	t := c.team()
	if t == nil {
		return
	}
	ghList(c, c.seen(t.sorted()), func(r *ghRepo) any { return c.g.jsonFor(r, t.repos[r]) })
}

// seen are those of the repositories that the asking one may look at.
func (c *ghCall) seen(repos []*ghRepo) []*ghRepo {
	return slices.DeleteFunc(repos, func(r *ghRepo) bool { return !c.sees(r) })
}

func (t *ghTeam) sorted() []*ghRepo {
	var repos []*ghRepo
	for r := range t.repos {
		repos = append(repos, r)
	}
	slices.SortFunc(repos, func(a, b *ghRepo) int { return cmp.Compare(a.id, b.id) })
	return repos
}

// repository finds the asked one, by id or by path; an old path redirects. What
// may not be seen, or does not show yet, is answered like what is not there.
func (c *ghCall) repository() *ghRepo {
	path := fold(c.r.PathValue("owner") + "/" + c.r.PathValue("repo"))
	r := c.g.byPath[path]
	if id := c.r.PathValue("id"); id != "" {
		r = c.g.repos[c.id("id")]
	} else if was := c.g.repos[c.g.movedTo[path]]; r == nil && was != nil && c.sees(was) {
		c.moved(was)
		return nil
	}
	if r == nil || !c.sees(r) {
		c.notFound()
		return nil
	}
	if r.hidden > 0 {
		r.hidden--
		c.notFound()
		return nil
	}
	return r
}

func (c *ghCall) repoInfo() {
	if r := c.repository(); r != nil {
		c.json(c.wireRepo(r))
	}
}

func (c *ghCall) repoTeams() {
	r := c.repository()
	if r == nil {
		return
	}
	var teams []*ghTeam
	for _, t := range r.owner.teams {
		if t.repos[r] > providers.None {
			teams = append(teams, t)
		}
	}
	ghList(c, teams, func(t *ghTeam) any {
		w := c.g.wireTeam(t)
		w.Permission = teamRoles[t.repos[r]]
		return w
	})
}

// audienceOf is the asked repository, refused to those who may not push.
func (c *ghCall) audienceOf() *ghRepo {
	r := c.repository()
	if r != nil && c.app == nil && c.level(r) < providers.Write {
		c.refuse(http.StatusForbidden, "Must have push access to view repository collaborators.")
		return nil
	}
	return r
}

func (c *ghCall) collaborators() {
	r := c.audienceOf()
	if r == nil {
		return
	}
	affiliation := cmp.Or(c.r.URL.Query().Get("affiliation"), "all")
	ghList(c, c.g.audience(r, affiliation), func(u *ghAccount) any {
		p := c.g.reaches(u, r)
		return ghCollaborator{ghUser: c.g.wireUser(u), Permissions: flagsOf(p), RoleName: p.String()}
	})
}

func (c *ghCall) isCollaborator() {
	r := c.audienceOf()
	if r == nil {
		return
	}
	u, err := c.g.user(c.r.PathValue("user"))
	if err != nil || c.g.reaches(u, r) == providers.None {
		c.notFound()
		return
	}
	c.status = http.StatusNoContent
	c.header.Del("Content-Type")
}

// permission answers "read" to anybody where the repository is public.
func (c *ghCall) permission() {
	r := c.audienceOf()
	if r == nil {
		return
	}
	u, err := c.g.user(c.r.PathValue("user"))
	if err != nil {
		c.refuse(http.StatusNotFound, c.r.PathValue("user")+" is not a user")
		return
	}
	p := c.g.reaches(u, r)
	if r.visibility == providers.Public {
		p = max(p, providers.Read)
	}
	c.json(ghFields{"permission": p.String(), "role_name": p.String(), "user": ghCollaborator{ghUser: c.g.wireUser(u), Permissions: flagsOf(p), RoleName: p.String()}})
}

func (c *ghCall) installedRepos() {
	if c.app == nil {
		c.refuse(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
		return
	}
	var all []*ghRepo
	for _, r := range c.g.sorted() {
		if c.app.shows(r) {
			all = append(all, r)
		}
	}
	page := &ghCall{g: c.g, r: c.r, app: c.app, page: c.page, reply: reply{header: c.header}}
	ghList(page, all, c.wireRepo)
	c.json(ghFields{"total_count": len(all), "repository_selection": c.app.selection, "repositories": json.RawMessage(page.body.Bytes())})
}
