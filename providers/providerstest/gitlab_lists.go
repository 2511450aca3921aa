package providerstest

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookd/hookd/providers"
)

func (c *glCall) version() {
	c.json(map[string]any{"version": "18.5.2", "revision": "a1b2c3d4e5f", "enterprise": false, "kas": map[string]any{"enabled": false}})
}

func (c *glCall) self() { c.json(c.g.wireUser(c.doer, c.doer)) }

// ownToken tells what the token may (docs.gitlab.com/api/personal_access_tokens,
// "Get details on a personal access token"). Here an administrator's may all.
func (c *glCall) ownToken() {
	scopes := []string{"api"}
	if c.doer.admin {
		scopes = append(scopes, "sudo")
	}
	c.json(map[string]any{"id": c.doer.id, "name": "hookd", "revoked": false, "scopes": scopes, "user_id": c.doer.id, "active": true, "expires_at": c.g.opt.TokenExpires})
}

// findUsers knows the search by username, which is exact.
func (c *glCall) findUsers() {
	var found []*glUser
	if u := c.g.byLogin[fold(c.r.URL.Query().Get("username"))]; u != nil {
		found = append(found, u)
	}
	glPaged(c, found, func(u *glUser) any { return c.g.wireUser(u, c.doer) })
}

func (c *glCall) askedUser() *glUser {
	id, _ := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	u := c.g.users[id]
	if u == nil {
		c.refuse(http.StatusNotFound, "404 User Not Found")
	}
	return u
}

func (c *glCall) userInfo() {
	if u := c.askedUser(); u != nil {
		c.json(c.g.wireUser(u, c.doer))
	}
}

// memberships are direct ones only, for administrators.
func (c *glCall) memberships() {
	u := c.askedUser()
	if u == nil {
		return
	}
	if !c.doer.admin {
		c.refuse(http.StatusForbidden, "403 Forbidden")
		return
	}
	var all []map[string]any
	for _, n := range c.g.sortedGroups() {
		if m := n.members[u]; m != nil {
			all = append(all, map[string]any{"source_id": n.id, "source_name": n.name, "source_type": "Namespace", "access_level": m.level})
		}
	}
	for _, p := range c.g.sortedProjects() {
		if m := p.members[u]; m != nil {
			all = append(all, map[string]any{"source_id": p.id, "source_name": p.name, "source_type": "Project", "access_level": m.level})
		}
	}
	glPaged(c, all, func(m map[string]any) any { return m })
}

// listProjects knows membership, min_access_level, archived, id_after, order
// by id (and by id only in keyset pagination), and simple. Without a filter an
// administrator sees all.
func (c *glCall) listProjects() {
	q := c.r.URL.Query()
	var all []*glProject
	if q.Get("membership") == "true" || q.Get("min_access_level") != "" {
		all = c.g.userList(c.doer)
	} else {
		for _, p := range c.g.sortedProjects() {
			if c.g.sees(c.doer, p) {
				all = append(all, p)
			}
		}
	}
	c.projects(all)
}

func (c *glCall) projects(all []*glProject) {
	q := c.r.URL.Query()
	least, _ := strconv.Atoi(q.Get("min_access_level"))
	after, _ := strconv.ParseInt(q.Get("id_after"), 10, 64)
	archived := q.Get("archived")
	kept := make([]*glProject, 0, len(all))
	for _, p := range all {
		if p.id <= after || (archived != "" && archived != strconv.FormatBool(p.archived)) ||
			(least > 0 && c.g.level(c.doer, p) < least) {
			continue
		}
		kept = append(kept, p)
	}
	if q.Get("sort") != "asc" { // newest first is what is not asked otherwise
		slices.Reverse(kept)
	}
	wire := c.wireProject
	if q.Get("simple") == "true" {
		wire = c.wireSimple
	}
	if q.Get("pagination") == "keyset" && q.Get("order_by") == "id" && q.Get("sort") == "asc" {
		glKeyset(c, kept, wire)
		return
	}
	glPaged(c, kept, wire)
}

