package providerstest

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
)

// World is a forge that can be changed, and the driver that reads it. What it
// creates it takes away again when the test ends. Visibilities of
// organizations are "public" and "private".
type World interface {
	Forge() providers.Forge

	CreateUser(login string) (providers.User, error)
	CreateOrg(name, visibility string) (providers.Org, error)
	CreateTeam(o providers.Org, name string, p providers.Permission, allRepos bool) (providers.Team, error)
	AddMember(o providers.Org, t providers.Team, u providers.User) error
	RemoveMember(o providers.Org, t providers.Team, u providers.User) error
	AddTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error
	RemoveTeamRepo(o providers.Org, t providers.Team, r providers.Repo) error

	CreateRepo(owner, name string, private bool) (providers.Repo, error)
	RenameRepo(r providers.Repo, name string) error
	TransferRepo(r providers.Repo, owner string) error
	SetVisibility(r providers.Repo, private bool) error
	SetArchived(r providers.Repo, archived bool) error
	DeleteRepo(r providers.Repo) error
	AddCollaborator(r providers.Repo, u providers.User, p providers.Permission) error
	RemoveCollaborator(r providers.Repo, u providers.User) error
	AddFile(r providers.Repo, file string) error
	SetTopics(r providers.Repo, topics ...string) error
	AddRepoHook(r providers.Repo, address string) error
}

// A Privileged world has users whom the forge treats apart, and teams that see
// a repository but not its code: its CreateTeam takes None for such a one.
type Privileged interface {
	SetRestricted(u providers.User, restricted bool) error
	SetSiteAdmin(u providers.User, admin bool) error
}

// An Impersonal world is read in the name of its organizations, who see nothing
// of what belongs to users.
type Impersonal interface{ Impersonal() }

// RunForge examines a driver against a forge, simulated or real. Its heart is
// that the two ways of asking agree: who has a repository, and what somebody
// has.
func RunForge(t *testing.T, w World) {
	x := &forgeExam{w: w, f: w.Forge(), prefix: "t" + strconv.FormatInt(time.Now().UnixNano()%1e12, 36) + "-"}
	type claim struct {
		name string
		run  func(*testing.T)
	}
	claims := []claim{
		{"AudienceAndListsAgree", x.agree},
		{"RepositoryIsFoundByIDWhateverItIsCalled", x.identity},
		{"RemoteTellsWhereItIs", x.remote},
		{"TellsWhatIsInARepository", x.contents},
		{"TellsTheWebhooksOfARepository", x.repoHooks},
		{"UnknownIsNotFound", x.unknown},
		{"WhoLeavesLosesIt", x.leave},
		{"ScopeSaysNoneAloud", x.scope},
		{"MembersOfTeamAndOrganization", x.members},
		{"ReadersMayStopEarly", x.stop},
	}
	if _, counts := x.f.(providers.Counter); counts {
		claims = append(claims, claim{"CountIsTheLengthOfTheList", x.count})
	}
	if _, feeds := x.f.(providers.RepoFeed); feeds {
		claims = append(claims, claim{"FeedListsWhatTheOrganizationOwns", x.feed}, claim{"ActivityMarksRepositoriesComingAndRenamed", x.activity})
	}
	for _, c := range claims {
		t.Run(c.name, c.run)
	}
}

type forgeExam struct {
	w      World
	f      providers.Forge
	prefix string
	n      int
}

