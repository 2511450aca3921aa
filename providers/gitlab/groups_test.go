package gitlab_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
)

// house is a group with subgroups, people at every level and shares of each
// kind; ask compares both ways of asking for all of it.
type house struct {
	t      testing.TB
	g      *providerstest.GitLab
	f      *gitlab.Forge
	people map[string]providers.User
}

func build(t testing.TB, opt providerstest.GitLabOptions, orgs ...string) *house {
	g, f := start(t, opt, orgs...)
	h := &house{t: t, g: g, f: f, people: map[string]providers.User{}}
	for _, login := range []string{"ana", "li", "omar", "zoe", "kim"} {
		h.people[login] = must[providers.User](t)(g.CreateUser(login))
	}
	for _, path := range []string{"acme", "acme/sub", "acme/sub/deep", "platform"} {
		must[providers.Org](t)(g.CreateGroup(path, "private"))
	}
	for _, owner := range []string{"acme", "acme/sub", "acme/sub/deep"} {
		must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: owner, Name: "app", Private: true}))
	}
	return h
}

// levels are what login holds, by path, and are what the projects say of him.
func (h *house) levels(login string) map[string]string {
	h.t.Helper()
	got := map[string]string{}
	u := h.people[login]
	for _, a := range all(h.t, h.f.UserAccess(h.t.Context(), u)) {
		got[a.Repo.Path] = a.Permission.String()
	}
	for _, path := range []string{"acme/app", "acme/sub/app", "acme/sub/deep/app"} {
		of := ""
		for _, a := range all(h.t, h.f.RepoAccess(h.t.Context(), providers.Repo{ID: h.id(path), Path: path})) {
			if a.User == u {
				of = a.Permission.String()
			}
		}
		if of != got[path] {
			h.t.Errorf("%s on %s: %q in his list, %q among its members", login, path, got[path], of)
		}
	}
	return got
}

func (h *house) id(path string) string {
	h.t.Helper()
	for _, o := range all(h.t, h.f.Orgs(h.t.Context())) {
		for _, r := range all(h.t, h.f.Repos(h.t.Context(), o)) {
			if r.Path == path {
				return r.ID
			}
		}
	}
	h.t.Fatalf("no project %s", path)
	return ""
}

func (h *house) has(login string, want map[string]string) {
	h.t.Helper()
	if diff := cmp.Diff(want, h.levels(login)); diff != "" {
		h.t.Errorf("%s: -want +got\n%s", login, diff)
	}
}

func TestLevelsAreInheritedDownwards(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t, h.g.AddGroupMember("acme/sub", "ana", providerstest.GitLabDeveloper))
	h.has("ana", map[string]string{"acme/sub/app": "write", "acme/sub/deep/app": "write"})
	check(t, h.g.AddGroupMember("acme", "ana", providerstest.GitLabGuest))
	h.has("ana", map[string]string{"acme/app": "read", "acme/sub/app": "write", "acme/sub/deep/app": "write"})
	check(t, h.g.AddGroupMember("acme/sub/deep", "ana", providerstest.GitLabOwner))
	h.has("ana", map[string]string{"acme/app": "read", "acme/sub/app": "write", "acme/sub/deep/app": "admin"})
	for level, want := range map[int]string{
		providerstest.GitLabMinimal: "", providerstest.GitLabGuest: "read", providerstest.GitLabPlanner: "read",
		providerstest.GitLabReporter: "read", providerstest.GitLabDeveloper: "write", providerstest.GitLabMaintainer: "admin",
	} {
		check(t, h.g.AddGroupMember("acme", "li", level))
		if got := h.levels("li")["acme/app"]; got != want {
			t.Errorf("level %d: %q, want %q", level, got, want)
		}
	}
}

func TestSharesGrantUpToTheirLevel(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t, h.g.AddGroupMember("platform", "ana", providerstest.GitLabOwner), h.g.AddGroupMember("platform", "li", providerstest.GitLabGuest))
	check(t, h.g.ShareGroup("acme/sub", "platform", providerstest.GitLabDeveloper))
	h.has("ana", map[string]string{"acme/sub/app": "write", "acme/sub/deep/app": "write"})
	h.has("li", map[string]string{"acme/sub/app": "read", "acme/sub/deep/app": "read"})
	check(t, h.g.ShareProject("acme/app", "platform", providerstest.GitLabMaintainer))
	h.has("ana", map[string]string{"acme/app": "admin", "acme/sub/app": "write", "acme/sub/deep/app": "write"})

	// The group reaches what it was given a share of.
	platform := must[providers.Org](t)(h.f.Org(t.Context(), "platform"))
	got := map[string]string{}
	for _, a := range all(t, h.f.ScopeAccess(t.Context(), h.people["li"], providers.Subject{Kind: providers.SubjectOrg, ID: platform.ID})) {
		got[a.Repo.Path] = a.Permission.String()
	}
	if diff := cmp.Diff(map[string]string{"acme/app": "read", "acme/sub/app": "read", "acme/sub/deep/app": "read"}, got); diff != "" {
		t.Errorf("reach of platform: -want +got\n%s", diff)
	}
	check(t, h.g.ShareGroup("acme/sub", "platform", 0), h.g.ShareProject("acme/app", "platform", 0))
	h.has("ana", map[string]string{})
}

