package reconcile_test

import (
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// What one user's list shows of a repository is applied at once, and the poll
// of repositories finds nothing to compare any more: the others have to be
// looked at all the same.
func TestWhatOneListShowsIsLookedAtForTheOthers(t *testing.T) {
	ana := providers.User{ID: "u-ana", Login: "ana"}
	for name, act := range map[string]func(w *world){
		"a new repository": func(w *world) { w.create("50", "new", "2") },
		"a renamed one":    func(w *world) { w.change(func() { w.repos["41"].Path = "acme/web" }) },
		"one that another owner has": func(w *world) {
			w.change(func() {
				w.repos["41"].Org, w.repos["41"].Path = providers.Org{ID: "9", Name: "other"}, "other/app"
				w.repos["41"].collaborators["u-ana"] = providers.Read
			})
		},
		"one that reaches others now": func(w *world) {
			w.change(func() {
				w.repos["41"].Visibility = providers.Public
				w.repos["41"].collaborators["u-omar"] = providers.Read
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, small(), plan{}, func(h *house) {
				h.ask(syncqueue.UserJob("git", ana, syncqueue.LaneAddition, time.Now()))
				h.after(10 * time.Second)
				act(h.world)
				h.ask(syncqueue.UserJob("git", ana, syncqueue.LaneAddition, time.Now()))
				h.after(30 * time.Second)
				h.agree(everybody...)
			})
		})
	}
}
