package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// What is announced in the middle of a pass may concern what the pass has read
// already.
func TestAnEventAmidAPassLeadsToAnother(t *testing.T) {
	w := small()
	for i := range 120 {
		w.create(fmt.Sprint(1000+i), fmt.Sprint("r", i), "3")
	}
	inBubble(t, w, plan{}, func(h *house) {
		h.agree(everybody...)
		pass := syncqueue.ScopeJob("git", w.org, time.Now())
		h.ask(pass)
		read, heard := map[string]int{}, false
		w.change(func() {
			w.fault = func(op string) error {
				if read[op]++; op == "audience" && read[op] == 70 && !heard {
					heard = true
					for _, r := range w.repos { // all of them: one at least was read
						r.collaborators["u-li"] = providers.Read
					}
					d := providers.Delivery{ID: syncqueue.NewID(time.Now()), Provider: "git", GUID: "amid", Received: time.Now()}
					e := providers.Event{Name: "organization.edited", Effect: providers.EffectScope, Org: w.org}
					jobs := syncqueue.JobsFor(d, e, syncqueue.Timing{}, d.Received)
					if len(jobs) != 1 || jobs[0].Key != pass.Key {
						t.Errorf("the event leads to %v", jobs)
					}
					if _, err := h.store.Push(t.Context(), syncqueue.Entry{Delivery: d, Event: e, Result: syncqueue.EntryAccepted}, jobs...); err != nil {
						t.Error(err)
					}
				}
				return nil
			}
		})
		h.after(10 * time.Minute)
		h.agree(everybody...)
		runs := 0
		for _, j := range h.doneRuns() {
			if j.Kind == syncqueue.KindScope {
				runs++
			}
		}
		if runs > 3*3 {
			t.Errorf("%d runs of scope jobs for three passes of three: it goes round and round", runs)
		}
	})
}