// The members of a group that were invited to it are among those whom it brings to
// a project (gitlab.com/gitlab-org/gitlab/-/issues/418134).
func TestAShareReachesWhomTheInvitedGroupIsSharedWith(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t,
		h.g.AddGroupMember("platform", "ana", providerstest.GitLabOwner),
		h.g.ShareGroup("acme/sub", "platform", providerstest.GitLabDeveloper),
		h.g.ShareProject("acme/app", "acme/sub", providerstest.GitLabMaintainer),
	)
	h.has("ana", map[string]string{"acme/app": "write", "acme/sub/app": "write", "acme/sub/deep/app": "write"})
	repo := providers.Subject{Kind: providers.SubjectRepo, ID: h.id("acme/app")}
	for _, a := range all(t, h.f.ScopeAccess(t.Context(), h.people["ana"], repo)) {
		if a.Permission != providers.Write {
			t.Errorf("asked for the one project: %s", a.Permission)
		}
	}
	check(t, h.g.ShareProject("acme/app", "acme/sub", 0))
	h.has("ana", map[string]string{"acme/sub/app": "write", "acme/sub/deep/app": "write"})
}

// What is remembered of a group's people is that they were in it beyond its lists:
// whoever left it himself, or lost the share, is gone at once, and whoever came or
// went by a group that it is shared with as soon as the groups were read.
func TestWhoIsInASharedGroupIsNotBelievedFromMemory(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	acme := must[providers.Org](t)(h.f.Org(t.Context(), "acme"))
	people := func(want ...string) {
		t.Helper()
		var got []string
		for _, a := range all(t, h.f.RepoAccess(t.Context(), providers.Repo{ID: h.id("acme/app"), Path: "acme/app"})) {
			if a.User.Login != "root" {
				got = append(got, a.User.Login+" "+a.Permission.String())
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	check(t,
		h.g.AddGroupMember("platform", "ana", providerstest.GitLabOwner), h.g.AddGroupMember("acme/sub", "li", providerstest.GitLabDeveloper),
		h.g.ShareGroup("acme/sub", "platform", providerstest.GitLabDeveloper), h.g.ShareProject("acme/app", "acme/sub", providerstest.GitLabReporter),
	)
	must[providers.Model](t)(h.f.Model(t.Context(), acme))
	people("ana read", "li read")
	check(t, h.g.RemoveGroupMember("acme/sub", "li"))
	people("ana read")
	check(t, h.g.RemoveGroupMember("platform", "ana"), h.g.AddGroupMember("platform", "omar", providerstest.GitLabGuest))
	must[providers.Model](t)(h.f.Model(t.Context(), acme))
	people("omar read")
	check(t, h.g.ShareProject("acme/app", "acme/sub", 0))
	people()
}

// Shares that there were before a group locked them grant nothing, and list their
// people all the same.
func TestALockedShareGrantsNothing(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t,
		h.g.AddGroupMember("platform", "ana", providerstest.GitLabOwner), h.g.AddGroupMember("acme/sub", "li", providerstest.GitLabDeveloper),
		h.g.ShareGroup("acme/sub", "platform", providerstest.GitLabDeveloper), h.g.ShareProject("acme/app", "acme/sub", providerstest.GitLabMaintainer),
	)
	app := providers.Subject{Kind: providers.SubjectRepo, ID: h.id("acme/app")}
	acme := must[providers.Org](t)(h.f.Org(t.Context(), "acme"))
	for _, want := range []providers.Permission{providers.Write, providers.None} {
		for _, login := range []string{"ana", "li"} {
			if got := h.levels(login)["acme/app"]; (got != "") != (want > providers.None) {
				t.Errorf("%s: %q, want %s", login, got, want)
			}
			for _, a := range all(t, h.f.ScopeAccess(t.Context(), h.people[login], app)) {
				if a.Permission != want {
					t.Errorf("%s, asked for the one project: %s, want %s", login, a.Permission, want)
				}
			}
		}
		granted := providers.None
		for _, team := range must[providers.Model](t)(h.f.Model(t.Context(), acme)).Teams {
			if slices.Contains(team.Repos, app.ID) && slices.Contains(team.Members, h.people["li"]) {
				granted = max(granted, team.Permission)
			}
		}
		if granted != want {
			t.Errorf("the share grants %s in the model, want %s", granted, want)
		}
		check(t, h.g.LockShares("acme", true))
	}
}

// A group that was invited to a group brings its own members, and none of those
// above it.
func TestAGroupsShareReachesDirectMembersOnly(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t,
		h.g.AddGroupMember("acme", "ana", providerstest.GitLabDeveloper), h.g.AddGroupMember("acme/sub", "li", providerstest.GitLabDeveloper),
		h.g.ShareGroup("platform", "acme/sub", providerstest.GitLabReporter),
	)
	must[providers.Repo](t)(h.g.CreateRepo(providerstest.GitLabProject{Owner: "platform", Name: "tool", Private: true}))
	if got := h.levels("ana")["platform/tool"]; got != "" {
		t.Errorf("ana, of the group above: %s", got)
	}
	if got := h.levels("li")["platform/tool"]; got != "read" {
		t.Errorf("li, of the invited group: %q", got)
	}
}

// GitLab authorizes by what memberships there are, whatever their dates: one that
// has expired grants until GitLab's worker has taken it away.
func TestWhatExpiredGrantsUntilGitLabTakesItAway(t *testing.T) {
	now := time.Date(2026, 3, 2, 23, 59, 0, 0, time.UTC)
	h := build(t, providerstest.GitLabOptions{Now: func() time.Time { return now }})
	midnight, end := now.Add(time.Minute), time.Date(2026, 3, 3, 0, 11, 0, 0, time.UTC)
	check(t,
		h.g.AddGroupMember("acme", "ana", providerstest.GitLabDeveloper), h.g.ExpireGroupMember("acme", "ana", midnight),
		h.g.AddProjectMember("acme/app", "li", providerstest.GitLabReporter), h.g.ExpireCollaborator("acme/app", "li", midnight),
		h.g.AddGroupMember("platform", "omar", providerstest.GitLabGuest),
		h.g.ShareProject("acme/app", "platform", providerstest.GitLabDeveloper), h.g.ExpireProjectShare("acme/app", "platform", midnight),
	)
	everything := map[string]string{"acme/app": "write", "acme/sub/app": "write", "acme/sub/deep/app": "write"}
	before := func() {
		t.Helper()
		h.has("ana", everything)
		h.has("li", map[string]string{"acme/app": "read"})
		h.has("omar", map[string]string{"acme/app": "read"})
	}
	before()
	app := providers.Repo{ID: h.id("acme/app"), Path: "acme/app"}
	ends := map[string]time.Time{}
	for _, a := range all(t, h.f.RepoAccess(t.Context(), app)) {
		ends[a.User.Login] = a.Until
	}
	if !ends["ana"].Equal(end) || !ends["li"].Equal(end) || !ends["root"].IsZero() {
		t.Errorf("what is granted on the project ends at %v", ends)
	}
	for _, a := range all(t, h.f.ScopeAccess(t.Context(), h.people["li"], providers.Subject{Kind: providers.SubjectRepo, ID: app.ID})) {
		if !a.Until.Equal(end) {
			t.Errorf("what li has ends at %v", a.Until)
		}
	}
	m := must[providers.Model](t)(h.f.Model(t.Context(), must[providers.Org](t)(h.f.Org(t.Context(), "acme"))))
	if len(m.Ends) != 2 || m.Ends[0].Repo != app.ID || m.Ends[1].User.Login != "ana" || !m.Ends[0].At.Equal(end) || !m.Ends[1].At.Equal(end) {
		t.Errorf("what ends by itself: %v", m.Ends)
	}
	now = now.Add(2 * time.Minute)
	before()
	check(t, h.g.RemoveExpired())
	for _, login := range []string{"ana", "li", "omar"} {
		h.has(login, map[string]string{})
	}
}

func TestWaitingAndBlockedHaveNothing(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	everything := map[string]string{"acme/app": "write", "acme/sub/app": "write", "acme/sub/deep/app": "write"}
	for _, login := range []string{"li", "omar"} {
		check(t, h.g.AddGroupMember("acme", login, providerstest.GitLabDeveloper))
		h.has(login, everything)
	}
	check(t, h.g.HoldGroupMember("acme", "li", true), h.g.SetState("omar", "blocked"))
	check(t, h.g.AddProjectMember("acme/app", "zoe", providerstest.GitLabDeveloper), h.g.HoldCollaborator("acme/app", "zoe", true))
	h.has("zoe", map[string]string{})
	h.has("li", map[string]string{})
	h.has("omar", map[string]string{})
	if n := must[int](t)(h.f.Count(t.Context(), h.people["omar"])); n != 0 {
		t.Errorf("a blocked user has %d projects", n)
	}
	check(t, h.g.SetState("omar", "active"), h.g.HoldGroupMember("acme", "li", false))
	h.has("omar", everything)
	h.has("li", everything)
}

func TestACustomRoleCountsAsWhatItIsBasedOn(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	for base, want := range map[int]string{
		providerstest.GitLabMinimal: "", providerstest.GitLabGuest: "read", providerstest.GitLabReporter: "read",
		providerstest.GitLabDeveloper: "write", providerstest.GitLabMaintainer: "admin",
	} {
		check(t, h.g.SetCustomRole("acme/app", "ana", "auditor", base))
		if got := h.levels("ana")["acme/app"]; got != want {
			t.Errorf("based on level %d: %q, want %q", base, got, want)
		}
	}
}

func TestWhoAskedForAccessHasNone(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t, h.g.RequestAccess("acme", "ana"), h.g.RequestAccess("acme/app", "li"))
	h.has("ana", map[string]string{})
	h.has("li", map[string]string{})
	acme := must[providers.Org](t)(h.f.Org(t.Context(), "acme"))
	for _, u := range all(t, h.f.Members(t.Context(), providers.Subject{Kind: providers.SubjectOrg, ID: acme.ID})) {
		if u == h.people["ana"] {
			t.Error("ana is among the members")
		}
	}
}

