package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/storage"
	"github.com/hookd/hookd/syncqueue"
)

// cells is everything the catalogue holds: "ana acme/app write".
func (h *house) cells() map[string]providers.Permission {
	h.t.Helper()
	out := map[string]providers.Permission{}
	users, _, err := h.store.Users(h.t.Context(), storage.UserQuery{}, "", 500)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, u := range users {
		x, err := h.store.Holdings(h.t.Context(), "git", u.User.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, c := range x.Cells {
			out[u.User.Login+" "+c.Repo.Path] = c.Permission
		}
	}
	return out
}

// differences runs jobs dry.
func (h *house) differences(jobs ...syncqueue.Job) (out []string, held []string, errs []error) {
	for d, err := range h.engine.Differences(h.t.Context(), jobs) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case d.Held != "":
			held = append(held, fmt.Sprintf("%s %s %s>%s: %s", d.User.Login, d.Repo.Path, d.From, d.To, d.Held))
		default:
			out = append(out, fmt.Sprintf("%s %s %s>%s", d.User.Login, d.Repo.Path, d.From, d.To))
		}
	}
	slices.Sort(out)
	return out, held, errs
}

func (h *house) plans(org string, u *providers.User) []syncqueue.Job {
	h.t.Helper()
	jobs, err := h.engine.Jobs(h.t.Context(), "git", org, u)
	if err != nil {
		h.t.Fatal(err)
	}
	return jobs
}

// TestADryRunSaysWhatTheRealOneDoes changes the forge in every way, and
// compares what a dry run foretells with what becomes of the catalogue.
func TestADryRunSaysWhatTheRealOneDoes(t *testing.T) {
	ana := providers.User{ID: "u-ana", Login: "ana"}
	zoe := providers.User{ID: "u-zoe", Login: "zoe"}
	for name, c := range map[string]struct {
		act  func(w *world)
		org  string
		user *providers.User
		want []string // nil: whatever it is, but something
	}{
		"nothing":          {func(*world) {}, "acme", nil, []string{}},
		"joined":           {func(w *world) { w.join("3", "ana") }, "", nil, []string{"ana acme/book none>read"}},
		"joined, alone":    {func(w *world) { w.join("3", "ana"); w.join("3", "zoe") }, "", &ana, []string{"ana acme/book none>read"}},
		"joined, in org":   {func(w *world) { w.join("3", "ana") }, "ACME", &ana, []string{"ana acme/book none>read"}},
		"left":             {func(w *world) { w.leave("2", "li") }, "5", nil, []string{"li acme/app write>none"}},
		"collaborates":     {func(w *world) { w.repos["41"].collaborators["u-zoe"] = providers.Admin }, "", &zoe, []string{"zoe acme/app read>admin"}},
		"team's level":     {func(w *world) { w.teams["2"].permission = providers.Read }, "", nil, []string{"ana acme/app write>read", "li acme/app write>read"}},
		"created":          {func(w *world) { w.create("50", "new", "2") }, "", nil, []string{"admin acme/new none>admin", "ana acme/new none>write", "li acme/new none>write"}},
		"deleted":          {func(w *world) { w.remove("41") }, "", nil, []string{"admin acme/app admin>none", "ana acme/app write>none", "li acme/app write>none", "zoe acme/app read>none"}},
		"renamed":          {func(w *world) { w.repos["41"].Path = "acme/web" }, "", nil, []string{}},
		"transferred away": {func(w *world) { w.repos["42"].Org = providers.Org{ID: "9", Name: "other"} }, "", nil, nil},
		"a newcomer":       {func(w *world) { w.join("3", "mia") }, "", nil, []string{"mia acme/book none>read"}},
		"all at once": {func(w *world) {
			w.join("3", "ana")
			w.leave("2", "li")
			w.create("50", "new", "3")
			w.remove("41")
		}, "", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, small(), plan{}, func(h *house) {
				h.agree(everybody...)
				c.act(h.world)
				before, stats := h.cells(), h.jobs("")
				jobs := h.plans(c.org, c.user)
				got, held, errs := h.differences(jobs...)
				if len(held)+len(errs) > 0 {
					t.Fatalf("held %v, errors %v", held, errs)
				}
				if c.want != nil && !slices.Equal(got, c.want) || c.want == nil && len(got) == 0 {
					t.Errorf("foretold %q, want %q", got, c.want)
				}
				if diff := cmp.Diff(before, h.cells()); diff != "" {
					t.Errorf("the dry run wrote:\n%s", diff)
				}
				if diff := cmp.Diff(stats, h.jobs("")); diff != "" {
					t.Errorf("the dry run pushed jobs:\n%s", diff)
				}
				// The same jobs, for real.
				h.ask(jobs...)
				h.after(time.Minute)
				done := []string{}
				after := h.cells()
				for at, is := range after {
					if was := before[at]; was != is {
						done = append(done, fmt.Sprintf("%s %s>%s", at, was, is))
					}
				}
				slices.Sort(done)
				if name == "renamed" { // the cells go by their paths here
					return
				}
				if len(got) == 0 {
					got = []string{}
				}
				if !slices.Equal(got, done) {
					t.Errorf("foretold %q, and then %q", got, done)
				}
			})
		})
	}
}

