package providerstest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hookd/hookd/providers"
)

// ghRole is a role over all repositories of an organization. GitHub has these
// five by default; others may be made on Enterprise Cloud.
type ghRole struct {
	id    int64
	name  string
	base  string
	level providers.Permission
}

var ghRoles = []ghRole{
	{8132, "all_repo_read", "read", providers.Read},
	{8133, "all_repo_triage", "triage", providers.Read},
	{8134, "all_repo_write", "write", providers.Write},
	{8135, "all_repo_maintain", "maintain", providers.Write},
	{8136, "all_repo_admin", "admin", providers.Admin},
}

// SetOrgRole gives a member of an organization a role over all of its
// repositories, or takes the one he has ("" for none). No webhook tells.
func (g *GitHub) SetOrgRole(org, login, role string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, u, err := g.orgAndUser(org, login)
	if err != nil {
		return err
	}
	if _, member := o.members[u]; !member {
		return fmt.Errorf("providerstest: %s is not in %s", login, org)
	}
	g.version++
	if role == "" {
		delete(o.roles, u)
		return nil
	}
	i := slices.IndexFunc(ghRoles, func(r ghRole) bool { return r.name == role })
	if i < 0 {
		return unknown("role", role)
	}
	if o.roles == nil {
		o.roles = map[*ghAccount]ghRole{}
	}
	o.roles[u] = ghRoles[i]
	return nil
}

// SetParent puts a team below another one, or on top (""). GitHub's payload of
// "team edited" has no word for it, so no webhook tells.
func (g *GitHub) SetParent(org, team, parent string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, err := g.team(org, team)
	if err != nil {
		return err
	}
	t.parent = nil
	if parent != "" {
		t.parent, err = g.team(org, parent)
	}
	g.version++
	return err
}

// orgRoles are shown to owners, whose tokens need the scope admin:org.
func (c *ghCall) orgRoles() {
	o := c.organization()
	if o == nil {
		return
	}
	if !c.owns(o) || c.app != nil && !c.app.roles {
		c.notFound()
		return
	}
	all := make([]ghFields, len(ghRoles))
	for i, r := range ghRoles {
		all[i] = ghFields{"id": r.id, "name": r.name, "base_role": r.base, "source": "Predefined", "permissions": []string{}, "organization": nil}
	}
	c.json(ghFields{"total_count": len(all), "roles": all})
}

// roleUsers lists who has a role.
func (c *ghCall) roleUsers() {
	o := c.organization()
	if o == nil {
		return
	}
	if !c.owns(o) || c.app != nil && !c.app.roles {
		c.notFound()
		return
	}
	people := map[*ghAccount]bool{}
	for u, r := range maps.All(o.roles) {
		if r.id == c.id("role") {
			people[u] = true
		}
	}
	ghList(c, byGHID(people), c.wireUser)
}
