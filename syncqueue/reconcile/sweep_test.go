package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// crowded is an organization of n people, each in a team of all.
func crowded(n int) *world {
	w := newWorld()
	w.team("2", "core", providers.Write)
	w.create("41", "app", "2")
	for i := range n {
		w.join("2", fmt.Sprintf("p%03d", i))
	}
	return w
}

// looks are the ends of the sweep's looks since a time, by user.
func (h *house) looks(since time.Time) (byUser map[string][]time.Time, all []time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	byUser = map[string][]time.Time{}
	for i, r := range h.runs {
		if r.Job.Kind != syncqueue.KindUser || h.ends[i].Before(since) || r.Result != syncqueue.ResultDone {
			continue
		}
		if r.Job.Lane != syncqueue.LaneReconcile || !r.Job.CausedBy("sweep") {
			h.t.Errorf("%s was looked at in lane %d by %v", r.Job.Subject.Name, r.Job.Lane, r.Job.Causes)
		}
		byUser[r.Job.Subject.Name] = append(byUser[r.Job.Subject.Name], h.ends[i])
		all = append(all, h.ends[i])
	}
	return byUser, all
}

// busiest is the most of times that fall into any window of a length.
func busiest(times []time.Time, window time.Duration) int {
	most := 0
	for i, from := range times {
		n, _ := slices.BinarySearchFunc(times[i:], from.Add(window), time.Time.Compare)
		most = max(most, n)
	}
	return most
}

// 60 people within an hour, in ticks of five minutes: the pace is one look in
// 49 seconds, the owner included.
const crowd, within, tick = 60, time.Hour, 5 * time.Minute

func TestEverybodyIsReconciledWithinTheBoundAndAtAnEvenPace(t *testing.T) {
	inBubble(t, crowded(crowd), plan{reconcile: within}, func(h *house) {
		began := time.Now()
		h.after(5 * within)
		byUser, all := h.looks(began)
		if len(byUser) != crowd+1 {
			t.Errorf("%d of %d people were looked at", len(byUser), crowd+1)
		}
		for who, times := range byUser {
			for i, at := range append(times, time.Now()) {
				last := began
				if i > 0 {
					last = times[i-1]
				}
				if at.Sub(last) > within {
					t.Errorf("%s was not looked at for %s", who, at.Sub(last))
				}
			}
		}
		// Also right after the first fill, which looked at everybody at once,
		// and where the bound ends.
		if n := busiest(all, tick); n > 8 {
			t.Errorf("%d looks within %s", n, tick)
		}
		if n := len(all); n > 5*(crowd+1)*6/5+2 {
			t.Errorf("%d looks in five rounds of %d people", n, crowd+1)
		}
	})
}

func TestARestartIsNoStorm(t *testing.T) {
	inBubble(t, crowded(crowd), plan{reconcile: within}, func(h *house) {
		h.after(2 * within)
		for range 5 {
			began := time.Now()
			h.stop()
			h.start()
			h.after(time.Minute)
			if _, all := h.looks(began); len(all) > 3 {
				t.Errorf("%d looks in the minute after a restart", len(all))
			}
		}
		// Everybody is overdue after a day out of work: within one tick, but
		// evenly, but for what the last sweep had pushed for its own tick.
		h.stop()
		time.Sleep(24 * time.Hour)
		began := time.Now()
		h.start()
		h.after(tick + 2*time.Second)
		byUser, all := h.looks(began)
		if len(byUser) != crowd+1 || len(all) > crowd+2 {
			t.Errorf("%d looks at %d of %d people", len(all), len(byUser), crowd+1)
		}
		if n := busiest(all, 10*time.Second); n > crowd/10+2 {
			t.Errorf("%d looks within 10s", n)
		}
	})
}

func TestLostPublishesDoNotComeBackAtOnce(t *testing.T) {
	inBubble(t, crowded(crowd), plan{reconcile: within}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.down = fmt.Errorf("down")
		h.ci.mu.Unlock()
		h.world.create("42", "new", "2")
		h.hear(providers.EffectRepo, h.world.repos["42"].Repo)
		h.after(10 * time.Second)
		began := time.Now()
		for _, j := range h.jobs("") {
			if j.Kind == syncqueue.KindPublish && j.State != syncqueue.Done {
				if err := h.store.Drop(t.Context(), j.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		h.ci.mu.Lock()
		h.ci.down = nil
		h.ci.mu.Unlock()
		h.after(2*tick + 30*time.Second)
		h.agree("p000", "p059")
		h.mu.Lock()
		defer h.mu.Unlock()
		var all []time.Time
		for i, r := range h.runs {
			if r.Job.Kind == syncqueue.KindPublish && r.Job.CausedBy("sweep") && h.ends[i].After(began) {
				all = append(all, h.ends[i])
			}
		}
		if n := busiest(all, 10*time.Second); len(all) < crowd || n > 8 {
			t.Errorf("%d publishes, %d of them within 10s", len(all), n)
		}
	})
}

// What the sweep finds is no webhook's doing.
func TestTheSweepCountsWhatNoWebhookAnnounced(t *testing.T) {
	inBubble(t, small(), plan{reconcile: within}, func(h *house) {
		count := func() (n int) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, r := range h.runs {
				n += r.Drift()
			}
			return n
		}
		if n := count(); n != 0 {
			t.Errorf("the first fill drifted by %d", n)
		}
		h.world.join("3", "ana")
		h.world.leave("2", "li")
		h.after(within)
		h.agree(everybody...)
		if n := count(); n != 2 {
			t.Errorf("a drift of %d, want 2", n)
		}
		x, err := h.store.Holdings(t.Context(), "git", "u-ana")
		if err != nil || len(x.Cells) != 2 || x.Cells[1].Cause != "sweep" || !x.Cells[1].Asked.IsZero() {
			t.Errorf("%+v, %v", x.Cells, err)
		}
		h.hear(providers.EffectRepo, h.world.create("50", "new", "2"))
		h.after(3 * time.Second)
		if n := count(); n != 2 {
			t.Errorf("an announced change drifted: %d", n)
		}
	})
}
