package providerstest

// AddToOrg makes a user a member of an organization, or an owner. Its hooks hear
// "organization member_added" when he is new; a change of role is no event.
func (g *GitHub) AddToOrg(org, login string, owner bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, u, err := g.orgAndUser(org, login)
	if err != nil {
		return err
	}
	g.addToOrg(o, u, owner)
	return nil
}

func (g *GitHub) addToOrg(o, u *ghAccount, owner bool) {
	_, already := o.members[u]
	o.members[u] = owner
	g.version++
	if !already {
		g.announce(o, "organization", ghFields{"action": "member_added", "membership": g.wireMembership(o, u)})
	}
}

// RemoveFromOrg takes a user out of an organization and all its teams, and
// takes his direct grants there. The hooks hear "membership removed" for each
// team and "organization member_removed".
func (g *GitHub) RemoveFromOrg(org, login string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, u, err := g.orgAndUser(org, login)
	if err != nil {
		return err
	}
	for _, t := range o.teams {
		if t.members[u] {
			g.leave(t, u)
		}
	}
	for _, r := range g.repos {
		if r.owner == o {
			delete(r.collaborators, u)
		}
	}
	membership := g.wireMembership(o, u)
	delete(o.members, u)
	delete(o.roles, u)
	g.version++
	g.announce(o, "organization", ghFields{"action": "member_removed", "membership": membership})
	return nil
}
