package github_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
)

// twice is an App that is installed on acme and on lab, and a forge that reads
// as both.
type twice struct {
	g     *providerstest.GitHub
	f     *github.Forge
	on    map[string]providerstest.GitHubApp
	orgs  map[string]providers.Org
	repos map[string]providers.Repo
	late  atomic.Int64
}

func installTwice(t *testing.T) *twice {
	t.Helper()
	x := &twice{on: map[string]providerstest.GitHubApp{}, orgs: map[string]providers.Org{}, repos: map[string]providers.Repo{}}
	x.g, _ = start(t, providerstest.GitHubOptions{})
	made[providers.User](t)(x.g.CreateUser("ana"))
	for _, name := range []string{"acme", "lab"} {
		x.orgs[name] = made[providers.Org](t)(x.g.CreateOrg(name, ""))
		made[providers.Team](t)(x.g.CreateTeam(name, "core", providers.Write, true))
		must(t, x.g.AddMember(name, "core", "ana"))
		x.repos[name] = made[providers.Repo](t)(x.g.CreateRepo(providerstest.GitHubRepo{Owner: name, Name: "app", Private: true}))
	}
	x.on["acme"] = made[providerstest.GitHubApp](t)(x.g.InstallApp("acme", true))
	x.on["lab"] = made[providerstest.GitHubApp](t)(x.g.InstallAppToo(x.on["acme"], "lab", true))
	x.f = made[*github.Forge](t)(github.New(github.Config{
		URL: x.g.URL(), App: &github.AppConfig{ID: x.on["acme"].ID, PrivateKey: x.on["acme"].PrivateKey},
		Now: func() time.Time { return time.Now().Add(time.Duration(x.late.Load())) },
	}))
	return x
}

// later lets a minute pass for the forge.
func (x *twice) later() { x.late.Add(int64(time.Minute)) }

func names(orgs []providers.Org) []string {
	var out []string
	for _, o := range orgs {
		out = append(out, o.Name)
	}
	slices.Sort(out)
	return out
}

func second[T any](_ T, err error) error { return err }

// A private repository shows to the token of its own organization's
// installation alone, so that each is read at all shows that the right one asks.
func TestEachInstallationAsksAboutItsOwnOrganization(t *testing.T) {
	x := installTwice(t)
	f := x.f
	if got := names(all(t, f.Orgs(t.Context()))); !slices.Equal(got, []string{"acme", "lab"}) {
		t.Errorf("installed on %v", got)
	}
	ana := made[providers.User](t)(f.User(t.Context(), "ana"))
	for _, name := range []string{"acme", "lab"} {
		r := made[providers.Repo](t)(f.Repo(t.Context(), x.repos[name].ID))
		if n, err := read(f.RepoAccess(t.Context(), r)); n != 2 || err != nil {
			t.Errorf("%s: %d people, %v", r.Path, n, err)
		}
		must(t, f.Prove(t.Context(), x.orgs[name]))
		m := made[providers.Model](t)(f.Model(t.Context(), x.orgs[name]))
		if len(m.Teams) != 3 { // owners, core reading and core writing
			t.Errorf("%s: teams %v", name, m.Teams)
		}
		scope := providers.Subject{Kind: providers.SubjectOrg, ID: x.orgs[name].ID, Name: name}
		if n, err := read(f.ScopeAccess(t.Context(), ana, scope)); n != 1 || err != nil {
			t.Errorf("%s: ana has %d, %v", name, n, err)
		}
	}
	if n, err := read(f.UserAccess(t.Context(), ana)); n != 2 || err != nil {
		t.Errorf("ana has %d, %v", n, err)
	}
	if n := x.g.Calls()["POST /app/installations/{id}/access_tokens"]; n != 2 {
		t.Errorf("asked for %d tokens, want one for each installation", n)
	}
}

func TestEachInstallationHasABudgetOfItsOwn(t *testing.T) {
	x := installTwice(t)
	for range 3 {
		made[providers.Model](t)(x.f.Model(t.Context(), x.orgs["acme"]))
	}
	made[providers.Org](t)(x.f.Org(t.Context(), "lab"))
	budgets := x.f.Budgets()
	if len(budgets) != 2 {
		t.Fatalf("%d budgets", len(budgets))
	}
	acme, told := budgets[x.orgs["acme"].ID].Rate()
	lab, alsoTold := budgets[x.orgs["lab"].ID].Rate()
	if !told || !alsoTold || acme.Limit-acme.Remaining < 3 || lab.Limit-lab.Remaining != 1 {
		t.Errorf("acme %d of %d, lab %d of %d", acme.Remaining, acme.Limit, lab.Remaining, lab.Limit)
	}
}

// A repository that moves from one organization to another is found through the
// other installation.
func TestARepositoryIsFoundWhereItMoved(t *testing.T) {
	x := installTwice(t)
	moving := made[providers.Repo](t)(x.g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "moving", Private: true}))
	made[providers.Repo](t)(x.f.Repo(t.Context(), moving.ID))
	must(t, x.g.TransferRepo("acme/moving", "lab"))
	if r := made[providers.Repo](t)(x.f.Repo(t.Context(), moving.ID)); r.Path != "lab/moving" {
		t.Errorf("found as %s", r.Path)
	}
	must(t, x.g.DeleteRepo("lab/moving"))
	if _, err := x.f.Repo(t.Context(), moving.ID); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	made[providers.Repo](t)(x.f.Repo(t.Context(), x.repos["lab"].ID))
}

