package drone_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue/target"
	"github.com/hookd/hookd/syncqueue/target/targettest"
)

// TestNoFaultTakesAwayAndQuietConverges drives one user through grants, losses
// and renames while the forge and Drone fail in every way they know. Two things
// hold: what the forge grants and Drone showed keeps showing, and once the
// faults stop Drone shows the forge's list.
func TestNoFaultTakesAwayAndQuietConverges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newSim(t)
		w := &chaos{sim: s, granted: map[string]providers.Repo{}, absent: map[string]providers.Repo{}}
		s.crowd("ana", rapid.IntRange(0, 110).Draw(rt, "at first"))
		for _, r := range s.forge.list("ana") {
			w.granted[r.ID] = r
		}
		u := s.join(t, "ana")
		rt.Repeat(map[string]func(*rapid.T){
			"grant":  func(*rapid.T) { w.grant() },
			"revoke": w.revoke,
			"rename": w.rename,
			"forge fails": func(rt *rapid.T) {
				w.fault = rapid.SampledFrom([]string{"", "", "empty", "no link", "html", "500", "401", "page 2"}).Draw(rt, "how")
				w.apply()
			},
			"Drone fails": func(rt *rapid.T) {
				f := rapid.SampledFrom([]targettest.Fault{
					targettest.FaultNone, targettest.FaultNone, targettest.FaultUnavailable, targettest.FaultInternal, targettest.FaultHTML,
					targettest.FaultEmptyList, targettest.FaultTruncated, targettest.FaultStranger,
				}).Draw(rt, "how")
				on := rapid.SampledFrom([]string{"", "POST", "GET /api/users/ana/repos", "GET /api/user/remote"}).Draw(rt, "where")
				s.drone.Break(f, on)
			},
			"sync": func(rt *rapid.T) {
				before := s.drone.Shows("ana")
				want := w.want(rapid.Bool().Draw(rt, "explain"), rapid.Bool().Draw(rt, "countable"))
				_, _ = s.target.Sync(t.Context(), u, want)
				w.kept(rt, before)
			},
		})
		w.fault = ""
		w.apply()
		s.drone.Heal()
		s.write(t, "ana", droneToken("ana")+"-rotated") // a rejection that an outage caused ends with a new token
		if err := s.drone.LogIn("ana", droneToken("ana")+"-rotated", forgeToken("ana")); err != nil {
			rt.Fatal(err)
		}
		for range 3 {
			res, err := s.target.Sync(t.Context(), u, w.want(false, true))
			if err != nil {
				rt.Fatal(err)
			}
			if res.Settled() {
				break
			}
		}
		var want []string
		for _, r := range w.granted {
			want = append(want, r.Path)
		}
		slices.Sort(want)
		if got := s.drone.Shows("ana"); !slices.Equal(got, want) {
			rt.Fatalf("Drone shows %q, the forge grants %q", got, want)
		}
	})
}

// chaos is a sim with a catalogue that is always right.
type chaos struct {
	*sim
	granted, absent map[string]providers.Repo
	fault           string
	serial          int
}

func (w *chaos) grant() {
	w.serial++
	r := w.forge.add(fmt.Sprintf("acme/new-%03d", w.serial), "ana")
	w.granted[r.ID] = r
}

func (w *chaos) some(rt *rapid.T) providers.Repo {
	if len(w.granted) == 0 {
		rt.Skip("nothing granted")
	}
	var ids []string
	for id := range w.granted {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return w.granted[rapid.SampledFrom(ids).Draw(rt, "which")]
}

func (w *chaos) revoke(rt *rapid.T) {
	r := w.some(rt)
	w.forge.set("ana", r.ID, false)
	delete(w.granted, r.ID)
	w.absent[r.ID] = r
}

func (w *chaos) rename(rt *rapid.T) {
	r := w.some(rt)
	w.serial++
	w.granted[r.ID] = w.forge.change(r.ID, func(r *providers.Repo) { r.Path = fmt.Sprintf("acme/renamed-%03d", w.serial) })
}

func (w *chaos) apply() {
	w.forge.mu.Lock()
	defer w.forge.mu.Unlock()
	answers := map[string]func(page int) (int, string){
		"empty":  func(int) (int, string) { return http.StatusOK, "[]" },
		"html":   func(int) (int, string) { return http.StatusOK, "<html>" },
		"500":    func(int) (int, string) { return http.StatusInternalServerError, "" },
		"401":    func(int) (int, string) { return http.StatusUnauthorized, "" },
		"page 2": func(page int) (int, string) { return map[bool]int{true: http.StatusBadGateway}[page > 1], "" },
	}
	w.forge.fail, w.forge.noLink = answers[w.fault], w.fault == "no link"
}

func (w *chaos) want(explain, countable bool) target.Desired {
	want := target.Desired{Explain: explain}
	for _, r := range w.granted {
		want.Present = append(want.Present, providers.Access{Repo: r})
	}
	for _, r := range w.absent {
		want.Absent = append(want.Absent, providers.Access{Repo: r})
	}
	if !countable {
		return want
	}
	want.Count = func(context.Context) (int, error) { // suffers what the list suffers
		n := len(w.granted)
		switch {
		case w.fault == "empty":
			return 0, nil
		case w.fault == "html", w.fault == "500", w.fault == "401", w.fault == "no link" && n > 50:
			return 0, providers.ErrNonsense
		}
		return n, nil
	}
	return want
}

// kept wants every repository that showed and is granted to show still, under
// its old name or its new one. Without a count a list that shrinks by less than
// the guard holds is let through: that is what the guard's figures mean.
func (w *chaos) kept(rt *rapid.T, before []string) {
	shows := w.drone.Shows("ana")
	lost := 0
	for _, r := range w.granted {
		if slices.Contains(before, r.Path) && !slices.Contains(shows, r.Path) {
			lost++
		}
	}
	allowed := 0
	if w.fault == "no link" {
		allowed = len(before) * guard.Percent / 100
	}
	if lost > allowed {
		rt.Fatalf("%d repositories were taken away, though the forge grants them (forge: %q)", lost, w.fault)
	}
}
