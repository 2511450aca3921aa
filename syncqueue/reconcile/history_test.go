package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/providers"
)

// step is one change of the forge and what becomes of its delivery.
type step struct {
	what     string
	who, obj int
	wait     time.Duration
	copies   int // how often its delivery arrives; 0 is lost
}

var people = []string{"ana", "li", "omar", "zoe"}

func drawHistory(t *rapid.T) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{
			what: rapid.SampledFrom([]string{
				"create", "delete", "rename", "hide", "move", "archive", "join", "leave",
				"reach", "unreach", "collaborate", "stop", "widen", "level",
			}).Draw(t, "what"),
			who:    rapid.IntRange(0, len(people)-1).Draw(t, "who"),
			obj:    rapid.IntRange(0, 9).Draw(t, "obj"),
			wait:   time.Duration(rapid.IntRange(0, 90).Draw(t, "wait")) * time.Second,
			copies: rapid.IntRange(0, 2).Draw(t, "copies"),
		}
	}), 1, 60).Draw(t, "history")
}

// apply makes one change. Gitea announces only creation and deletion, and
// whatever it announces may be lost or come twice.
func (h *house) apply(s step, n int) {
	w := h.world
	login := people[s.who]
	team := []string{"2", "3"}[s.obj%2]
	id := fmt.Sprint(100 + s.obj)
	var r *worldRepo
	w.change(func() {
		w.user(login)
		r = w.repos[id]
	})
	var effect providers.Effect
	var about providers.Repo
	switch {
	case s.what == "create" && r == nil:
		about, effect = w.create(id, fmt.Sprint("r", n), team), providers.EffectRepo
	case s.what == "join":
		w.join(team, login)
	case s.what == "leave":
		w.leave(team, login)
	case s.what == "widen":
		w.change(func() { w.teams[team].all = !w.teams[team].all })
	case s.what == "level":
		w.change(func() { w.teams[team].permission = providers.Permission(1 + n%3) })
	case r == nil:
	case s.what == "delete":
		about, effect = r.Repo, providers.EffectGone
		w.remove(id)
	case s.what == "rename":
		w.change(func() { r.Path = fmt.Sprint("acme/n", n) })
	case s.what == "hide":
		w.change(func() { r.Visibility = providers.Internal })
	case s.what == "archive":
		w.change(func() { r.Archived = !r.Archived })
	case s.what == "reach":
		w.change(func() { w.teams[team].repos[id] = true })
	case s.what == "unreach":
		w.change(func() { delete(w.teams[team].repos, id) })
	case s.what == "collaborate":
		w.change(func() { r.collaborators["u-"+login] = providers.Write })
	case s.what == "stop":
		w.change(func() { delete(r.collaborators, "u-"+login) })
	}
	if effect != "" {
		for range s.copies {
			h.hear(effect, about)
		}
	}
}

func TestAnyHistoryConvergesWhateverIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		history := drawHistory(rt)
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			h := open(t, small(), plan{members: time.Minute, repos: 2 * time.Minute, reconcile: time.Hour})
			defer h.stop()
			h.after(40 * time.Second)
			for n, s := range history {
				h.apply(s, n)
				time.Sleep(s.wait)
			}
			h.after(90 * time.Minute) // every poll and a whole reconcile
			for _, login := range append([]string{"admin"}, people...) {
				want := h.world.sees(login)
				if got := h.believes(login); !slices.Equal(got, want) {
					wrong = append(wrong, fmt.Sprintf("catalogue of %s: %v, the forge says %v", login, got, want))
				}
				if got := h.ci.list(login); !slices.Equal(got, want) {
					wrong = append(wrong, fmt.Sprintf("CI server shows %s: %v, the forge says %v", login, got, want))
				}
			}
		})
		for _, w := range wrong {
			rt.Error(w)
		}
	})
}
