package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// wide is small with forty more repositories of team core, whose ana is in team
// docs as well: who leaves core would keep one repository of 42.
func wide() *world {
	w := small()
	w.join("3", "ana")
	for i := range 40 {
		w.create(fmt.Sprint(1000+i), fmt.Sprint("r", i), "2")
	}
	return w
}

var ana = providers.User{ID: "u-ana", Login: "ana"}

// eachRepo looks at n of the forty one by one, in a lane that is never planned,
// or together.
func eachRepo(w *world, n int, lane syncqueue.Lane) []syncqueue.Job {
	var jobs []syncqueue.Job
	for i := range n {
		j := syncqueue.RepoJob("git", w.repos[fmt.Sprint(1000+i)].Repo, lane, time.Now())
		j.Fresh = true // as if the teams had been read since
		jobs = append(jobs, j)
	}
	return jobs
}

// What one user loses counts as one, whichever reads tell it.
func TestLossesThatRepositoriesTellAreHeldAsThoseOfTheirUser(t *testing.T) {
	cases := []struct {
		name string
		jobs func(w *world) []syncqueue.Job
	}{
		{"repositories one by one", func(w *world) []syncqueue.Job { return eachRepo(w, 40, syncqueue.LaneRemoval) }},
		{"few of them", func(w *world) []syncqueue.Job { return eachRepo(w, 3, syncqueue.LaneRemoval) }},
		{"a plan", func(w *world) []syncqueue.Job {
			first := syncqueue.RepoJob("git", w.repos["41"].Repo, syncqueue.LaneRemoval, time.Now().Add(-time.Hour))
			first.Fresh = true // a plan itself takes the teams as they were read last
			planned := eachRepo(w, 40, syncqueue.LanePoll)
			for i := range planned {
				planned[i].NotBefore = planned[i].NotBefore.Add(time.Minute)
			}
			return append(planned, first)
		}},
		{"a pass over the organization", func(w *world) []syncqueue.Job {
			return []syncqueue.Job{syncqueue.ScopeJob("git", w.org, time.Now())}
		}},
		{"after her own job was held", func(w *world) []syncqueue.Job {
			return append(eachRepo(w, 40, syncqueue.LaneRemoval), syncqueue.MemberJob("git", ana, w.org, syncqueue.LaneRemoval, time.Now().Add(-time.Hour)))
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, wide(), plan{}, func(h *house) {
				h.world.leave("2", "ana")
				h.ask(c.jobs(h.world)...)
				h.after(20 * time.Minute)
				if got := len(h.believes("ana")); got != 42 {
					t.Errorf("ana holds %d repositories, want 42 until an operator says otherwise", got)
				}
				h.agree("admin", "li", "omar", "zoe")
				held := h.jobs(syncqueue.Parked)
				if len(held) == 0 || h.held["catalogue"] == 0 {
					t.Fatalf("%d parked jobs, %d counted as held", len(held), h.held["catalogue"])
				}
				for _, j := range held {
					if j.Subject.ID != ana.ID || !contains(j.Note, "ana would keep 1 of 42 repositories") {
						t.Errorf("%s is parked: %s", j.Key, j.Note)
					}
				}
				if _, err := h.store.Revive(t.Context(), held[0].ID); err != nil {
					t.Fatal(err)
				}
				h.after(20 * time.Minute)
				h.agree(everybody...)
				if left := h.jobs(syncqueue.Parked); len(left) > 0 {
					t.Errorf("%d jobs are parked after one was released: %s", len(left), left[0].Note)
				}
			})
		})
	}
}