func TestAProjectBelongsToTheOutermostConfiguredGroup(t *testing.T) {
	for _, x := range []struct {
		orgs string
		want map[string]string // path -> organization
	}{
		{"", map[string]string{"acme/app": "acme", "acme/sub/app": "acme", "acme/sub/deep/app": "acme"}},
		{"*", map[string]string{"acme/app": "acme", "acme/sub/app": "acme", "acme/sub/deep/app": "acme"}},
		{"acme/sub/deep acme", map[string]string{"acme/app": "acme", "acme/sub/app": "acme", "acme/sub/deep/app": "acme"}},
		{"Acme/Sub", map[string]string{"acme/app": "acme", "acme/sub/app": "acme/sub", "acme/sub/deep/app": "acme/sub"}},
		{"acme/sub/deep", map[string]string{"acme/app": "acme", "acme/sub/app": "acme", "acme/sub/deep/app": "acme/sub/deep"}},
		{"platform", map[string]string{"acme/app": "acme", "acme/sub/app": "acme", "acme/sub/deep/app": "acme"}},
	} {
		h := build(t, providerstest.GitLabOptions{}, strings.Fields(x.orgs)...)
		for path, want := range x.want {
			r := must[providers.Repo](t)(h.f.Repo(t.Context(), h.id(path)))
			org := must[providers.Org](t)(h.f.Org(t.Context(), want))
			if r.Org != org {
				t.Errorf("configured %q: %s belongs to %v, want %v", x.orgs, path, r.Org, org)
			}
		}
	}
}

