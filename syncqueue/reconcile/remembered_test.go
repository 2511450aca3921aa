package reconcile_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
	"github.com/hookd/hookd/syncqueue"
)

// What is remembered of an organization's teams is as old as its last reading.
// Whoever left since must not get what is new, however long nobody can, or does,
// read them again.
func TestWhoLeftATeamLongAgoGetsNothingNewFromMemory(t *testing.T) {
	// omar is in a team to which every new repository comes.
	in := func(org string) func(e *estate) {
		return func(e *estate) {
			settled(e)
			all, err := e.world.CreateTeam(e.orgs[org], "all", providers.Write, true)
			e.must(err)
			e.teams["all"] = all
			e.must(e.world.AddMember(e.orgs[org], all, e.users()["omar"]))
		}
	}
	leaves := func(e *estate, org string) {
		_, err := e.change(func() error {
			return e.world.RemoveMember(e.orgs[org], e.teams["all"], e.users()["omar"])
		})
		e.must(err)
		e.after(15 * time.Minute)
	}
	look := func(e *estate, path string) {
		e.ask(syncqueue.RepoJob("git", e.repo(path), syncqueue.LaneAddition, time.Now()))
		e.after(2 * time.Minute)
	}
	lacks := func(e *estate, path string) {
		e.t.Helper()
		if got, ok := e.believes(e.users()["omar"])[path]; ok {
			e.t.Errorf("omar, who left, got %s of %s", got, path)
		}
	}
	cases := []struct {
		name    string
		prepare func(e *estate)
		happens func(e *estate)
	}{
		{"while the teams cannot be read", in("acme"), func(e *estate) {
			heal := e.forge.Break(providerstest.Fault{Kind: providerstest.FaultError, Path: "members"})
			leaves(e, "acme")
			_, err := e.change(func() error { _, err := e.world.CreateRepo("acme", "fresh", true); return err })
			e.must(err)
			look(e, "acme/fresh")
			lacks(e, "acme/fresh")
			heal()
		}},
		{"in an organization that is not polled", in("other"), func(e *estate) {
			move := func(name string) {
				_, err := e.change(func() error { return e.world.TransferRepo(e.repo("acme/"+name), "other") })
				e.must(err)
				look(e, "other/"+name)
			}
			move("book")
			leaves(e, "other")
			move("app")
			lacks(e, "other/app")
		}},
	}
	onEach(t, func(t *testing.T, k kind) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				inEstate(t, k, simOptions{}, everyPoll, c.prepare, func(e *estate) {
					e.after(14 * time.Minute)
					e.agree()
					c.happens(e)
					e.after(90 * time.Minute)
					e.agree()
				})
			})
		}
	})
}