func TestWhatExplainsALossGoesThoughTheRestIsHeld(t *testing.T) {
	inBubble(t, wide(), plan{}, func(h *house) {
		h.world.leave("2", "ana")
		h.ask(eachRepo(h.world, 40, syncqueue.LaneRemoval)...)
		h.after(20 * time.Minute)
		deleted, named := h.world.repos["1000"].Repo, h.world.repos["1001"].Repo
		h.world.remove(deleted.ID)
		h.hear(providers.EffectGone, deleted)
		h.ask(syncqueue.CollaboratorJob("git", ana, named, syncqueue.LaneRemoval, time.Now()))
		h.after(time.Minute)
		got := h.believes("ana")
		if len(got) != 40 || slices.Contains(got, deleted.Path) || slices.Contains(got, named.Path) {
			t.Errorf("ana holds %d repositories, want all but %s and %s", len(got), deleted.Path, named.Path)
		}
		h.world.leave("3", "ana")
		h.ask(syncqueue.MemberJob("git", ana, h.world.org, syncqueue.LaneRemoval, time.Now()))
		h.after(time.Minute)
		h.agree(everybody...)
		if left := h.jobs(syncqueue.Parked); len(left) > 0 {
			t.Errorf("%d jobs are parked though she left: %s", len(left), left[0].Note)
		}
	})
}

// The repositories of whoever is in no team any more are not held, whoever
// tells that she lost them.
func TestRepositoriesTellAtOnceWhatALeaverLost(t *testing.T) {
	inBubble(t, wide(), plan{}, func(h *house) {
		h.world.leave("2", "ana")
		h.world.leave("3", "ana")
		h.ask(eachRepo(h.world, 40, syncqueue.LaneRemoval)...)
		h.after(time.Minute)
		if got := h.believes("ana"); len(got) != 2 { // app and book, that nobody asked about
			t.Errorf("ana holds %s", brief(got))
		}
	})
}

func TestAHoldDissolvesWhenTheForgeShowsTheRepositoriesAgain(t *testing.T) {
	for _, polls := range []time.Duration{0, 10 * time.Minute} {
		t.Run(fmt.Sprint("members poll ", polls), func(t *testing.T) {
			inBubble(t, wide(), plan{members: polls, reconcile: time.Hour}, func(h *house) {
				h.after(20 * time.Minute)
				h.world.leave("2", "ana")
				h.ask(eachRepo(h.world, 40, syncqueue.LaneRemoval)...)
				h.ask(syncqueue.MemberJob("git", ana, h.world.org, syncqueue.LaneRemoval, time.Now()))
				h.after(20 * time.Minute)
				if len(h.jobs(syncqueue.Parked)) == 0 {
					t.Fatal("nothing is held")
				}
				h.world.join("2", "ana")
				h.after(2 * time.Hour)
				h.agree(everybody...)
				if left := h.jobs(syncqueue.Parked); len(left) > 0 {
					t.Errorf("%d jobs are still parked: %s", len(left), left[0].Note)
				}
			})
		})
	}
}

// A loss that is not one of many goes at once, also of somebody who has more
// than one by other ways than teams.
func TestOneLossOfManyGoesAtOnce(t *testing.T) {
	w := wide()
	for i := range 40 {
		w.repos[fmt.Sprint(1000+i)].collaborators["u-omar"] = providers.Read
	}
	inBubble(t, w, plan{}, func(h *house) {
		h.world.change(func() {
			delete(h.world.teams["2"].repos, "1000")
			delete(h.world.repos["1000"].collaborators, "u-omar")
		})
		h.ask(eachRepo(h.world, 1, syncqueue.LaneRemoval)...)
		h.after(time.Minute)
		h.agree(everybody...)
	})
}

func TestADryRunOfAnOrganizationNamesWhatALookAtAllSomebodyHasDecides(t *testing.T) {
	inBubble(t, wide(), plan{}, func(h *house) {
		h.world.leave("2", "ana")
		done, held, errs := h.differences(h.plans("acme", nil)...)
		slices.Sort(held)
		if len(done) > 0 || len(held) != 41 || len(errs) > 0 || !contains(held[0], "ana acme/app write>none: he may have lost much at once") {
			t.Errorf("%d would be done, %d held: %q, errors %v", len(done), len(held), held, errs)
		}
	})
}
