package reconcile_test

import (
	"slices"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

// teamsSince is who was in which of Gitea's teams, and what these had, at the
// looks at an estate. Who may see a repository there is computed from the teams
// that have it now and from who was in them when they were last read, which is
// some minutes ago (providers/gitea, RepoAccessIn): Gitea announces nobody who
// leaves. That memory ends is what
// TestWhoLeftATeamLongAgoGetsNothingNewFromMemory is about.
type teamsSince struct {
	in  map[reached]bool // somebody is in a team, or in an organization and not restricted
	has map[reached]bool // a team has a repository, or an organization one that is internal
}

// reached is a team or an organization, and the id of somebody or something.
type reached struct {
	kind    providers.SubjectKind
	by, who string
}

func (m *teamsSince) look(e *estate) {
	g, is := e.forge.(*providerstest.Gitea)
	if !is {
		return
	}
	if m.in == nil {
		m.in, m.has = map[reached]bool{}, map[reached]bool{}
	}
	for _, org := range e.orgs {
		model, err := g.Model(org.Name)
		e.must(err)
		for _, t := range model.Teams {
			for _, u := range t.Members {
				m.in[reached{providers.SubjectTeam, t.ID, u.ID}] = true
				if !slices.Contains(model.Restricted, u.ID) {
					m.in[reached{providers.SubjectOrg, org.ID, u.ID}] = true
				}
			}
			for _, id := range t.Repos {
				m.has[reached{providers.SubjectTeam, t.ID, id}] = true
			}
		}
	}
	for _, r := range e.forge.Repos() {
		if r.Visibility == providers.Internal {
			m.has[reached{providers.SubjectOrg, r.Org.ID, r.ID}] = true
		}
	}
}

// reach reports whether somebody was in what has a repository, though not
// necessarily at the same time.
func (m *teamsSince) reach(userID, repoID string) bool {
	for x := range m.has {
		if x.who == repoID && m.in[reached{x.kind, x.by, userID}] {
			return true
		}
	}
	return false
}
