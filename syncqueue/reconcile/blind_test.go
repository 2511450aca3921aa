package reconcile_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/gitea"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/gitlab"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/storage/memory"
	"github.com/hookd/hookd/syncqueue"
	"github.com/hookd/hookd/syncqueue/reconcile"
	"github.com/hookd/hookd/syncqueue/target"
)

// A silence is a change of a simulated forge that no webhook announces, and
// what hookd believes once it found it.
type silence struct {
	make func() error
	show func(b belief) bool
}

// belief is what the catalogue holds.
type belief struct {
	t  testing.TB
	db *memory.DB
}

// level is what a user is believed to have on a repository.
func (b belief) level(u providers.User, r providers.Repo) providers.Permission {
	h, err := b.db.Holdings(b.t.Context(), "git", u.ID)
	if err != nil {
		return providers.None
	}
	for _, a := range h.Present() {
		if a.Repo.ID == r.ID {
			return a.Permission
		}
	}
	return providers.None
}

// repo is how a repository is believed to be.
func (b belief) repo(r providers.Repo) providers.Repo {
	c, err := b.db.Repo(b.t.Context(), "git", r.ID)
	if err != nil {
		return providers.Repo{}
	}
	return c.Repo
}

// A deaf is a hookd that hears no webhook and polls a simulated forge.
type deaf struct {
	belief
	stop func()
}

// ask pushes a job and returns its id.
func (d *deaf) ask(j syncqueue.Job) string {
	d.t.Helper()
	return ok[[]string](d.t)(d.db.Enqueue(d.t.Context(), syncqueue.Cause{By: "operator test", At: time.Now()}, j))[0]
}

// done waits for a job to end and returns it.
func (d *deaf) done(id string) syncqueue.Job {
	d.t.Helper()
	var j syncqueue.Job
	d.until("the end of "+id, func(belief) bool {
		j = ok[syncqueue.Job](d.t)(d.db.Job(d.t.Context(), id))
		return j.State == syncqueue.Done
	})
	return j
}

const often = 50 * time.Millisecond

