package reconcile

import (
	"maps"
	"slices"
	"testing"

	"github.com/hookd/hookd/providers"
)

func team(id string, p providers.Permission, members, repos []string) providers.TeamModel {
	t := providers.TeamModel{Team: providers.Team{ID: id}, Permission: p, Repos: repos}
	for _, m := range members {
		t.Members = append(t.Members, providers.User{ID: m, Login: m})
	}
	return t
}

func TestADifferenceOfTeamsNamesOnlyWhomItConcerns(t *testing.T) {
	core := team("2", providers.Write, []string{"ana", "li"}, []string{"41", "42", "43"})
	for name, c := range map[string]struct {
		is    providers.TeamModel
		users map[string]bool // -> lost
		repos map[string]bool
	}{
		"nothing":        {core, nil, nil},
		"joined":         {team("2", providers.Write, []string{"ana", "li", "zoe"}, core.Repos), map[string]bool{"zoe": false}, nil},
		"left":           {team("2", providers.Write, []string{"li"}, core.Repos), map[string]bool{"ana": true}, nil},
		"got a repo":     {team("2", providers.Write, []string{"ana", "li"}, []string{"41", "42", "43", "44"}), nil, map[string]bool{"44": false}},
		"lost a repo":    {team("2", providers.Write, []string{"ana", "li"}, []string{"41", "42"}), nil, map[string]bool{"43": true}},
		"another level":  {team("2", providers.Read, []string{"ana", "li"}, core.Repos), map[string]bool{"ana": true, "li": true}, nil},
		"another team":   {team("3", providers.Write, []string{"omar"}, []string{"51"}), map[string]bool{"ana": true, "li": true, "omar": false}, nil},
		"few repos only": {team("3", providers.Write, []string{"omar", "zoe"}, []string{"51"}), map[string]bool{"ana": true, "li": true}, map[string]bool{"51": false}},
	} {
		d := diffModels(providers.Model{Teams: []providers.TeamModel{core}}, providers.Model{Teams: []providers.TeamModel{c.is}}, price{1, 1})
		users, repos := map[string]bool{}, map[string]bool{}
		for u, s := range d.users {
			users[u.ID] = s.lost
		}
		for id, s := range d.repos {
			repos[id] = s.lost
		}
		if c.users == nil {
			c.users = map[string]bool{}
		}
		if c.repos == nil {
			c.repos = map[string]bool{}
		}
		if !maps.Equal(users, c.users) {
			t.Errorf("%s: users %v, want %v", name, users, c.users)
		}
		if !maps.Equal(repos, c.repos) {
			t.Errorf("%s: repositories %v, want %v", name, repos, c.repos)
		}
	}
}

func TestAChangeOfStandingIsLookedAt(t *testing.T) {
	core := team("2", providers.Write, []string{"ana", "li"}, nil)
	was := providers.Model{Teams: []providers.TeamModel{core}, Admins: []string{"ana"}}
	is := providers.Model{Teams: []providers.TeamModel{core}, Restricted: []string{"li"}}
	var got []string
	for u := range diffModels(was, is, price{1, 1}).users {
		got = append(got, u.ID)
	}
	slices.Sort(got)
	if want := []string{"ana", "li"}; !slices.Equal(got, want) {
		t.Errorf("looked at %v, want %v", got, want)
	}
}

func TestADifferenceOfTeamsSaysWhatWasSeen(t *testing.T) {
	named := func(id, name string, p providers.Permission, members, repos []string) providers.TeamModel {
		t := team(id, p, members, repos)
		t.Name = name
		return t
	}
	model := func(teams ...providers.TeamModel) providers.Model { return providers.Model{Teams: teams} }
	was := model(
		named("2", "backend", providers.Write, []string{"ana", "li"}, []string{"41"}),
		named("3", "docs", providers.Read, []string{"omar"}, []string{"51"}),
	)
	d := diffModels(was, model(
		named("2", "backend", providers.Write, []string{"ana"}, []string{"41", "42"}),
		named("3", "docs", providers.Write, []string{"omar"}, []string{"51"}),
		named("4", "guests", providers.Read, []string{"li"}, []string{"43", "44"}),
	), price{1, 1})
	got := map[string]string{}
	for u, s := range d.users {
		got[u.ID] = s.why
	}
	for id, s := range d.repos {
		got[id] = s.why
	}
	want := map[string]string{
		"li": "left team backend, team guests is new", "42": "given to team backend", "omar": "team docs went from read to write",
	}
	if !d.users[providers.User{ID: "li", Login: "li"}].lost {
		t.Error("a loss was forgotten over what came")
	}
	if !maps.Equal(got, want) {
		t.Errorf("saw %v, want %v", got, want)
	}
}