// askedProject finds a project by id or full path. GitLab answers alike to
// what does not exist and what may not be seen.
func (c *glCall) askedProject() *glProject {
	asked := c.r.PathValue("id")
	p, _ := c.g.byPath[fold(asked)].(*glProject)
	if id, err := strconv.ParseInt(asked, 10, 64); err == nil {
		p = c.g.projects[id]
	}
	if p == nil || !c.g.sees(c.doer, p) {
		c.refuse(http.StatusNotFound, "404 Project Not Found")
		return nil
	}
	return p
}

func (c *glCall) projectInfo() {
	p := c.askedProject()
	switch {
	case p == nil:
	case p.hidden > 0:
		p.hidden--
		c.refuse(http.StatusNotFound, "404 Project Not Found")
	default:
		c.json(c.wireProject(p))
	}
}

// A row is a member as the lists show him: with the level that counts, and the
// dates of the membership it comes from.
type glRow struct {
	user  *glUser
	level int
	from  *glMember
}

// rows of direct members, those without a level that counts included.
func glDirectRows(members map[*glUser]*glMember) []glRow {
	var rows []glRow
	for _, u := range slices.SortedFunc(maps.Keys(members), glByID) {
		rows = append(rows, glRow{u, members[u].level, members[u]})
	}
	return rows
}

// projectMembers are the direct ones.
func (c *glCall) projectMembers() {
	if p := c.askedProject(); p != nil {
		glPaged(c, glDirectRows(p.members), c.wireMember)
	}
}

// allRows are a project's members, each once, a direct membership before an
// inherited one, with the level that he has in all
// (app/finders/members_finder.rb). A membership that has expired stays until a
// worker removes it. Left out is who has the project through a group that a group
// it is shared with is shared with (project_invited_groups there;
// gitlab.com/gitlab-org/gitlab/-/issues/436257).
func (c *glCall) allRows(p *glProject) []glRow {
	rows := map[*glUser]glRow{}
	add := func(members map[*glUser]*glMember, most int) {
		for u, m := range members {
			if _, ok := rows[u]; !ok && m.level >= GitLabGuest {
				rows[u] = glRow{u, min(m.level, most), m}
			}
		}
	}
	add(p.members, GitLabOwner)
	for n := p.group; n != nil; n = n.parent {
		add(n.members, GitLabOwner)
		for other, s := range n.shares {
			add(other.members, s.level)
		}
	}
	for other, s := range p.shares {
		most := s.level
		if p.group != nil && p.group.locked {
			most = 0 // coerce_to_no_access there
		}
		for o := other; o != nil; o = o.parent {
			add(o.members, most)
		}
	}
	for u, level := range c.g.projectLevels(p) {
		row, listed := rows[u]
		if !listed {
			continue
		}
		row.level = level
		if row.from.grants() == 0 {
			row.from = &glMember{level: level, created: row.from.created}
		}
		rows[u] = row
	}
	return slices.SortedFunc(maps.Values(rows), func(a, b glRow) int { return glByID(a.user, b.user) })
}

func (c *glCall) projectMembersAll() {
	if p := c.askedProject(); p != nil {
		glPaged(c, c.allRows(p), c.wireMember)
	}
}

func (c *glCall) projectMember() {
	if p := c.askedProject(); p != nil {
		c.oneOf(c.allRows(p))
	}
}

func (c *glCall) oneOf(rows []glRow) {
	id, _ := strconv.ParseInt(c.r.PathValue("user"), 10, 64)
	for _, row := range rows {
		if row.user.id == id {
			c.json(c.wireMember(row))
			return
		}
	}
	c.refuse(http.StatusNotFound, "404 Not found")
}

// listGroups knows top_level_only and owned; all_available is what an
// administrator gets anyway.
func (c *glCall) listGroups() {
	var all []*glGroup
	for _, n := range c.g.sortedGroups() {
		if c.g.seesGroup(c.doer, n) && (n.parent == nil || c.r.URL.Query().Get("top_level_only") != "true") {
			all = append(all, n)
		}
	}
	glPaged(c, all, c.wireGroup)
}