// listen starts a hookd whose provider has a hook of the given coverage, and
// returns when it has filled its catalogue and polled once. An instance that
// sweeps would find everything, so it does not.
func listen(t *testing.T, forge providers.Forge, kind []providers.Coverage, c providers.Coverage, orgs ...providers.Org) *deaf {
	t.Helper()
	db := memory.New(memory.Options{})
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	header := http.Header{}
	header.Set(c.Header, c.Values[0])
	heard := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: "ping", Header: header, Received: time.Now()}
	if _, err := db.Push(t.Context(), syncqueue.Entry{Delivery: heard, Event: providers.Event{Name: "ping"}, Result: syncqueue.EntryPing}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range orgs {
		names = append(names, o.Name)
	}
	engine, err := reconcile.New(reconcile.Config{
		Providers: []reconcile.Provider{{
			Name: "git", Forge: forge, Orgs: providers.NewOrgSet(names...), Names: names,
			Members: often, Repos: often, Coverage: kind,
		}},
		Targets: []reconcile.Target{{Name: "ci", Provider: "git", Driver: willing{}}},
		Store:   db, Log: log, Now: time.Now,
		Verify: []time.Duration{often, often, often}, Reconcile: 10000 * time.Hour, Guard: target.Guard{Percent: 50, MinRepos: 20},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pool := &syncqueue.Pool{
		Queue: db, Handler: engine, TTL: time.Minute, Drain: time.Second, Log: log, Now: time.Now,
		Peers: []syncqueue.Peer{{Provider: "git"}, {Target: "ci"}}, Workers: 4,
		Backoff: syncqueue.Backoff{First: often, Max: time.Second},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { pool.Run(ctx); close(done) }()
	d := &deaf{belief{t, db}, func() { cancel(); <-done; db.Close() }}
	d.until("the first fill and polls", func(b belief) bool {
		polled := 0
		for _, o := range orgs {
			if members, err := db.Snapshot(t.Context(), "members/git/"+o.ID); err == nil && len(members) > 0 {
				polled++
			}
		}
		jobs, _, err := db.Jobs(t.Context(), syncqueue.JobQuery{}, "", 500)
		if err != nil {
			return false
		}
		for _, j := range jobs {
			switch {
			case j.Kind == syncqueue.KindPoll && j.Within.Name == "repos" && j.Note != "":
				polled++
			case j.Kind != syncqueue.KindPoll && j.Kind != syncqueue.KindSweep && j.State != syncqueue.Done:
				return false
			}
		}
		return polled == 2*len(orgs)
	})
	return d
}

func (d *deaf) until(what string, ok func(belief) bool) {
	d.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok(d.belief) {
		if time.Now().After(deadline) {
			jobs, _, _ := d.db.Jobs(d.t.Context(), syncqueue.JobQuery{}, "", 12)
			for _, j := range jobs {
				d.t.Logf("%s %s %s %s: %s %s", j.Kind, j.Subject, j.Within, j.State, j.Note, j.LastError)
			}
			d.t.Fatalf("%s: not in sight", what)
		}
		time.Sleep(often / 10)
	}
}

// finds plays every polled row of a coverage, and there must be one for each.
func (d *deaf) finds(c providers.Coverage, silences map[providers.Change]silence) {
	d.t.Helper()
	polled := 0
	for _, row := range c.Rows {
		if row.By != providers.ByPoll {
			continue
		}
		polled++
		s, ok := silences[row.Change]
		if !ok {
			d.t.Errorf("%s is said to be polled, and nothing shows it", row.Change)
			continue
		}
		if s.show(d.belief) {
			d.t.Errorf("%s: it shows before it happened", row.Change)
		}
		if err := s.make(); err != nil {
			d.t.Fatalf("%s: %v", row.Change, err)
		}
		d.until(string(row.Change), s.show)
	}
	if polled == 0 {
		d.t.Error("nothing is polled")
	}
}

// willing is a CI server that shows whatever it is told.
type willing struct{}

func (willing) Probe(context.Context) (string, error) { return "2.0", nil }

func (willing) Sync(_ context.Context, _ providers.User, want target.Desired) (target.Result, error) {
	r := target.Result{Synced: true}
	for _, a := range want.Present {
		r.Shown = append(r.Shown, a.Repo.ID)
	}
	for _, a := range want.Absent {
		r.Gone = append(r.Gone, a.Repo.ID)
	}
	return r, nil
}

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		do(t, err)
		return v
	}
}

func do(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// several makes n things by their number.
func several[T any](t testing.TB, n int, one func(i int) (T, error)) []T {
	t.Helper()
	all := make([]T, n)
	for i := range all {
		all[i] = ok[T](t)(one(i))
	}
	return all
}

func TestEverySilenceOfGiteaIsFound(t *testing.T) {
	for _, c := range gitea.Coverage()[:1] { // the other hook is as silent
		t.Run(string(c.Hook), func(t *testing.T) {
			t.Parallel()
			g := ok[*providerstest.Gitea](t)(providerstest.StartGitea(providerstest.GiteaOptions{}))
			t.Cleanup(g.Close)
			acme := ok[providers.Org](t)(g.CreateOrg("acme", "private"))
			ok[providers.Org](t)(g.CreateOrg("lab", "private"))
			u := several(t, 11, func(i int) (providers.User, error) { return g.CreateUser(fmt.Sprint("user", i)) })
			r := several(t, 10, func(i int) (providers.Repo, error) {
				return g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: fmt.Sprint("r", i), Private: true})
			})
			alien := ok[providers.Repo](t)(g.CreateRepo(providerstest.GiteaRepo{Owner: "lab", Name: "alien", Private: true}))
			for name, members := range map[string][]int{"core": {0, 5, 7, 9, 10}, "docs": {1}, "last": {1}} {
				ok[providers.Team](t)(g.CreateTeam("acme", name, providers.Write, false))
				for _, i := range members {
					do(t, g.AddMember("acme", name, u[i].Login))
				}
			}
			do(t, g.AddTeamRepo("acme", "core", r[0].Path), g.AddTeamRepo("acme", "core", r[2].Path), g.AddTeamRepo("acme", "docs", r[6].Path),
				g.AddTeamRepo("acme", "last", r[8].Path), g.AddCollaborator(r[5].Path, u[3].Login, providers.Read))
			forge := ok[*gitea.Forge](t)(gitea.New(gitea.Config{URL: g.URL(), Token: g.AdminToken()}))
			d := listen(t, forge, gitea.Coverage(), c, acme)
			defer d.stop()

			var adopted providers.Repo
			has := func(user, repo int, p providers.Permission) func(belief) bool {
				return func(b belief) bool { return b.level(u[user], r[repo]) == p }
			}
			d.finds(c, map[providers.Change]silence{
				providers.RepoAdopted: {func() (err error) {
					adopted, err = g.CreateRepo(providerstest.GiteaRepo{Owner: "acme", Name: "adopted", Private: true})
					return err
				}, func(b belief) bool { return b.repo(adopted).Path == "acme/adopted" }},
				providers.RepoRenamed:         {func() error { return g.RenameRepo(r[1].Path, "renamed") }, func(b belief) bool { return b.repo(r[1]).Path == "acme/renamed" }},
				providers.RepoReceived:        {func() error { return g.TransferRepo(alien.Path, "acme") }, func(b belief) bool { return b.repo(alien).Path == "acme/alien" }},
				providers.RepoSent:            {func() error { return g.TransferRepo(r[2].Path, "lab") }, has(0, 2, providers.None)},
				providers.RepoVisibility:      {func() error { return g.SetVisibility(r[3].Path, false) }, func(b belief) bool { return b.repo(r[3]).Visibility != providers.Private }},
				providers.RepoArchived:        {func() error { return g.SetArchived(r[3].Path, true) }, func(b belief) bool { return b.repo(r[3]).Archived }},
				providers.CollaboratorSet:     {func() error { return g.AddCollaborator(r[4].Path, u[2].Login, providers.Write) }, has(2, 4, providers.Write)},
				providers.CollaboratorRemoved: {func() error { return g.RemoveCollaborator(r[5].Path, u[3].Login) }, has(3, 5, providers.None)},
				providers.TeamMemberSet:       {func() error { return g.AddMember("acme", "docs", u[0].Login) }, has(0, 6, providers.Write)},
				providers.TeamMemberRemoved:   {func() error { return g.RemoveMember("acme", "core", u[5].Login) }, has(5, 0, providers.None)},
				providers.TeamRepos:           {func() error { return g.AddTeamRepo("acme", "docs", r[7].Path) }, has(1, 7, providers.Write)},
				providers.TeamDeleted:         {func() error { return g.DeleteTeam("acme", "last") }, has(1, 8, providers.None)},
				providers.OrgMemberAdded:      {func() error { return g.AddMember("acme", "core", u[6].Login) }, has(6, 0, providers.Write)},
				providers.OrgMemberRemoved:    {func() error { return g.RemoveMember("acme", "core", u[7].Login) }, has(7, 0, providers.None)},
				providers.OrgOwner:            {func() error { return g.AddMember("acme", "Owners", u[8].Login) }, has(8, 9, providers.Admin)},
				providers.OrgRenamed:          {func() error { return g.RenameAccount("acme", "acme2") }, func(b belief) bool { return b.repo(r[9]).Path == "acme2/r9" }},
				providers.UserDeleted:         {func() error { return g.DeleteUser(u[10].Login) }, has(10, 0, providers.None)},
				providers.UserStanding:        {func() error { return g.SetSiteAdmin(u[9].Login, true) }, has(9, 0, providers.Admin)},
			})
		})
	}
}