// name returns a fresh name: a real forge has others already.
func (x *forgeExam) name(base string) string {
	x.n++
	return x.prefix + strconv.Itoa(x.n) + base
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func all[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// levels are the permissions by user id, or by repository id.
func levels(accesses []providers.Access, key func(providers.Access) string) map[string]providers.Permission {
	m := map[string]providers.Permission{}
	for _, a := range accesses {
		m[key(a)] = a.Permission
	}
	return m
}

func ofUser(a providers.Access) string { return a.User.ID }
func ofRepo(a providers.Access) string { return a.Repo.ID }

func (x *forgeExam) identity(t *testing.T) {
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	to := must[providers.Org](t)(x.w.CreateOrg(x.name("other"), "private"))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	get := func() providers.Repo { return must[providers.Repo](t)(x.f.Repo(t.Context(), r.ID)) }

	now := get()
	if now.Path != r.Path || now.Org.ID != o.ID || now.Visibility != providers.Private || now.Archived || now.Created.IsZero() {
		t.Errorf("as created: %+v", now)
	}
	name := x.name("renamed")
	ok(t, x.w.RenameRepo(now, name))
	if now = get(); now.Path != o.Name+"/"+name {
		t.Errorf("renamed to %s, is %s", name, now.Path)
	}
	ok(t, x.w.SetArchived(now, true))
	if now = get(); !now.Archived {
		t.Error("archived, but does not say so")
	}
	ok(t, x.w.SetArchived(now, false))
	ok(t, x.w.SetVisibility(now, false))
	if now = get(); now.Visibility == providers.Private || now.Archived {
		t.Errorf("made public and active: %+v", now)
	}
	ok(t, x.w.TransferRepo(now, to.Name))
	if now = get(); now.Org.ID != to.ID || now.Path != to.Name+"/"+name {
		t.Errorf("transferred to %s, is %+v", to.Name, now)
	}
	ok(t, x.w.DeleteRepo(now))
	if _, err := x.f.Repo(t.Context(), r.ID); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if p, can := x.f.(providers.Prover); can {
		ok(t, p.Prove(t.Context(), to))
	}
}

func (x *forgeExam) unknown(t *testing.T) {
	if _, err := x.f.Repo(t.Context(), "999999999"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("repository: %v", err)
	}
	if _, err := x.f.User(t.Context(), x.name("nobody")); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("user: %v", err)
	}
	if _, err := x.f.UserByID(t.Context(), "999999999"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("user by id: %v", err)
	}
	if _, err := x.f.Org(t.Context(), x.name("nowhere")); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("organization: %v", err)
	}
	nobody := providers.User{ID: "999999999", Login: x.name("nobody")}
	for a, err := range x.f.UserAccess(t.Context(), nobody) {
		if !errors.Is(err, providers.ErrNotFound) {
			t.Errorf("list of nobody: %v, %v", a, err)
		}
	}
}

func (x *forgeExam) leave(t *testing.T) {
	u := must[providers.User](t)(x.w.CreateUser(x.name("li")))
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	team := must[providers.Team](t)(x.w.CreateTeam(o, "core", providers.Write, true))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	has := func() bool {
		_, listed := levels(all(t, x.f.UserAccess(t.Context(), u)), ofRepo)[r.ID]
		_, among := levels(all(t, x.f.RepoAccess(t.Context(), r)), ofUser)[u.ID]
		if listed != among {
			t.Errorf("listed %v, in the audience %v", listed, among)
		}
		return listed
	}
	if has() {
		t.Error("stranger: has it")
	}
	ok(t, x.w.AddMember(o, team, u))
	if !has() {
		t.Error("joined the team: has it not")
	}
	ok(t, x.w.RemoveMember(o, team, u))
	if has() {
		t.Error("left the team: has it still")
	}
	ok(t, x.w.AddCollaborator(r, u, providers.Read))
	if !has() {
		t.Error("collaborator: has it not")
	}
	ok(t, x.w.RemoveCollaborator(r, u))
	if has() {
		t.Error("no collaborator any more: has it still")
	}
}

func (x *forgeExam) scope(t *testing.T) {
	u := must[providers.User](t)(x.w.CreateUser(x.name("omar")))
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	docs := must[providers.Team](t)(x.w.CreateTeam(o, "docs", providers.Read, false))
	has := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("handbook"), true))
	not := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("secret"), true))
	ok(t, x.w.AddTeamRepo(o, docs, has))
	ok(t, x.w.AddMember(o, docs, u))

	check := func(what string, s providers.Subject, want map[string]providers.Permission) {
		t.Helper()
		got := all(t, x.f.ScopeAccess(t.Context(), u, s))
		if diff := cmp.Diff(want, levels(got, ofRepo)); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
		for _, a := range got {
			if a.User.ID != u.ID {
				t.Errorf("%s: about %v", what, a.User)
			}
		}
	}
	team := providers.Subject{Kind: providers.SubjectTeam, ID: docs.ID, Name: docs.Name}
	org := providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}
	check("member: team", team, map[string]providers.Permission{has.ID: providers.Read})
	check("member: organization", org, map[string]providers.Permission{has.ID: providers.Read, not.ID: providers.None})
	ok(t, x.w.RemoveMember(o, docs, u))
	check("left: team", team, map[string]providers.Permission{has.ID: providers.None})
	check("left: organization", org, map[string]providers.Permission{has.ID: providers.None, not.ID: providers.None})
}