func (g *GitLab) sortedGroups() []*glGroup {
	return slices.SortedFunc(maps.Values(g.groups), func(a, b *glGroup) int { return cmp.Compare(a.id, b.id) })
}

// askedGroup finds a group by id or full path. The old path of a renamed one
// redirects to its id, as far as one may see it.
func (c *glCall) askedGroup() *glGroup {
	asked := c.r.PathValue("id")
	n, _ := c.g.byPath[fold(asked)].(*glGroup)
	if id, err := strconv.ParseInt(asked, 10, 64); err == nil {
		n = c.g.groups[id]
	}
	if n == nil || !c.g.seesGroup(c.doer, n) {
		c.refuse(http.StatusNotFound, "404 Group Not Found")
		return nil
	}
	return n
}

func (c *glCall) groupInfo() {
	if n := c.askedGroup(); n != nil {
		c.json(c.wireGroup(n))
	}
}

// groupProjects knows include_subgroups and with_shared, which adds what the
// group itself has a share of (app/finders/group_projects_finder.rb).
func (c *glCall) groupProjects() {
	n := c.askedGroup()
	if n == nil {
		return
	}
	q := c.r.URL.Query()
	var all []*glProject
	for _, p := range c.g.sortedProjects() {
		in := p.group == n || (q.Get("include_subgroups") == "true" && p.group.within(n))
		if (in || (q.Get("with_shared") != "false" && p.shares[n] != nil)) && c.g.sees(c.doer, p) {
			all = append(all, p)
		}
	}
	c.projects(all)
}

func (c *glCall) subgroups() {
	c.groupsBelow(func(n, d *glGroup) bool { return d.parent == n })
}

func (c *glCall) descendantGroups() {
	c.groupsBelow(func(n, d *glGroup) bool { return d != n && d.within(n) })
}

// sharedGroups are those that this one was invited to.
func (c *glCall) sharedGroups() {
	c.groupsBelow(func(n, d *glGroup) bool { return d.shares[n] != nil })
}

func (c *glCall) groupsBelow(in func(n, d *glGroup) bool) {
	n := c.askedGroup()
	if n == nil {
		return
	}
	var all []*glGroup
	for _, d := range c.g.sortedGroups() {
		if in(n, d) && c.g.seesGroup(c.doer, d) {
			all = append(all, d)
		}
	}
	glPaged(c, all, c.wireGroup)
}

func (c *glCall) groupMembers() {
	if n := c.askedGroup(); n != nil {
		glPaged(c, glDirectRows(n.members), c.wireMember)
	}
}

// groupRows are everybody's of a group, each once with his highest level, and
// without minimal access (app/finders/group_members_finder.rb).
func (c *glCall) groupRows(n *glGroup) []glRow {
	levels := c.g.groupLevels(n)
	var rows []glRow
	for _, u := range slices.SortedFunc(maps.Keys(levels), glByID) {
		row := glRow{u, levels[u], &glMember{level: levels[u], created: n.created}}
		if m := n.members[u]; m != nil && (levels[u] == 0 || m.level == levels[u]) {
			row.from, row.level = m, m.level
		}
		if row.level >= GitLabGuest {
			rows = append(rows, row)
		}
	}
	return rows
}

func (c *glCall) groupMembersAll() {
	if n := c.askedGroup(); n != nil {
		glPaged(c, c.groupRows(n), c.wireMember)
	}
}

func (c *glCall) groupMember() {
	if n := c.askedGroup(); n != nil {
		c.oneOf(c.groupRows(n))
	}
}

// glDay writes a date, nil for none.
func glDay(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.DateOnly)
}

func glStamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func glRole(level int) string {
	names := map[int]string{
		GitLabMinimal: "Minimal Access", GitLabGuest: "Guest", GitLabPlanner: "Planner", GitLabReporter: "Reporter",
		GitLabDeveloper: "Developer", GitLabMaintainer: "Maintainer", GitLabOwner: "Owner",
	}
	return names[level]
}

func glVisibility(v providers.Visibility) string { return strings.ToLower(string(v)) }