func TestEverySilenceOfGitHubIsFound(t *testing.T) {
	for _, c := range github.Coverage() {
		t.Run(string(c.Hook), func(t *testing.T) {
			t.Parallel()
			g := ok[*providerstest.GitHub](t)(providerstest.StartGitHub(providerstest.GitHubOptions{RateLimit: -1}))
			t.Cleanup(g.Close)
			acme := ok[providers.Org](t)(g.CreateOrg("acme", ""))
			ok[providers.Org](t)(g.CreateOrg("lab", ""))
			u := several(t, 5, func(i int) (providers.User, error) { return g.CreateUser(fmt.Sprint("user", i)) })
			r := several(t, 5, func(i int) (providers.Repo, error) {
				return g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: fmt.Sprint("r", i), Private: true})
			})
			for i := range u {
				do(t, g.AddToOrg("acme", u[i].Login, false))
			}
			for name, members := range map[string][]int{"core": {0}, "kids": {1}} {
				ok[providers.Team](t)(g.CreateTeam("acme", name, providers.Write, false))
				for _, i := range members {
					do(t, g.AddMember("acme", name, u[i].Login))
				}
			}
			do(t, g.AddTeamRepo("acme", "core", r[0].Path), g.AddTeamRepo("acme", "core", r[1].Path))
			forge := ok[*github.Forge](t)(github.New(github.Config{URL: g.URL(), Token: g.AdminToken()}))
			d := listen(t, forge, github.Coverage(), c, acme)
			defer d.stop()

			has := func(user, repo int, p providers.Permission) func(belief) bool {
				return func(b belief) bool { return b.level(u[user], r[repo]) == p }
			}
			d.finds(c, map[providers.Change]silence{
				providers.RepoSent:          {func() error { return g.TransferRepo(r[0].Path, "lab") }, has(0, 0, providers.None)},
				providers.TeamMoved:         {func() error { return g.SetParent("acme", "kids", "core") }, has(1, 1, providers.Write)},
				providers.OrgOwner:          {func() error { return g.AddToOrg("acme", u[2].Login, true) }, has(2, 2, providers.Admin)},
				providers.OrgBasePermission: {func() error { return g.SetBasePermission("acme", providers.Read) }, has(3, 3, providers.Read)},
				providers.OrgRole:           {func() error { return g.SetOrgRole("acme", u[4].Login, "all_repo_write") }, has(4, 4, providers.Write)},
			})
		})
	}
}

