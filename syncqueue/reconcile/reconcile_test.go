package reconcile_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookd/hookd/providers"
	"github.com/hookd/hookd/syncqueue"
)

// small is an organization of two teams: core (ana, li) has app, docs (omar)
// has book; zoe collaborates on app.
func small() *world {
	w := newWorld()
	w.team("2", "core", providers.Write)
	w.team("3", "docs", providers.Read)
	w.join("2", "ana")
	w.join("2", "li")
	w.join("3", "omar")
	w.create("41", "app", "2")
	w.create("42", "book", "3")
	w.repos["41"].collaborators[w.user("zoe").ID] = providers.Read
	return w
}

var everybody = []string{"admin", "ana", "li", "omar", "zoe"}

func TestFirstFillIsCompleteWithoutAnybodyAsking(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) { h.agree(everybody...) })
}

func TestACreatedRepositoryReachesWhoDidNothing(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.hear(providers.EffectRepo, h.world.create("50", "new", "2"))
		h.after(3 * time.Second)
		h.agree(everybody...)
		if !slices.Contains(h.ci.list("ana"), "acme/new") {
			t.Error("ana does not see acme/new")
		}
		vs, err := h.store.Visible(t.Context(), time.Time{})
		if err != nil || len(vs) != 3 { // admin, ana, li
			t.Errorf("%d changes were measured (%v), want 3", len(vs), err)
		}
		for _, v := range vs {
			if v.Took() <= 0 || v.Took() > 3*time.Second {
				t.Errorf("%s showed to %s after %s", v.Repo, v.User, v.Took())
			}
		}
	})
}

func TestANewRepositoryThatTheForgeDoesNotShowYetIsLookedAtAgain(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		late := providers.Repo{ID: "50", Path: "acme/new", Org: h.world.org}
		h.hear(providers.EffectRepo, late)
		h.after(5 * time.Second)
		h.world.create("50", "new", "2")
		h.after(10 * time.Second)
		h.agree(everybody...)
	})
}

func TestADeletionSeenWhileTheForgeStillAnswersIsLookedAtAgain(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.hear(providers.EffectGone, h.world.repos["41"].Repo)
		h.after(1500 * time.Millisecond)
		if len(h.believes("ana")) != 1 {
			t.Fatal("access was taken away while the forge still has the repository")
		}
		h.world.remove("41")
		h.after(10 * time.Second)
		h.agree(everybody...)
	})
}

func TestA404WithoutProofTakesNothingAway(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		app := h.world.repos["41"].Repo
		h.world.remove("41")
		h.world.change(func() {
			h.world.fault = func(op string) error {
				if op == "prove" {
					return &providers.ForgeError{Op: "GET teams", Status: 403, Class: providers.ErrForbidden}
				}
				return nil
			}
		})
		h.hear(providers.EffectGone, app)
		h.after(time.Hour)
		if got := h.believes("ana"); !slices.Equal(got, []string{"acme/app"}) {
			t.Errorf("ana holds %v: a 404 to a token without rights was believed", got)
		}
		h.world.change(func() { h.world.fault = nil })
		h.after(time.Hour)
		h.agree(everybody...)
	})
}

func TestWhatGiteaNeverAnnouncesIsPolled(t *testing.T) {
	inBubble(t, small(), plan{members: time.Minute, repos: 2 * time.Minute}, func(h *house) {
		w := h.world
		for _, step := range []struct {
			what string
			act  func()
		}{
			{"joined", func() { w.join("3", "ana") }},
			{"left", func() { w.leave("2", "li") }},
			{"team repo", func() { w.change(func() { w.teams["3"].repos["41"] = true }) }},
			{"collaborator", func() { w.change(func() { delete(w.repos["41"].collaborators, "u-zoe") }) }},
			{"collaborator+", func() { w.change(func() { w.repos["42"].collaborators["u-zoe"] = providers.Write }) }},
			{"renamed", func() { w.change(func() { w.repos["42"].Path = "acme/manual" }) }},
			{"archived", func() { w.change(func() { w.repos["42"].Archived = true }) }},
			{"adopted", func() { w.create("60", "adopted", "2") }},
			{"transferred", func() { w.change(func() { w.repos["42"].Org = providers.Org{ID: "9", Name: "other"} }) }},
			{"deleted", func() { w.remove("41") }},
			{"team gone", func() { w.change(func() { delete(w.teams, "3") }) }},
			{"team wide", func() { w.change(func() { w.teams["2"].all = true }) }},
			{"permission", func() { w.change(func() { w.teams["2"].permission = providers.Read }) }},
		} {
			step.act()
			h.after(2*time.Minute + 30*time.Second)
			h.agree(everybody...)
			if t.Failed() {
				t.Fatalf("%s was not followed", step.what)
			}
		}
	})
}

