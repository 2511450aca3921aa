package reconcile_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// glass is an organization with a repository that everybody sees.
func glass() *world {
	w := newWorld()
	w.team("2", "core", providers.Write)
	w.join("2", "ana")
	w.create("41", "app", "2")
	w.show("41", providers.Public)
	return w
}

// show changes who may see a repository.
func (w *world) show(id string, v providers.Visibility) providers.Repo {
	var r providers.Repo
	w.change(func() {
		w.repos[id].Visibility = v
		r = w.repos[id].Repo
	})
	return r
}

// strangersSee fails unless the CI server shows exactly these to everybody.
func (h *house) strangersSee(ids ...string) {
	h.t.Helper()
	h.ci.mu.Lock()
	defer h.ci.mu.Unlock()
	if len(h.ci.open) != len(ids) {
		h.t.Fatalf("strangers see %v, want %v", h.ci.open, ids)
	}
	for _, id := range ids {
		if _, ok := h.ci.open[id]; !ok {
			h.t.Fatalf("strangers see %v, want %v", h.ci.open, ids)
		}
	}
}

func TestWhatBecomesPrivateIsTakenFromStrangers(t *testing.T) {
	for _, v := range []providers.Visibility{providers.Private, providers.Internal} {
		inBubble(t, glass(), plan{}, func(h *house) {
			h.after(time.Minute)
			h.strangersSee("41")
			h.hear(providers.EffectRepo, h.world.show("41", v))
			h.after(5 * time.Second)
			h.strangersSee()
		})
	}
}

// No event, no poll: a user's own list shows it.
func TestWhatBecamePrivateUnseenIsTakenFromStrangersWithinTheBound(t *testing.T) {
	inBubble(t, glass(), plan{reconcile: time.Hour}, func(h *house) {
		h.after(time.Minute)
		h.world.show("41", providers.Private)
		h.after(time.Hour)
		h.strangersSee()
	})
}

func TestStrangersGetNothingBackByThemselves(t *testing.T) {
	inBubble(t, glass(), plan{reconcile: time.Hour}, func(h *house) {
		h.after(time.Minute)
		h.hear(providers.EffectRepo, h.world.show("41", providers.Private))
		h.after(time.Minute)
		h.hear(providers.EffectRepo, h.world.show("41", providers.Public))
		h.after(3 * time.Hour)
		h.strangersSee()
	})
}

func TestConcealingGoesOnUntilTheServerDoesIt(t *testing.T) {
	inBubble(t, glass(), plan{}, func(h *house) {
		h.after(time.Minute)
		h.ci.mu.Lock()
		h.ci.down = errors.New("down")
		h.ci.mu.Unlock()
		h.hear(providers.EffectRepo, h.world.show("41", providers.Private))
		h.after(time.Hour)
		h.strangersSee("41")
		h.ci.mu.Lock()
		h.ci.down = nil
		h.ci.mu.Unlock()
		h.after(20 * time.Minute)
		h.strangersSee()
	})
}

// Without an administrator's token nothing can be done. That is said, and made
// up for once there is one.
func TestConcealingWaitsForAnAdministrator(t *testing.T) {
	inBubble(t, glass(), plan{reconcile: time.Hour}, func(h *house) {
		h.after(time.Minute)
		h.ci.mu.Lock()
		h.ci.admin = false
		h.ci.mu.Unlock()
		h.hear(providers.EffectRepo, h.world.show("41", providers.Private))
		h.after(2 * time.Hour)
		h.strangersSee("41")
		parked := h.jobs(syncqueue.Parked)
		if len(parked) != 1 || !strings.Contains(parked[0].Note, "administrator") || parked[0].Subject.ID != "41" {
			t.Fatalf("parked are %+v", parked)
		}
		h.ci.mu.Lock()
		h.ci.admin = true
		h.ci.mu.Unlock()
		h.after(time.Hour)
		h.strangersSee()
		if parked = h.jobs(syncqueue.Parked); len(parked) > 0 {
			t.Errorf("still parked: %+v", parked)
		}
	})
}

func TestAPublicRepositoryStaysPublic(t *testing.T) {
	inBubble(t, glass(), plan{reconcile: time.Hour}, func(h *house) {
		h.after(3 * time.Hour)
		h.strangersSee("41")
		if len(h.ci.closed) > 0 {
			t.Errorf("closed %v", h.ci.closed)
		}
	})
}
