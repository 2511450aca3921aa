package reconcile_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue"
)

// Lists that are empty by one fault agree with each other: his own, the teams'
// repositories, the collaborators. Asked about one repository, the forge says
// otherwise.
func TestEmptyListsThatAgreeTakeNothingFromAnybody(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		inEstate(t, k, simOptions{}, everyPoll, settled, func(e *estate) {
			p := &past{estate: e}
			e.after(14 * time.Minute)
			e.agree()
			before := p.look()
			heal := e.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "repos"})
			for _, login := range []string{"ana", "li", "omar", "zoe"} {
				e.ask(syncqueue.UserJob("git", e.users()[login], syncqueue.LaneAddition, time.Now()))
			}
			e.after(20 * time.Minute)
			before.compare(p.look(), e.t)
			heal()
			e.after(90 * time.Minute)
			e.agree()
		})
	})
}

// Where the one repository that two people have is deleted and nobody tells, the
// empty list of the one is no reason to doubt that of the other.
func TestADeletedRepositoryLeavesNothingToWhoHadOnlyThat(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		inEstate(t, k, simOptions{}, everyPoll, settled, func(e *estate) {
			_, err := e.change(func() error { return e.world.TransferRepo(e.repo("acme/app"), "li") })
			e.must(err)
			e.after(90 * time.Minute)
			e.agree()
			for _, login := range []string{"li", "zoe"} {
				// GitHub does not show who has what is a person's.
				if n := len(e.believes(e.users()[login])); n != 1 && k.name != "github" {
					e.t.Fatalf("%s holds %d repositories, not li/app alone", login, n)
				}
			}
			_, err = e.change(func() error { return e.world.DeleteRepo(e.repo("li/app")) })
			e.must(err)
			e.after(90 * time.Minute)
			e.agree()
		})
	})
}

// That the forge hides a repository from the CI server may be over one day, and
// nobody tells.
func TestWhatWasHiddenFromTheCIServerIsLookedForAfresh(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		prepare := func(e *estate) { settled(e); e.joins("kim") }
		inEstate(t, k, simOptions{}, everyPoll, prepare, func(e *estate) {
			e.after(14 * time.Minute)
			e.agree()
			// Drone asks as kim.
			path := map[string]string{"gitea": "/user/repos", "github": "/user/repos", "gitlab": "/projects"}[k.name]
			heal := e.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: path, User: "kim"})
			e.now(func() error { return e.world.AddCollaborator(e.repo("acme/app"), e.users()["kim"], providers.Write) })
			e.ask(syncqueue.RepoJob("git", e.repo("acme/app"), syncqueue.LaneAddition, time.Now()))
			e.after(15 * time.Minute)
			x, err := e.store.Holdings(t.Context(), "git", e.users()["kim"].ID)
			e.must(err)
			for _, c := range x.Cells {
				if c.Permission == providers.Write && c.Hidden["drone"] == "" {
					t.Error("it is not hidden")
				}
			}
			heal()
			e.after(90 * time.Minute)
			e.agree()
		})
	})
}

// That a repository has another owner explains what its former one's teams
// granted, and not why nobody collaborates on it any more.
func TestWhoCollaboratesKeepsWhatMovesWhileListsAreEmpty(t *testing.T) {
	for name, fault := range map[string]providerstest.Fault{
		"all":             {Kind: providerstest.FaultEmpty},
		"of repositories": {Kind: providerstest.FaultEmpty, Path: "repos"},
	} {
		for _, to := range []string{"zoe", "beta"} {
			t.Run(name+"/to "+to, func(t *testing.T) {
				onEach(t, func(t *testing.T, k kind) { collaboratesOnWhatMoves(t, k, fault, to) })
			})
		}
	}
}

func collaboratesOnWhatMoves(t *testing.T, k kind, fault providerstest.Fault, to string) {
	prepare := func(e *estate) {
		settled(e)
		e.must(e.world.AddCollaborator(e.repo("acme/app"), e.users()["omar"], providers.Write))
		e.must(e.world.AddCollaborator(e.repo("acme/app"), e.users()["ana"], providers.Write)) // beside her team
	}
	inEstate(t, k, simOptions{}, everyPoll, prepare, func(e *estate) {
		p := &past{estate: e}
		e.after(14 * time.Minute)
		e.agree()
		before := p.look()
		heal := e.forge.Break(fault)
		app := e.repo("acme/app")
		e.now(func() error { return e.world.TransferRepo(app, to) })
		e.ask(syncqueue.RepoJob("git", app, syncqueue.LaneAddition, time.Now()))
		before.grant(e)
		e.after(20 * time.Minute)
		before.compare(p.look(), e.t)
		heal()
		e.after(90 * time.Minute)
		e.agree()
	})
}

// Of who administers the site Gitea says that he has everything, and announces
// nobody who begins to: what others have tells whether it lists at all.
func TestWhoBecomesSiteAdministratorAmidEmptyListsKeepsWhatHeHas(t *testing.T) {
	inEstate(t, kinds[0], simOptions{}, everyPoll, settled, func(e *estate) {
		p := &past{estate: e}
		e.after(14 * time.Minute)
		e.agree()
		before := p.look()
		heal := e.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: "repos"})
		e.now(func() error { return e.forge.(*providerstest.Gitea).SetSiteAdmin("zoe", true) })
		before.grant(e)
		e.ask(
			syncqueue.UserJob("git", e.users()["zoe"], syncqueue.LaneAddition, time.Now()),
			syncqueue.RepoJob("git", e.repo("acme/app"), syncqueue.LaneAddition, time.Now()),
		)
		e.after(40 * time.Minute)
		before.compare(p.look(), e.t)
		heal()
		e.after(90 * time.Minute)
		e.agree()
	})
}

// What a sync took away while the forge answered nonsense comes back as soon as
// the forge is sane again, without another event, however long it was not.
func TestWhatASyncTookAwayComesBackByItself(t *testing.T) {
	onEach(t, func(t *testing.T, k kind) {
		inEstate(t, k, simOptions{}, plan{reconcile: 1000 * time.Hour}, settled, func(e *estate) {
			e.after(14 * time.Minute)
			e.agree()
			path := map[string]string{"gitea": "/user/repos", "github": "/user/repos", "gitlab": "/projects"}[k.name]
			heal := e.forge.Break(providerstest.Fault{Kind: providerstest.FaultEmpty, Path: path, User: "ana"})
			e.airlock.do(func() { e.must(e.pressSync("ana")) })
			if n := len(e.drone.Rows("ana")); n != 0 {
				t.Fatalf("Drone shows ana %d repositories", n)
			}
			ana := e.users()["ana"]
			e.ask(syncqueue.PublishJob("drone", "git", ana, syncqueue.UserJob("git", ana, syncqueue.LaneAddition, time.Now()), syncqueue.LaneAddition, time.Now()))
			e.after(time.Hour) // longer than the ladder
			heal()
			e.after(2 * time.Minute)
			e.agree()
		})
	})
}

// pressSync does what Drone's Sync button does.
func (e *estate) pressSync(login string) error {
	r, err := http.NewRequest(http.MethodPost, e.drone.URL+"/api/user/repos", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer drone-token-of-"+login)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("POST /api/user/repos: %s", res.Status)
	}
	return nil
}
