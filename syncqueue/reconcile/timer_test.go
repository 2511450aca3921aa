package reconcile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/providers/providerstest"
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

// What GitLab will end by itself is looked at when GitLab has taken it away, also
// when nobody tells, and once an hour for as long as it has not.
func TestADirectMembershipThatEndsIsLookedAtThen(t *testing.T) {
	for _, k := range kinds {
		if k.name != "gitlab" {
			continue
		}
		for hook, owner := range map[string]string{"system": "", "group": "acme"} {
			t.Run(hook, func(t *testing.T) {
				k.hooked = []string{owner}
				prepare := func(e *estate) {
					settled(e)
					f := e.forge.(*providerstest.GitLab)
					e.must(f.ExpireCollaborator("acme/app", "zoe", time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)))
				}
				inEstate(t, k, simOptions{}, plan{}, prepare, func(e *estate) {
					f := e.forge.(*providerstest.GitLab)
					has := func(want string) {
						t.Helper()
						if got := e.believes(e.users()["zoe"])["acme/app"]; got != want {
							t.Errorf("at %s zoe has acme/app as %q, want %q", time.Now().UTC().Format(time.TimeOnly), got, want)
						}
					}
					e.after(5 * time.Minute)
					e.agree()
					has("read")
					until := func(hour, minute int) { e.after(time.Until(time.Date(2000, 1, 2, hour, minute, 0, 0, time.UTC))) }
					sent := e.toForge.sent.Load()
					until(0, 10)
					if n := e.toForge.sent.Load() - sent; n != 0 {
						t.Errorf("%d requests to the forge before anything ended", n)
					}
					until(0, 12) // and the worker has not run yet
					has("read")
					e.now(f.RemoveExpired)
					has("read")
					until(1, 12)
					has("")
					e.agree()
					if jobs := e.jobs(syncqueue.Waiting); slices.ContainsFunc(jobs, func(j syncqueue.Job) bool { return j.Provider == "git" && j.Subject.ID == e.users()["zoe"].ID }) {
						t.Errorf("something waits for what ended: %v", jobs)
					}
				})
			})
		}
	}
}
