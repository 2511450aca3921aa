package providerstest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// agree builds every kind of grant there is and compares the audience of each
// repository with what everybody's own list says.
func (x *forgeExam) agree(t *testing.T) {
	user := func(base string) providers.User { return must[providers.User](t)(x.w.CreateUser(x.name(base))) }
	ana, li, omar, zoe, kim, max := user("ana"), user("li"), user("omar"), user("zoe"), user("kim"), user("max")
	people := []providers.User{ana, li, omar, zoe, kim, max}
	if p, can := x.w.(Privileged); can {
		ok(t, p.SetRestricted(kim, true))
		ok(t, p.SetSiteAdmin(max, true))
		defer p.SetSiteAdmin(max, false)
	}
	var repos []providers.Repo
	models := map[string]providers.Model{}
	for _, visibility := range []string{"private", "public"} {
		o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), visibility))
		team := func(name string, p providers.Permission, all bool, members ...providers.User) providers.Team {
			tm := must[providers.Team](t)(x.w.CreateTeam(o, name, p, all))
			for _, u := range members {
				ok(t, x.w.AddMember(o, tm, u))
			}
			return tm
		}
		core := team("core", providers.Write, true, ana, max)
		docs := team("docs", providers.Read, false, omar, ana, kim)
		leads := team("leads", providers.Admin, false, li)
		team("idle", providers.Read, false, zoe)
		tickets := providers.Team{}
		if _, can := x.w.(Privileged); can {
			tickets = team("tickets", providers.None, false, zoe)
		}
		for _, private := range []bool{true, false} {
			repo := func(base string) providers.Repo {
				r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name(base), private))
				repos = append(repos, r)
				return r
			}
			repo("plain")
			r := repo("docs")
			ok(t, x.w.AddTeamRepo(o, docs, r))
			r = repo("leads")
			ok(t, x.w.AddTeamRepo(o, leads, r))
			ok(t, x.w.AddCollaborator(r, omar, providers.Write))
			r = repo("reader")
			ok(t, x.w.AddCollaborator(r, zoe, providers.Read))
			ok(t, x.w.AddCollaborator(r, kim, providers.Read))
			if _, can := x.w.(Privileged); can {
				r = repo("tickets")
				ok(t, x.w.AddTeamRepo(o, tickets, r))
			}
			// The rows of collaborators are calculated anew.
			r = repo("readerlater")
			ok(t, x.w.AddCollaborator(r, zoe, providers.Read))
			ok(t, x.w.AddTeamRepo(o, docs, r))
			r = repo("gone")
			ok(t, x.w.AddTeamRepo(o, docs, r))
			ok(t, x.w.RemoveTeamRepo(o, docs, r))
			ok(t, x.w.RemoveTeamRepo(o, core, r))
			r = repo("shown")
			ok(t, x.w.AddCollaborator(r, zoe, providers.Read))
			ok(t, x.w.SetVisibility(r, !private))
		}
		if tf, can := x.f.(providers.TeamForge); can {
			m := must[providers.Model](t)(tf.Model(t.Context(), o))
			models[o.ID] = m
		}
	}
	if _, can := x.w.(Impersonal); !can {
		for _, private := range []bool{true, false} {
			r := must[providers.Repo](t)(x.w.CreateRepo(li.Login, x.name("own"), private))
			ok(t, x.w.AddCollaborator(r, ana, providers.Write))
			ok(t, x.w.AddCollaborator(r, omar, providers.Read))
			repos = append(repos, r)
		}
	}

	want := map[string]map[string]providers.Permission{} // repository -> user -> permission
	for _, u := range people {
		for _, a := range all(t, x.f.UserAccess(t.Context(), u)) {
			if want[a.Repo.ID] == nil {
				want[a.Repo.ID] = map[string]providers.Permission{}
			}
			want[a.Repo.ID][u.ID] = a.Permission
		}
	}
	ours := func(accesses []providers.Access) map[string]providers.Permission {
		m := levels(accesses, ofUser)
		for id := range m {
			if !slices.ContainsFunc(people, func(u providers.User) bool { return u.ID == id }) {
				delete(m, id) // whoever else the forge has
			}
		}
		return m
	}
	for _, r := range repos {
		r := must[providers.Repo](t)(x.f.Repo(t.Context(), r.ID))
		expect := want[r.ID]
		if expect == nil {
			expect = map[string]providers.Permission{}
		}
		if diff := cmp.Diff(expect, ours(all(t, x.f.RepoAccess(t.Context(), r)))); diff != "" {
			t.Errorf("audience of %s (%s): -lists +audience\n%s", r.Path, r.Visibility, diff)
		}
		m, has := models[r.Org.ID]
		if f, can := x.f.(providers.ModelForge); can && has {
			got := ours(all(t, f.RepoAccessIn(t.Context(), r, m)))
			if diff := cmp.Diff(expect, got); diff != "" {
				t.Errorf("audience of %s (%s) by the model: -lists +audience\n%s", r.Path, r.Visibility, diff)
			}
		}
		for _, u := range people {
			got := all(t, x.f.ScopeAccess(t.Context(), u, providers.Subject{Kind: providers.SubjectRepo, ID: r.ID}))
			if len(got) != 1 || got[0].Permission != expect[u.ID] || got[0].Repo.ID != r.ID {
				t.Errorf("%s on %s: %v, want %v", u.Login, r.Path, got, expect[u.ID])
			}
		}
	}
}
