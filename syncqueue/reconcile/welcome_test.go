package reconcile_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func (h *house) welcome(login string) {
	h.t.Helper()
	n, err := h.engine.Welcome(h.t.Context(), "drone", login, syncqueue.Cause{By: "target", Event: "user.created", At: time.Now()})
	if n != 1 || err != nil {
		h.t.Fatalf("%d jobs, %v", n, err)
	}
}

// acme has two repositories; li may see one of them, ana both.
func acme() *world {
	w := newWorld()
	w.team("2", "core", providers.Write).all = true
	w.team("3", "docs", providers.Read)
	w.join("2", "ana")
	w.join("3", "li")
	w.create("10", "one")
	w.create("11", "two", "3")
	return w
}

func TestWhoComesToTheCIServerIsLookedAtAtOnce(t *testing.T) {
	inBubble(t, acme(), plan{}, func(h *house) {
		h.ci.keys = map[string]bool{"admin": true, "ana": true}
		h.world.create("12", "three", "3")
		h.hear(providers.EffectRepo, h.world.repos["12"].Repo)
		h.after(10 * time.Second)
		parked := h.jobs(syncqueue.Parked)
		if len(parked) != 1 || parked[0].Subject.Name != "li" {
			t.Fatalf("parked: %+v", parked)
		}
		h.ci.keys["li"] = true
		h.welcome("LI") // logins fold
		h.after(time.Second)
		h.agree("ana", "li")
		if left := h.jobs(syncqueue.Parked); len(left) > 0 {
			t.Errorf("still parked: %+v", left)
		}
	})
}

func TestWhomTheCatalogueDoesNotKnowIsAskedForOnTheForge(t *testing.T) {
	inBubble(t, acme(), plan{}, func(h *house) {
		guest := h.world.user("guest")
		h.world.change(func() {
			h.world.repos["10"].collaborators[guest.ID] = providers.Read
			h.world.fault = func(op string) error { return providers.ErrUnavailable }
		})
		h.welcome("guest")
		h.after(time.Minute) // the forge is away, which loses nothing
		if got := h.ci.list("guest"); len(got) > 0 {
			t.Fatalf("shown %q by nobody's word", got)
		}
		h.world.change(func() { h.world.fault = nil })
		h.after(2 * time.Minute)
		h.agree("guest")
		if !slices.Equal(h.ci.list("guest"), []string{"acme/one"}) {
			t.Errorf("the guest sees %q", h.ci.list("guest"))
		}
	})
}

func TestALoginThatTheForgeDoesNotKnowIsDone(t *testing.T) {
	inBubble(t, acme(), plan{}, func(h *house) {
		h.welcome("nobody")
		h.after(time.Minute)
		done := slices.DeleteFunc(h.jobs(syncqueue.Done), func(j syncqueue.Job) bool { return j.Key != "user/git/login/nobody" })
		if len(done) != 1 || done[0].Attempts > 1 || done[0].Note == "" {
			t.Errorf("got %+v", done)
		}
		if _, err := h.engine.Welcome(t.Context(), "other", "ana", syncqueue.Cause{}); !errors.Is(err, syncqueue.ErrUnknown) {
			t.Errorf("a target that is not there: %v", err)
		}
	})
}

func TestManyWordsOfOneNewcomerAreOneJob(t *testing.T) {
	inBubble(t, acme(), plan{}, func(h *house) {
		h.world.user("guest")
		if err := h.store.Pause(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		for _, login := range []string{"guest", "Guest", "GUEST"} {
			h.welcome(login)
		}
		if ready := h.jobs(syncqueue.Ready); len(ready) != 1 {
			t.Errorf("%d jobs wait", len(ready))
		}
	})
}