func TestEverySilenceOfGitLabIsFound(t *testing.T) {
	for _, c := range gitlab.Coverage() {
		t.Run(string(c.Hook), func(t *testing.T) {
			t.Parallel()
			g := ok[*providerstest.GitLab](t)(providerstest.StartGitLab(providerstest.GitLabOptions{}))
			t.Cleanup(g.Close)
			acme := ok[providers.Org](t)(g.CreateOrg("acme", "internal"))
			for _, path := range []string{"lab", "friends", "guests", "acme/a", "acme/b", "acme/b/deep"} {
				ok[providers.Org](t)(g.CreateGroup(path, "private"))
			}
			u := several(t, 9, func(i int) (providers.User, error) { return g.CreateUser(fmt.Sprint("user", i)) })
			in := func(group string) func(i int) (providers.Repo, error) {
				return func(i int) (providers.Repo, error) {
					return g.CreateRepo(providerstest.GitLabProject{Owner: group, Name: fmt.Sprint("r", i), Private: true})
				}
			}
			r := several(t, 8, in("acme"))
			deep := several(t, 1, in("acme/b/deep"))[0]
			alien := several(t, 1, in("lab"))[0]
			for group, members := range map[string][]int{"acme": {0, 5, 6, 7}, "acme/a": {1}, "friends": {2}, "guests": {8}} {
				for _, i := range members {
					do(t, g.AddGroupMember(group, u[i].Login, providerstest.GitLabDeveloper))
				}
			}
			do(t, g.AddCollaborator(r[5].Path, u[3].Login, providers.Write))
			orgs := providers.NewOrgSet("acme")
			forge := ok[*gitlab.Forge](t)(gitlab.New(gitlab.Config{URL: g.URL(), Token: g.AdminToken(), Orgs: orgs}))
			d := listen(t, forge, gitlab.Coverage(), c, acme)
			defer d.stop()

			has := func(user, repo int, p providers.Permission) func(belief) bool {
				return func(b belief) bool { return b.level(u[user], r[repo]) == p }
			}
			d.finds(c, map[providers.Change]silence{
				providers.RepoRenamed:         {func() error { return g.RenameRepo(r[1].Path, "renamed") }, func(b belief) bool { return b.repo(r[1]).Path == "acme/renamed" }},
				providers.RepoReceived:        {func() error { return g.TransferRepo(alien.Path, "acme/a") }, func(b belief) bool { return b.repo(alien).Path == "acme/a/r0" }},
				providers.RepoSent:            {func() error { return g.TransferRepo(r[2].Path, "lab") }, has(0, 2, providers.None)},
				providers.RepoVisibility:      {func() error { return g.SetVisibility(r[3].Path, false) }, func(b belief) bool { return b.repo(r[3]).Visibility == providers.Internal }},
				providers.RepoArchived:        {func() error { return g.SetArchived(r[3].Path, true) }, func(b belief) bool { return b.repo(r[3]).Archived }},
				providers.CollaboratorSet:     {func() error { return g.AddCollaborator(r[4].Path, u[4].Login, providers.Write) }, has(4, 4, providers.Write)},
				providers.CollaboratorRemoved: {func() error { return g.RemoveCollaborator(r[5].Path, u[3].Login) }, has(3, 5, providers.None)},
				providers.RepoShared:          {func() error { return g.ShareProject(r[6].Path, "friends", providerstest.GitLabReporter) }, has(2, 6, providers.Read)},
				providers.TeamMoved:           {func() error { return g.TransferGroup("acme/b/deep", "acme/a") }, func(b belief) bool { return b.level(u[1], deep) == providers.Write }},
				providers.GroupShared:         {func() error { return g.ShareGroup("acme", "guests", providerstest.GitLabDeveloper) }, has(8, 7, providers.Write)},
				providers.OrgRenamed:          {func() error { return g.RenameAccount("acme", "acme2") }, func(b belief) bool { return b.repo(r[7]).Path == "acme2/r7" }},
				providers.UserBlocked:         {func() error { return g.SetState(u[6].Login, "blocked") }, has(6, 7, providers.None)},
				providers.UserDeleted:         {func() error { return g.DeleteUser(u[7].Login) }, has(7, 7, providers.None)},
			})
		})
	}
}
