package reconcile_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/github"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue"
)

// TestWhatAnAppMayReadIsNobodysAccess takes an App its repositories, suspends
// it, removes it: whatever is looked at meanwhile, nobody loses anything. Jobs
// about that organization wait with the reason, those about another go on.
func TestWhatAnAppMayReadIsNobodysAccess(t *testing.T) {
	g := ok[*providerstest.GitHub](t)(providerstest.StartGitHub(providerstest.GitHubOptions{RateLimit: -1}))
	defer g.Close()
	ana, bo := ok[providers.User](t)(g.CreateUser("ana")), ok[providers.User](t)(g.CreateUser("bo"))
	orgs, repos := map[string]providers.Org{}, map[string]providers.Repo{}
	for _, name := range []string{"acme", "lab"} {
		orgs[name] = ok[providers.Org](t)(g.CreateOrg(name, ""))
		ok[providers.Team](t)(g.CreateTeam(name, "core", providers.Write, true))
		do(t, g.AddMember(name, "core", "ana"))
		for _, repo := range []string{"app", "other"} {
			r := ok[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: name, Name: repo, Private: true}))
			repos[r.Path] = r
			do(t, g.AddCollaborator(r.Path, "bo", providers.Read))
		}
	}
	app := ok[providerstest.GitHubApp](t)(g.InstallApp("acme", true))
	onLab := ok[providerstest.GitHubApp](t)(g.InstallAppToo(app, "lab", true)).InstallationID
	var late atomic.Int64
	later := func() { late.Add(int64(time.Minute)) } // so that it looks again where it is installed
	forge := ok[*github.Forge](t)(github.New(github.Config{
		URL: g.URL(), App: &github.AppConfig{ID: app.ID, PrivateKey: app.PrivateKey},
		Now: func() time.Time { return time.Now().Add(time.Duration(late.Load())) },
	}))
	kind := github.Coverage()
	d := listen(t, forge, kind, kind[len(kind)-1], orgs["acme"], orgs["lab"])
	defer d.stop()

	kept := func(when string) {
		t.Helper()
		for path, r := range repos {
			if d.level(ana, r) != providers.Write || d.level(bo, r) != providers.Read {
				t.Errorf("%s: %s: ana has %s, bo %s", when, path, d.level(ana, r), d.level(bo, r))
			}
		}
	}
	kept("at first")
	jobs := func() []syncqueue.Job {
		now := time.Now()
		all := []syncqueue.Job{syncqueue.ScopeJob("git", orgs["lab"], now)}
		for _, u := range []providers.User{ana, bo} {
			all = append(all, syncqueue.UserJob("git", u, syncqueue.LaneAddition, now), syncqueue.MemberJob("git", u, orgs["lab"], syncqueue.LaneAddition, now))
		}
		return append(all, syncqueue.RepoJob("git", repos["lab/other"], syncqueue.LaneRemoval, now))
	}

	do(t, g.SelectRepos(onLab, "lab/app"))
	for _, j := range jobs() {
		if j = d.done(d.ask(j)); j.Kind == syncqueue.KindRepo && !strings.Contains(j.Note, "hookd may not read it") {
			t.Errorf("selected: %s", j.Note)
		}
	}
	kept("on selected repositories")

	for _, step := range []struct {
		what       string
		begin, end func() error
		waits      map[syncqueue.Kind]bool // the others read nothing of it, which takes nothing
	}{
		{
			"suspended", func() error { return g.SuspendApp(onLab, true) }, func() error { return g.SuspendApp(onLab, false) },
			map[syncqueue.Kind]bool{syncqueue.KindScope: true, syncqueue.KindMember: true, syncqueue.KindRepo: true},
		},
		{
			"not installed", func() error { g.UninstallApp(onLab); return nil }, func() error { return second(g.InstallAppToo(app, "lab", true)) },
			map[syncqueue.Kind]bool{syncqueue.KindScope: true, syncqueue.KindMember: true},
		},
	} {
		do(t, g.SelectRepos(onLab), step.begin())
		later()
		for _, j := range jobs() {
			id := d.ask(j)
			if !step.waits[j.Kind] {
				d.done(id)
				continue
			}
			d.until(step.what+": "+string(j.Kind)+" waits", func(belief) bool {
				j = ok[syncqueue.Job](t)(d.db.Job(t.Context(), id))
				return j.State == syncqueue.Ready && strings.Contains(j.LastError, step.what) && j.Attempts == 0 && j.NotBefore.After(time.Now())
			})
		}
		kept(step.what)
		fresh := ok[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "acme", Name: "while-" + strings.Fields(step.what)[0], Private: true}))
		d.done(d.ask(syncqueue.RepoJob("git", fresh, syncqueue.LaneAddition, time.Now())))
		if d.level(ana, fresh) != providers.Write {
			t.Errorf("%s: the other organization stands still", step.what)
		}
		do(t, step.end())
		later()
		late := ok[providers.Repo](t)(g.CreateRepo(providerstest.GitHubRepo{Owner: "lab", Name: "after-" + strings.Fields(step.what)[0], Private: true}))
		d.ask(jobs()[0])
		d.until("the organization is read again", func(b belief) bool { return b.level(ana, late) == providers.Write })
		kept("no longer " + step.what)
	}
}

func second[T any](_ T, err error) error { return err }
