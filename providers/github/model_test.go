package github_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
)

func TestModelKnowsOwnersBasePermissionAndLevels(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o, ana, app := acme(t, g)
	www := made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "www", Private: true}))
	must(t, g.SetTeamPermission("acme", "core", www.Path, providers.Admin))
	must(t, g.SetBasePermission("acme", providers.Read))
	m := made[providers.Model](t)(f.Model(t.Context(), o))
	admin := made[providers.User](t)(f.User(t.Context(), "gitadmin"))
	id := m.Teams[2].ID
	want := []providers.TeamModel{
		{Team: providers.Team{ID: "owners", Name: "acme/owners"}, Permission: providers.Admin, Owners: true, AllRepos: true, Members: []providers.User{admin}},
		{Team: providers.Team{ID: "members", Name: "acme/members"}, Permission: providers.Read, AllRepos: true, Members: []providers.User{admin, ana}},
		{Team: providers.Team{ID: id, Name: "acme/core"}, Permission: providers.Read, Members: []providers.User{ana}},
		{Team: providers.Team{ID: id + ":write", Name: "acme/core (write)"}, Permission: providers.Write, Members: []providers.User{ana}, Repos: []string{app.ID}},
		{Team: providers.Team{ID: id + ":admin", Name: "acme/core (admin)"}, Permission: providers.Admin, Members: []providers.User{ana}, Repos: []string{www.ID}},
	}
	if diff := cmp.Diff(want, m.Teams, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	must(t, g.SetBasePermission("acme", providers.None))
	must(t, g.RemoveMember("acme", "core", "ana"))
	if m := made[providers.Model](t)(f.Model(t.Context(), o)); m.Teams[1].ID != id || len(m.Members()) != 1 {
		t.Errorf("without a base permission, and somebody in no team: %+v", m.Teams)
	}
}

// Members of a team below reach what the teams above have; the team's scope,
// the audience and the model say so alike.
func TestNestedTeamsReachWhatIsAbove(t *testing.T) {
	for _, opt := range []providerstest.GitHubOptions{{}, {NoGraphQL: true}} {
		g, f := start(t, opt)
		o, _, app := acme(t, g)
		child := made[providers.Team](t)(g.CreateChildTeam("acme", "interns", "core", providers.Read))
		li := made[providers.User](t)(g.CreateUser("li"))
		must(t, g.AddMember("acme", "interns", "li"))
		docs := made[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "docs", Private: true}))
		must(t, g.RemoveTeamRepo("acme", "core", docs.Path), g.AddTeamRepo("acme", "interns", docs.Path))

		got := map[string]providers.Permission{}
		for _, a := range all(t, f.ScopeAccess(t.Context(), li, providers.Subject{Kind: providers.SubjectTeam, ID: child.ID, Name: "acme/interns"})) {
			got[a.Repo.Path] = a.Permission
		}
		if diff := cmp.Diff(map[string]providers.Permission{app.Path: providers.Write, docs.Path: providers.Read}, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		found := false
		for _, a := range all(t, f.RepoAccess(t.Context(), app)) {
			found = found || a.User == li && a.Permission == providers.Write
		}
		if !found {
			t.Error("he is not in the audience")
		}
		m := made[providers.Model](t)(f.Model(t.Context(), o))
		found = false
		for _, team := range m.Teams {
			for _, u := range team.Members {
				found = found || u == li && len(team.Repos) == 1 && team.Repos[0] == app.ID
			}
		}
		if !found {
			t.Errorf("the model does not grant it: %+v", m.Teams)
		}
	}
}

// A team that went before it was looked at stands for its organization, so that
// what it gave is found missing.
func TestATeamThatIsNoMoreStandsForItsOrganization(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	_, ana, app := acme(t, g)
	docs := made[providers.Team](t)(g.CreateTeam("acme", "docs", providers.Read, false))
	must(t, g.AddMember("acme", "docs", "ana"), g.DeleteTeam("acme", "docs"))
	got := all(t, f.ScopeAccess(t.Context(), ana, providers.Subject{Kind: providers.SubjectTeam, ID: docs.ID, Name: "acme/docs"}))
	if len(got) != 1 || got[0].Repo.ID != app.ID || got[0].Permission != providers.Write {
		t.Errorf("%+v", got)
	}
}

// A renamed team or organization, and a user of another login, are found by
// their ids.
func TestRenamedOnesAreFoundByTheirIDs(t *testing.T) {
	g, f := start(t, providerstest.GitHubOptions{})
	o, ana, app := acme(t, g)
	must(t, g.RenameAccount("acme", "acme-inc"), g.RenameAccount("ana", "anna"))
	made[providers.User](t)(g.CreateUser("ana"))
	made[providers.Org](t)(g.CreateOrg("acme", ""))
	if repos := all(t, f.Repos(t.Context(), o)); len(repos) != 1 || repos[0].Path != "acme-inc/app" {
		t.Errorf("%v", repos)
	}
	for _, a := range all(t, f.UserAccess(t.Context(), ana)) {
		if a.User.Login != "anna" || a.Repo.ID != app.ID {
			t.Errorf("%+v", a)
		}
	}
	if n, err := read(f.ScopeAccess(t.Context(), ana, providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: "acme"})); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