func TestASlowReadDoesNotBringBackWhatANewerOneTookAway(t *testing.T) {
	inBubble(t, small(), plan{workers: 4}, func(h *house) {
		gate := make(chan struct{})
		h.world.change(func() { h.world.slow["audience"] = gate })
		h.hear(providers.EffectRepo, h.world.repos["41"].Repo) // reads ana as a member, and hangs
		h.after(2 * time.Second)
		h.world.change(func() { delete(h.world.slow, "audience") })
		h.world.leave("2", "ana")
		h.ask(syncqueue.MemberJob("git", providers.User{ID: "u-ana", Login: "ana"}, h.world.org, syncqueue.LaneRemoval, time.Now()))
		h.after(2 * time.Second)
		if got := h.believes("ana"); len(got) != 0 {
			t.Fatalf("ana still holds %v", got)
		}
		close(gate)
		h.after(2 * time.Second)
		h.agree(everybody...)
	})
}

func TestNonsenseTakesNothingAway(t *testing.T) {
	broken := &providers.ForgeError{Op: "GET page 2", Status: 200, Class: providers.ErrNonsense}
	faults := map[string]func(w *world){
		"failing page of an audience": func(w *world) {
			w.fault = func(op string) error {
				if op == "audience" {
					return broken
				}
				return nil
			}
		},
		"every call fails":    func(w *world) { w.fault = func(string) error { return broken } },
		"empty own lists":     func(w *world) { w.empty["list"], w.empty["scope"] = true, true },
		"empty audience":      func(w *world) { w.empty["audience"] = true },
		"empty collaborators": func(w *world) { w.empty["collaborators"] = true },
		"no teams":            func(w *world) { w.empty["model"] = true },
		"no repositories":     func(w *world) { w.empty["repos"] = true },
		"everything is empty": func(w *world) {
			w.empty = all("list", "scope", "audience", "collaborators", "model", "repos", "members")
		},
		"everything empty but one": func(w *world) { w.empty = all("list", "scope", "audience", "collaborators", "repos", "members") },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			inBubble(t, small(), plan{members: time.Minute, repos: time.Minute, reconcile: time.Hour}, func(h *house) {
				before := map[string][]string{}
				for _, login := range everybody {
					before[login] = h.believes(login)
				}
				h.world.change(func() { fault(h.world) })
				h.hear(providers.EffectRepo, h.world.repos["41"].Repo)
				for _, login := range everybody {
					u := providers.User{ID: "u-" + login, Login: login}
					h.ask(syncqueue.UserJob("git", u, syncqueue.LaneAddition, time.Now()))
					h.ask(syncqueue.MemberJob("git", u, h.world.org, syncqueue.LaneRemoval, time.Now()))
				}
				h.after(2 * time.Hour)
				for _, login := range everybody {
					if got := h.believes(login); !slices.Equal(got, before[login]) {
						t.Errorf("%s held %v and now holds %v", login, before[login], got)
					}
					if got := h.ci.list(login); !slices.Equal(got, before[login]) {
						t.Errorf("CI server showed %s %v and now shows %v", login, before[login], got)
					}
				}
				h.world.change(func() { h.world.fault, h.world.empty = nil, map[string]bool{} })
				h.after(3 * time.Hour)
				h.agree(everybody...)
			})
		})
	}
}

func all(ops ...string) map[string]bool {
	m := map[string]bool{}
	for _, op := range ops {
		m[op] = true
	}
	return m
}

func TestAMissingCredentialParksAndItsFileWakes(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.keys = map[string]bool{"admin": true, "li": true}
		h.ci.mu.Unlock()
		h.hear(providers.EffectRepo, h.world.create("50", "new", "2"))
		h.after(5 * time.Second)
		parked := h.jobs(syncqueue.Parked)
		if len(parked) != 1 || parked[0].Subject.Name != "ana" || parked[0].Note == "" {
			t.Fatalf("parked: %+v, want one job of ana with a reason", parked)
		}
		h.ci.mu.Lock()
		h.ci.keys["ana"] = true
		h.ci.mu.Unlock()
		h.ask(syncqueue.PublishJob("drone", "git", providers.User{ID: "u-ana", Login: "ana"}, syncqueue.Job{}, syncqueue.LaneAddition, time.Now()))
		h.after(5 * time.Second)
		h.agree(everybody...)
	})
}

func TestWhatNeverShowsEndsAsADeadLetterWithItsName(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.blind["50"] = true
		h.ci.mu.Unlock()
		h.hear(providers.EffectRepo, h.world.create("50", "new", "2"))
		h.after(time.Hour)
		dead := h.jobs(syncqueue.Dead)
		if len(dead) != 3 {
			t.Fatalf("%d dead letters, want 3 (admin, ana, li)", len(dead))
		}
		if want := "acme/new"; !contains(dead[0].LastError, want) {
			t.Errorf("last error %q does not name %s", dead[0].LastError, want)
		}
	})
}

