package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// A membership that ends by itself is looked at when it does, not with the next
// poll, also when a job about the same person ran in between.
func TestAMembershipThatEndsIsLookedAtThen(t *testing.T) {
	w := newWorld()
	w.team("2", "core", providers.Write)
	w.create("40", "app", "2")
	w.create("41", "shared", "2")
	w.join("2", "ana")
	w.join("2", "li")
	const every = 10 * time.Minute
	inBubble(t, w, plan{members: every}, func(h *house) {
		h.agree("ana", "li")
		ana := w.users["u-ana"]
		end := time.Now().Add(every + every/2)
		w.change(func() {
			w.ends = []providers.End{
				{At: end, Words: "his membership of a group expires", User: ana},
				{At: time.Now().Add(100 * every), Words: "much later", User: w.users["u-li"]},
			}
		})
		h.after(every) // a poll hears of it
		waiting := h.jobs(syncqueue.Waiting)
		if !slices.ContainsFunc(waiting, func(j syncqueue.Job) bool { return j.Subject.ID == ana.ID && j.NotBefore.Equal(end) }) {
			t.Errorf("nothing waits for %s: %v", end, waiting)
		}
		if slices.ContainsFunc(waiting, func(j syncqueue.Job) bool { return j.Subject.ID == "u-li" }) {
			t.Error("something waits for what is much later")
		}
		h.after(time.Until(end) - time.Second)
		h.agree("ana")
		w.change(func() { w.ends = nil })
		w.leave("2", "ana")
		h.after(2 * time.Second)
		h.agree("ana", "li")
		if n := len(w.sees("ana")); n != 0 {
			t.Errorf("ana still has %d", n)
		}
	})
}

// Where teams are not polled, the model that is kept may be older than what
// takes somebody a repository: then it is read again before it may object.
func TestAModelThatIsKeptDoesNotDisputeWhatCameAfterIt(t *testing.T) {
	w := newWorld()
	w.team("2", "core", providers.Write)
	w.create("40", "app", "2")
	w.create("41", "taken", "2")
	w.join("2", "ana")
	w.join("2", "li")
	inBubble(t, w, plan{}, func(h *house) {
		h.agree("ana", "li")
		w.leave("2", "li")
		h.ask(syncqueue.UserJob("git", w.users["u-li"], syncqueue.LaneAddition, time.Now()))
		h.after(5 * time.Second) // which read the teams
		h.agree("ana", "li")
		w.change(func() { delete(w.teams["2"].repos, "41") })
		h.ask(syncqueue.UserJob("git", w.users["u-ana"], syncqueue.LaneAddition, time.Now()))
		h.after(5 * time.Second)
		h.agree("ana", "li")
	})
}