func (x *forgeExam) count(t *testing.T) {
	c := x.f.(providers.Counter)
	u := must[providers.User](t)(x.w.CreateUser(x.name("ana")))
	for want := range 4 {
		if got := must[int](t)(c.Count(t.Context(), u)); got != want || len(all(t, x.f.UserAccess(t.Context(), u))) != want {
			t.Errorf("counted %d, want %d", got, want)
		}
		must[providers.Repo](t)(x.w.CreateRepo(u.Login, x.name("r"), true))
	}
}

func (x *forgeExam) members(t *testing.T) {
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	a := must[providers.Team](t)(x.w.CreateTeam(o, "a", providers.Read, false))
	b := must[providers.Team](t)(x.w.CreateTeam(o, "b", providers.Read, false))
	ana := must[providers.User](t)(x.w.CreateUser(x.name("ana")))
	li := must[providers.User](t)(x.w.CreateUser(x.name("li")))
	ok(t, x.w.AddMember(o, a, ana))
	ok(t, x.w.AddMember(o, b, ana))
	ok(t, x.w.AddMember(o, b, li))
	has := func(s providers.Subject, want ...providers.User) {
		t.Helper()
		got := all(t, x.f.Members(t.Context(), s))
		for _, u := range want {
			if !slices.Contains(got, u) {
				t.Errorf("%v: %v is not among %v", s, u, got)
			}
		}
		if s.Kind == providers.SubjectTeam && len(got) != len(want) {
			t.Errorf("%v: %v, want %v", s, got, want)
		}
	}
	has(providers.Subject{Kind: providers.SubjectTeam, ID: a.ID}, ana)
	has(providers.Subject{Kind: providers.SubjectTeam, ID: b.ID}, ana, li)
	has(providers.Subject{Kind: providers.SubjectOrg, ID: o.ID, Name: o.Name}, ana, li)
	if found := must[providers.Org](t)(x.f.Org(t.Context(), o.Name)); found.ID != o.ID {
		t.Errorf("organization %v, want %v", found, o)
	}
	if found := must[providers.User](t)(x.f.User(t.Context(), li.Login)); found != li {
		t.Errorf("user %v, want %v", found, li)
	}
	if found := must[providers.User](t)(x.f.UserByID(t.Context(), li.ID)); found != li {
		t.Errorf("user by id %v, want %v", found, li)
	}
}

func (x *forgeExam) feed(t *testing.T) {
	f := x.f.(providers.RepoFeed)
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	want := map[string]bool{}
	for _, private := range []bool{true, false, true} {
		want[must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("r"), private)).ID] = true
	}
	got := map[string]bool{}
	for _, r := range all(t, f.Repos(t.Context(), o)) {
		got[r.ID] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func (x *forgeExam) activity(t *testing.T) {
	f := x.f.(providers.RepoFeed)
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	mark := func() string { return must[string](t)(f.Activity(t.Context(), o)) }
	last := mark()
	changed := func(what string, want bool) {
		t.Helper()
		now := mark()
		if (now != last) != want {
			t.Errorf("%s: the mark changed %v, want %v", what, now != last, want)
		}
		last = now
	}
	changed("nothing", false)
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	changed("created", true)
	changed("nothing again", false)
	ok(t, x.w.RenameRepo(r, x.name("www")))
	changed("renamed", true)
	r = must[providers.Repo](t)(x.f.Repo(t.Context(), r.ID))
	ok(t, x.w.DeleteRepo(r))
	changed("deleted", true)
}

func (x *forgeExam) stop(t *testing.T) {
	o := must[providers.Org](t)(x.w.CreateOrg(x.name("org"), "private"))
	r := must[providers.Repo](t)(x.w.CreateRepo(o.Name, x.name("app"), true))
	for _, err := range x.f.RepoAccess(t.Context(), r) {
		ok(t, err)
		break
	}
}