// Events tell a group by its id and the last part of its path.
func TestTheSetLearnsGroupsAndTheirNewNames(t *testing.T) {
	g, _ := start(t, providerstest.GitLabOptions{})
	set := providers.NewOrgSet("acme")
	f := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken(), Orgs: set}))
	acme := must[providers.Org](t)(g.CreateOrg("acme", "private"))
	sub := must[providers.Org](t)(g.CreateGroup("acme/sub", "private"))
	r := must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme/sub", Name: "app", Private: true}))
	set.Learn("acme", acme.ID)
	event := providers.Org{ID: sub.ID, Name: "sub"}
	if set.Has(event) {
		t.Error("the subgroup is known before anybody read it")
	}
	must[providers.Model](t)(f.Model(t.Context(), acme))
	if !set.Has(event) || set.Is(event) {
		t.Error("the subgroup is not known to lie inside")
	}
	check(t, g.RenameAccount("acme", "acme2"))
	if now := must[providers.Repo](t)(f.Repo(t.Context(), r.ID)); now.Org != (providers.Org{ID: acme.ID, Name: "acme2"}) {
		t.Errorf("renamed: %+v", now)
	}
	if !set.Has(providers.Org{Name: "acme2/sub"}) {
		t.Error("an event under the new name is not ours")
	}
	must[providers.Org](t)(g.CreateOrg("acme", "private")) // a stranger takes the old name
	x := must[providers.Repo](t)(g.CreateRepo(providerstest.GitLabProject{Owner: "acme", Name: "x", Private: true}))
	if x = must[providers.Repo](t)(f.Repo(t.Context(), x.ID)); set.Has(x.Org) {
		t.Errorf("the stranger's %+v is ours", x)
	}
}

