package providerstest

import (
	"maps"
	"net/http"
	"slices"

	"github.com/hookd/hookd/providers"
)

// ghInvites are the people who were invited and have not answered: with what
// they will have. Nobody has anything by an invitation
// (docs.github.com/rest/collaborators/collaborators, "Add a repository
// collaborator"; /rest/orgs/members, "Set organization membership for a user":
// the membership is pending until it is accepted), and so they are in none of
// the lists of those who have.
type ghInvites map[*ghAccount]providers.Permission

// InviteCollaborator invites a user to a repository. No hook tells: "member
// added" is sent when he accepts.
func (g *GitHub) InviteCollaborator(path, login string, p providers.Permission) error {
	return g.change(path, func(r *ghRepo) error {
		u, err := g.user(login)
		if err != nil {
			return err
		}
		if _, already := r.collaborators[u]; already {
			g.grantTo(r, u, p) // whoever is one already is not asked again
			return nil
		}
		if r.invited == nil {
			r.invited = ghInvites{}
		}
		r.invited[u] = p
		return nil
	}, nil)
}

// AcceptCollaboration makes of an invitation what it offers.
func (g *GitHub) AcceptCollaboration(path, login string) error {
	return g.change(path, func(r *ghRepo) error {
		u, err := g.user(login)
		if err != nil {
			return err
		}
		p, invited := r.invited[u]
		if !invited {
			return unknown("invitation", login)
		}
		delete(r.invited, u)
		g.grantTo(r, u, p)
		return nil
	}, nil)
}

// InviteToOrg invites a user to an organization. Its hooks hear "organization
// member_invited".
func (g *GitHub) InviteToOrg(org, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, u, err := g.orgAndUser(org, login)
	if err != nil {
		return err
	}
	if _, member := o.members[u]; member {
		return nil
	}
	if o.invited == nil {
		o.invited = ghInvites{}
	}
	o.invited[u] = providers.None
	g.announce(o, "organization", ghFields{"action": "member_invited", "user": g.wireUser(u), "invitation": g.wireInvitation(u)})
	return nil
}

// AcceptMembership makes an invited user a member, as AddToOrg does.
func (g *GitHub) AcceptMembership(org, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, u, err := g.orgAndUser(org, login)
	if err != nil {
		return err
	}
	if _, invited := o.invited[u]; !invited {
		return unknown("invitation", login)
	}
	delete(o.invited, u)
	g.addToOrg(o, u, false)
	return nil
}

func (g *GitHub) wireInvitation(u *ghAccount) ghFields {
	return ghFields{
		"id": u.id, "login": u.login, "email": nil, "role": "direct_member", "created_at": g.opt.Now().UTC().Format(ghTime),
		"inviter": g.wireUser(g.admin()), "team_count": 0,
	}
}

const ghTime = "2006-01-02T15:04:05Z"

// repoInvitations are shown to those who administer the repository.
func (c *ghCall) repoInvitations() {
	r := c.repository()
	if r == nil {
		return
	}
	if c.level(r) < providers.Admin {
		c.refuse(http.StatusForbidden, "Must have admin rights to Repository.")
		return
	}
	ghList(c, r.invited.sorted(), func(u *ghAccount) any {
		return ghFields{"id": u.id, "invitee": c.g.wireUser(u), "permissions": r.invited[u].String(), "repository": c.g.jsonFor(r, c.level(r))}
	})
}

func (c *ghCall) orgInvitations() {
	if o := c.ownersOnly(); o != nil {
		ghList(c, o.invited.sorted(), func(u *ghAccount) any { return c.g.wireInvitation(u) })
	}
}

func (i ghInvites) sorted() []*ghAccount {
	people := map[*ghAccount]bool{}
	for u := range maps.Keys(i) {
		people[u] = true
	}
	return byGHID(people)
}

// SuspendUser suspends a user of an Enterprise Server, or brings him back. He
// keeps what he was granted and stays in every list, from which those who want
// none of his kind have to sort him out by suspended_at ("Suspending and
// unsuspending users"; the field suspendedAt of GraphQL's User); but nobody may
// ask by his tokens. No hook of an organization tells.
func (g *GitHub) SuspendUser(login string, suspended bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	u, err := g.user(login)
	if err == nil {
		u.suspended = suspended
	}
	return err
}

// State is what SuspendUser made of a user: "active", or "suspended"; "" for
// nobody.
func (g *GitHub) State(login string) string {
	g.mu.RLock()
	defer g.mu.RUnlock()
	u, err := g.user(login)
	switch {
	case err != nil:
		return ""
	case u.suspended:
		return "suspended"
	}
	return "active"
}

// forget takes a user out of all invitations.
func (g *GitHub) forget(u *ghAccount) {
	for _, r := range g.repos {
		delete(r.invited, u)
	}
	for _, o := range slices.Collect(maps.Values(g.accounts)) {
		delete(o.invited, u)
	}
}
