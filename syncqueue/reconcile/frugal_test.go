package reconcile_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// counted counts w's calls by what they ask for. The function it returns takes
// the counts and begins anew.
func counted(w *world) (taken func() map[string]int) {
	calls := map[string]int{}
	w.change(func() { w.fault = func(op string) error { calls[op]++; return nil } })
	return func() (was map[string]int) {
		w.change(func() {
			was = maps.Clone(calls)
			clear(calls)
		})
		return was
	}
}

// thronged has more people, and more repositories than people by far.
func thronged() *world {
	w := small()
	w.team("4", "staff", providers.Read)
	for _, login := range []string{"ana", "li"} {
		w.join("4", login)
	}
	for i := range 120 {
		w.join("2", fmt.Sprint("dev", i))
		w.join("4", fmt.Sprint("dev", i))
	}
	for i := range 240 {
		w.create(fmt.Sprint(1000+i), fmt.Sprint("r", i), "3")
	}
	return w
}

func TestTheFirstFillReadsNobodysOwnList(t *testing.T) {
	w := small()
	calls := counted(w)
	inBubble(t, w, plan{}, func(h *house) {
		h.agree(everybody...)
		if n := calls()["list"]; n != 0 {
			t.Errorf("%d own lists were read: the fill had asked for every repository", n)
		}
	})
}

func TestARepositoryThatIsKnownAlreadyMakesNoPollReadLists(t *testing.T) {
	w := thronged()
	inBubble(t, w, plan{members: time.Minute}, func(h *house) {
		h.after(2 * time.Minute)
		calls := counted(w)
		h.hear(providers.EffectRepo, w.create("50", "new", "2"))
		h.after(3 * time.Minute)
		h.agree(everybody...)
		if c := calls(); c["list"] != 0 || c["count"] < 120 {
			t.Errorf("asked for %v: the new repository explains the longer lists", c)
		}
	})
}

func TestWhatManyListsHaveAndNobodyAnnouncedIsReadInOnePass(t *testing.T) {
	w := thronged()
	inBubble(t, w, plan{members: time.Minute}, func(h *house) {
		h.after(2 * time.Minute)
		calls := counted(w)
		// A collaborator of everywhere is none, so only the lengths tell.
		w.create("50", "adopted")
		w.change(func() {
			for id := range w.users {
				w.repos["50"].collaborators[id] = providers.Read
			}
		})
		h.after(3 * time.Minute)
		h.agree(append([]string{"dev7"}, everybody...)...)
		if c := calls(); c["list"] != 0 || c["repos"] == 0 {
			t.Errorf("asked for %v, want one pass over the organization", c)
		}
	})
}

func TestATeamOfManyThatChangesIsReadInOnePass(t *testing.T) {
	w := thronged()
	inBubble(t, w, plan{members: time.Minute}, func(h *house) {
		h.after(2 * time.Minute)
		calls := counted(w)
		w.change(func() { w.teams["2"].all = true })
		h.after(3 * time.Minute)
		h.agree(append([]string{"dev7"}, everybody...)...)
		if c := calls(); c["scope"] != 0 || c["list"] != 0 {
			t.Errorf("asked for %v, want one pass over the organization", c)
		}
	})
}

func TestPollsAskNothingThatIsAnnounced(t *testing.T) {
	announced := []providers.Coverage{{Hook: providers.HookOrg, Rows: []providers.Heard{
		{Change: providers.CollaboratorSet, By: providers.ByEvent},
		{Change: providers.CollaboratorRemoved, By: providers.ByEvent},
	}}}
	for name, c := range map[string]struct {
		kind []providers.Coverage
		asks bool
	}{"nothing is declared": {nil, true}, "collaborators are announced": {announced, false}} {
		t.Run(name, func(t *testing.T) {
			w := small()
			inBubble(t, w, plan{members: time.Minute, kind: c.kind}, func(h *house) {
				calls := counted(w)
				h.after(5 * time.Minute)
				if n := calls()["collaborators"]; (n > 0) != c.asks {
					t.Errorf("collaborators were asked for %d times", n)
				}
			})
		})
	}
}

// A deleted team is followed without a look at what it never had.
func TestATeamThatIsSaidToBeGoneIsComparedWithWhatItHad(t *testing.T) {
	for _, members := range []time.Duration{0, time.Hour} {
		t.Run(fmt.Sprint("polled every ", members), func(t *testing.T) {
			w := thronged()
			inBubble(t, w, plan{members: members}, func(h *house) {
				h.after(2 * time.Minute)
				calls := counted(w)
				w.change(func() { delete(w.teams, "2") })
				d := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: "gone", Received: time.Now()}
				e := providers.Event{Name: "team.deleted", Effect: providers.EffectScope, Org: w.org, Team: &providers.Team{ID: "2"}}
				if _, err := h.store.Push(t.Context(), syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, syncqueue.JobsFor(d, e, syncqueue.Timing{}, time.Now())...); err != nil {
					t.Fatal(err)
				}
				h.after(10 * time.Minute)
				h.agree(append([]string{"dev7"}, everybody...)...)
				if c := calls(); c["audience"] > 2 {
					t.Errorf("asked for %v, want the team's one repository", c)
				}
				if of, err := h.store.JobsOf(t.Context(), d.ID); err != nil || len(of) < 2 {
					t.Errorf("%d jobs are the delivery's (%v)", len(of), err)
				}
			})
		})
	}
}

func TestSmallLossesOfManyAskForTheSizeOfFewLists(t *testing.T) {
	w := thronged()
	w.create("60", "handbook", "4") // an empty list would vouch for nothing
	inBubble(t, w, plan{}, func(h *house) {
		h.after(2 * time.Minute)
		calls := counted(w)
		app := w.repos["41"].Repo
		w.remove("41")
		h.hear(providers.EffectGone, app)
		h.after(time.Minute)
		h.agree(append([]string{"dev7"}, everybody...)...)
		if c := calls(); c["count"] > 3 {
			t.Errorf("asked for %v: 120 people lost one repository each", c)
		}
	})
}