// A loss is confirmed by the model, which is read through other calls.
func TestModelGrantsWhatTheProjectsSay(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t,
		h.g.AddGroupMember("acme", "ana", providerstest.GitLabDeveloper), h.g.AddGroupMember("acme/sub", "li", providerstest.GitLabMaintainer),
		h.g.AddGroupMember("platform", "omar", providerstest.GitLabOwner), h.g.AddGroupMember("platform", "zoe", providerstest.GitLabGuest),
		h.g.ShareProject("acme/sub/app", "platform", providerstest.GitLabDeveloper), h.g.ShareGroup("acme/sub/deep", "platform", providerstest.GitLabReporter),
	)
	acme := must[providers.Org](t)(h.f.Org(t.Context(), "acme"))
	m := must[providers.Model](t)(h.f.Model(t.Context(), acme))
	for _, r := range all(t, h.f.Repos(t.Context(), acme)) {
		want, got := map[string]providers.Permission{}, map[string]providers.Permission{}
		for _, a := range all(t, h.f.RepoAccess(t.Context(), r)) {
			want[a.User.Login] = a.Permission
		}
		for _, team := range m.Teams {
			for _, id := range team.Repos {
				for _, u := range team.Members {
					if id == r.ID {
						got[u.Login] = max(got[u.Login], team.Permission)
					}
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -audience +model\n%s", r.Path, diff)
		}
	}
	ids := map[string]bool{}
	for _, team := range m.Teams {
		if ids[team.ID] || team.AllRepos || team.Owners {
			t.Errorf("team %+v", team)
		}
		ids[team.ID] = true
	}
}

// To somebody who left it a private group answers 404.
func TestWhoLeftAPrivateGroupHasNothingInIt(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	check(t, h.g.AddGroupMember("acme/sub", "ana", providerstest.GitLabDeveloper))
	sub := must[providers.Org](t)(h.f.Org(t.Context(), "acme/sub"))
	scope := func(want string) {
		t.Helper()
		got := all(t, h.f.ScopeAccess(t.Context(), h.people["ana"], providers.Subject{Kind: providers.SubjectTeam, ID: sub.ID}))
		if len(got) != 2 || got[0].Permission.String() != want || got[1].Permission.String() != want {
			t.Errorf("%v, want %s on two", got, want)
		}
	}
	scope("write")
	check(t, h.g.RemoveGroupMember("acme/sub", "ana"))
	scope("none")
	check(t, h.g.AddGroupMember("acme/sub", "ana", providerstest.GitLabDeveloper), h.g.SetState("ana", "blocked"))
	scope("none")
}

func TestAGoneGroupHasNoRepositories(t *testing.T) {
	h := build(t, providerstest.GitLabOptions{})
	acme := must[providers.Org](t)(h.f.Org(t.Context(), "acme"))
	check(t, h.g.AddGroupMember("acme", "ana", providerstest.GitLabOwner))
	weak := must[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: h.g.URL(), Token: h.g.Token("ana")}))
	check(t, h.f.Prove(t.Context(), acme), weak.Prove(t.Context(), acme))
	check(t, h.g.DeleteGroup("acme"))
	if n, err := read(h.f.Repos(t.Context(), acme)); n != 0 || err != nil {
		t.Errorf("%d repositories, %v", n, err)
	}
	if _, err := h.f.Model(t.Context(), acme); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("model: %v", err)
	}
	// Who does not see everything cannot tell what is gone from what is hidden.
	if _, err := read(weak.Repos(t.Context(), acme)); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("without rights: %v", err)
	}
	if err := weak.Prove(t.Context(), acme); !errors.Is(err, providers.ErrForbidden) {
		t.Errorf("proof without rights: %v", err)
	}
	if _, err := read(weak.UserAccess(t.Context(), h.people["li"])); !errors.Is(err, providers.ErrForbidden) {
		t.Errorf("somebody's list without rights: %v", err)
	}
}