func TestADryRunSaysWhatWouldBeHeld(t *testing.T) {
	w := small()
	for i := range 40 {
		w.create(fmt.Sprint(100+i), fmt.Sprintf("r%02d", i), "2")
	}
	inBubble(t, w, plan{}, func(h *house) {
		ana := providers.User{ID: "u-ana", Login: "ana"}
		// The list is short, and the teams say otherwise.
		h.world.change(func() { h.world.empty["list"] = true })
		_, held, errs := h.differences(h.plans("", &ana)...)
		if len(errs) > 0 || len(held) != 41 || !strings.Contains(held[0], "ana acme/app write>none: ana lost acme/") || !strings.Contains(held[0], "two independent reads of the forge disagree") {
			t.Errorf("%d held: %.1q, errors %v", len(held), held, errs)
		}
		h.world.change(func() { h.world.empty["list"] = false })
		// Everything agrees, but it is much less.
		h.world.change(func() {
			for i := range 40 {
				delete(h.world.teams["2"].repos, fmt.Sprint(100+i))
			}
		})
		_, held, errs = h.differences(h.plans("", &ana)...)
		if len(errs) > 0 || len(held) != 40 || !strings.Contains(held[0], "ana would keep 1 of 41 repositories: the answer is much smaller than before") {
			t.Errorf("%d held: %.1q, errors %v", len(held), held, errs)
		}
		// What it remembers of the forge meanwhile is not what jobs go by.
		h.ask(h.plans("", &ana)...)
		h.after(10 * time.Minute)
		if got := h.believes("ana"); len(got) != 41 {
			t.Errorf("ana holds %d", len(got))
		}
	})
}

func TestADryRunEndsWhereItsReaderDoes(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.world.change(func() { h.world.teams["2"].permission = providers.Read })
		n := 0
		for range h.engine.Differences(t.Context(), h.plans("", nil)) {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%d differences", n)
		}
		calls := 0
		h.world.change(func() {
			h.world.fault = func(string) error { calls++; return errors.New("down") }
		})
		ana := providers.User{ID: "u-ana", Login: "ana"}
		jobs := append(h.plans("", &ana), h.plans("", nil)...)
		if _, _, errs := h.differences(jobs...); len(errs) != 2 || calls != 2 {
			t.Errorf("%d errors of two jobs after %d calls: %v", len(errs), calls, errs)
		}
		h.world.change(func() { h.world.fault = nil })
	})
}

func TestJobsOfWhatIsNamed(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		ana := providers.User{ID: "u-ana", Login: "ana"}
		for _, c := range []struct {
			provider, org string
			user          *providers.User
			want          syncqueue.Key
		}{
			{"", "", nil, "scope/git/org/5"},
			{"git", "Acme", nil, "scope/git/org/5"},
			{"", "acme/sub/deep", nil, "scope/git/org/5"},
			{"git", "", &ana, "user/git/u-ana"},
			{"git", "5", &ana, "member/git/u-ana/org/5"},
		} {
			jobs, err := h.engine.Jobs(t.Context(), c.provider, c.org, c.user)
			if err != nil || len(jobs) != 1 || jobs[0].Key != c.want || !jobs[0].Fresh {
				t.Errorf("%+v: %v, %v", c, jobs, err)
			}
		}
		for _, org := range []string{"acm", "acmee", "6", "sub"} {
			if jobs, err := h.engine.Jobs(t.Context(), "", org, nil); !errors.Is(err, providers.ErrNotFound) {
				t.Errorf("%s: %v, %v", org, jobs, err)
			}
		}
	})
}
