package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// What goes and comes back between two members polls differs in none of the
// models that they compare, but a job in between may have believed that it was
// gone.
func TestWhatWentAndCameBackBetweenTwoPollsIsLookedAt(t *testing.T) {
	li := providers.User{ID: "u-li", Login: "li"}
	cases := []struct {
		name       string
		ask        func(w *world) syncqueue.Job
		away, back func(w *world)
	}{
		{
			"a member, whose own list was read",
			func(*world) syncqueue.Job {
				return syncqueue.UserJob("git", li, syncqueue.LaneRemoval, time.Now())
			},
			func(w *world) { w.leave("2", "li") }, func(w *world) { w.join("2", "li") },
		},
		{
			"a repository, whose audience was read",
			func(w *world) syncqueue.Job {
				j := syncqueue.RepoJob("git", w.repos["43"].Repo, syncqueue.LaneRemoval, time.Now())
				j.Fresh = true
				return j
			},
			func(w *world) { w.change(func() { delete(w.teams["2"].repos, "43") }) },
			func(w *world) { w.change(func() { w.teams["2"].repos["43"] = true }) },
		},
	}
	for i := range 2 * len(cases) {
		c, restarted := cases[i/2], i%2 == 1
		t.Run(fmt.Sprintf("%s, restarted %t", c.name, restarted), func(t *testing.T) {
			w := small()
			w.create("43", "lib", "2")
			inBubble(t, w, plan{members: 10 * time.Minute}, func(h *house) {
				h.after(20 * time.Minute)
				before := len(h.believes("li"))
				c.away(h.world)
				h.ask(c.ask(h.world))
				h.after(time.Minute)
				if n := len(h.believes("li")); n >= before {
					t.Fatalf("li still holds %d of %d", n, before)
				}
				if restarted {
					h.stop()
					h.start()
				}
				c.back(h.world)
				h.after(15 * time.Minute)
				h.agree("li")
			})
		})
	}
}