func TestACIServerThatWasDownCatchesUp(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		h.ci.mu.Lock()
		h.ci.down = errors.New("connection refused")
		h.ci.mu.Unlock()
		for i := range 20 {
			h.hear(providers.EffectRepo, h.world.create(fmt.Sprint(100+i), fmt.Sprint("new", i), "2"))
		}
		h.after(time.Hour)
		h.ci.mu.Lock()
		h.ci.down = nil
		h.ci.mu.Unlock()
		h.after(11 * time.Minute)
		h.agree(everybody...)
	})
}

func TestALeaverLosesAThousandRepositoriesWithoutAnOperator(t *testing.T) {
	w := small()
	for i := range 1000 {
		w.create(fmt.Sprint(1000+i), fmt.Sprint("r", i), "2")
	}
	inBubble(t, w, plan{members: time.Minute}, func(h *house) {
		h.after(2 * time.Minute)
		h.agree(everybody...)
		h.world.leave("2", "ana")
		h.after(time.Minute + 10*time.Second)
		h.agree(everybody...)
		if n := len(h.jobs(syncqueue.Parked)); n != 0 {
			t.Errorf("%d jobs wait for an operator", n)
		}
	})
}

func TestARenamedUserKeepsWhatIsHis(t *testing.T) {
	inBubble(t, small(), plan{members: time.Minute}, func(h *house) {
		h.world.change(func() { h.world.users["u-ana"] = providers.User{ID: "u-ana", Login: "anna"} })
		h.ask(syncqueue.UserJob("git", providers.User{ID: "u-ana", Login: "ana"}, syncqueue.LaneAddition, time.Now()))
		h.after(5 * time.Second)
		if got := h.believes("ana"); !slices.Equal(got, []string{"acme/app"}) {
			t.Errorf("id u-ana holds %v", got)
		}
		x, err := h.store.Holdings(t.Context(), "git", "u-ana")
		if err != nil || x.User.Login != "anna" {
			t.Errorf("login is %q (%v), want anna", x.User.Login, err)
		}
	})
}

func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}

// An empty database behind a forge that works looks consistent from everywhere.
func TestAForgeThatForgotAlmostEverythingIsHeldForAnOperator(t *testing.T) {
	w := small()
	for i := range 40 {
		w.create(fmt.Sprint(1000+i), fmt.Sprint("r", i), "2")
	}
	inBubble(t, w, plan{members: time.Minute, repos: time.Minute, reconcile: time.Hour}, func(h *house) {
		h.after(2 * time.Minute)
		h.agree(everybody...)
		w.change(func() {
			for i := range 40 {
				delete(w.teams["2"].repos, fmt.Sprint(1000+i))
			}
		})
		h.after(3 * time.Hour)
		if got := len(h.believes("ana")); got != 41 {
			t.Errorf("ana holds %d repositories, want 41 until an operator says otherwise", got)
		}
		held := h.jobs(syncqueue.Parked)
		if len(held) == 0 || h.held["catalogue"] == 0 {
			t.Fatalf("%d parked jobs, %d counted as held", len(held), h.held["catalogue"])
		}
		for _, j := range held {
			if !contains(j.Note, "hookd queue retry") {
				t.Errorf("the note does not say what to do: %q", j.Note)
			}
			if _, err := h.store.Revive(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		h.after(3 * time.Hour)
		h.agree("admin", "ana", "li")
	})
}

// Drone shows what it read when somebody else's change made it read: a
// repository that came and went in between was never lost, so nobody would
// look for it.
func TestWhatTheCIServerShowsAndNobodyEverHeldIsSyncedAway(t *testing.T) {
	inBubble(t, small(), plan{reconcile: time.Hour}, func(h *house) {
		h.after(2 * time.Hour) // everybody's list was read whole
		h.ci.mu.Lock()
		h.ci.shows["ana"]["77"] = "acme/ghost"
		h.ci.shows["ana"]["78"] = "other/kept"
		h.ci.mu.Unlock()
		h.after(2 * time.Hour)
		h.agree(everybody...)
	})
}

func TestListsAreCompleteSoonAfterTheFirstFill(t *testing.T) {
	inBubble(t, small(), plan{}, func(h *house) {
		for _, login := range everybody {
			x, err := h.store.Holdings(t.Context(), "git", "u-"+login)
			if err != nil || !x.Complete {
				t.Errorf("the list of %s is complete: %v (%v)", login, x.Complete, err)
			}
		}
	})
}