func TestASuspendedOrRemovedInstallationWithholdsItsOrganizationOnly(t *testing.T) {
	x := installTwice(t)
	f, lab, app := x.f, x.orgs["lab"], x.repos["lab"]
	withheld := func(what string) {
		t.Helper()
		for call, err := range map[string]error{
			"audience": second(read(f.RepoAccess(t.Context(), app))),
			"model":    second(f.Model(t.Context(), lab)),
			"facts":    second(f.Facts(t.Context(), lab)),
			"list":     second(read(f.Repos(t.Context(), lab))),
			"prove":    f.Prove(t.Context(), lab),
		} {
			var fe *providers.ForgeError
			if !errors.As(err, &fe) || fe.Class != providers.ErrWithheld || fe.After.IsZero() {
				t.Errorf("%s: %s: %v", what, call, err)
			}
		}
		if _, err := f.Repo(t.Context(), app.ID); err == nil {
			t.Errorf("%s: the repository shows", what)
		}
		if hidden, err := f.Hidden(t.Context(), lab, []string{"1", "2"}); len(hidden) != 2 || err != nil {
			t.Errorf("%s: hidden %v, %v", what, hidden, err)
		}
		if got := names(all(t, f.Orgs(t.Context()))); !slices.Equal(got, []string{"acme"}) {
			t.Errorf("%s: reads %v", what, got)
		}
		if _, err := f.Repo(t.Context(), x.repos["acme"].ID); err != nil {
			t.Errorf("%s: the other organization: %v", what, err)
		}
	}
	made[providers.Repo](t)(f.Repo(t.Context(), app.ID)) // there is a token
	must(t, x.g.SuspendApp(x.on["lab"].InstallationID, true))
	if err := second(read(f.RepoAccess(t.Context(), app))); !errors.Is(err, providers.ErrWithheld) {
		t.Errorf("the first answer after the suspension: %v", err)
	}
	withheld("suspended")

	must(t, x.g.SuspendApp(x.on["lab"].InstallationID, false))
	x.later()
	made[providers.Repo](t)(f.Repo(t.Context(), app.ID))
	if hidden, err := f.Hidden(t.Context(), lab, []string{app.ID}); len(hidden) != 0 || err != nil {
		t.Errorf("no longer suspended, and hidden is %v, %v", hidden, err)
	}

	x.g.UninstallApp(x.on["lab"].InstallationID)
	if err := second(read(f.RepoAccess(t.Context(), app))); err == nil || errors.Is(err, providers.ErrNotFound) {
		t.Errorf("the first answer after it was removed: %v", err)
	}
	withheld("removed")

	made[providerstest.GitHubApp](t)(x.g.InstallAppToo(x.on["acme"], "lab", true))
	x.later()
	made[providers.Repo](t)(f.Repo(t.Context(), app.ID))
}

func TestWhatAnInstallationWasNotGivenIsHidden(t *testing.T) {
	x := installTwice(t)
	lab := x.orgs["lab"]
	other := made[providers.Repo](t)(x.g.CreateRepo(providerstest.GitHubRepo{Owner: "lab", Name: "other", Private: true}))
	ids := []string{x.repos["lab"].ID, other.ID}
	if hidden, err := x.f.Hidden(t.Context(), lab, ids); len(hidden) != 0 || err != nil {
		t.Errorf("on all repositories: %v, %v", hidden, err)
	}
	must(t, x.g.SelectRepos(x.on["lab"].InstallationID, "lab/app"))
	if hidden, err := x.f.Hidden(t.Context(), lab, ids); !slices.Equal(hidden, []string{other.ID}) || err != nil {
		t.Errorf("on one: %v, %v", hidden, err)
	}
	if err := x.f.Prove(t.Context(), lab); !errors.Is(err, providers.ErrWithheld) {
		t.Errorf("on one: %v", err)
	}
	must(t, x.g.SelectRepos(x.on["lab"].InstallationID), x.f.Prove(t.Context(), lab))
}

// An organization without the App must not be asked in the name of another: a
// list of what is public would pass for the whole.
func TestAnOrganizationWithoutTheAppIsNotReadThroughAnother(t *testing.T) {
	x := installTwice(t)
	alone := made[providers.Org](t)(x.g.CreateOrg("alone", ""))
	made[providers.Repo](t)(x.g.CreateRepo(providerstest.GitHubRepo{Owner: "alone", Name: "open"}))
	if o := made[providers.Org](t)(x.f.Org(t.Context(), "alone")); o != alone {
		t.Errorf("%v", o) // that it exists everybody may know
	}
	if n, err := read(x.f.Repos(t.Context(), alone)); n != 0 || !errors.Is(err, providers.ErrWithheld) {
		t.Errorf("%d repositories, %v", n, err)
	}
	if _, err := x.f.Org(t.Context(), "nobody"); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
