package reconcile_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

func (c *ci) Scout(ctx context.Context, found func(repo string)) error {
	for {
		select {
		case id := <-c.woken:
			found(id)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestWhatIsActivatedShowsToAllWhoHoldIt(t *testing.T) {
	inBubble(t, acme(), plan{}, func(h *house) {
		ctx, cancel := context.WithCancel(h.t.Context())
		defer cancel()
		h.ci.woken, h.ci.idle = make(chan string), map[string]bool{"12": true}
		go h.engine.Run(ctx)

		h.world.create("12", "three", "3")
		h.hear(providers.EffectRepo, h.world.repos["12"].Repo)
		h.after(time.Minute)
		for _, login := range []string{"ana", "li"} {
			u, err := h.store.UserByLogin(h.t.Context(), "git", login)
			if err != nil {
				t.Fatal(err)
			}
			held, err := h.store.Holdings(h.t.Context(), "git", u.ID)
			if err != nil {
				t.Fatal(err)
			}
			if held.Behind("drone") {
				t.Errorf("%s: what is not activated is still worked on", login)
			}
		}
		if n := len(h.jobs(syncqueue.Dead)); n > 0 {
			t.Errorf("%d dead letters", n)
		}
		syncs := h.ci.syncs["admin"]

		h.ci.mu.Lock()
		h.ci.idle = nil
		h.ci.mu.Unlock()
		h.ci.woken <- "12"
		h.ci.woken <- "10"     // shows to everybody already
		h.ci.woken <- "nobody" // and this is not ours
		h.after(time.Second)
		for _, login := range []string{"ana", "li"} {
			if !slices.Contains(h.ci.list(login), "acme/three") {
				t.Errorf("%s sees %q", login, h.ci.list(login))
			}
		}
		h.agree("ana", "li")
		if n := h.ci.syncs["admin"] - syncs; n > 1 {
			t.Errorf("the administrator was synchronized %d times", n)
		}
	})
}
