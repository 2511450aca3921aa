package providers

import (
	"slices"
	"time"
)

// A Model is a snapshot of an organization's teams: who is in which, and which
// repositories each reaches. It is complete by construction.
type Model struct {
	Org   Org         `json:"org"`
	Teams []TeamModel `json:"teams"`

	// Admins and Restricted are the ids of members whom the forge treats
	// apart: those who administer the whole forge, whose permission is Admin
	// on whatever they list, and those who list only what they were granted
	// and nothing for being members.
	Admins     []string `json:"admins,omitempty"`
	Restricted []string `json:"restricted,omitempty"`

	// Ends are what is known to end by itself, and never announced then.
	Ends []End `json:"ends,omitempty"`
}

// An End is a membership of a user, or a share of a repository, that ends.
type End struct {
	At    time.Time `json:"at"` // from when on the forge no longer counts it
	Words string    `json:"words"`
	User  User      `json:"user,omitzero"`
	Repo  string    `json:"repo,omitempty"` // id
}

// A TeamModel is one team of a Model.
type TeamModel struct {
	Team
	Permission Permission `json:"permission"`
	Owners     bool       `json:"owners,omitempty"` // administers everything of the organization
	AllRepos   bool       `json:"all_repos,omitempty"`
	Members    []User     `json:"members"`
	Repos      []string   `json:"repos,omitempty"` // ids; empty when AllRepos
}

// A Fact is something true of an organization now. If its value changes, or it
// comes or goes, what it is about has to be looked at again.
type Fact struct {
	ID    string  `json:"id"`    // unlike every other fact's of the organization: "owner/7"
	Words string  `json:"words"` // what it is the value of, for people: "his role in the organization"
	Value string  `json:"value"`
	About Subject `json:"about"` // a user, a team (its members) or the organization
}

// Members returns everybody who is in some team, each once, ordered by id.
func (m Model) Members() []User {
	seen := map[string]User{}
	for _, t := range m.Teams {
		for _, u := range t.Members {
			seen[u.ID] = u
		}
	}
	users := make([]User, 0, len(seen))
	for _, u := range seen {
		users = append(users, u)
	}
	slices.SortFunc(users, func(a, b User) int { return compareID(a.ID, b.ID) })
	return users
}

// Size is the number of memberships and repositories over all teams, a measure
// of whether a snapshot is much smaller than the one before. A nil model has
// none.
func (m *Model) Size() int {
	if m == nil {
		return 0
	}
	n := 0
	for _, t := range m.Teams {
		n += len(t.Members) + len(t.Repos)
	}
	return n
}

// compareID orders numeric ids by value and others by text.
func compareID(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
